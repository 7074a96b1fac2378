package sessions

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch"
)

// logWorld is a log without a session: what it asks of its host and of the Store is written
// down, in order.
type logWorld struct {
	recorder

	l       *eventLog
	posted  []func()
	timers  []time.Duration
	tries   []func()
	commits []*Commit
	done    []func(Result)
	alone   bool // there is no subscriber
}

func newLogWorld() *logWorld {
	w := &logWorld{}
	w.l = &eventLog{host: w, store: w, id: "a"}
	w.l.reset(&Saved{Fence: 3, Epoch: "e", Tip: 10})
	return w
}

func (w *logWorld) now() perch.Time { return 1 }
func (w *logWorld) post(f func())   { w.posted = append(w.posted, f) }
func (w *logWorld) after(d time.Duration, f func()) *time.Timer {
	w.timers, w.tries = append(w.timers, d), append(w.tries, f)
	return nil
}
func (w *logWorld) background(func(context.Context)) {}
func (w *logWorld) watched() bool                    { return !w.alone }
func (w *logWorld) publish(e *perch.Event)           { w.note("publish %s %d", e.Type, e.Position.Offset) }
func (w *logWorld) acknowledge(_ *link, seq uint64)  { w.note("acknowledge %d", seq) }
func (w *logWorld) fenced()                          { w.note("fenced") }
func (w *logWorld) recordLost()                      { w.note("lost") }
func (w *logWorld) storeRejects(err error)           { w.note("rejects %v", err) }
func (w *logWorld) Commit(_ ID, c *Commit, done func(Result)) {
	w.note("commit %d", len(c.Events))
	w.commits, w.done = append(w.commits, c), append(w.done, done)
}

// answer gives the oldest commit its answer, and lets the owner run what was posted.
func (w *logWorld) answer(err error) {
	done := w.done[0]
	w.done = w.done[1:]
	done(Result{Err: err})
	for _, f := range w.posted {
		f()
	}
	w.posted = nil
	w.l.flush()
}

// TestEventLogOrder: commit, then publish, then acknowledge, then what waits for it; one commit
// at a time, while the next one gathers.
func TestEventLogOrder(t *testing.T) {
	w := newLogWorld()
	w.l.Durable("one", nil)
	w.l.Ephemeral("typing", "k", nil)
	w.l.cover(&link{}, 7)
	w.l.AfterCommit(func(Result) { w.note("after one") })
	w.l.flush()
	w.l.Durable("two", nil)
	w.l.Durable("three", nil)
	w.l.flush()
	w.want(t, "commit 1")
	if tip := w.l.tip(); tip.Offset != 10 {
		t.Errorf("tip before the commit: got %d, want 10", tip.Offset)
	}
	w.answer(nil)
	w.want(t, "publish one 11", "publish typing 0", "acknowledge 7", "after one", "commit 2")
	w.answer(nil)
	w.want(t, "publish two 12", "publish three 13")
	if c := w.commits[1]; c.Fence != 3 || c.Epoch != "e" || w.l.tip().Offset != 13 || !w.l.empty() {
		t.Errorf("got fence %d, epoch %s, tip %v, empty %v; want 3, e, 13, empty", c.Fence, c.Epoch, w.l.tip(), w.l.empty())
	}
}

// TestEventLogWithoutCommit: what has nothing to commit does not wait for the Store.
func TestEventLogWithoutCommit(t *testing.T) {
	w := newLogWorld()
	w.l.Ephemeral("typing", "k", nil)
	w.l.afterDrain(func() { w.note("drained") })
	w.l.flush()
	w.want(t, "publish typing 0", "drained")
	w.alone = true
	w.l.Ephemeral("typing", "k", nil)
	if !w.l.empty() {
		t.Error("an ephemeral event without a subscriber: got it queued, want nothing")
	}
}

// TestEventLogAnswers: what an answer of the Store means for the log.
func TestEventLogAnswers(t *testing.T) {
	down := perch.Errorf(perch.KindStorageUnavailable, "down")
	for _, tt := range []struct {
		name  string
		err   error
		want  []string
		queue int  // batches that are left
		down  bool // clients are refused meanwhile
	}{
		{"committed", nil, []string{"publish one 11", "commit 0"}, 1, false},
		{"fenced", ErrFenced, []string{"refused session-offline", "fenced"}, 1, false},
		{"lost", ErrLost, []string{"refused storage-unavailable", "lost"}, 1, true},
		{"out of order", fmt.Errorf("x: %w", ErrOrder), []string{"refused storage-unavailable", "lost"}, 1, true},
		{"unavailable", down, []string{"rejects " + down.Error(), "refused storage-unavailable"}, 1, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newLogWorld()
			w.l.Durable("one", nil)
			w.l.Exclusive(Commit{Once: &Once{}}, func(r Result) {
				if r.Err != nil {
					w.note("refused %s", perch.KindOf(r.Err))
				}
			})
			w.l.flush()
			w.did = nil
			w.answer(tt.err)
			w.want(t, tt.want...)
			if len(w.l.queue) != tt.queue || w.l.down != tt.down {
				t.Errorf("got %d batches left, down %v; want %d, %v", len(w.l.queue), w.l.down, tt.queue, tt.down)
			}
		})
	}
}

