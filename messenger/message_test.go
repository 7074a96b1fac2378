package messenger_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/perch-im/perch"
)

func TestM07ChatIsTheOnlyKind(t *testing.T) {
	s := start(t, world())
	ann, ben := online(t, s, "ann"), online(t, s, "ben")
	ann.sync()
	for _, kind := range []string{"", "type='normal'", "type='headline'", "type='groupchat'"} {
		ann.send("<message id='m' to='%s' %s><body>x</body></message>", at("ben"), kind)
		got := only(ann.sync(), "message error")
		if len(got) != 1 || got[0].condition() != "feature-not-implemented" || got[0].get("id") != "m" || got[0].get("from") != at("ben") {
			t.Errorf("%q: got %v, want 1 and %q and %q and %q", kind, got, "feature-not-implemented", "m", at("ben"))
		}
	}
	ann.send("<message type='error' to='%s'/>", at("ben"))
	ann.send("<message id='ok' type='chat' to='%s' xml:lang='de'><body>&lt;hallo&gt; &amp; &#x1F600;</body><thread>t</thread><x xmlns='urn:x' a='&quot;'><y>z</y></x></message>", at("ben"))
	if m := only(ann.sync(), "message"); len(m) != 0 {
		t.Errorf("errors: %v, want 0", m)
	}
	got := only(ben.sync(), "message")
	if len(got) != 1 || got[0].at("body").Text != "<hallo> & 😀" || got[0].get("from") != ann.jid ||
		got[0].get("to") != at("ben") || got[0].at("x").XMLName.Space != "urn:x" || got[0].at("x", "y").Text != "z" {
		t.Errorf("delivered %v, want 1 and %q and %v and %v and %q and %q", got, "<hallo> & 😀", ann.jid, at("ben"), "urn:x", "z")
	}
}

func TestM07Refusals(t *testing.T) {
	s := start(t, world())
	ann := online(t, s, "ann")
	for to, want := range map[string]string{
		at("nobody"):       "item-not-found",
		"someone@else.tld": "remote-server-not-found",
		domain:             "service-unavailable",
		"a@b@c":            "jid-malformed",
	} {
		ann.send("<message type='chat' to='%s'><body>x</body></message>", to)
		if got := only(ann.sync(), "message error"); len(got) != 1 || got[0].condition() != want {
			t.Errorf("%s: %v, want %s", to, got, want)
		}
	}
}

func TestM07RoutingByPriority(t *testing.T) {
	s := start(t, world())
	ann := online(t, s, "ann")
	low, high, minus := online(t, s, "ben"), online(t, s, "ben"), online(t, s, "ben")
	low.send("<presence><priority>1</priority></presence>")
	high.send("<presence><show>away</show><priority>5</priority></presence>")
	minus.send("<presence><priority>-1</priority></presence>")
	for _, c := range []*client{low, high, minus} {
		c.sync()
	}
	ann.send("<message type='chat' to='%s'><body>bare</body></message>", at("ben"))
	ann.send("<message type='chat' to='%s'><body>full</body></message>", minus.jid)
	ann.send("<message type='chat' to='%s/gone'><body>gone</body></message>", at("ben"))
	ann.sync()
	for _, tt := range []struct {
		c    *client
		want string
	}{{low, "[]"}, {high, "[bare gone]"}, {minus, "[full]"}} {
		if got := fmt.Sprint(bodies(tt.c.sync())); got != tt.want {
			t.Errorf("%s got %s, want %s", tt.c.jid, got, tt.want)
		}
	}
}

func bodies(list []node) []string {
	out := []string{}
	for _, m := range only(list, "message") {
		if b := m.at("body").Text; b != "" {
			out = append(out, b)
		}
	}
	return out
}

func TestM12OfflineMessagesInOrder(t *testing.T) {
	o := world()
	o.OfflineMax = 3
	s := start(t, o)
	ann := online(t, s, "ann")
	before := time.Now().Add(-time.Second)
	for i := range 4 {
		ann.send("<message id='m%d' type='chat' to='%s'><body>%d</body><delay xmlns='urn:xmpp:delay' stamp='1999-01-01T00:00:00Z'/></message>", i, at("ben"), i)
	}
	ann.send("<message type='chat' to='%s'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>", at("ben"))
	if got := only(ann.sync(), "message error"); len(got) != 1 || got[0].get("id") != "m3" || got[0].condition() != "service-unavailable" {
		t.Fatalf("beyond the limit: %v, want 1 and %q and %q", got, "m3", "service-unavailable")
	}
	ben := signIn(t, s, "ben")
	ben.send("<presence><priority>-1</priority></presence>")
	if got := only(ben.sync(), "message"); len(got) != 0 {
		t.Fatalf("a resource of negative priority got %v, want 0", got)
	}
	ben.send("<presence/>")
	got := only(ben.sync(), "message")
	if fmt.Sprint(bodies(got)) != "[0 1 2]" || len(got) != 3 {
		t.Fatalf("got %v, want %q and 3", got, "[0 1 2]")
	}
	for _, m := range got {
		stamp, err := time.Parse(time.RFC3339, m.at("delay").get("stamp"))
		if err != nil || stamp.Before(before) || m.at("delay").get("from") != domain || m.get("from") != ann.jid || len(m.Kids) != 2 {
			t.Errorf("got %v (%v), want a delay of this test from %v, a sender %v and 2 elements", m, err, domain, ann.jid)
		}
	}
	ben.send("<presence type='unavailable'/><presence/>")
	if got := only(ben.sync(), "message"); len(got) != 0 {
		t.Errorf("delivered twice: %v, want 0", got)
	}
}

func TestM13ChatStatesAreRelayed(t *testing.T) {
	s := start(t, world())
	ann, ben := online(t, s, "ann"), online(t, s, "ben")
	for _, state := range []string{"active", "composing", "paused", "inactive", "gone"} {
		ann.send("<message type='chat' to='%s'><%s xmlns='http://jabber.org/protocol/chatstates'/></message>", at("ben"), state)
		ann.sync()
		got := only(ben.sync(), "message chat")
		if len(got) != 1 || got[0].at(state).XMLName.Space != "http://jabber.org/protocol/chatstates" {
			t.Errorf("%s: got %v, want 1 and %q", state, got, "http://jabber.org/protocol/chatstates")
		}
	}
	if err := s.SetChatState("ben", "ann", perch.StateComposing); err != nil {
		t.Fatalf("s.SetChatState: got error %v, want none", err)
	}
	if got := only(ann.sync(), "message"); len(got) != 1 || got[0].at("composing").XMLName.Local == "" {
		t.Errorf("from the service: %v, want 1 and some text", got)
	}
}
