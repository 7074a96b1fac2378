package xmppconn

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/archive"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// quarantined are stanzas that cannot be taken, each for another reason.
var quarantined = map[string]string{
	"a panic of the session": chat("bad", "poison"),
	"a prefix from nowhere":  "<message from='bob@a.test/x' type='chat' id='bad'><body>x</body><foo:bar/></message>",
	"no sound start tag":     "<message from='bob@a.test/x' from='bob@a.test/x' type='chat' id='bad'/>",
	"without an end":         "<message from='bob@a.test/x' type='chat' id='bad'><body>" + strings.Repeat("x", xmlstream.DefaultLimits().Hard+1) + "</body></message>",
}

// sinkThatPanics is a session that a word makes panic.
func (b *recorder) sinkThatPanics(seq uint64, in perch.Inbound) {
	if m, ok := in.(*perch.MessageIn); ok && m.Body == "poison" {
		panic("fault")
	}
	b.sink(seq, in)
}

// connectPanicking signs in, with sinkThatPanics.
func (s *smServer) connectPanicking(resume []byte) (*Conn, *recorder, *fakeServer) {
	s.t.Helper()
	acc := tokenAccount
	acc.JID = "me@a.test"
	c, err := s.d.Dial(context.Background(), acc, resume)
	if err != nil {
		s.t.Fatalf("s.d.Dial(): got error %v, want none", err)
	}
	s.t.Cleanup(func() { c.Abort(); _ = c.join(context.Background()) })
	b := &recorder{}
	c.Start(b.sinkThatPanics, func() {})
	p := <-s.connected
	synctest.Wait()
	return c, b, p
}

// TestQuarantine: whatever a server sends again and again, on a resumed stream or on a new one,
// ends two connections and not the third: that one leaves it out, reports it, and its count is
// right.
func TestQuarantine(t *testing.T) {
	for name, bad := range quarantined {
		smBubble(t, name, func(t *testing.T, s *smServer) {
			s.answer = func(p *fakeServer, _ *xmlstream.Element) bool {
				p.send("<resumed xmlns='" + nsSM + "' previd='sm-1' h='0'/>")
				return true
			}
			var state []byte
			for i := range 3 {
				c, b, p := s.connectPanicking(state)
				last := i == 2
				done := p.script(func(p *fakeServer) {
					p.send(bad)
					if last {
						p.send(chat("good", "after it"))
					}
				})
				if !last {
					<-c.Done()
					if perch.KindOf(c.Err()) != perch.KindLinkLost {
						t.Fatalf("connection %d: got %v, want %s", i+1, c.Err(), perch.KindLinkLost)
					}
					p.script((*fakeServer).drain)
					state = c.StreamState()
					continue
				}
				<-done
				in := b.take()
				if len(in) != 2 {
					t.Fatalf("delivered %v, %v; want 2 deliveries", in, c.Err())
				}
				d, ok := in[0].(*perch.DroppedIn)
				m, ok2 := in[1].(*perch.MessageIn)
				if !ok || !ok2 || m.Body != "after it" {
					t.Fatalf("delivered %+v, %+v; want a drop and the message after it", in[0], in[1])
				}
				who := d.From == "bob@a.test/x" && d.StanzaID == "bad"
				if strings.HasPrefix(name, "no sound") {
					who = d.From == "" && d.StanzaID == ""
				}
				if reason := d.Reason; reason != "quarantined" && reason != "too_large" || !who {
					t.Errorf("got %+v, want the reason quarantined or too_large, and who sent it", d.Dropped)
				}
				c.Handled(b.seq[1])
				if c.Login().Resumed {
					p.expect(nsSM, "r")
				}
				p.wantH(t, "2")
			}
		})
	}
}

// Without stream management a stanza comes again as well, out of the archive.
func TestQuarantineWithoutResumption(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFakeNetwork(t, messengerUp())
		ready, hold := make(chan *fakeServer, 1), make(chan struct{})
		defer close(hold)
		w.serve("xmpp.a.test:5222", func(p *fakeServer) {
			p.login()
			ready <- p
			<-hold
		})
		for i := range 3 {
			c, b := w.dial(), &recorder{}
			c.Start(b.sinkThatPanics, func() {})
			p := <-ready
			done := p.script(func(p *fakeServer) {
				p.send(quarantined["a panic of the session"])
				p.send(chat("good", "after it"))
			})
			synctest.Wait()
			if ended := c.Err() != nil; ended != (i < 2) {
				t.Fatalf("connection %d: got %v, want it ended: %v", i+1, c.Err(), i < 2)
			}
			if i == 2 && len(b.take()) != 2 {
				t.Error("not past it, want 2 deliveries")
			}
			c.Abort()
			_ = c.join(context.Background())
			_ = p.conn.Close()
			<-done
		}
	})
}

// TestCrashCountsExpire: those of one account are no matter of another, and they expire.
func TestCrashCountsExpire(t *testing.T) {
	f := newCrashCounts()
	now := time.Now()
	for range 2 {
		if f.quarantining(1, now) {
			t.Error("too early, want no quarantine yet")
		}
		f.add(1, now)
	}
	if !f.quarantining(1, now) || f.quarantining(2, now) || f.quarantining(1, now.Add(10*time.Minute+1)) {
		t.Errorf("got quarantining %v, %v, and %v after ten minutes, want true, false, false",
			f.quarantining(1, now), f.quarantining(2, now), f.quarantining(1, now.Add(10*time.Minute+1)))
	}
	if f.add(2, now.Add(10*time.Minute+1)); f.counts.Len() != 1 {
		t.Errorf("got %d accounts remembered, want 1", f.counts.Len())
	}
}

// TestCrashCountsEdge: 65,536 accounts are remembered; others are not, and do not push them out.
func TestCrashCountsEdge(t *testing.T) {
	const most = 65_536
	f, now := newCrashCounts(), time.Now()
	for i := range uint64(most + 10) {
		f.add(i, now)
	}
	f.add(0, now)
	f.add(most, now)
	if n := f.counts.Len(); n != most || !f.quarantining(0, now) || f.quarantining(most, now) {
		t.Errorf("got %d accounts, quarantining the first %v, one too many %v, want %d, true, false", n, f.quarantining(0, now), f.quarantining(most, now), most)
	}
}

// TestQuarantineEndsAConnectionThatCannotBeTrusted: when a fault has left a critical section,
// what the lock guards may be half changed.
func TestQuarantineEndsAConnectionThatCannotBeTrusted(t *testing.T) {
	c := &Conn{d: &Dialer{counters: &Counters{}}}
	c.archives = archive.New(c.askArchive, &c.login)
	s := &xmlstream.Skipped{Local: "iq", Answered: true}
	if !c.quarantine(s, 0) {
		t.Error("quarantine() of a sound connection = false, want true")
	}
	func() {
		defer func() {
			if p := recover(); p != "fault" {
				t.Errorf("recovered %v, want the fault", p)
			}
		}()
		c.mu.Lock()
		defer c.unlock()
		panic("fault")
	}()
	if c.quarantine(s, 0) {
		t.Error("quarantine() after a fault in a critical section = true, want false")
	}
}
