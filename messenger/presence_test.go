package messenger_test

import (
	"slices"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/messenger"
)

func TestM08PresenceOfContactsAfterOwn(t *testing.T) {
	s := start(t, world())
	ben := online(t, s, "ben")
	ben.send("<presence><show>dnd</show><status>busy</status></presence>")
	ben.sync()
	ann := signIn(t, s, "ann")
	ann.roster()
	if p := only(ann.sync(), "presence"); len(p) != 0 {
		t.Fatalf("presence before the own one: %v, want 0", p)
	}
	ann.send("<presence/>")
	var seen []string
	for _, p := range only(ann.sync(), "presence") {
		seen = append(seen, p.get("type")+" "+p.get("from")+" "+p.at("show").Text+" "+p.at("status").Text)
	}
	want := []string{" " + ann.jid + "  ", " " + ben.jid + " dnd busy", "subscribe " + at("dan") + "  it is me"}
	if !slices.Equal(seen, want) {
		t.Errorf("saw %q, want %q", seen, want)
	}
	ann.send("<presence><show>xa</show></presence>") // not an initial one: nothing comes again
	if p := only(ann.sync(), "presence"); len(p) != 1 || p[0].get("from") != ann.jid {
		t.Errorf("after a change: %v, want 1 and %v", p, ann.jid)
	}
}

func TestM08PresenceChangesAreBroadcast(t *testing.T) {
	s := start(t, world())
	ann, ben, cat := online(t, s, "ann"), online(t, s, "ben"), online(t, s, "cat")
	ben.sync()
	ann.send("<presence><show>chat</show><status>hi</status><priority>7</priority><c xmlns='urn:caps'/></presence>")
	ann.send("<presence type='unavailable'><status>bye</status></presence>")
	ann.sync()
	ann.send("<presence/>")
	ann.sync()
	ann.conn.Close()
	for _, want := range []string{" chat hi 7", "unavailable  bye ", "   ", "unavailable   "} {
		p := ben.next()
		got := p.get("type") + " " + p.at("show").Text + " " + p.at("status").Text + " " + p.at("priority").Text
		if got != want || p.get("from") != ann.jid || p.get("to") != at("ben") {
			t.Errorf("got %q from %s, want %q", got, p.get("from"), want)
		}
	}
	if p := cat.sync(); len(p) != 0 {
		t.Errorf("a stranger sees %v, want 0", p)
	}
}

// A subscription of one direction shows presence in that direction alone.
func TestM08OneSidedSubscriptions(t *testing.T) {
	o := world()
	o.Accounts[2].Contacts = []messenger.Contact{{User: "ben", Subscription: perch.SubscriptionTo}, {User: "dan", Subscription: perch.SubscriptionNone}}
	s := start(t, o)
	early, ben := online(t, s, "cat"), online(t, s, "ben")
	if got := ben.sync(); len(got) != 0 {
		t.Errorf("who is seen sees %v, want 0", got)
	}
	if got := early.sync(); len(got) != 1 || got[0].get("from") != ben.jid {
		t.Errorf("who sees got %v, want 1 and %v", got, ben.jid)
	}
	early.send("<presence><show>away</show></presence>")
	early.sync()
	if got := ben.sync(); len(got) != 0 {
		t.Errorf("who is seen sees %v, want 0", got)
	}
	ben.send("<presence type='unavailable'/><presence/>") // cat's presence is not sent either
	if got := only(ben.sync(), "presence"); len(got) != 2 || got[0].get("from") != ben.jid || got[1].get("from") != ben.jid {
		t.Errorf("who is seen got %v, want 2 and %v and %v", got, ben.jid, ben.jid)
	}
	if n := early.iq("get", at("dan"), vcardGet); n.condition() != "item-not-found" {
		t.Errorf("vCard of a contact without subscription: %v, want %q", n, "item-not-found")
	}
}

func TestM08ProbesAreRefused(t *testing.T) {
	s := start(t, world())
	online(t, s, "ben")
	ann := online(t, s, "ann")
	ann.send("<presence type='probe' id='p' to='%s'/>", at("ben"))
	got := ann.sync()
	if len(got) != 1 || got[0].get("type") != "error" || got[0].condition() != "feature-not-implemented" {
		t.Errorf("got %v, want 1 and %q and %q", got, "error", "feature-not-implemented")
	}
	for stanza, want := range map[string]string{
		"<presence to='" + at("ben") + "'/>":               "feature-not-implemented",
		"<presence type='sideways'/>":                      "feature-not-implemented",
		"<presence><priority>300</priority></presence>":    "bad-request",
		"<presence><show>sleeping</show></presence>":       "bad-request",
		"<presence type='subscribe' to='" + domain + "'/>": "bad-request",
		"<presence type='subscribe'/>":                     "bad-request",
	} {
		ann.send("%s", stanza)
		if got := ann.sync(); len(got) != 1 || got[0].condition() != want {
			t.Errorf("%s: %v, want %s", stanza, got, want)
		}
	}
}
