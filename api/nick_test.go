package api_test

import (
	"strings"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/fakexmpp"
)

// TestOwnNick is set and taken back; the rest of the card stays.
func TestOwnNick(t *testing.T) {
	f := newGateway(t)
	f.up.Edit(func(d *fakexmpp.Data) {
		d.Cards["alice@example.net"] = perch.VCard{JID: "alice@example.net", FullName: "Alice"}
	})
	f.signIn()
	is := func(want string) {
		t.Helper()
		var card perch.VCard
		if f.want(200, "GET", "/v1/vcards/me", "", &card); card.Nickname != want || card.FullName != "Alice" {
			t.Errorf("got %+v, want the nickname %q in the card as it was", card, want)
		}
	}
	f.want(204, "PUT", "/v1/vcards/me/nick", `{"nick":" Al "}`, nil)
	is("Al")
	f.want(204, "DELETE", "/v1/vcards/me/nick", "", nil)
	is("")
	for name, c := range map[string]struct{ method, path, body, pointer string }{
		"none":           {"PUT", "/v1/vcards/me/nick", `{}`, "/nick"},
		"nothing":        {"PUT", "/v1/vcards/me/nick", `{"nick":" "}`, "/nick"},
		"no text":        {"PUT", "/v1/vcards/me/nick", `{"nick":1}`, "/nick"},
		"two lines":      {"PUT", "/v1/vcards/me/nick", `{"nick":"a\nb"}`, "/nick"},
		"too long":       {"PUT", "/v1/vcards/me/nick", `{"nick":"` + strings.Repeat("x", 257) + `"}`, "/nick"},
		"another field":  {"PUT", "/v1/vcards/me/nick", `{"nick":"a","x":1}`, "/x"},
		"another query":  {"DELETE", "/v1/vcards/me/nick?x=1", "", "?x"},
		"a query of PUT": {"PUT", "/v1/vcards/me/nick?x=1", `{"nick":"a"}`, "?x"},
	} {
		t.Run(name, func(t *testing.T) { f.refused(422, "validation", c.pointer, c.method, c.path, c.body) })
	}
	for _, caps := range []perch.Capabilities{{ChatOnly: true}, {EditRoster: true}} {
		g := newGateway(t)
		g.up.Edit(func(d *fakexmpp.Data) { d.Capabilities = caps })
		g.signIn()
		g.refused(501, "feature-unsupported", "", "PUT", "/v1/vcards/me/nick", `{"nick":"Al"}`)
		g.refused(501, "feature-unsupported", "", "DELETE", "/v1/vcards/me/nick", "")
	}
}

// TestNickOfABuddy is a field of the buddy, and its name where the roster has none.
func TestNickOfABuddy(t *testing.T) {
	f := newGateway(t)
	f.signIn()
	f.conn.Deliver(&perch.NickIn{From: "bob@example.net", Nick: "Bobby"})
	var bob perch.Buddy
	f.eventually("the nickname", func() bool {
		f.want(200, "GET", "/v1/buddies/bob@example.net", "", &bob)
		return bob.Nick == "Bobby"
	})
	if bob.Name == "Bobby" {
		t.Errorf("got %+v, want the name of the roster", bob)
	}
}
