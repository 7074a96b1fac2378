package sessions

import (
	"slices"
	"strings"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/contacts"
)

// TestNicknames: that of a contact is kept, and an event when it is another one; the name of the roster goes before
// it, and that of the card comes after it.
func TestNicknames(t *testing.T) {
	w := newRosterWorld()
	named := buddy("bob@example.net", perch.SubscriptionTo)
	named.Name = "Robert"
	unnamed := &contacts.Contact{Buddy: buddy("carol@example.net", perch.SubscriptionTo), CardName: "Caroline"}
	saved := &Saved{Contacts: contacts.Of([]*contacts.Contact{{Buddy: named}, unnamed})}
	if err := w.ro.restore(t.Context(), saved); err != nil {
		t.Fatalf("restore: got error %v, want none", err)
	}
	long := strings.Repeat("\u00fc", 600) // more than there is room for
	for _, tt := range []struct {
		from       perch.JID
		nick       string
		name, want string
		events     int
	}{
		{"bob@example.net", "Bobby", "Robert", "Bobby", 1},
		{"Bob@Example.net", "Bobby", "Robert", "Bobby", 0}, // some servers say it twice
		{"carol@example.net", "Caz", "Caz", "Caz", 1},
		{"carol@example.net", "", "Caroline", "", 1},
		{"carol@example.net", long, long[:1024], long[:1024], 1},
		{"stranger@example.net", "Eve", "", "", 0},
	} {
		w.did = nil
		w.ro.apply(&perch.NickIn{From: tt.from, Nick: tt.nick}, nil)
		var got perch.Buddy
		if k := w.ro.contacts.Get(tt.from); k != nil {
			got = k.View()
		}
		if got.Name != tt.name || got.Nick != tt.want || len(w.did) != tt.events {
			t.Errorf("%s is %.20q: got the name %.20q, the nickname %.20q and %d events, want %.20q, %.20q and %d", tt.from, tt.nick, got.Name, got.Nick, len(w.did), tt.name, tt.want, tt.events)
		}
	}
	if keys := w.commit.Contacts.Keys; !slices.Contains(keys, "bob@example.net") || slices.Contains(keys, "stranger@example.net") {
		t.Errorf("got the changes of %q, want those of contacts", keys)
	}
	w.ro.applyPush(&perch.RosterPush{Item: perch.Buddy{JID: "bob@example.net", Subscription: perch.SubscriptionBoth}})
	if k := w.ro.contacts.Get("bob@example.net"); k.View().Name != "Bobby" || k.Nick != "Bobby" {
		t.Errorf("without a name in the roster: got %+v, want the nickname", k.View())
	}
	used := w.ro.use.names
	w.ro.recount()
	if used != w.ro.use.names {
		t.Errorf("counted %d bytes of names, want the %d that are there", used, w.ro.use.names)
	}
	w.ro.removeBuddy("bob@example.net")
	w.ro.removeBuddy("carol@example.net")
	if w.ro.use.names != 0 {
		t.Errorf("counted %d bytes of names without contacts, want none", w.ro.use.names)
	}
}
