package sessions_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/cache"
	"github.com/perch-im/perch/sessions"
)

// TestKilledInFlight: the part that was under way when a process was killed comes again under the same ID and
// with the same content, whatever has come since, and everything else comes once.
func TestKilledInFlight(t *testing.T) {
	c := &receiver{}
	inWorld(t, func(w *world) {
		s := w.open()
		w.putReader(s, hook("a"))
		w.say(s, 1)
		first := c.next()
		release := c.hold()
		w.say(s, 1)
		w.say(s, 3)
		lost := c.next()
		s = w.kill()
		release()
		pass(time.Minute)
		w.say(s, 1)
		calls := c.next()
		if len(first) != 1 || len(lost) != 1 || len(calls) < 2 || calls[0].id != lost[0].id || !slices.Equal(calls[0].bodies, lost[0].bodies) {
			t.Fatalf("got %s, then %s, then %s, want the part that was under way again, the same", offsets(first), offsets(lost), offsets(calls))
		}
		var all []uint64
		for _, k := range slices.Concat(first, calls) {
			all = append(all, k.events...)
		}
		if got := fmt.Sprint(all); got != "[2 3 4 5 6 9]" { // those between are the states of the next process
			t.Errorf("got the events %s, want each once", got)
		}
		ids := map[string]bool{}
		for _, k := range slices.Concat(first, calls) {
			if ids[k.id] {
				t.Errorf("got the ID %s twice, want it once but for what was lost", k.id)
			}
			ids[k.id] = true
		}
	}, withReceiver(c))
}

// TestKilledBeforeTheCommit: nothing is sent whose end is not stored.
func TestKilledBeforeTheCommit(t *testing.T) {
	c := &receiver{}
	inWorld(t, func(w *world) {
		s := w.open()
		w.putReader(s, hook("a"))
		w.store.set(func(s *store) { s.heldFor = func(c *sessions.Commit) bool { return !c.Readers.Empty() } })
		w.say(s, 1)
		pass(time.Minute)
		if calls := c.next(); len(calls) != 0 {
			t.Errorf("got %s before its end is stored, want nothing", offsets(calls))
		}
		w.kill()
		pass(time.Minute)
		if got := offsets(c.next()); got != "[2]" {
			t.Errorf("got %s of the next process, want [2]", got)
		}
	}, withReceiver(c))
}

// TestFencedOwnerSendsNothing: a node that stood still, while another one took the session, begins no delivery.
func TestFencedOwnerSendsNothing(t *testing.T) {
	c := &receiver{}
	inCluster(t, 2, func(k *cluster) {
		a, b := k.nodes[0], k.nodes[1]
		s := k.authenticate(a)
		_, _, _, err := a.PutReader(k.ctx(), access(s), hook("a"))
		must(t, "PutReader", err)
		k.say(s, 1)
		if got := offsets(c.next()); got != "[2]" {
			t.Fatalf("got %s, want [2]", got)
		}
		a.store.set(func(s *store) { s.stopped = true })
		k.deliver(&perch.MessageIn{Message: perch.Message{ID: "late", From: bob, Body: "late"}})
		pass(time.Minute)
		if calls := c.next(); len(calls) != 0 {
			t.Errorf("got %s of a node whose writes have no answer, want nothing", offsets(calls))
		}
		k.authenticate(b)
		pass(time.Minute)
		calls := c.next()
		a.store.set(func(s *store) { s.stopped = false })
		pass(time.Minute)
		if late := c.next(); len(late) != 0 {
			t.Errorf("got %s of the node that was replaced, want nothing", offsets(late))
		}
		if !strings.HasPrefix(offsets(calls), "[3]") {
			t.Errorf("got %s of the node that has the session, want it to begin with [3]", offsets(calls))
		}
	}, withReceiver(c))
}

// TestDrainedInFlight: what was under way when a node gives the session up comes again from the next one, the
// same.
func TestDrainedInFlight(t *testing.T) {
	c := &receiver{}
	inCluster(t, 2, func(k *cluster) {
		a, b := k.nodes[0], k.nodes[1]
		s := k.authenticate(a)
		_, _, _, err := a.PutReader(k.ctx(), access(s), hook("a"))
		must(t, "PutReader", err)
		release := c.hold()
		k.say(s, 1)
		lost := c.next()
		if !s.HandOver() {
			t.Fatal("HandOver: got false, want true")
		}
		synctest.Wait()
		k.authenticate(b)
		again := c.seen()
		release()
		pass(time.Minute)
		calls := c.next()
		if len(lost) != 1 || len(again) != 1 || again[0].id != lost[0].id || !slices.Equal(calls[0].bodies, lost[0].bodies) {
			t.Errorf("got %s, then %+v, want the same", offsets(lost), again)
		}
		if !lost[0].lost {
			t.Error("got the attempt of the node that drains answered, want it given up")
		}
		if got := len(calls); got < 1 || calls[0].lost {
			t.Errorf("got %d calls of the next node, want the first answered", got)
		}
	}, withReceiver(c))
}

