package sessions_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// Backlog is what waits in all sessions: messages for their servers, and sessions for the
// Store. Nothing of a session that has ended is left in it.
func TestBacklog(t *testing.T) {
	inWorld(t, func(w *world) {
		want := func(when string, outbox, held int) {
			t.Helper()
			synctest.Wait()
			if got := w.m.Backlog(); got != (sessions.Backlog{Outbox: outbox, HeldBack: held}) {
				t.Errorf("Backlog %s: got %+v, want %d and %d", when, got, outbox, held)
			}
		}
		s := w.open()
		other, err := w.m.Authenticate(w.ctx(), perch.NewSecret("good-other"))
		must(t, "Authenticate", err)
		want("at first", 0, 0)
		w.send(s, hi("1"))
		w.send(s, hi("2"))
		w.send(other, hi("3"))
		want("sent and not acknowledged", 3, 0)
		w.conn().Ack()
		want("one of them is", 2, 0)

		w.store.set(func(s *store) { s.down = errDown })
		w.deliver(text("m1", "x")) // to the newest connection, the other's
		want("the store is away", 2, 1)
		w.store.set(func(s *store) { s.down = nil })
		pass(10 * time.Second)
		want("it is back", 2, 0)

		w.store.set(func(s *store) { s.down = errDown })
		w.deliver(text("m2", "y"))
		want("away again", 2, 1)
		w.store.set(func(s *store) { s.down = nil })
		w.close()
		want("all sessions have ended", 0, 0)
		w.start()
	}, durable)
}

// Adoptions that are not possible are counted, too: a full node retries, and one that
// has another key leaves the session to its client.
func TestFailedAdoptions(t *testing.T) {
	inCluster(t, 1, func(c *cluster) {
		a := c.nodes[0]
		c.authenticate(a)
		c.opts.MaxSessions = 1
		full := c.join("full")
		if _, err := full.Authenticate(c.ctx(), perch.NewSecret("good-other")); err != nil {
			t.Fatalf("Authenticate: got error %v, want none", err)
		}
		pass(2 * lease)
		a.cutOff(errDown)
		pass(lease + 5*time.Second)
		if n := full.tally.get("owner failed"); n == 0 || full.Len() != 1 {
			t.Errorf("got %d failures, %d sessions, want some and 1", n, full.Len())
		}
	}, sealing(1))
	inCluster(t, 1, func(c *cluster) {
		a := c.nodes[0]
		s := c.authenticate(a)
		sealing(2)(&c.opts)
		stranger := c.join("stranger")
		pass(2 * time.Second)
		a.Drain()
		s.HandOver()
		pass(5 * time.Second)
		stranger.tally.want(t, map[string]int{"owner passed": 1, "owner failed": 0, "owner taken": 0})
	}, sealing(1))
}
