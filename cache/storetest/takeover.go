package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

var takingCases = []Case{
	{"open takes what no other node owns", takeovers},
	{"owners are reported", owners},
	{"what is stored is described", described},
	{"a released session is free", released},
	{"a refused commit releases nothing", refusedRelease},
	{"nothing follows a release", afterRelease},
	{"a lost answer to a release counts once", lostRelease},
}

// openBy opens a session on behalf of a node.
func openBy(t testing.TB, s sessions.Store, id sessions.ID, by, from sessions.NodeID) *owner {
	t.Helper()
	saved, err := s.Open(t.Context(), id, sessions.OpenOptions{Owner: by, TakeoverFrom: from})
	if err != nil {
		t.Fatalf("Open(%s) by %q from %q: got error %v, want none", id, by, from, err)
	}
	return &owner{t, s, id, saved, saved.Tip}
}

// held tries to open what another node owns.
func held(t testing.TB, s sessions.Store, id sessions.ID, by, from, want sessions.NodeID) {
	t.Helper()
	saved, err := s.Open(t.Context(), id, sessions.OpenOptions{Owner: by, TakeoverFrom: from})
	var h *sessions.HeldError
	if !errors.As(err, &h) || h.Owner != want {
		t.Errorf("Open(%s) by %q from %q gave %v, %v; want it held by %q", id, by, from, saved, err, want)
	}
}

func owned(t testing.TB, s sessions.Store, want map[sessions.ID]sessions.NodeID, ids ...sessions.ID) {
	t.Helper()
	got, err := s.Owners(t.Context(), ids)
	if err != nil {
		t.Errorf("Owners: got error %v, want none", err)
	}
	same(t, "owners", got, want)
}

// takeovers goes through who may take a session from whom. Each step that takes it raises
// the fence by one; one that does not leaves all as it was.
func takeovers(t testing.TB, h Harness) {
	var last *owner
	for i, step := range []struct {
		by, from sessions.NodeID
		held     sessions.NodeID
	}{
		{by: "a/1"},                            // there is none yet
		{by: "a/1"},                            // its own
		{by: "b/1", held: "a/1"},               // another node's
		{by: "b/1", from: "c/1", held: "a/1"},  // another one is dead
		{by: "a/2", held: "a/1"},               // a name alone says nothing
		{by: "b/1", from: "b/1", held: "a/1"},  // nor does one's own
		{by: "b/1", from: "a/1"},               // a/1 is dead
		{by: "a/1", from: "c/1", held: "b/1"},  // it was not, but has lost it
		{by: "a/1", from: "a/1", held: "b/1"},  // whatever it says
		{by: "b/1", from: "a/1"},               // its own again, whatever node is dead
		{},                                     // alone: takes it, and leaves no owner
		{},                                     //
		{by: "c/1"},                            // without an owner
		{by: "", from: "d/1"},                  // alone, and given a dead one
		{by: "c/1", from: "d/1"},               //
		{by: "c/10", from: "c/", held: "c/1"},  // ids are compared whole
		{by: "c/1 ", from: "c/*", held: "c/1"}, //
	} {
		if step.held != "" {
			held(t, h.Store, "a1", step.by, step.from, step.held)
			last.append(1) // the owner has not lost it
			continue
		}
		before := last
		last = openBy(t, h.Store, "a1", step.by, step.from)
		if before == nil {
			continue
		}
		if last.Fence != before.Fence+1 || last.Epoch != before.Epoch || last.Tip != before.tip {
			t.Errorf("step %d: %v after %v, want %v and %v and %v", i, last.Saved, before.Saved, before.Fence+1, before.Epoch, before.tip)
		}
		if r := before.commit(&sessions.Commit{Events: before.events(1)}); !errors.Is(r.Err, sessions.ErrFenced) {
			t.Errorf("step %d: a commit of the owner before gave %v, want %v", i, r.Err, sessions.ErrFenced)
		}
		last.append(1)
		want := map[sessions.ID]sessions.NodeID{"a1": step.by}
		if step.by == "" {
			want = nil
		}
		owned(t, h.Store, want, "a1")
	}
}

