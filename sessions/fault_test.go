package sessions_test

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// A stanza that makes the gateway panic is dropped alone: neither the session nor the process ends.
func TestFaultDropsOneStanza(t *testing.T) {
	inWorld(t, func(w *world) {
		c := w.attach(w.open(), sessions.SubscribeOptions{})
		w.deliver((*perch.MessageIn)(nil), text("1", "x"))
		c.wantTypes(perch.EventDropped, perch.EventMessageReceived)
		if c := w.conn(); c.HandledSeq() != 2 {
			t.Errorf("HandledSeq: got %d, want 2, for the stanza is not to come again", c.HandledSeq())
		}
	})
}

// The same while the archive is read, and messages wait.
func TestFaultAmongHeldMessages(t *testing.T) {
	for _, kind := range []string{"313", "136"} {
		inWorld(t, func(w *world) {
			deliver := func() {
				w.up.newest().Deliver((*perch.MessageIn)(nil))
				w.up.newest().Deliver(text("2", "after it"))
			}
			if kind == "313" {
				a := withArchive(w)
				a.add("old", "in", "")
				defer func() { a.onAsk = nil }()
				a.onAsk = func() {
					if len(w.up.Dials()) == 2 {
						a.onAsk = nil
						deliver()
					}
				}
			} else {
				withLastTen(w).onAsk = deliver
			}
			s := w.open()
			w.deliver(text("1", "before"))
			w.lose(linkLost)
			pass(time.Minute)
			if got := types(w.durable(s)); !slices.Contains(got, perch.EventDropped) || !slices.Equal(received(t, w.durable(s)), []string{"live before", "live after it"}) {
				t.Errorf("%s: got the log %v with messages %v, want a drop and the two other messages", kind, got, received(t, w.durable(s)))
			}
			if st := s.Info().State; st != perch.StateOnline || w.up.logins() != 2 {
				t.Errorf("%s: got state %s after %d logins, want online after 2", kind, st, w.up.logins())
			}
		})
	}
}

// faultyConn is a connection that panics on some messages, and is full at times.
type faultyConn struct {
	sessions.Conn
	full *atomic.Bool
}

func (m faultyConn) Send(out perch.Outbound) (uint64, error) {
	if msg, ok := out.(*perch.MessageOut); ok {
		switch {
		case msg.Body == "bad":
			panic("fault")
		case m.full.Load():
			return 0, perch.Errorf(perch.KindTryLater, "full")
		}
	}
	return m.Conn.Send(out)
}

func inWorldOfFaultyConns(t *testing.T, f func(w *world, full *atomic.Bool)) {
	t.Helper()
	full := &atomic.Bool{}
	inWorld(t, func(w *world) { f(w, full) }, func(o *sessions.Options) {
		dial := o.Dial
		o.Dial = func(ctx context.Context, req sessions.DialRequest) (sessions.Conn, error) {
			c, err := dial(ctx, req)
			if err != nil {
				return nil, err
			}
			return faultyConn{c, full}, nil
		}
	})
}

// A message that makes the gateway panic fails, and that is reported; the session continues, and
// does not write it again.
func TestFaultDropsOneMessage(t *testing.T) {
	inWorldOfFaultyConns(t, func(w *world, _ *atomic.Bool) {
		s := w.open()
		bad, good := w.send(s, hi("bad")), w.send(s, hi("good"))
		if h := w.history(s, bad); h != "accepted failed " {
			t.Errorf("history of the bad message: got %q, want accepted, failed", h)
		}
		if h := w.history(s, good); h != "accepted sent " {
			t.Errorf("history of the good message: got %q, want accepted, sent", h)
		}
		if !slices.Contains(types(w.durable(s)), perch.EventDropped) {
			t.Errorf("got the log %v, want the drop in it", types(w.durable(s)))
		}
		w.lose(linkLost)
		if s.Info().State != perch.StateOnline || w.m.Len() != 1 {
			t.Errorf("got state %s, %d sessions, want online, 1", s.Info().State, w.m.Len())
		}
	})
}

// A connection that is full for the moment fails no message: they wait, in order.
func TestFullConnection(t *testing.T) {
	inWorldOfFaultyConns(t, func(w *world, full *atomic.Bool) {
		s := w.open()
		w.send(s, hi("1"))
		full.Store(true)
		second := w.send(s, hi("2"))
		full.Store(false)
		w.send(s, hi("3"))
		if h := w.history(s, second); h != "accepted sent " {
			t.Errorf("history of the second message: got %q, want accepted, sent", h)
		}
		full.Store(true)
		fourth := w.send(s, hi("4"))
		if h := w.history(s, fourth); h != "accepted " {
			t.Errorf("history of the fourth message: got %q, want accepted", h)
		}
		full.Store(false)
		w.conn().Ack()
		if got := bodies(w.conn()); !slices.Equal(got, []string{"1", "2", "3", "4"}) {
			t.Errorf("got messages %v sent, want 1 to 4", got)
		}
	})
}
