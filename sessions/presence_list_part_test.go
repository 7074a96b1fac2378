package sessions

import (
	"encoding/json"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/perch-im/perch"
)

// anyChange does something to a roster that may change what the presence of its buddies is.
func anyChange(t *rapid.T, w *rosterWorld) {
	who := perch.JID(rapid.SampledFrom([]string{"Bob", "bob", "carol", "dave"}).Draw(t, "who") + "@example.net")
	device := who + perch.JID("/"+rapid.SampledFrom([]string{"a", "b"}).Draw(t, "device"))
	switch rapid.IntRange(0, 8).Draw(t, "what") {
	case 0:
		w.ro.applyPush(&perch.RosterPush{Item: buddy(who, perch.SubscriptionBoth)})
	case 1:
		w.ro.applyPush(&perch.RosterPush{Item: buddy(who, perch.SubscriptionRemove)})
	case 2:
		w.ro.applyRoster(perch.RosterResult{Items: []perch.Buddy{buddy(who, perch.SubscriptionTo), buddy("erin@example.net", perch.SubscriptionTo)}})
	case 3:
		w.is(device, true, rapid.SampledFrom([]perch.Show{perch.ShowNone, perch.ShowAway}).Draw(t, "show"))
	case 4:
		w.is(device, false, perch.ShowNone)
	case 5:
		w.ro.offline(w.link)
		w.link = nil
	case 6:
		w.link = newRosterWorld().link
		w.ro.online(true)
	case 7:
		w.ro.settleSoon()
	case 8:
		if w.ro.settling != nil {
			w.ro.settled()
		}
	}
	w.at++
}

// TestVersionAfterAnyChange: a version that was remembered is the one of the list as it is now, so that
// a 304 never hides a change; and the JSON of the list is that of encoding/json.
func TestVersionAfterAnyChange(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newRosterWorld()
		for range rapid.IntRange(1, 40).Draw(rt, "changes") {
			anyChange(rt, w)
			l := &PresenceList{view: w.ro.view()}
			want, err := json.Marshal(l.Items())
			if got := string(l.AppendJSON(nil)); err != nil || got != string(want) {
				rt.Fatalf("AppendJSON: got %s, want %s, error %v", got, want, err)
			}
			if got := l.Version(); got != versionOf(want) {
				rt.Fatalf("Version: got %s, want %s of %s", got, versionOf(want), want)
			}
			if got := string((&PresenceList{view: w.ro.view()}).AppendJSON([]byte("x"))); got != "x"+string(want) {
				rt.Fatalf("AppendJSON of a list whose version is known: got %s, want x%s", got, want)
			}
		}
	})
}

// TestVersionIsMadeOnce: as long as nothing changes, the list is not even looked at.
func TestVersionIsMadeOnce(t *testing.T) {
	ro := bigRoster(50)
	first := (&PresenceList{view: ro.view()}).Version()
	n := testing.AllocsPerRun(100, func() {
		if got := (&PresenceList{view: ro.view()}).Version(); got != first {
			t.Errorf("Version: got %s, want %s", got, first)
		}
	})
	if n > 2 {
		t.Errorf("got %.0f allocations for a version that is known, want at most 2: the view and the list", n)
	}
}

// TestListIsSortedByJID: by the text of the JID, whatever its key.
func TestListIsSortedByJID(t *testing.T) {
	w := newRosterWorld()
	for _, jid := range []perch.JID{"bob@example.net", "Carol@example.net", "alice@example.net"} {
		w.ro.applyPush(&perch.RosterPush{Item: buddy(jid, perch.SubscriptionTo)})
	}
	got := ""
	for _, p := range (&PresenceList{view: w.ro.view()}).Items() {
		got += fmt.Sprint(p.JID, " ")
	}
	if want := "Carol@example.net alice@example.net bob@example.net "; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
