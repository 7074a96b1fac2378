package sessions

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/contacts"
)

// TestHistoryEdge: a message has 32 steps, the first and the last ones.
func TestHistoryEdge(t *testing.T) {
	r := &perch.MessageRecord{ID: "m"}
	for i := range perch.Time(31) {
		r.History = append(r.History, perch.StatusChange{Status: perch.StatusSent, Time: i + 1})
	}
	o := newOutboxWorld().o
	for step, want := range []struct {
		n      int
		second perch.Time
	}{{32, 2}, {32, 3}, {32, 4}} {
		r = o.advance(r, perch.StatusAcked, nil)
		if h := r.History; len(h) != want.n || h[0].Time != 1 || h[1].Time != want.second || h[len(h)-1].Status != perch.StatusAcked {
			t.Errorf("step %d: got %d steps, the first of %d and %d; want %d, 1 and %d", step, len(h), h[0].Time, h[1].Time, want.n, want.second)
		}
	}
}

// TestRoutesEdge: 50,000 tokens of other nodes are remembered; with one more the oldest goes.
func TestRoutesEdge(t *testing.T) {
	const most = 50_000
	r := newRoutes()
	for i := range most {
		r.put(numbered(i), Node{ID: NodeID(fmt.Sprint(i))})
	}
	if n := r.to.Len(); n != most {
		t.Fatalf("got %d routes, want %d", n, most)
	}
	r.put(numbered(most), Node{ID: "last"})
	if n := r.to.Len(); n > most || r.get(numbered(most), routeFor) == nil {
		t.Errorf("got %d routes with one more, want at most %d, and the newest", n, most)
	}
	if r.get(numbered(0), routeFor) != nil || r.get(numbered(1), routeFor) == nil {
		t.Error("got the oldest remembered, or the next one not, want the oldest alone gone")
	}
}

// TestForeignEdge: 128 addresses that are no valid JIDs are remembered, or 8 KiB of them; the
// oldest goes.
func TestForeignEdge(t *testing.T) {
	for _, tt := range []struct{ size, want int }{{20, 128}, {1024, 8}} {
		var f foreignAddresses
		for i := range 300 {
			head := fmt.Sprintf("%04d ", i)
			f = f.with(perch.JID(head + strings.Repeat("x", tt.size-len(head))))
		}
		if len(f) != tt.want || !strings.HasPrefix(string(f[len(f)-1]), "0299") {
			t.Errorf("got %d addresses of %d bytes, want the last %d", len(f), tt.size, tt.want)
		}
	}
}

// TestNamesEdge: of rows that an earlier version has written, the names of 500 buddies are read
// from their cards when a session is opened.
func TestNamesEdge(t *testing.T) {
	ro := newRosterWorld().ro
	list := make([]*contacts.Contact, 510)
	for i := range list {
		list[i] = &contacts.Contact{Buddy: perch.Buddy{JID: perch.JID(fmt.Sprintf("b%d@example.net", i))}}
	}
	if err := ro.restore(t.Context(), &Saved{Contacts: contacts.Of(list), OldRows: true}); err != nil {
		t.Fatalf("restore: got error %v, want none", err)
	}
	n := 0
	for k := range ro.contacts.All() {
		if k.CardName != "" {
			n++
		}
	}
	if n != 500 {
		t.Errorf("got names for %d of %d buddies, want 500", n, len(list))
	}
}

// TestMutualEdge: 256 subscription requests wait for their roster item; the oldest goes.
func TestMutualEdge(t *testing.T) {
	ro := newRosterWorld().ro
	for i := range 257 {
		ro.wantMutual(perch.JID(fmt.Sprintf("b%d@example.net", i)))
	}
	if len(ro.mutual) != 256 || ro.mutual[0] != "b1@example.net" {
		t.Errorf("got %d requests that wait, the oldest for %s; want 256, b1@example.net", len(ro.mutual), ro.mutual[0])
	}
}

// TestRecordsEdge: 32 records of messages that have left the outbox are in memory.
func TestRecordsEdge(t *testing.T) {
	o := newOutboxWorld().o
	for i := range 40 {
		o.remember(&perch.MessageRecord{ID: fmt.Sprint(i)})
	}
	if n := len(o.records); n != 32 || o.record("8") == nil || o.record("7") != nil {
		t.Errorf("got %d records in memory, want the last 32", n)
	}
}

// TestDeltaSearchEdge: a row that changes again is written once, as long as no more than 256
// others changed before.
func TestDeltaSearchEdge(t *testing.T) {
	for others, want := range map[int]int{255: 256, 256: 258} {
		var d Delta[perch.Invitation]
		for i := range others + 1 {
			put(&d, invitationKey, &perch.Invitation{JID: perch.JID(fmt.Sprintf("b%d@example.net", i))})
		}
		if put(&d, invitationKey, &perch.Invitation{JID: "b0@example.net", Nick: "again"}); len(d.Put) != want {
			t.Errorf("got %d rows for %d changes, want %d", len(d.Put), others+2, want)
		}
	}
}

// TestTooManyEdge: a client with too many sessions is asked to retry after half a minute.
func TestTooManyEdge(t *testing.T) {
	for _, err := range []error{errNodeFull("u"), errUpstreamFull("u"), errAccountFull("u"), errAddressFull("u")} {
		if got := retryAfter(err); got != 30*time.Second {
			t.Errorf("retryAfter(%v): got %v, want 30s", err, got)
		}
	}
}
