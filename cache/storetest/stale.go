package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

var staleCases = []Case{
	{"a cold owner begins a new log on a store that went back", coldAfterRestore},
	{"a cold owner begins a new log on another server", coldAfterRestart},
	{"a cold owner keeps the log on the same server", coldOnSame},
	{"a live owner keeps its log over a restart", liveOverRestart},
	{"a live owner proves its log for those who come later", liveProves},
	{"a live owner notices that the store went back", liveAfterRestore},
	{"an owner that was replaced proves nothing", replacedProvesNothing},
	{"an owner that gave up proves nothing", releasedProvesNothing},
	{"who remembers more is believed while another one holds", remembersMore},
	{"a record stays stale until all is written", staleUntilWritten},
}

// fill commits a bit of everything and n events.
func (o *owner) fill(n int) {
	o.t.Helper()
	o.ok(&sessions.Commit{
		Events:   o.events(n),
		Record:   &sessions.Record{JID: "me@x/r", ArchiveID: "archive-1", Stream: []byte("h=1")},
		Contacts: instead(contact("a@x", "")),
		Outbox:   sessions.Delta[sessions.OutboxEntry]{Put: []*sessions.OutboxEntry{{ID: "m1", Seq: 1}}},
	})
}

// whole writes all of a session, as an owner does that distrusts what is stored.
func (o *owner) whole() {
	o.t.Helper()
	o.ok(&sessions.Commit{Record: &sessions.Record{JID: "me@x/r"}, Outbox: sessions.Delta[sessions.OutboxEntry]{Reset: true}})
}

// fresh checks that o has a new log, that this is said, and that tables are still there.
func (o *owner) fresh(old *owner) {
	o.t.Helper()
	if o.Epoch == old.Epoch || o.Tip != 0 || !o.Stale {
		o.t.Errorf("got epoch %s (before: %s), tip %d, stale %v; want another epoch, no tip, stale", o.Epoch, old.Epoch, o.Tip, o.Stale)
	}
	if o.Contacts.Len() != 1 || len(o.Outbox) != 1 || o.Record.JID != "me@x/r" {
		o.t.Errorf("got %d buddies, %d in the outbox, JID %q; want what was stored", o.Contacts.Len(), len(o.Outbox), o.Record.JID)
	}
	if r := old.commit(&sessions.Commit{Epoch: old.Epoch, Events: old.events(1)}); !errors.Is(r.Err, sessions.ErrFenced) && !errors.Is(r.Err, sessions.ErrLost) {
		o.t.Errorf("a commit to the old log gave %v, want %v", r.Err, sessions.ErrLost)
	}
	o.whole()
	o.append(1)
	o.bounds(1, 1)
}

// continues checks that o continues the log of old.
func (o *owner) continues(old *owner) {
	o.t.Helper()
	if o.Epoch != old.Epoch || o.Tip != old.tip || o.Stale {
		o.t.Errorf("got epoch %s, tip %d, stale %v; want %s, %d and not stale", o.Epoch, o.Tip, o.Stale, old.Epoch, old.tip)
	}
}

func coldAfterRestore(t testing.TB, h Harness) {
	if h.Snapshot == nil {
		return
	}
	before := perch.At(time.Now())
	o := open(t, h.Store, "a1")
	o.fill(3)
	restore := h.Snapshot()
	o.append(5)
	restore()
	cold := open(t, h.Reopen(), "a1")
	if cold.StaleSince < before || cold.StaleSince > perch.At(time.Now()) {
		t.Errorf("stale since %v, want the time of the last event in the log", cold.StaleSince)
	}
	cold.fresh(o)
}

// coldAfterRestart has lost nothing, but no node can know that.
func coldAfterRestart(t testing.TB, h Harness) {
	if h.Restart == nil {
		return
	}
	o := open(t, h.Store, "a1")
	o.fill(3)
	cold := h.Reopen() // before: what it finds out about the server must not be proof
	h.Restart()
	open(t, cold, "a1").fresh(o)
}

func coldOnSame(t testing.TB, h Harness) {
	if h.Restart == nil {
		return
	}
	h.Restart()
	o := open(t, h.Store, "a1")
	o.fill(3)
	cold := open(t, h.Reopen(), "a1")
	cold.continues(o)
	cold.append(1)
	open(t, h.Reopen(), "a1").continues(cold)
}

func liveOverRestart(t testing.TB, h Harness) {
	if h.Restart == nil {
		return
	}
	o := open(t, h.Store, "a1")
	o.fill(3)
	h.Restart()
	o.append(2)
	o.bounds(1, 5)
	open(t, h.Store, "a1").continues(o) // the same process: it has seen every commit
}

