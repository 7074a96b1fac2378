package xmppconn

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/readiness"
)

// testParkAfter is the silence after which the readers of these tests are parked.
const testParkAfter = time.Second

// parked signs in over a network on which readers are parked.
func parked(t *testing.T, poller *fakePoller) (*fakeNetwork, *Conn, *recorder, *fakeServer) {
	t.Helper()
	w := newFakeNetwork(t, messengerUp())
	w.parks, w.d.poller, w.d.parkAfter = true, poller, testParkAfter
	c, b, p := w.online(func() {})
	return w, c, b, p
}

func chatOf(body string) string {
	return "<message from='bob@a.test/x' type='chat'><body>" + body + "</body></message>"
}

// bodies are the messages that came since the last call.
func (b *recorder) bodies() string {
	var all []string
	for _, in := range b.take() {
		if m, ok := in.(*perch.MessageIn); ok {
			all = append(all, m.Body)
		} else {
			all = append(all, fmt.Sprintf("%T", in))
		}
	}
	return strings.Join(all, " ")
}

// TestParkedReaderReadsOn: whatever comes is delivered, in order, however long the pauses are and
// in whatever pieces it comes, and the reader is parked in each pause between stanzas.
func TestParkedReaderReadsOn(t *testing.T) {
	for _, most := range []int{0, 1, 7} {
		bubble(t, fmt.Sprintf("%d bytes a read", most), func(t *testing.T) {
			poller := &fakePoller{}
			w, c, b, p := parked(t, poller)
			w.socket.set(func(s *peekConn) { s.most = most })
			for i := range 5 {
				time.Sleep(10 * testParkAfter)
				if now, times := poller.held(); now != 1 || times < i {
					t.Errorf("pause %d: got %d readers parked, %d times, want 1 and at least %d", i, now, times, i)
				}
				p.send(chatOf(fmt.Sprint("a", i)) + chatOf(fmt.Sprint("b", i)))
				if got, want := b.bodies(), fmt.Sprintf("a%d b%d", i, i); got != want {
					t.Errorf("pause %d: delivered %q, want %q", i, got, want)
				}
			}
			if c.Err() != nil {
				t.Errorf("got %v, want no error", c.Err())
			}
		})
	}
}

// TestHalfAStanzaIsNotParked: a reader that holds a part of a stanza waits for the rest.
func TestHalfAStanzaIsNotParked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		poller := &fakePoller{}
		_, _, b, p := parked(t, poller)
		whole := chatOf("in two")
		p.send(whole[:20])
		time.Sleep(10 * testParkAfter)
		if now, _ := poller.held(); now != 0 {
			t.Errorf("got %d readers parked with half a stanza, want 0", now)
		}
		p.send(whole[20:])
		if got := b.bodies(); got != "in two" {
			t.Errorf("delivered %q, want the message in two", got)
		}
		time.Sleep(10 * testParkAfter)
		if now, _ := poller.held(); now != 1 {
			t.Errorf("got %d readers parked after the stanza, want 1", now)
		}
	})
}

