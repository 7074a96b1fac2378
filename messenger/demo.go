package messenger

import (
	"fmt"
	"time"

	"github.com/perch-im/perch"
)

// Demo is a service that is worth looking at: the accounts of DemoAccounts, archived
// times with milliseconds, and photo hashes in presence.
func Demo() Options {
	return Options{Accounts: DemoAccounts(), ArchiveUTC: true, PhotoHashes: true}
}

// DemoAccounts are alice, bob and carol with the tokens demo-alice, demo-bob and
// demo-carol, which do not expire, and the people and bots around them. Alice has the
// most to show: a bot that answers, one whose presence changes by itself, one that is
// offline, two invitations, and an archive. Dora is in no roster; she can be found
// as dora@contoso.com and accepts every invitation. Scissors, as scissors@contoso.com,
// cuts the connections of an account that writes "cut" to it.
func DemoAccounts() []Account {
	end := archivedUpTo
	if now := time.Now(); now.Before(end) {
		end = now // a clock that is behind has no messages of the future
	}
	at := func(minutes int) time.Time { return end.Add(-time.Duration(minutes) * time.Minute) }
	alice := person("alice", "Alice", "Liddell", "Down the rabbit hole since 1865.")
	alice.Tokens = []Token{{Text: "demo-alice"}}
	alice.KeepHistory = true
	alice.Contacts = []Contact{
		{User: "bob", Name: "Bob", Groups: []string{"Friends"}},
		{User: "echo", Name: "Echo", Groups: []string{"Bots"}},
		{User: "wanda", Name: "Wanda", Groups: []string{"Bots"}},
		{User: "oscar", Name: "Oscar", Groups: []string{"Friends", "Work"}},
	}
	alice.Invitations = []Invitation{
		{User: "mary", Nick: "Mary from accounting", Message: "Hello Alice, shall we keep in touch?"},
		{User: "nick", Nick: "Nick \u2618", Message: "We met at the tea party."},
	}
	alice.Archive = []ArchivedMessage{
		{With: "bob", FromMe: false, Body: "Are you coming to the garden party?", Time: at(1500)},
		{With: "bob", FromMe: true, Body: "Only if there is croquet.", Time: at(1498)},
		{With: "bob", FromMe: false, Body: "With flamingos!", Time: at(1497)},
		{With: "bob", FromMe: true, Body: "Then I shall be there.", Time: at(1490)},
		{With: "echo", FromMe: true, Body: "Is anybody there?", Time: at(90)},
		{With: "echo", FromMe: false, Body: "You said: Is anybody there?", Time: at(90)},
		{With: "oscar", FromMe: false, Body: "I am off for the week.", Time: at(4000)},
		{With: "oscar", FromMe: true, Body: "Have a good time.", Time: at(3990)},
	}
	bob := person("bob", "Bob", "Baker", "Bread and croquet.")
	bob.Tokens = []Token{{Text: "demo-bob"}}
	bob.Contacts = []Contact{{User: "echo", Name: "Echo", Groups: []string{"Bots"}}}
	carol := person("carol", "Carol", "Danvers", "New here.")
	carol.Tokens = []Token{{Text: "demo-carol"}}
	carol.Contacts = []Contact{{User: "wanda", Name: "Wanda"}}

	return []Account{
		alice, bob, carol, echoBot(), wandaBot(), doraBot(), scissorsBot(),
		person("oscar", "Oscar", "Offline", "Rarely here."),
		person("mary", "Mary", "Smith", "Accounting, third floor."),
		person("nick", "Nick", "Nolan", "Tea at four."),
	}
}

// archivedUpTo is the end of the archive that Alice begins with. It is the same at each start: this archive
// has no ids (XEP-0136), so a client that has seen it knows a message again by its text and time.
var archivedUpTo = time.Date(2026, time.July, 4, 16, 0, 0, 0, time.UTC)

