package xmppconn

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
)

// poisons are stanzas that cannot be taken, each for another reason.
var poisons = map[string]string{
	"a fault of ours":       chat("bad", "poison"),
	"a prefix from nowhere": "<message from='bob@a.test/x' type='chat' id='bad'><body>x</body><foo:bar/></message>",
	"no sound start tag":    "<message from='bob@a.test/x' from='bob@a.test/x' type='chat' id='bad'/>",
	"without an end":        "<message from='bob@a.test/x' type='chat' id='bad'><body>" + strings.Repeat("x", defaultLimits.hard+1) + "</body></message>",
}

// sick is a session that a word makes panic.
func (b *box) sick(seq uint64, in perch.Inbound) {
	if m, ok := in.(*perch.MessageIn); ok && m.Body == "poison" {
		panic("fault")
	}
	b.sink(seq, in)
}

// sick signs in, with the sink of a sick session.
func (s *smServer) sick(resume []byte) (*Conn, *box, *peer) {
	s.t.Helper()
	acc := tokenAccount
	acc.JID = "me@a.test"
	c, err := s.d.Dial(context.Background(), acc, resume)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { c.Abort(); _ = c.join(context.Background()) })
	b := &box{}
	c.Start(b.sick)
	p := <-s.peers
	synctest.Wait()
	return c, b, p
}

// TestPoison: whatever a server sends again and again, on a resumed stream or on a new one,
// ends two connections and not the third: that one leaves it out, reports it, and its count is
// right.
func TestPoison(t *testing.T) {
	for name, bad := range poisons {
		smBubble(t, name, func(t *testing.T, s *smServer) {
			s.answer = func(p *peer, _ *element) bool {
				p.send("<resumed xmlns='" + nsSM + "' previd='sm-1' h='0'/>")
				return true
			}
			var state []byte
			for i := range 3 {
				c, b, p := s.sick(state)
				last := i == 2
				done := p.script(func(p *peer) {
					p.send(bad)
					if last {
						p.send(chat("good", "after it"))
					}
				})
				if !last {
					<-c.Done()
					if perch.KindOf(c.Err()) != perch.KindLinkLost {
						t.Fatalf("connection %d: %v", i+1, c.Err())
					}
					p.script((*peer).drain)
					state = c.StreamState()
					continue
				}
				<-done
				in := b.take()
				if len(in) != 2 {
					t.Fatalf("delivered %v, %v", in, c.Err())
				}
				d, ok := in[0].(*perch.DroppedIn)
				m, ok2 := in[1].(*perch.MessageIn)
				if !ok || !ok2 || m.Body != "after it" {
					t.Fatalf("delivered %+v, %+v", in[0], in[1])
				}
				who := d.From == "bob@a.test/x" && d.StanzaID == "bad"
				if strings.HasPrefix(name, "no sound") {
					who = d.From == "" && d.StanzaID == ""
				}
				if reason := d.Reason; reason != "quarantined" && reason != "too_large" || !who {
					t.Errorf("%+v", d.Dropped)
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
func TestPoisonWithoutResumption(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, messengerUp())
		ready, hold := make(chan *peer, 1), make(chan struct{})
		defer close(hold)
		w.serve("xmpp.a.test:5222", func(p *peer) {
			p.login()
			ready <- p
			<-hold
		})
		for i := range 3 {
			c, b := w.dial(), &box{}
			c.Start(b.sick)
			p := <-ready
			done := p.script(func(p *peer) {
				p.send(poisons["a fault of ours"])
				p.send(chat("good", "after it"))
			})
			synctest.Wait()
			if ended := c.Err() != nil; ended != (i < 2) {
				t.Fatalf("connection %d: %v", i+1, c.Err())
			}
			if i == 2 && len(b.take()) != 2 {
				t.Error("not past it")
			}
			c.Abort()
			_ = c.join(context.Background())
			_ = p.conn.Close()
			<-done
		}
	})
}

// Faults of one account are no matter of another, and are forgotten in the end.
func TestFaultsAreForgotten(t *testing.T) {
	f := newFaults()
	now := time.Now()
	for range 2 {
		if f.wary(1, now) {
			t.Error("too early")
		}
		f.add(1, now)
	}
	if !f.wary(1, now) || f.wary(2, now) || f.wary(1, now.Add(10*time.Minute+1)) {
		t.Errorf("got wary %v, %v, and %v after ten minutes, want true, false, false",
			f.wary(1, now), f.wary(2, now), f.wary(1, now.Add(10*time.Minute+1)))
	}
	if f.add(2, now.Add(10*time.Minute+1)); f.of.Len() != 1 {
		t.Errorf("got %d accounts remembered, want 1", f.of.Len())
	}
}

// TestFaultsEdge: 65,536 accounts are remembered; others are not, and do not push them out.
func TestFaultsEdge(t *testing.T) {
	const most = 65_536
	f, now := newFaults(), time.Now()
	for i := range uint64(most + 10) {
		f.add(i, now)
	}
	f.add(0, now)
	f.add(most, now)
	if n := f.of.Len(); n != most || !f.wary(0, now) || f.wary(most, now) {
		t.Errorf("got %d accounts, wary of the first %v, of one too many %v, want %d, true, false", n, f.wary(0, now), f.wary(most, now), most)
	}
}