// TestCursorOverOthersEvents: a cursor moves over events that are not for its reader without a write for each,
// and is written some minutes later, or when the process ends.
func TestCursorOverOthersEvents(t *testing.T) {
	c := &receiver{}
	inWorld(t, func(w *world) {
		s := w.open()
		n := hook("a")
		n.Spec.Types = []string{"session.*"}
		w.putReader(s, n)
		before := w.store.count(func(c *sessions.Commit) bool { return !c.Readers.Empty() })
		tip := w.say(s, 50)
		if r := w.reader(s, perch.WebhookReader, "a"); r.Cursor.Offset != tip {
			t.Errorf("got the cursor %d, want %d", r.Cursor.Offset, tip)
		}
		writes := func() int { return w.store.count(func(c *sessions.Commit) bool { return !c.Readers.Empty() }) - before }
		if n := writes(); n != 0 {
			t.Errorf("got %d writes of readers for 50 events that are for none, want 0", n)
		}
		pass(5 * time.Minute)
		if n := writes(); n != 1 {
			t.Errorf("got %d writes after 5 minutes, want 1", n)
		}
		w.say(s, 1001)
		if n := writes(); n != 2 {
			t.Errorf("got %d writes after 1001 events more, want 2", n)
		}
		tip = w.say(s, 7)
		w.close()
		w.start()
		s = w.open()
		if r := w.reader(s, perch.WebhookReader, "a"); r.Cursor.Offset < tip {
			t.Errorf("the next process: got the cursor %d, want %d at least", r.Cursor.Offset, tip)
		}
	}, withReceiver(c))
}

// TestLogThatHasLostEvents: the first delivery after a loss says so, keeps doing so until it arrives, and begins
// with the oldest event that there is.
func TestLogThatHasLostEvents(t *testing.T) {
	c := &receiver{}
	keep := cache.NewMemory(cache.MemoryOptions{Retention: sessions.Retention{Events: 5}})
	inWorld(t, func(w *world) {
		s := w.open()
		w.putReader(s, hook("a"))
		c.answers(failing(500))
		w.say(s, 3)
		c.next()
		tip := w.say(s, 10)
		pass(time.Hour)
		calls := c.next()
		c.answers(nil)
		pass(time.Hour)
		calls = append(calls, c.next()...)
		want := fmt.Sprintf("[%d %d %d %d %d]expired", tip-4, tip-3, tip-2, tip-1, tip)
		for _, k := range calls {
			if got := offsets([]*call{k}); got != want || k.id != calls[0].id {
				t.Errorf("got %s as %s, want %s each time, as %s", got, k.id, want, calls[0].id)
			}
		}
		w.say(s, 1)
		if got := offsets(c.next()); got != fmt.Sprintf("[%d]", tip+1) {
			t.Errorf("after that: got %s, want [%d]", got, tip+1)
		}
	}, withReceiver(c), func(o *sessions.Options) { o.Store.(*store).Store = keep })
}

// TestLogThatIsLost: of a log that begins anew a reader is told so.
func TestLogThatIsLost(t *testing.T) {
	c := &receiver{}
	inWorld(t, func(w *world) {
		s := w.open()
		w.putReader(s, hook("a"))
		before := w.say(s, 2)
		c.next()
		must(t, "Forget", w.store.Store.Forget(w.ctx(), s.ID()))
		w.sayBody("one")
		w.sayBody("two")
		pass(time.Minute)
		calls := c.next()
		if len(calls) == 0 || calls[0].reset != sessions.ResetEpoch || calls[0].cursor.Offset >= before+2 {
			t.Fatalf("got %+v, want one that says %s", calls, sessions.ResetEpoch)
		}
		text := ""
		for _, k := range calls {
			text += strings.Join(k.bodies, "")
		}
		if !strings.Contains(text, `"one"`) || !strings.Contains(text, `"two"`) || calls[len(calls)-1].reset != "" && len(calls) > 1 {
			t.Errorf("got %s, want both messages, and the reset once", text)
		}
		if r := w.reader(s, perch.WebhookReader, "a"); r.State != perch.ReaderActive {
			t.Errorf("got %+v, want an active reader", r)
		}
	}, withReceiver(c))
}
