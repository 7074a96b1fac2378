package sessions

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/perch-im/perch"
)

// loopWork is an owner that does what waits in the queue, in order.
type loopWork struct {
	*loop
	held  bool // nothing is taken from the inbox
	got   []uint64
	over  bool
	entry chan struct{} // nil: a step does not wait
}

func (w *loopWork) step() bool {
	if w.entry != nil {
		<-w.entry
	}
	if t, ok := w.queue.next(); ok {
		if t.call != nil {
			defer close(t.call.done)
		}
		t.f()
		return true
	}
	if !w.held {
		if d, ok := w.queue.receive(); ok {
			w.got = append(w.got, d.seq)
			return true
		}
	}
	return false
}

func (w *loopWork) hasEnded() bool { return w.over }
func (w *loopWork) finish()        { w.queue.close(w.endedError()) }

func newLoopWork(t *testing.T) *loopWork {
	w := &loopWork{loop: newLoop(context.Background())}
	w.runner.work = w
	t.Cleanup(w.cancel)
	w.runner.start()
	synctest.Wait()
	return w
}

// TestInboxHoldsTheReaderBack: with a full inbox the reader waits, and goes on in order.
func TestInboxHoldsTheReaderBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newLoopWork(t)
		if err := w.call(t.Context(), func() { w.held = true }); err != nil {
			t.Fatalf("call: got error %v, want none", err)
		}
		delivered := 0
		go func() {
			for i := range 3 * inboxSize {
				w.deliver(nil, uint64(i), &perch.AckIn{})
				delivered++
			}
		}()
		if synctest.Wait(); delivered != inboxSize {
			t.Errorf("the reader has delivered %d things, want %d", delivered, inboxSize)
		}
		w.post(func() { w.held = false })
		synctest.Wait()
		for i, seq := range w.got {
			if seq != uint64(i) {
				t.Fatalf("thing %d: got number %d, want %d", i, seq, i)
			}
		}
		if len(w.got) != 3*inboxSize {
			t.Errorf("the owner got %d things, want %d", len(w.got), 3*inboxSize)
		}
	})
}

// TestReaderIsReleased: a reader that waits for the owner goes on when the session ends.
func TestReaderIsReleased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newLoopWork(t)
		w.held = true
		released := false
		go func() {
			for range inboxSize + 1 {
				w.deliver(nil, 1, &perch.AckIn{})
			}
			released = true
		}()
		if synctest.Wait(); released {
			t.Error("the reader went on with a full inbox, want it to wait")
		}
		w.cancel()
		if synctest.Wait(); !released {
			t.Error("the reader waits after the end, want it to go on")
		}
	})
}

// TestCallsThatDoNotRun: the error says why, and the function has not run.
func TestCallsThatDoNotRun(t *testing.T) {
	for _, tt := range []struct {
		name  string
		spoil func(w *loopWork, cancel func())
		want  error
	}{
		{"its context has ended before", func(_ *loopWork, cancel func()) { cancel() }, context.Canceled},
		{"its context ends while it waits", func(_ *loopWork, cancel func()) { go cancel() }, context.Canceled},
		{"the session has ended before", func(w *loopWork, _ func()) { w.forgotten.Store(true); w.cancel() }, ErrEnded},
		{"the session ends while it waits", func(w *loopWork, _ func()) { go w.cancel() }, errMovedOn},
		{"the owner ends while it waits", func(w *loopWork, _ func()) {
			go func() { w.over = true; close(w.entry) }()
		}, errMovedOn},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newLoopWork(t)
				w.entry = make(chan struct{})
				w.post(func() {}) // keeps the owner in its step
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				tt.spoil(w, cancel)
				ran := false
				if err := w.call(ctx, func() { ran = true }); !errors.Is(err, tt.want) || ran {
					t.Errorf("call: got error %v and ran %v, want %v and false", err, ran, tt.want)
				}
				if !isClosed(w.entry) {
					close(w.entry)
				}
			})
		})
	}
}