// TestParkingRaces lets something happen at the moments that matter: between the last read and the
// arming of the socket, and between an event and the start of the reader.
func TestParkingRaces(t *testing.T) {
	type state struct {
		w *fakeNetwork
		c *Conn
		p *fakeServer
	}
	aborts := func(s state) { s.c.Abort() }
	fails := func(s state) {
		s.w.socket.set(func(p *peekConn) { p.writing = errors.New("broken pipe") })
		_, _ = s.c.Send(&perch.MessageOut{ID: "m", To: "bob@a.test", Body: "x"})
		time.Sleep(time.Millisecond) // the writer has found out
	}
	for _, tt := range []struct {
		name           string
		beforeRegister func(state)
		beforeArm      func(state)
		beforeCall     func(state)
		want           string // delivered
		kind           perch.Kind
	}{
		{"ended after the last read", aborts, nil, nil, "", perch.KindSessionOffline},
		{"a write fails after the last read", fails, nil, nil, "", perch.KindLinkLost},
		{"bytes come before the socket is armed", nil, func(s state) { s.p.send(chatOf("early")) }, nil, "early late", ""},
		{"ended before it is armed", nil, aborts, nil, "", perch.KindSessionOffline},
		{"ended while it is woken", nil, nil, aborts, "", perch.KindSessionOffline},
		{"closed by the server before it is armed", nil, func(s state) { s.p.send(streamErrorOf("conflict")) }, nil, "", perch.KindStreamConflict},
		{"cut before it is armed", nil, func(s state) { _ = s.p.conn.Close() }, nil, "", perch.KindLinkLost},
		{"cut while it is woken", nil, nil, func(s state) { _ = s.p.conn.Close() }, "late", perch.KindLinkLost},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			poller := &fakePoller{}
			w, c, b, p := parked(t, poller)
			with := func(f func(state)) func() {
				if f == nil {
					return nil
				}
				return func() { f(state{w, c, p}) }
			}
			poller.plan(pollerSteps{with(tt.beforeArm), with(tt.beforeCall)})
			w.socket.set(func(s *peekConn) { s.onZero = once(with(tt.beforeRegister)) })
			time.Sleep(10 * testParkAfter)
			synctest.Wait()
			if c.Err() == nil {
				_, _ = p.conn.Write([]byte(chatOf("late")))
			}
			time.Sleep(10 * testParkAfter)
			if got := b.bodies(); got != tt.want {
				t.Errorf("delivered %q, want %q", got, tt.want)
			}
			if kind := perch.KindOf(c.Err()); c.Err() != nil && kind != tt.kind || c.Err() == nil && tt.kind != "" {
				t.Errorf("ended with %v, want kind %q", c.Err(), tt.kind)
			}
			noReaderLeft(t, c, poller)
		})
	}
}

func once(f func()) func() {
	var o sync.Once
	return func() {
		if f != nil {
			o.Do(f)
		}
	}
}

// noReaderLeft ends the connection: whatever has happened, its reader is neither lost nor there twice.
func noReaderLeft(t *testing.T, c *Conn, poller *fakePoller) {
	t.Helper()
	c.Abort()
	left := make(chan struct{})
	go func() {
		c.wg.Wait() // panics if a reader was counted out twice
		close(left)
	}()
	synctest.Wait()
	select {
	case <-left:
	default:
		t.Error("a reader is left after the end, want none")
	}
	if now, _ := poller.held(); now != 0 {
		t.Errorf("got %d readers parked after the end, want 0", now)
	}
}

// TestParkedConnectionEnds: who ends a parked connection does not wait for its reader.
func TestParkedConnectionEnds(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func(*Conn, *fakeServer)
	}{
		{"dropped", func(c *Conn, _ *fakeServer) { c.Abort() }},
		{"signed out, and the server answers", func(c *Conn, p *fakeServer) {
			go func() {
				for range 2 { // presence, and the end of the stream
					_, _ = p.fr.Next()
				}
				_, _ = p.conn.Write([]byte("</stream:stream>"))
			}()
			_ = c.Close(context.Background())
		}},
		{"signed out, and the server is silent", func(c *Conn, p *fakeServer) {
			p.script((*fakeServer).drain)
			_ = c.Close(context.Background())
		}},
		{"the server hangs up", func(_ *Conn, p *fakeServer) { _ = p.conn.Close() }},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			poller := &fakePoller{}
			w := newFakeNetwork(t, messengerUp())
			w.parks, w.d.poller, w.d.parkAfter = true, poller, testParkAfter
			ended := 0
			c, _, p := w.online(func() { ended++ })
			time.Sleep(10 * testParkAfter)
			if now, _ := poller.held(); now != 1 {
				t.Fatalf("got %d readers parked, want 1", now)
			}
			tt.end(c, p)
			time.Sleep(time.Minute)
			if synctest.Wait(); c.Err() == nil || ended != 1 {
				t.Errorf("got error %v, %d calls of ended; want an error, 1", c.Err(), ended)
			}
			noReaderLeft(t, c, poller)
		})
	}
}