func owners(t testing.TB, h Harness) {
	owned(t, h.Store, nil)
	owned(t, h.Store, nil, "a1", "a2")
	var ids []sessions.ID
	want := map[sessions.ID]sessions.NodeID{}
	for i := range 1200 { // more than one would ask for at once
		id := sessions.ID("b" + string(rune('a'+i%26)) + string(rune('a'+i/26)))
		if ids = append(ids, id); i%100 == 0 {
			openBy(t, h.Store, id, "n/1", "")
			want[id] = "n/1"
		}
	}
	open(t, h.Store, "a1") // without an owner
	openBy(t, h.Store, "a2", "n/2", "")
	openBy(t, h.Store, "a3", "n/1", "")
	if err := h.Store.Forget(t.Context(), "a3"); err != nil {
		t.Errorf("Forget: got error %v, want none", err)
	}
	want["a2"] = "n/2"
	owned(t, h.Store, want, append(ids, "a1", "a2", "a3")...)
}

// released hands a session over with all that it has.
func released(t testing.TB, h Harness) {
	o := openBy(t, h.Store, "a1", "n/1", "")
	c := everything(o)
	c.Release = true
	o.ok(c)
	owned(t, h.Store, nil, "a1")
	unowned(t, h.Store, "a1")
	next := openBy(t, h.Store, "a1", "n/2", "")
	if next.Fence != o.Fence+1 || next.Epoch != o.Epoch {
		t.Errorf("fence %d and epoch %s after %d and %s, want %v and %v", next.Fence, next.Epoch, o.Fence, o.Epoch, o.Fence+1, o.Epoch)
	}
	unowned(t, h.Store)
	held(t, h.Store, "a1", "n/1", "", "n/2")
	next.append(1)
	next.ok(&sessions.Commit{Release: true}) // and nothing else
	again := openBy(t, h.Store, "a1", "n/1", "n/2")
	same(t, "record", again.Record, *c.Record)
	again.bounds(1, 3)
	again.ok(&sessions.Commit{Events: again.events(1), Release: true})
	alone := open(t, h.Store, "a1")
	alone.ok(&sessions.Commit{Release: true})
	alone = open(t, h.Store, "a1")
	alone.append(1)
	alone.bounds(1, 5)
}

// unowned checks the list of released sessions.
func unowned(t testing.TB, s sessions.Store, want ...sessions.ID) {
	t.Helper()
	same(t, "released", beat(t, s, "witness/1").Released, want)
}

func refusedRelease(t testing.TB, h Harness) {
	o := openBy(t, h.Store, "a1", "n/1", "")
	o.ok(&sessions.Commit{Events: o.events(2), Once: &sessions.Once{Key: "k"}})
	for name, c := range map[string]*sessions.Commit{
		"a hole":        {Release: true, Events: []*perch.Event{o.event(7, "")}},
		"another past":  {Release: true, Events: []*perch.Event{o.event(2, "bye")}},
		"another fence": {Release: true, Fence: o.Fence + 1},
		"a known key":   {Release: true, Once: &sessions.Once{Key: "k"}},
		"another epoch": {Release: true, Epoch: "0" + o.Epoch},
	} {
		if r := o.commit(c); r.Err == nil && r.Existing == nil {
			t.Errorf("%s was taken, want none", name)
		}
	}
	unowned(t, h.Store)
	owned(t, h.Store, map[sessions.ID]sessions.NodeID{"a1": "n/1"}, "a1")
	o.append(1)
	// What is in the log already is not put there again, but the session is released.
	o.ok(&sessions.Commit{Release: true, Events: []*perch.Event{o.event(3, "hello")}})
	owned(t, h.Store, nil, "a1")
	unowned(t, h.Store, "a1")
	o.bounds(1, 3)
}

// afterRelease sends what comes before and after a release in one go.
func afterRelease(t testing.TB, h Harness) {
	o := openBy(t, h.Store, "a1", "n/1", "")
	var answers []<-chan sessions.Result
	for i := range uint64(6) {
		c := &sessions.Commit{Events: []*perch.Event{o.event(min(i+1, 4), "hello")}, Release: i == 2}
		answers = append(answers, o.start(c))
	}
	for i, ch := range answers {
		want := error(nil)
		if i > 2 {
			want = sessions.ErrFenced
		}
		if r := await(t, ch); !errors.Is(r.Err, want) {
			t.Errorf("commit %d gave %v, want %v", i, r.Err, want)
		}
	}
	for _, c := range []*sessions.Commit{{}, {Release: true}, {Record: &sessions.Record{JID: "late@x"}}, {Events: o.events(1)}} {
		if r := o.commit(c); !errors.Is(r.Err, sessions.ErrFenced) {
			t.Errorf("a commit after the release gave %v, want %v", r.Err, sessions.ErrFenced)
		}
	}
	o.bounds(1, 3)
	if next := openBy(t, h.Store, "a1", "n/2", ""); next.Record.JID != "" || next.Fence != o.Fence+1 {
		t.Errorf("after the release: %v, want %q and %v", next.Saved, "", o.Fence+1)
	}
}

