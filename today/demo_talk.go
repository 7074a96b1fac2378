package today

import (
	"fmt"
	"time"
)

// demoRooms are the lounge and the town hall, with what was said there until day.
func demoRooms(day time.Time) []Room {
	return []Room{{
		Local: "lounge", Name: "Lounge", Description: "Where people are", Subject: "Coffee, tea and what you are building",
		ChangeSubject: true, Owners: []string{"mia"}, Members: DemoPeople(),
		Archive: past(day, "lounge", []PastMessage{
			{From: "mia", Body: "Good morning! Who is in today?"},
			{From: "ben", Body: "Me, with a new keyboard."},
			{From: "noah", Body: "I am in, and the tea is ready."},
			{From: "noah", Body: "I am in, and the coffee is ready.", Replaces: "lounge-3"},
			{From: "ben", ReactsTo: "lounge-3", Emojis: []string{"☕"}},
			{From: "noah", Picture: demoPicture(1)},
			{From: "cleo", Body: "Does anybody know how read positions work? I have two tabs open."},
			{From: "mia", Body: "You read in one, and the other one knows. Try it."},
			{From: "cleo", ReactsTo: "lounge-8", Emojis: []string{"🎉", "👍"}},
		}),
		TalkEvery: 20 * time.Second,
		Talk: []Line{
			{From: "mia", Body: "What are you building today?"},
			{From: "noah", Body: "A list that does not jump when a message comes."},
			{From: "mia", React: "👏"},
			{From: "mia", Body: "Does it show who is typing?"},
			{From: "mia", Body: "And does it show who is typing?", Correct: true},
			{From: "noah", Body: "It does. And it marks what I have read."},
			{From: "mia", Body: "Look what I see from my window:"},
			{From: "mia", Picture: demoPicture(2)},
			{From: "noah", React: "😍"},
			{From: "noah", Body: "Name one of us, and we answer."},
			{From: "mia", React: "😄"},
		},
	}, {
		Local: "town-hall", Name: "Town hall", Description: "Those with voice speak, and ada says who that is", Subject: "Ask for voice to speak",
		Moderated: true, Owners: []string{"ada"}, Members: []string{"sam"},
		Archive: past(day, "hall", []PastMessage{
			{From: "ada", Body: "Welcome to the town hall. I give voice to who asks for it."},
			{From: "sam", Body: "Cheap watches, only today!"},
			{From: "ada", Body: "Sam, please. Next time I take it back."},
		}),
		TalkEvery: 45 * time.Second,
		Talk: []Line{
			{From: "sam", Body: "Two umbrellas for the price of three!"},
			{From: "sam", Body: "Our watches are never late. Nor early."},
		},
	}}
}

// demoArchive is what people have said to each other until day.
func demoArchive(day time.Time) []PastMessage {
	between := func(a, b string, list []PastMessage) []PastMessage {
		for i := range list {
			if list[i].To = b; list[i].From == b {
				list[i].To = a
			}
		}
		return past(day, a+"-"+b, list)
	}
	return append(between("ada", "ben", []PastMessage{
		{From: "ben", Body: "Have you seen the lounge?"},
		{From: "ada", Body: "Not yet. What is there?"},
		{From: "ben", Body: "People, and pictures. This one is mine."},
		{From: "ben", Picture: demoPicture(3)},
		{From: "ada", ReactsTo: "ada-ben-4", Emojis: []string{"👀"}},
		{From: "ada", Body: "I shall look in today."},
		{From: "ada", Body: "I shall look in tomorrow.", Replaces: "ada-ben-6"},
	}), between("ada", "buddy", []PastMessage{
		{From: "buddy", Body: "Write something to me: I answer, correct myself, and react."},
	})...)
}

// past gives messages their ids and times: the last one a quarter of an hour before day.
func past(day time.Time, name string, list []PastMessage) []PastMessage {
	for i := range list {
		list[i].ID = fmt.Sprintf("%s-%d", name, i+1)
		list[i].Time = day.Add(-15 * time.Minute).Add(-time.Duration(len(list)-1-i) * 3 * time.Minute)
	}
	return list
}