// person is an account with a card and a photo.
func person(user, given, family, about string) Account {
	return Account{
		User: user, AccountID: user + "@contoso.com", Nickname: given,
		VCard: perch.VCard{
			FullName: given + " " + family, GivenName: given, FamilyName: family, Nickname: given,
			Emails: []string{user + "@contoso.com"}, Organization: "Contoso", Description: about,
			Photo: Portrait(user),
		},
	}
}

func echoBot() Account {
	a := person("echo", "Echo", "Bot", "Says what you say.")
	a.Bot = &Bot{
		Reply:     func(body string) string { return "You said: " + body },
		Presences: []perch.OwnPresence{{Available: true, Show: perch.ShowChat, Status: "Say something to me"}},
	}
	return a
}

func wandaBot() Account {
	a := person("wanda", "Wanda", "Weather", "Changes all the time.")
	a.Bot = &Bot{
		Reply: func(string) string { return "Look at my status: it changes every " + wandaEvery.String() + "." },
		Every: wandaEvery,
		Presences: []perch.OwnPresence{
			{Available: true, Status: "Sunny, 21 degrees"},
			{Available: true, Show: perch.ShowAway, Status: "Gone to look for an umbrella"},
			{Available: true, Show: perch.ShowDND, Status: "Thunderstorm, do not disturb"},
			{Available: true, Show: perch.ShowXA, Status: "Night"},
			{Available: false},
			{Available: true, Show: perch.ShowChat, Status: "Morning, who wants to talk?"},
		},
	}
	return a
}

const wandaEvery = 17 * time.Second

func doraBot() Account {
	a := person("dora", "Dora", "Door", "Knock and enter.")
	a.Bot = &Bot{
		Reply:     func(string) string { return "Thank you for adding me by my JID." },
		Presences: []perch.OwnPresence{{Available: true, Status: "The door is open"}},
	}
	return a
}

func scissorsBot() Account {
	a := person("scissors", "Scissors", "Sharp", "Write cut, and your link is cut.")
	a.Bot = &Bot{
		Cut:       func(body string) bool { return body == "cut" },
		Presences: []perch.OwnPresence{{Available: true, Show: perch.ShowDND, Status: "Snip, snip"}},
	}
	return a
}

// Load is a service for measurements: users load-0 to load-(n-1) with tokens of the same
// text, which all have the same bots as contacts. The bots (bot-0 ...) are online and
// silent; SetPresence of one reaches every user.
func Load(n, contacts int) Options {
	list := make([]Account, 0, n+contacts)
	roster := make([]Contact, contacts)
	for i := range contacts {
		list = append(list, loadBot(fmt.Sprintf("bot-%d", i), i))
		roster[i] = loadContact(&list[i])
	}
	for i := range n {
		list = append(list, loadUser(i, roster))
	}
	return Options{Accounts: list, MaxConnections: n + 100}
}

// LoadApart is [Load] with other contacts for each user: bot-7-0, bot-7-1 ... are those of
// load-7.
func LoadApart(n, contacts int) Options {
	list := make([]Account, 0, n*(1+contacts))
	for i := range n {
		roster := make([]Contact, contacts)
		for j := range contacts {
			list = append(list, loadBot(fmt.Sprintf("bot-%d-%d", i, j), i*contacts+j))
			roster[j] = loadContact(&list[len(list)-1])
		}
		list = append(list, loadUser(i, roster))
	}
	return Options{Accounts: list, MaxConnections: n + 100}
}

func loadBot(user string, n int) Account {
	return Account{
		User: user, Identifier: user, Nickname: fmt.Sprintf("Buddy %d", n),
		Bot: &Bot{Presences: []perch.OwnPresence{{Available: true, Status: fmt.Sprintf("Status of buddy %d", n)}}},
	}
}

func loadContact(bot *Account) Contact {
	return Contact{User: bot.User, Name: bot.Nickname, Groups: []string{"Friends"}}
}

func loadUser(n int, roster []Contact) Account {
	user := fmt.Sprintf("load-%d", n)
	return Account{
		User: user, Identifier: user, Nickname: fmt.Sprintf("User %d", n),
		Contacts: roster, Tokens: []Token{{Text: user}},
	}
}
