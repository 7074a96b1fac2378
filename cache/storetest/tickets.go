package storetest

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

var ticketCases = []Case{
	{"a ticket is taken once", ticketOnce},
	{"a ticket expires", ticketExpires},
}

// ticket is one whose node's clock is an hour off, as its life must not depend on it.
func ticket(id sessions.ID) sessions.Ticket {
	return sessions.Ticket{Session: id, Origin: "https://chat.example", Expires: perch.At(time.Now().Add(-time.Hour))}
}

func put(t testing.TB, s sessions.Store, hash string, k sessions.Ticket, life time.Duration) {
	t.Helper()
	if err := s.PutTicket(t.Context(), hash, k, life); err != nil {
		t.Fatalf("PutTicket(%s): got error %v, want none", hash, err)
	}
}

func noTicket(t testing.TB, s sessions.Store, hash string) {
	t.Helper()
	if k, err := s.TakeTicket(t.Context(), hash); perch.KindOf(err) != perch.KindNotFound {
		t.Errorf("TakeTicket(%s) = %v, %v, want an error of the kind %v", hash, k, err, perch.KindNotFound)
	}
}

func ticketOnce(t testing.TB, h Harness) {
	noTicket(t, h.Store, "h1")
	other := h.Store
	if h.Reopen != nil {
		other = h.Reopen() // any node may be shown it
	}
	one, two := ticket("a1"), ticket("a2")
	two.Origin = ""
	put(t, h.Store, "h1", one, time.Minute)
	put(t, h.Store, "h2", two, time.Hour)
	put(t, h.Store, "h3", two, time.Hour)
	for hash, want := range map[string]sessions.Ticket{"h1": one, "h2": two} {
		got, err := other.TakeTicket(t.Context(), hash)
		if err != nil {
			t.Errorf("TakeTicket(%s): got error %v, want none", hash, err)
		}
		same(t, hash, got, want)
		noTicket(t, h.Store, hash)
		noTicket(t, other, hash)
	}
	var group sync.WaitGroup
	var taken atomic.Int32
	for i := range 8 { // at once, from both sides
		group.Go(func() {
			if _, err := []sessions.Store{h.Store, other}[i%2].TakeTicket(t.Context(), "h3"); err == nil {
				taken.Add(1)
			}
		})
	}
	if group.Wait(); taken.Load() != 1 {
		t.Errorf("a ticket was taken %d times, want 1", taken.Load())
	}
}

func ticketExpires(t testing.TB, h Harness) {
	put(t, h.Store, "gone", ticket("a1"), -time.Second)
	put(t, h.Store, "never", ticket("a1"), 0)
	put(t, h.Store, "h1", ticket("a1"), time.Minute)
	put(t, h.Store, "h1", ticket("a1"), -time.Second) // in its place
	put(t, h.Store, "h2", ticket("a1"), time.Minute)
	put(t, h.Store, "h3", ticket("a1"), 3*time.Minute)
	for i := range 200 {
		put(t, h.Store, "other"+string(rune('0'+i)), ticket("a2"), 30*time.Second)
	}
	for _, hash := range []string{"gone", "never", "h1"} {
		noTicket(t, h.Store, hash)
	}
	h.Advance(2 * time.Minute)
	noTicket(t, h.Store, "h2")
	if _, err := h.Store.TakeTicket(t.Context(), "h3"); err != nil {
		t.Errorf("a ticket has ended early: got error %v, want none", err)
	}
}