// lostRelease has the answer to the last commit of an owner lost, and another node come
// before it is asked for again.
func lostRelease(t testing.TB, h Harness) {
	if h.LoseAnswers == nil {
		return
	}
	witness := h.Reopen()
	for id, taken := range map[sessions.ID]bool{"a1": false, "a2": true} {
		o := openBy(t, h.Store, id, "n/1", "")
		o.append(1)
		heal := h.LoseAnswers()
		last := o.start(&sessions.Commit{
			Events: o.events(1), Once: &sessions.Once{Key: "k"}, Record: &sessions.Record{JID: "last@x"}, Release: true,
		})
		until(t, func() bool {
			p, err := witness.Log(t.Context(), id, 0, 0)
			return err == nil && p.Tip == 2
		})
		var next *owner
		if taken {
			next = openBy(t, witness, id, "n/2", "")
			next.append(1)
		}
		heal()
		if r := await(t, last); r.Err != nil || r.Existing != nil {
			t.Errorf("%s: the release gave %v, existing %v, want no error and nil", id, r.Err, r.Existing)
		}
		if !taken {
			next = openBy(t, witness, id, "n/2", "")
			next.append(1)
		}
		if next.Record.JID != "last@x" || next.Fence != o.Fence+1 {
			t.Errorf("%s: after the release: %v, want %q and %v", id, next.Saved, "last@x", o.Fence+1)
		}
		next.bounds(1, 3)
	}
}

// described: a session is described whoever owns it, and as it is after each write; that changes nothing.
func described(t testing.TB, h Harness) {
	if _, err := h.Store.Stored(t.Context(), "a1"); perch.KindOf(err) != perch.KindNotFound {
		t.Errorf("Stored of nothing: got error %v, want KindNotFound", err)
	}
	o := openBy(t, h.Store, "a1", "a/1", "")
	got := stored(t, h)
	if left := time.Until(got.Ends.Time()); left < StateTTL-time.Minute || left > StateTTL+time.Minute {
		t.Errorf("it ends in %v, want %v", left, StateTTL)
	}
	want := sessions.StoredSession{ID: "a1", Owner: "a/1", Epoch: o.Epoch, First: 1, Ends: got.Ends}
	same(t, "a new one", got, want)
	o.ok(&sessions.Commit{
		Events: o.events(2), Record: &sessions.Record{JID: "me@x/r", OfflineSince: 1234},
		Outbox: sessions.Delta[sessions.OutboxEntry]{Put: []*sessions.OutboxEntry{{ID: "m1", Seq: 1}, {ID: "m2", Seq: 2}}},
		Rooms:  sessions.Delta[sessions.StoredRoom]{Put: []*sessions.StoredRoom{{JID: "r@x"}}},
	})
	want.JID, want.Tip, want.Outbox, want.Rooms, want.OfflineSince = "me@x/r", 2, 2, 1, 1234
	got = stored(t, h)
	want.Ends = got.Ends
	same(t, "one with a log", got, want)
	o.ok(&sessions.Commit{Release: true})
	want.Owner = ""
	for range 2 {
		got = stored(t, h)
		want.Ends = got.Ends
		same(t, "one without an owner", got, want)
	}
	if again := openBy(t, h.Store, "a1", "b/1", ""); again.Fence != o.Fence+1 || again.Epoch != o.Epoch {
		t.Errorf("opened again: got fence %d of %s, want %d of %s", again.Fence, again.Epoch, o.Fence+1, o.Epoch)
	}
	if err := h.Store.Forget(t.Context(), "a1"); err != nil {
		t.Fatalf("Forget: got error %v, want none", err)
	}
	if _, err := h.Store.Stored(t.Context(), "a1"); perch.KindOf(err) != perch.KindNotFound {
		t.Errorf("Stored of what was forgotten: got error %v, want KindNotFound", err)
	}
}

func stored(t testing.TB, h Harness) sessions.StoredSession {
	t.Helper()
	s, err := h.Store.Stored(t.Context(), "a1")
	if err != nil {
		t.Fatalf("Stored: got error %v, want none", err)
	}
	return s
}
