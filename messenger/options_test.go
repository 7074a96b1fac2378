package messenger_test

import (
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/messenger"
)

func TestOptionsAreChecked(t *testing.T) {
	a := func(accts ...messenger.Account) messenger.Options { return messenger.Options{Accounts: accts} }
	x, y := messenger.Account{User: "x"}, messenger.Account{User: "y"}
	with := func(acct messenger.Account, change func(*messenger.Account)) messenger.Account {
		change(&acct)
		return acct
	}
	for want, o := range map[string]messenger.Options{
		"Listen":       {Listen: "here"},
		"loopback":     {Listen: "0.0.0.0:1"},
		"Stage":        {Redirect: messenger.Redirect{Stage: "x"}},
		"Times":        {Redirect: messenger.Redirect{Times: -1}},
		"a limit":      {OfflineMax: -1},
		"a duration":   {IdleTimeout: -time.Second},
		"no User":      a(messenger.Account{}),
		"is taken":     a(x, x),
		"Identifier":   a(messenger.Account{User: "x", Identifier: "a@b"}),
		`contact "z"`:  a(with(x, func(c *messenger.Account) { c.Contacts = []messenger.Contact{{User: "z"}} })),
		`contact "x"`:  a(with(x, func(c *messenger.Account) { c.Contacts = []messenger.Contact{{User: "x"}} })),
		"listed twice": a(y, with(x, func(c *messenger.Account) { c.Contacts = []messenger.Contact{{User: "y"}, {User: "y"}} })),
		"subscription": a(y, with(x, func(c *messenger.Account) {
			c.Contacts = []messenger.Contact{{User: "y", Subscription: perch.SubscriptionRemove}}
		})),
		"invitation":     a(with(x, func(c *messenger.Account) { c.Invitations = []messenger.Invitation{{User: "z"}} })),
		"archived":       a(with(x, func(c *messenger.Account) { c.Archive = []messenger.ArchivedMessage{{With: "z"}} })),
		"must have a te": a(with(x, func(c *messenger.Account) { c.Tokens = []messenger.Token{{}} })),
	} {
		if s, err := messenger.New(o); err == nil || !strings.Contains(err.Error(), want) || s != nil {
			t.Errorf("want an error with %q, got %v", want, err)
		}
	}
}

// One side of a subscription is enough: the other gets the mirrored item.
func TestContactsAreMirrored(t *testing.T) {
	s := start(t, messenger.Options{Accounts: []messenger.Account{
		{User: "x", Identifier: "x", Tokens: []messenger.Token{{Text: "x"}}, Contacts: []messenger.Contact{
			{User: "y", Subscription: perch.SubscriptionTo}, {User: "z"}, {User: "w", Subscription: perch.SubscriptionNone}}},
		{User: "y", Identifier: "y", Nickname: "Why", Tokens: []messenger.Token{{Text: "y"}}},
		{User: "z", Identifier: "z", Bot: &messenger.Bot{}, Contacts: []messenger.Contact{{User: "y", Subscription: perch.SubscriptionFrom}}},
		{User: "w", Identifier: "w", Tokens: []messenger.Token{{Text: "w"}}},
	}})
	for token, want := range map[string]map[string]string{
		"x": {at("y"): "to", at("z"): "both", at("w"): "none"},
		"y": {at("x"): "from", at("z"): "to"},
		"w": {},
	} {
		items := signIn(t, s, token).roster()
		if len(items) != len(want) {
			t.Errorf("%s has %v, want %v", token, items, len(want))
		}
		for jid, sub := range want {
			if items[jid].get("subscription") != sub {
				t.Errorf("%s: %s is %q, want %q", token, jid, items[jid].get("subscription"), sub)
			}
		}
	}
}
