package today

import (
	"strings"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/xmppserver"
)

// Demo is a service that is worth looking at: ada, ben and cleo, whose passwords are their names and whose
// tokens (OAUTHBEARER) are today-ada, today-ben and today-cleo, and people whom the service plays. Buddy
// answers, corrects itself and reacts. In the lounge Mia and Noah talk while somebody is there. The town
// hall is ada's: she can give voice there, and take back what Sam says. What was said before is in the
// archives, with the same ids and, for a day, the same times at each start.
func Demo() Options {
	day := time.Now().UTC().Truncate(24 * time.Hour)
	return Options{Accounts: demoAccounts(), Rooms: demoRooms(day), Archive: demoArchive(day), Seed: "the demo of today"}
}

// DemoTokenPrefix begins the tokens of the accounts of Demo; the localpart follows.
const DemoTokenPrefix = "today-"

// DemoPeople are the accounts of Demo that are for signing in.
func DemoPeople() []string { return []string{"ada", "ben", "cleo"} }

func demoAccounts() []Account {
	var list []Account
	for _, local := range DemoPeople() {
		a := demoPerson(local, strings.ToUpper(local[:1])+local[1:])
		a.Password, a.Tokens = local, []string{DemoTokenPrefix + local}
		a.Bookmarks = []string{"lounge", "town-hall"}
		for _, other := range DemoPeople() {
			if other != local {
				a.Contacts = append(a.Contacts, Contact{Local: other, Name: strings.ToUpper(other[:1]) + other[1:], Groups: []string{"Friends"}})
			}
		}
		a.Contacts = append(a.Contacts, Contact{Local: "buddy", Name: "Buddy", Groups: []string{"Bots"}})
		list = append(list, a)
	}
	list[0].Contacts = append(list[0].Contacts, Contact{Local: "mia", Name: "Mia", Groups: []string{"Bots"}}, Contact{Local: "noah", Name: "Noah", Groups: []string{"Bots"}})
	return append(list, demoBots()...)
}

func demoPerson(local, name string) Account {
	return Account{Local: local, Nickname: name, VCard: perch.VCard{FullName: name, Nickname: name, Photo: xmppserver.Portrait(local)}}
}

func demoBots() []Account {
	online := func(status string) perch.OwnPresence { return perch.OwnPresence{Available: true, Status: status} }
	buddy, mia, noah, sam := demoPerson("buddy", "Buddy"), demoPerson("mia", "Mia"), demoPerson("noah", "Noah"), demoPerson("sam", "Sam")
	buddy.Bot = &Bot{Presence: perch.OwnPresence{Available: true, Show: perch.ShowChat, Status: "Write to me"}, Rooms: []string{"lounge"}, Answer: buddyAnswers}
	mia.Bot = &Bot{Presence: online("In the lounge"), Rooms: []string{"lounge"}, Answer: says("Come to the lounge: Noah and I are there.")}
	noah.Bot = &Bot{Presence: perch.OwnPresence{Available: true, Show: perch.ShowAway, Status: "Making coffee"}, Rooms: []string{"lounge"}, Answer: says("One moment, the kettle!")}
	sam.Bot = &Bot{Presence: online("Best prices"), Rooms: []string{"town-hall"}, Answer: says("Have you seen our offer?")}
	return []Account{buddy, mia, noah, sam}
}

// says is a bot that has one answer to everything.
func says(body string) func(string) Answer {
	return func(string) Answer { return Answer{Body: body} }
}

// buddyAnswers shows what an answer can be.
func buddyAnswers(text string) Answer {
	switch {
	case hasWords(text, "hello"), hasWords(text, "hi"), hasWords(text, "hey"):
		return Answer{Body: "Hello! Ask me something, or write anything.", Corrected: "Hello! Ask me something, or just write.", Reaction: "👋"}
	case strings.Contains(text, "?"):
		return Answer{Body: "That is a good question.", Corrected: "That is a good question. I have thought about it: yes.", Reaction: "🤔"}
	}
	return Answer{Body: "You say: " + text, Corrected: "You said: " + text, Reaction: "👍"}
}
