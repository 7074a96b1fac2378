package storetest

import (
	"errors"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

var openCases = []Case{
	{"open makes an empty record", openEmpty},
	{"fence rises with each open", fenceRises},
	{"a fenced owner is refused", fenced},
	{"another epoch is refused", otherEpoch},
	{"no record, no commit", noRecord},
	{"a record ends after its last write", recordEnds},
}

var epochForm = regexp.MustCompile(`^[0-9a-z]{1,32}$`)

func openEmpty(t testing.TB, h Harness) {
	got := open(t, h.Store, "a1")
	if !epochForm.MatchString(got.Epoch) {
		t.Errorf("epoch %q, want a match", got.Epoch)
	}
	same(t, "saved", got.Saved, &sessions.Saved{Fence: 1, Epoch: got.Epoch})
	if other := open(t, h.Store, "a2"); other.Epoch == got.Epoch || other.Fence != 1 {
		t.Errorf("two sessions share epoch %q or fence %d, want anything but %q and 1", other.Epoch, other.Fence, got.Epoch)
	}
}

func fenceRises(t testing.TB, h Harness) {
	first := open(t, h.Store, "a1")
	const n = 8
	var (
		group  sync.WaitGroup
		mu     sync.Mutex
		fences = map[uint64]bool{}
	)
	for range n {
		group.Go(func() {
			s, err := h.Store.Open(t.Context(), "a1", sessions.OpenOptions{})
			if err != nil {
				t.Errorf("Open: got error %v, want none", err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if fences[s.Fence] || s.Fence <= first.Fence || s.Epoch != first.Epoch {
				t.Errorf("fence %d and epoch %s after %d and %s, want a fence of its own above %v and epoch %v", s.Fence, s.Epoch, first.Fence, first.Epoch, first.Fence, first.Epoch)
			}
			fences[s.Fence] = true
		})
	}
	group.Wait()
	if last := open(t, h.Store, "a1"); last.Fence != n+2 {
		t.Errorf("fence %d after %d opens, want them equal", last.Fence, n+2)
	}
}

func fenced(t testing.TB, h Harness) {
	old := open(t, h.Store, "a1")
	old.append(1)
	owner := open(t, h.Store, "a1")
	for _, c := range []*sessions.Commit{
		{Events: old.events(1)},
		{Record: &sessions.Record{JID: "old@x"}},
		{Contacts: putting(old.Contacts, contact("old@x", ""))},
		{Fence: owner.Fence + 1, Record: &sessions.Record{JID: "old@x"}},
		{},
	} {
		if r := old.commit(c); !errors.Is(r.Err, sessions.ErrFenced) {
			t.Errorf("a commit with fence %d of %d gave %v, want %v", c.Fence, owner.Fence, r.Err, sessions.ErrFenced)
		}
	}
	owner.append(1)
	owner.bounds(1, 2)
	if s := owner.openAgain(); s.Record.JID != "" || s.Contacts.Len() != 0 {
		t.Errorf("a fenced owner changed %v, want %q and 0", s, "")
	}
}

func otherEpoch(t testing.TB, h Harness) {
	o := open(t, h.Store, "a1")
	if r := o.commit(&sessions.Commit{Epoch: "0" + o.Epoch, Record: &sessions.Record{}}); !errors.Is(r.Err, sessions.ErrFenced) {
		t.Errorf("a commit of another epoch gave %v, want %v", r.Err, sessions.ErrFenced)
	}
	e := perch.NewEvent(perch.Position{Epoch: "0" + o.Epoch, Offset: 1}, perch.EventSessionState, 1, nil)
	if r := o.commit(&sessions.Commit{Events: []*perch.Event{e}}); !errors.Is(r.Err, sessions.ErrFenced) {
		t.Errorf("an event of another epoch gave %v, want %v", r.Err, sessions.ErrFenced)
	}
	o.ok(&sessions.Commit{Epoch: o.Epoch, Events: o.events(1)})
	o.bounds(1, 1)
}

func noRecord(t testing.TB, h Harness) {
	o := &owner{t: t, store: h.Store, id: "a1", Saved: &sessions.Saved{Fence: 1, Epoch: "e"}}
	if r := o.commit(&sessions.Commit{Record: &sessions.Record{}}); !errors.Is(r.Err, sessions.ErrLost) {
		t.Errorf("a commit without a record gave %v, want %v", r.Err, sessions.ErrLost)
	}
	if _, err := h.Store.Log(t.Context(), "a1", 0, 1); !errors.Is(err, sessions.ErrLost) {
		t.Errorf("Log without a record gave %v, want %v", err, sessions.ErrLost)
	}
	if _, err := h.Store.Message(t.Context(), "a1", "m"); perch.KindOf(err) != perch.KindNotFound {
		t.Errorf("Message without a record gave %v, want an error of the kind %v", err, perch.KindNotFound)
	}
	if _, err := h.Store.VCard(t.Context(), "a1", "a@x"); perch.KindOf(err) != perch.KindNotFound {
		t.Errorf("VCard without a record gave %v, want an error of the kind %v", err, perch.KindNotFound)
	}
}

// recordEnds: the record of a session whose owner has died, and did not forget it, expires by
// itself; each write extends its life.
func recordEnds(t testing.TB, h Harness) {
	o := open(t, h.Store, "a1")
	o.ok(everything(o))
	h.Advance(StateTTL - time.Hour)
	o.ok(&sessions.Commit{Record: &sessions.Record{JID: "me@x/r"}})
	h.Advance(2 * time.Hour)
	if _, err := h.Store.VCard(t.Context(), o.id, "a@x"); err != nil {
		t.Errorf("a write has not kept the session: got error %v, want none", err)
	}
	if again := open(t, h.Store, o.id); again.Epoch != o.Epoch || again.Record.JID != "me@x/r" {
		t.Errorf("epoch %s with record %+v, want %s and me@x/r", again.Epoch, again.Record, o.Epoch)
	} else {
		o.Saved = again.Saved
	}
	h.Advance(StateTTL + time.Minute)
	if _, err := h.Store.VCard(t.Context(), o.id, "a@x"); perch.KindOf(err) != perch.KindNotFound {
		t.Errorf("a vCard of a session that has ended gave %v, want KindNotFound", err)
	}
	if _, err := h.Store.Log(t.Context(), o.id, 0, 1); !errors.Is(err, sessions.ErrLost) {
		t.Errorf("the log of a session that has ended gave %v, want ErrLost", err)
	}
	if owners, err := h.Store.Owners(t.Context(), []sessions.ID{o.id}); err != nil || len(owners) > 0 {
		t.Errorf("owners of a session that has ended: %v, %v, want none", owners, err)
	}
	if r := o.commit(&sessions.Commit{Record: &sessions.Record{}}); !errors.Is(r.Err, sessions.ErrLost) {
		t.Errorf("a commit to a session that has ended gave %v, want ErrLost", r.Err)
	}
	fresh := open(t, h.Store, o.id)
	if fresh.Epoch == o.Epoch {
		t.Errorf("a session that has ended keeps its epoch %s, want anything but %v", fresh.Epoch, o.Epoch)
	}
	same(t, "saved", fresh.Saved, &sessions.Saved{Fence: 1, Epoch: fresh.Epoch})
}
