package messenger_test

import (
	"fmt"
	"strings"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/messenger"
)

// world is a small service: ann and ben see each other, cat is alone, dan has asked ann.
func world() messenger.Options {
	acct := func(user string) messenger.Account {
		return messenger.Account{
			User: user, Identifier: user, AccountID: user + "@contoso.com", Nickname: strings.ToUpper(user),
			Tokens: []messenger.Token{{Text: canary.Mark + user}},
			VCard:  perch.VCard{FullName: user + " & <co>", Emails: []string{user + "@contoso.com"}},
		}
	}
	ann, ben, cat, dan := acct("ann"), acct("ben"), acct("cat"), acct("dan")
	ann.Contacts = []messenger.Contact{{User: "ben", Name: "Benny", Groups: []string{"A", "B"}}}
	ann.Invitations = []messenger.Invitation{{User: "dan", Nick: "Dan the man", Message: "it is me"}}
	ben.VCard.Photo = messenger.Portrait("ben")
	return messenger.Options{Accounts: []messenger.Account{ann, ben, cat, dan}}
}

func init() { canary.Note(canary.Mark + "ann") }

func at(user string) string { return user + "@" + domain }

const rosterNS = "jabber:iq:roster"

func add(jid, attrs, inner string) string {
	return fmt.Sprintf("<query xmlns='%s'><item jid='%s' %s>%s</item></query>", rosterNS, jid, attrs, inner)
}