// liveProves has an owner that writes and one that does not.
func liveProves(t testing.TB, h Harness) {
	if h.Restart == nil {
		return
	}
	busy, idle := open(t, h.Store, "a1"), open(t, h.Store, "a2")
	busy.fill(3)
	idle.fill(3)
	h.Restart()
	busy.append(1)
	h.Proved(2)
	open(t, h.Reopen(), "a1").continues(busy)
	open(t, h.Reopen(), "a2").continues(idle)
}

func liveAfterRestore(t testing.TB, h Harness) {
	if h.Snapshot == nil {
		return
	}
	o, idle := open(t, h.Store, "a1"), open(t, h.Store, "a2")
	o.fill(3)
	idle.fill(3)
	restore := h.Snapshot()
	o.append(5)
	idle.append(1)
	restore()
	if r := o.commit(&sessions.Commit{Events: o.events(1)}); !errors.Is(r.Err, sessions.ErrLost) {
		t.Errorf("a commit after the loss gave %v, want %v", r.Err, sessions.ErrLost)
	}
	open(t, h.Store, "a1").fresh(o)
	h.Proved(1) // and what cannot be proved is not
	open(t, h.Reopen(), "a2").fresh(idle)
}

func replacedProvesNothing(t testing.TB, h Harness) {
	if h.Snapshot == nil {
		return
	}
	first := open(t, h.Store, "a1")
	first.fill(3)
	restore := h.Snapshot()
	other := open(t, h.Reopen(), "a1")
	other.append(5)
	if r := first.commit(&sessions.Commit{Events: first.events(1)}); !errors.Is(r.Err, sessions.ErrFenced) {
		t.Errorf("a commit of the owner before gave %v, want %v", r.Err, sessions.ErrFenced)
	}
	restore() // to where the first one finds all that it knows
	open(t, h.Store, "a1").fresh(first)
}

func releasedProvesNothing(t testing.TB, h Harness) {
	if h.Snapshot == nil {
		return
	}
	first := openBy(t, h.Store, "a1", "a/1", "")
	first.fill(3)
	first.ok(&sessions.Commit{Release: true})
	restore := h.Snapshot()
	openBy(t, h.Reopen(), "a1", "b/1", "").append(5)
	restore()
	openBy(t, h.Store, "a1", "a/1", "").fresh(first)
}

func remembersMore(t testing.TB, h Harness) {
	if h.Snapshot == nil {
		return
	}
	first := openBy(t, h.Store, "a1", "a/1", "")
	first.fill(3)
	restore := h.Snapshot()
	second := h.Reopen()
	next := openBy(t, second, "a1", "b/1", "a/1")
	next.append(5)
	restore() // to where a/1 is the owner, which does not know of b/1
	for range 2 {
		held(t, second, "a1", "b/1", "", "a/1")
	}
	if r := first.commit(&sessions.Commit{Events: first.events(1)}); !errors.Is(r.Err, sessions.ErrFenced) {
		t.Errorf("a commit under offsets that the later owner gave away gave %v, want %v", r.Err, sessions.ErrFenced)
	}
	openBy(t, h.Store, "a1", "a/1", "").fresh(next)
}

func staleUntilWritten(t testing.TB, h Harness) {
	if h.Restart == nil {
		return
	}
	o := open(t, h.Store, "a1")
	o.fill(3)
	h.Restart()
	epoch := ""
	for i, c := range []*sessions.Commit{
		nil,
		{Record: &sessions.Record{JID: "me@x/r"}},
		{Outbox: sessions.Delta[sessions.OutboxEntry]{Reset: true}},
		{Record: &sessions.Record{JID: "me@x/r"}, Outbox: sessions.Delta[sessions.OutboxEntry]{Reset: true}},
	} {
		cold := open(t, h.Reopen(), "a1")
		if !cold.Stale || cold.StaleSince == 0 || epoch != "" && cold.Epoch != epoch {
			t.Errorf("step %d: got stale %v since %v in epoch %s (before: %s), want stale in one epoch", i, cold.Stale, cold.StaleSince, cold.Epoch, epoch)
		}
		epoch = cold.Epoch
		if c != nil {
			cold.ok(c)
		}
	}
	if cold := open(t, h.Reopen(), "a1"); cold.Stale || cold.Epoch != epoch {
		t.Errorf("got stale %v in epoch %s, want the log %s", cold.Stale, cold.Epoch, epoch)
	}
}
