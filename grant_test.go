package perch_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/perch-im/perch"
)

func TestGrantCovers(t *testing.T) {
	read, both := []perch.Scope{perch.ScopeRead}, []perch.Scope{perch.ScopeRead, perch.ScopeSend}
	for name, tt := range map[string]struct {
		of, other perch.Grant
		want      bool
	}{
		"everything covers everything":       {perch.Grant{}, perch.Grant{}, true},
		"everything covers a part":           {perch.Grant{}, perch.Grant{Scopes: read, Conversations: []perch.JID{"a@b"}, Expires: 5}, true},
		"a part does not cover everything":   {perch.Grant{Scopes: perch.Scopes()}, perch.Grant{}, false},
		"all scopes by name":                 {perch.Grant{}, perch.Grant{Scopes: perch.Scopes()}, true},
		"fewer scopes":                       {perch.Grant{Scopes: both}, perch.Grant{Scopes: read}, true},
		"more scopes":                        {perch.Grant{Scopes: read}, perch.Grant{Scopes: both}, false},
		"no conversations named":             {perch.Grant{Conversations: []perch.JID{"a@b"}}, perch.Grant{}, false},
		"another conversation":               {perch.Grant{Conversations: []perch.JID{"a@b"}}, perch.Grant{Conversations: []perch.JID{"c@d"}}, false},
		"another spelling":                   {perch.Grant{Conversations: []perch.JID{"a@b"}}, perch.Grant{Conversations: []perch.JID{"A@B"}}, true},
		"an occupant of a room":              {perch.Grant{Conversations: []perch.JID{"r@b"}}, perch.Grant{Conversations: []perch.JID{"r@b/n"}}, false},
		"for ever":                           {perch.Grant{Expires: 5}, perch.Grant{}, false},
		"longer":                             {perch.Grant{Expires: 5}, perch.Grant{Expires: 6}, false},
		"as long":                            {perch.Grant{Expires: 5}, perch.Grant{Expires: 5}, true},
		"shorter, and it begins without end": {perch.Grant{}, perch.Grant{Expires: 5}, true},
	} {
		if got := tt.of.Covers(tt.other); got != tt.want {
			t.Errorf("%s: Covers got %v, want %v", name, got, tt.want)
		}
	}
}

// TestGrantCoversNoMore: what a covered grant allows, the one that covers it allows, too.
func TestGrantCoversNoMore(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	jids := []perch.JID{"a@b", "c@d", "r@s", "r@s/n"}
	random := func() (g perch.Grant) {
		for _, s := range perch.Scopes() {
			if r.IntN(2) == 0 {
				g.Scopes = append(g.Scopes, s)
			}
		}
		for _, j := range jids {
			if r.IntN(3) == 0 {
				g.Conversations = append(g.Conversations, j)
			}
		}
		g.Expires = perch.Time(r.IntN(3))
		return g
	}
	covered := 0
	for range 20_000 {
		g, other := random(), random()
		if !g.Covers(other) {
			continue
		}
		covered++
		for _, s := range perch.Scopes() {
			if other.Allows(s) && !g.Allows(s) {
				t.Fatalf("%+v covers %+v: got %s out of its reach, want it allowed", g, other, s)
			}
		}
		for _, j := range jids {
			if other.AllowsConversation(j) && !g.AllowsConversation(j) {
				t.Fatalf("%+v covers %+v: got %s out of its reach, want it allowed", g, other, j)
			}
		}
		for now := range perch.Time(4) {
			if g.Expired(now) && !other.Expired(now) {
				t.Fatalf("%+v covers %+v: got it ended before that one, want later", g, other)
			}
		}
	}
	if covered < 20 {
		t.Errorf("got %d grants that are covered, want enough to show something", covered)
	}
}

func TestGrantAllows(t *testing.T) {
	g := perch.Grant{Scopes: []perch.Scope{perch.ScopeRead}, Conversations: []perch.JID{"r@s"}}
	if !g.Allows(perch.ScopeSend, perch.ScopeRead) || g.Allows(perch.ScopeSend) || g.AllowsAll(perch.ScopeRead, perch.ScopeSend) || !(perch.Grant{}).AllowsAll(perch.Scopes()...) {
		t.Errorf("Allows of %+v: got another answer, want the scopes that it has", g)
	}
	if g.AllowsConversation("") || g.AllowsConversation("r@s/n") || !g.AllowsConversation("R@S") || !(perch.Grant{}).AllowsConversation("") {
		t.Errorf("AllowsConversation of %+v: got another answer, want exactly its conversations", g)
	}
	if (perch.Scope("admin")).Valid() || !perch.ScopeTokens.Valid() {
		t.Error("Valid: got another answer, want the scopes alone")
	}
}

// TestGrantShows: each durable event is seen with one of the scopes of its kind, and with no other.
func TestGrantShows(t *testing.T) {
	for typ, with := range map[perch.EventType]string{
		perch.EventMessageReceived: "read", perch.EventRosterItem: "read roster", perch.EventRoomState: "read rooms",
		perch.EventSessionState: "read presence roster rooms", perch.EventPresence: "read presence", perch.EventWebhookDisabled: "webhooks",
		perch.EventHello: "", perch.EventStanza: "",
	} {
		var got []string
		for _, scope := range perch.Scopes() {
			if (perch.Grant{Scopes: []perch.Scope{scope}}).Shows(typ) {
				got = append(got, string(scope))
			}
		}
		if strings.Join(got, " ") != with {
			t.Errorf("%s: got it shown with each of %q alone, want with %q", typ, got, with)
		}
	}
	for _, tt := range []struct {
		scopes []perch.Scope
		want   bool
	}{{nil, true}, {perch.Scopes(), true}, {perch.Scopes()[:6], true}, {perch.Scopes()[:5], false}, {[]perch.Scope{}, false}} {
		if got := (perch.Grant{Scopes: tt.scopes}).Shows(perch.EventStanza); got != tt.want {
			t.Errorf("stanzas with %q: got %v, want %v", tt.scopes, got, tt.want)
		}
	}
}