// TestFailedWriteWakesTheReader: it finds out what the server said before it hung up.
func TestFailedWriteWakesTheReader(t *testing.T) {
	for _, tt := range []struct {
		name, last string
		kind       perch.Kind
	}{
		{"with a stream error", streamErrorOf("policy-violation"), perch.KindPolicy},
		{"without a word", "", perch.KindLinkLost},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			poller := &fakePoller{}
			w, c, _, p := parked(t, poller)
			time.Sleep(10 * testParkAfter)
			w.socket.set(func(s *peekConn) { s.writing = errors.New("broken pipe") })
			if _, err := c.Send(&perch.MessageOut{ID: "m", To: "bob@a.test", Body: "x"}); err != nil {
				t.Fatalf("Send: got error %v, want none", err)
			}
			synctest.Wait()
			if now, _ := poller.held(); now != 0 {
				t.Errorf("got %d readers parked after a failed write, want 0", now)
			}
			if tt.last != "" {
				p.send(tt.last)
			}
			time.Sleep(2 * readAfterFailedWrite)
			if kind := perch.KindOf(c.Err()); kind != tt.kind {
				t.Errorf("ended with %v, want kind %q", c.Err(), tt.kind)
			}
			noReaderLeft(t, c, poller)
		})
	}
}

// TestTimersOfAParkedConnection: the keepalive pings, its answer wakes the reader, and silence ends
// the connection as it would with a reader.
func TestTimersOfAParkedConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		poller := &fakePoller{}
		_, c, _, p := parked(t, poller)
		began := time.Now()
		answers := 3
		var at []time.Duration
		script := p.script(func(p *fakeServer) {
			for {
				iq := p.expect(nsClient, "iq")
				if now, _ := poller.held(); now != 1 {
					t.Errorf("ping %d: got %d readers parked, want 1", len(at), now)
				}
				if at = append(at, time.Since(began)); len(at) <= answers {
					p.send(resultOf(iq, ""))
				}
			}
		})
		<-c.Done()
		<-script
		lasted := time.Duration(answers+1)*55*time.Second + 20*time.Second
		if took := time.Since(began); took != lasted || len(at) != answers+1 {
			t.Errorf("ended after %v and %d pings, want %v and %d", took, len(at), lasted, answers+1)
		}
		noReaderLeft(t, c, poller)
	})
}

// TestEndedBeforeStart: ended is called all the same, and finds Done closed.
func TestEndedBeforeStart(t *testing.T) {
	for _, ending := range []bool{false, true} {
		bubble(t, fmt.Sprintf("still ending %v", ending), func(t *testing.T) {
			w := newFakeNetwork(t, messengerUp())
			w.parks = true
			w.serve("xmpp.a.test:5222", func(p *fakeServer) {
				p.login()
				p.drain() // else the connection might be closed before the client has signed in
			})
			c := w.dial()
			proceed := make(chan struct{})
			if w.socket.set(func(s *peekConn) { s.onClose = func() { <-proceed } }); !ending {
				close(proceed)
			}
			go c.Abort()
			synctest.Wait()
			closed := make(chan bool, 2)
			go c.Start(func(uint64, perch.Inbound) {}, func() { closed <- isClosed(c.Done()) })
			synctest.Wait()
			if ending {
				close(proceed)
			}
			synctest.Wait()
			if n := len(closed); n != 1 || !<-closed {
				t.Errorf("Start: got %d calls of ended, or Done still open, want 1 and closed", n)
			}
		})
	}
}

// TestUnparkable: where a reader cannot be parked it blocks, and nothing else changes.
func TestUnparkable(t *testing.T) {
	for _, tt := range []struct {
		name   string
		poller poller
	}{{"not registered", &readiness.Poller{}}, {"not armed", &refusingPoller{}}} {
		bubble(t, tt.name, func(t *testing.T) {
			w := newFakeNetwork(t, messengerUp())
			w.parks, w.d.poller, w.d.parkAfter = true, tt.poller, testParkAfter
			c, b, p := w.online(func() {})
			for i := range 3 {
				time.Sleep(10 * testParkAfter)
				p.send(chatOf(fmt.Sprint(i)))
				if got, want := b.bodies(), fmt.Sprint(i); got != want {
					t.Errorf("delivered %q, want %q", got, want)
				}
			}
			noReaderLeft(t, c, &fakePoller{})
		})
	}
}

// refusingPoller registers and cannot arm.
type refusingPoller struct{ fakePoller }

func (p *refusingPoller) Arm(readiness.Ticket, net.Conn) error { return errors.ErrUnsupported }
