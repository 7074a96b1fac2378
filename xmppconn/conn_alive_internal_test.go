package xmppconn

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
)

func TestM16KeepAlive(t *testing.T) {
	bubble(t, "a ping after 55 s of silence", func(t *testing.T) {
		w, c, _, p := online(t, messengerUp())
		began := time.Now()
		var at []time.Duration
		p.script(func(p *fakeServer) {
			for {
				iq := p.expect(nsClient, "iq")
				at = append(at, time.Since(began))
				if iq.Attr("to") != "a.test" || iq.Child(nsPing, "ping") == nil {
					t.Errorf("got %+v, want to a.test, a ping", iq)
				}
				time.Sleep(30 * time.Millisecond)
				if len(at)%2 == 0 {
					p.send(errorOf(iq, "service-unavailable")) // counts as well
				} else {
					p.send("<iq type='result' id='" + iq.Attr("id") + "'/>")
				}
			}
		})
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if c.Err() != nil {
			t.Fatalf("got %v, want no error", c.Err())
		}
		if len(at) != 10 || at[0] != 55*time.Second || at[1]-at[0] != 55*time.Second+30*time.Millisecond {
			t.Errorf("pings at %v, want 10 of them, the first after 55 s, then after %v", at, 55*time.Second+30*time.Millisecond)
		}
		if rtt := c.Stats().PingRTT; rtt != 30*time.Millisecond {
			t.Errorf("round trip %v, want rtt %v", rtt, 30*time.Millisecond)
		}
		if w.d.counters.Pings.Load() != 10 || c.iqs != nil {
			t.Errorf("got %d pings, want Pings 10, no open requests", w.d.counters.Pings.Load())
		}
	})
	bubble(t, "no ping while something comes", func(t *testing.T) {
		w, c, _, p := online(t, messengerUp())
		for range 20 {
			time.Sleep(50 * time.Second)
			p.send(" ")
		}
		if synctest.Wait(); w.d.counters.Pings.Load() != 0 || c.Err() != nil {
			t.Errorf("got %d pings, %v; want Pings 0, no error", w.d.counters.Pings.Load(), c.Err())
		}
	})
	bubble(t, "no answer in 20 s", func(t *testing.T) {
		_, c, _, p := online(t, messengerUp())
		p.script((*fakeServer).drain)
		began := time.Now()
		<-c.Done()
		if took := time.Since(began); took != 75*time.Second || perch.KindOf(c.Err()) != perch.KindLinkLost {
			t.Errorf("after %v: got %v, want 75 s, %s", took, c.Err(), perch.KindLinkLost)
		}
	})
}

func TestM16KeepAliveListens(t *testing.T) {
	bubble(t, "any byte is a sign of life", func(t *testing.T) {
		_, c, b, p := online(t, messengerUp())
		p.script((*fakeServer).drain)
		go func() {
			time.Sleep(70 * time.Second)
			_, _ = p.conn.Write([]byte("<message from='bob@a.test'><body>" + strings.Repeat("x", 100)))
			time.Sleep(50 * time.Second)
			_, _ = p.conn.Write([]byte("</body></message>"))
		}()
		time.Sleep(150 * time.Second)
		if in := b.take(); c.Err() != nil || len(in) != 1 {
			t.Errorf("got %v, %v; want no error, one delivery", c.Err(), in)
		}
	})
	bubble(t, "a session that holds us back is not the server's silence", func(t *testing.T) {
		w := newFakeNetwork(t, messengerUp())
		pings := 0
		w.serve("xmpp.a.test:5222", func(p *fakeServer) {
			p.login()
			p.send("<message from='bob@a.test'><body>x</body></message>")
			answers := make(chan string, 100) // what the kernel would buffer
			defer close(answers)
			w.wg.Go(func() {
				for a := range answers {
					_, _ = p.conn.Write([]byte(a))
				}
			})
			for {
				iq := p.next()
				pings++
				answers <- resultOf(iq, "")
			}
		})
		c := w.dial()
		block := make(chan struct{})
		c.Start(func(uint64, perch.Inbound) { <-block }, func() {})
		time.Sleep(10 * time.Minute)
		if c.Err() != nil {
			t.Fatalf("ended: got %v, want no error", c.Err())
		}
		close(block)
		time.Sleep(5 * time.Minute)
		if synctest.Wait(); c.Err() != nil || pings < 10 {
			t.Errorf("got %v, %d pings; want no error, at least 10", c.Err(), pings)
		}
	})
}

func TestM16KeepAliveEnds(t *testing.T) {
	bubble(t, "nothing after the end", func(t *testing.T) {
		w, c, _, _ := online(t, messengerUp())
		c.Abort()
		time.Sleep(5 * time.Minute)
		if w.d.counters.Pings.Load() != 0 {
			t.Error("got a ping of a closed connection, want none")
		}
		if _, err := c.Ping(context.Background()); perch.KindOf(err) != perch.KindSessionOffline {
			t.Errorf("got %v, want %s", err, perch.KindSessionOffline)
		}
	})
}
