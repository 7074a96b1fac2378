package api

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
)

// TestMailboxBeginsOneTurn: whoever posts first begins a turn, and nobody else until it is over.
func TestMailboxBeginsOneTurn(t *testing.T) {
	m := &mailbox{}
	if !m.post(dueEvents) || m.post(dueTimer) || m.postFrames(outFrame{}) {
		t.Error("post: got another begin than that of the first, want that one alone")
	}
	if w := m.take(true); w.due != dueEvents|dueTimer|dueFrames || len(w.frames) != 1 {
		t.Errorf("take: got %+v, want events, a moment and a frame", w)
	}
	if m.post(dueEvents) {
		t.Error("post within a turn: got a begin, want none")
	}
	m.take(true)
	if w := m.take(true); w.due != 0 || !m.post(dueEvents) {
		t.Errorf("take of nothing: got %+v, want nothing, and a begin by the next post", w)
	}
}

// TestMailboxKeepsWhatMustWait: a turn that must not wait leaves it, with everything else.
func TestMailboxKeepsWhatMustWait(t *testing.T) {
	m := &mailbox{}
	m.postControl([]byte("pong"))
	m.postEnding(ending{code: closeErrors})
	m.postEnding(ending{code: closeHeartbeat})
	if w := m.take(false); w.due&dueWaits == 0 || w.control != nil {
		t.Errorf("take without waiting: got %+v, want to be told that an ending is due", w)
	}
	if control, ended := m.takeControl(); string(control) != "pong" || !ended {
		t.Errorf("takeControl: got %q, ended %v; want pong, true", control, ended)
	}
	if w := m.take(true); w.due != dueFrames|dueEnd || w.ending.code != closeErrors {
		t.Errorf("take: got %+v, want the first ending", w)
	}
}

// TestMailboxBeginsAlone: what comes before the begin is found while the stream begins.
func TestMailboxBeginsAlone(t *testing.T) {
	m := &mailbox{busy: true}
	m.postControl([]byte("pong"))
	m.post(dueBegin)
	m.postEnding(ending{code: closeErrors})
	if w := m.take(true); w.due != dueBegin || w.control != nil {
		t.Errorf("take: got %+v, want the begin alone", w)
	}
	if control, ended := m.takeControl(); string(control) != "pong" || !ended {
		t.Errorf("takeControl: got %q, ended %v; want pong, true", control, ended)
	}
}

// TestMailboxHoldsItsReaderUp until there is room, and lets it go in the end.
func TestMailboxHoldsItsReaderUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &mailbox{}
		posted := 0
		go func() {
			for range 20 {
				m.postFrames(outFrame{frame: &perch.Event{}})
				posted++
			}
		}()
		synctest.Wait()
		if posted != 4 {
			t.Errorf("frames that were posted: got %d, want 4 until they are taken", posted)
		}
		if w := m.take(true); len(w.frames) != 4 {
			t.Errorf("take: got %d frames, want 4", len(w.frames))
		}
		synctest.Wait()
		if posted != 8 {
			t.Errorf("frames that were posted after these were taken: got %d, want 8", posted)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		m.runs(cancel)
		m.close()
		synctest.Wait()
		if posted != 20 || len(m.frames) != 0 || ctx.Err() == nil {
			t.Errorf("after the end: got %d frames posted, %d kept, command ended %v; want 20, none, true", posted, len(m.frames), ctx.Err() != nil)
		}
		if m.post(dueEvents) || m.postControl(make([]byte, 100)) || len(m.control) != 0 {
			t.Errorf("post after the end: got a begin or %d bytes kept, want neither", len(m.control))
		}
	})
}