// TestEventLogBackOff: the same batch is retried, after a pause that doubles to five
// seconds, and its failure is logged once.
func TestEventLogBackOff(t *testing.T) {
	w := newLogWorld()
	w.l.Durable("one", nil)
	w.l.flush()
	want := []time.Duration{100, 200, 400, 800, 1600, 3200, 5000, 5000}
	for i := range want {
		want[i] *= time.Millisecond
		w.answer(errors.New("x"))
		w.tries[i]()
		w.l.flush()
	}
	if !slices.Equal(w.timers, want) {
		t.Errorf("got the pauses %v, want %v", w.timers, want)
	}
	w.answer(nil)
	w.want(t, append(append([]string{"commit 1", "rejects x"}, slices.Repeat([]string{"commit 1"}, len(want))...), "publish one 11")...)
	if w.l.down || w.l.fails != 0 {
		t.Errorf("after a commit: got down %v, %d failures; want neither", w.l.down, w.l.fails)
	}
}

// TestEventLogReset: events that were queued are appended to the log that the Store has, in a new
// epoch; rows of tables are written by their parts.
// promptLog is a Store whose commits are made at once.
type promptLog struct {
	*logWorld
	err error
}

func (p *promptLog) CommitNow(_ ID, c *Commit) Result {
	p.note("commit %d", len(c.Events))
	return Result{Err: p.err}
}

// TestEventLogCommitsAtOnce: with a Store that need not be waited for, an event is published, and
// what it entails is committed, when flush returns. A batch that comes again has nothing of before.
func TestEventLogCommitsAtOnce(t *testing.T) {
	w := newLogWorld()
	p := &promptLog{logWorld: w}
	w.l.store = p
	w.l.Durable("one", nil)
	w.l.Ephemeral("typing", "k", nil)
	w.l.cover(&link{}, 7)
	w.l.AfterCommit(func(Result) {
		w.note("after one")
		w.l.Durable("two", nil)
	})
	w.l.Change().Record = &Record{}
	w.l.applied()
	w.l.flush()
	w.want(t, "commit 1", "publish one 11", "publish typing 0", "acknowledge 7", "after one", "commit 1", "publish two 12")
	if !w.l.empty() || w.l.events != 0 || w.l.bytes != 0 || w.l.taken != 0 || w.l.busy {
		t.Errorf("after the commits: got %d batches, %d events, %d bytes, %d stanzas, busy %v; want none", len(w.l.queue), w.l.events, w.l.bytes, w.l.taken, w.l.busy)
	}
	for range 3 {
		b := w.l.gathering()
		if !b.empty() || len(b.publish) > 0 || b.bytes+b.taken+len(b.after) > 0 || b.link != nil || b.closed {
			t.Errorf("a new batch: got %+v, want nothing in it", b)
		}
		w.l.flush()
	}
	p.err = errors.New("x")
	w.l.Durable("three", nil)
	w.l.flush()
	w.want(t, "commit 1", "rejects x")
	p.err = nil
	w.tries[0]()
	w.l.flush()
	w.want(t, "commit 1", "publish three 13")
	p.err = ErrFenced
	w.l.Durable("four", nil)
	w.l.flush()
	w.want(t, "commit 1", "fenced")
}

func TestEventLogReset(t *testing.T) {
	w := newLogWorld()
	w.l.Durable("one", map[string]int{"n": 1})
	w.l.Change().Record = &Record{}
	w.l.Change().Messages = []*perch.MessageRecord{{ID: "m"}}
	w.l.AfterCommit(func(Result) { w.note("after") })
	w.l.afterDrain(func() { w.note("drained") })
	w.l.flush()
	w.answer(ErrLost)
	w.did = nil
	for _, b := range w.l.reset(&Saved{Fence: 4, Epoch: "f", Tip: 2}) {
		w.l.requeue(b)
	}
	w.l.flush()
	c := w.commits[1]
	if c.Fence != 4 || c.Epoch != "f" || c.Record != nil || len(c.Messages) != 1 || c.Events[0].Position.String() != "f-3" {
		t.Errorf("got the commit %+v with %v, want fence 4, epoch f, no record, a message and the event f-3", c, c.Events)
	}
	if wire := string(c.Events[0].Wire); !strings.Contains(wire, `"n":1`) {
		t.Errorf("got the event %s, want its data", wire)
	}
	w.answer(nil)
	w.want(t, "commit 1", "publish one 3", "after", "drained")
}

// TestEventLogIsFull: when nothing more may be taken from the connection.
func TestEventLogIsFull(t *testing.T) {
	for _, tt := range []struct {
		name string
		fill func(*eventLog)
		want bool
	}{
		{"255 events", func(l *eventLog) { events(l, 255, "") }, false},
		{"256 events", func(l *eventLog) { events(l, 256, "") }, true},
		{"a megabyte", func(l *eventLog) { events(l, 1, strings.Repeat("x", 1<<20)) }, true},
		{"nearly a megabyte", func(l *eventLog) { events(l, 1, strings.Repeat("x", 1<<20-200)) }, false},
		{"4095 stanzas", func(l *eventLog) { stanzas(l, 4095) }, false},
		{"4096 stanzas", func(l *eventLog) { stanzas(l, 4096) }, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newLogWorld()
			tt.fill(w.l)
			if got := w.l.full(); got != tt.want {
				t.Errorf("full: got %v, want %v", got, tt.want)
			}
			w.l.flush()
			for len(w.done) > 0 {
				w.answer(nil)
			}
			if w.l.full() || w.l.events != 0 || w.l.bytes != 0 || w.l.taken != 0 {
				t.Errorf("after the commits: got %d events, %d bytes, %d stanzas; want none", w.l.events, w.l.bytes, w.l.taken)
			}
		})
	}
}

func events(l *eventLog, n int, text string) {
	for range n {
		l.Durable("x", text)
	}
}

func stanzas(l *eventLog, n int) {
	l.Change().Record = &Record{}
	for range n {
		l.applied()
	}
}
