package xmppconn

import (
	"context"
	"errors"
	"fmt"
	"net"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/streamtest"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
	"mellium.im/xmpp/stream"
)

// script runs the server's side on a goroutine of its own until it ends or the client has
// gone; the result is closed then.
func (p *fakeServer) script(f func(*fakeServer)) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if r := recover(); r != nil && r != errClientGone {
				panic(r)
			}
		}()
		f(p)
	}()
	return done
}

func TestReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, c, b, p := online(t, messengerUp())
		p.send("<message from='bob@a.test/x' type='chat' id='m1'><body>h\u00e9</body></message> \n")
		p.send("<presence from='bob@a.test/x'><show>away</show></presence><presence from='eve@a.test' type='subscribe'><nick xmlns='" + nsNick + "'>Eve</nick></presence>")
		in := b.take()
		if len(in) != 3 {
			t.Fatalf("%d things: got %v, want 3 deliveries", len(in), in)
		}
		if m := in[0].(*perch.MessageIn); m.Body != "h\u00e9" || m.From != "bob@a.test/x" {
			t.Errorf("got %+v, want Body hé, From bob@a.test/x", m)
		}
		if pr := in[1].(*perch.PresenceIn); pr.Show != perch.ShowAway || !pr.Available {
			t.Errorf("got %+v, want Show %v, Available", pr, perch.ShowAway)
		}
		if s := in[2].(*perch.SubscriptionIn); s.Nick != "Eve" || s.Type != "subscribe" {
			t.Errorf("got %+v, want Nick Eve, Type subscribe", s)
		}
		if !reflect.DeepEqual(b.seq, []uint64{1, 2, 3}) {
			t.Errorf("numbers %v, want 1, 2, 3", b.seq)
		}
		if s := c.Stats(); s.LastStanzaAt != perch.At(time.Now()) {
			t.Errorf("last stanza at %v, want LastStanzaAt %v", s.LastStanzaAt, perch.At(time.Now()))
		}
		c.Handled(2)
		c.Handled(1)
		if c.handled.Load() != 2 || c.StreamState() != nil {
			t.Error("Handled went back or a state is committed, want handled 2, no stream state")
		}
		if w.d.counters.FramesIn.Load() != 3 {
			t.Errorf("got %d frames, want FramesIn 3", w.d.counters.FramesIn.Load())
		}
	})
}

// TestHostileStanzas are bytes that a contact or a server may send. Neither the
// connection nor the process ends.
func TestHostileStanzas(t *testing.T) {
	big := strings.Repeat("x", 2<<20)
	deep := strings.Repeat("<a>", 10000) + strings.Repeat("</a>", 10000)
	for _, tt := range []struct {
		name, xml string
		want      []perch.Inbound
		counter   func(*Counters) int64
	}{
		{"2 MiB", "<message from='bob@a.test' id='m'><body>" + big + "</body></message>",
			[]perch.Inbound{&perch.DroppedIn{Dropped: perch.Dropped{Reason: "too_large", From: "bob@a.test", StanzaID: "m"}}},
			func(c *Counters) int64 { return c.Skipped.Load() }},
		{"10,000 deep", "<message from='bob@a.test' id='m'>" + deep + "</message>",
			[]perch.Inbound{&perch.DroppedIn{Dropped: perch.Dropped{Reason: "too_deep", From: "bob@a.test", StanzaID: "m"}}},
			func(c *Counters) int64 { return c.Skipped.Load() }},
		{"a forged roster push", "<iq type='set' id='p' from='eve@a.test/x'><query xmlns='" + nsRoster + "'><item jid='eve@a.test' subscription='both'/></query></iq>",
			nil, func(c *Counters) int64 { return c.ForgedPushes.Load() }},
		{"a roster push of the domain", "<iq type='set' id='p' from='a.test'><query xmlns='" + nsRoster + "'><item jid='eve@a.test'/></query></iq>",
			nil, func(c *Counters) int64 { return c.ForgedPushes.Load() }},
		{"a roster push of another resource", "<iq type='set' id='p' from='me@a.test/other'><query xmlns='" + nsRoster + "'><item jid='eve@a.test'/></query></iq>",
			nil, func(c *Counters) int64 { return c.ForgedPushes.Load() }},
		{"an answer without a request", "<iq type='result' id='zzz'/>", nil, func(c *Counters) int64 { return c.StrayAnswers.Load() }},
		{"an archive result without a query", "<message><result xmlns='" + nsMAM + "' queryid='q' id='1'><forwarded xmlns='" + nsForward +
			"'><message from='x@y'><body>b</body></message></forwarded></result></message>", nil,
			func(c *Counters) int64 { return c.ForgedOther.Load() }},
		{"an IQ of no type", "<iq id='p'/>", nil, func(c *Counters) int64 { return c.Malformed.Load() }},
		{"features in mid-session", "<stream:features/>", nil, func(c *Counters) int64 { return c.Malformed.Load() }},
		{"an error of another namespace", "<error xmlns='urn:x'><see-other-host xmlns='" + nsStreams + "'>gw.a.test</see-other-host></error>", nil,
			func(c *Counters) int64 { return c.Malformed.Load() }},
		{"success again", saslSuccess, nil, func(c *Counters) int64 { return c.Malformed.Load() }},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			w, c, b, p := online(t, messengerUp())
			p.send(tt.xml)
			p.send("<message from='bob@a.test'><body>after</body></message>")
			in := b.take()
			if n := len(in); n == 0 || in[n-1].(*perch.MessageIn).Body != "after" {
				t.Fatalf("the stream did not continue: got %v, want a message with the body after", in)
			}
			if got := in[:len(in)-1]; len(got)+len(tt.want) > 0 && !reflect.DeepEqual(got, tt.want) {
				t.Errorf("delivered %+v to the session, want %+v", got, tt.want)
			}
			if got := tt.counter(w.d.counters); got != 1 {
				t.Errorf("counted %d, want 1", got)
			}
			if c.Err() != nil {
				t.Errorf("ended: got %v, want no error", c.Err())
			}
		})
	}
}

// TestStreamEnds is how a connection that was up comes to its end.
func TestStreamEnds(t *testing.T) {
	for _, tt := range []struct {
		name, xml string
		kind      perch.Kind
		last      string // what we say to it
	}{
		{"end of stream", "</stream:stream>", perch.KindLinkLost, ""},
		{"conflict", streamErrorOf("conflict"), perch.KindStreamConflict, ""},
		{"policy-violation", streamErrorOf("policy-violation"), perch.KindPolicy, ""},
		{"not-well-formed", streamErrorOf("not-well-formed"), perch.KindPolicy, ""},
		{"improper-addressing", streamErrorOf("improper-addressing"), perch.KindPolicy, ""},
		{"invalid-xml", streamErrorOf("invalid-xml"), perch.KindPolicy, ""},
		{"restricted-xml", streamErrorOf("restricted-xml"), perch.KindPolicy, ""},
		{"system-shutdown", streamErrorOf("system-shutdown"), perch.KindLinkLost, ""},
		{"reset", streamErrorOf("reset"), perch.KindLinkLost, ""},
		{"remote-connection-failed", streamErrorOf("remote-connection-failed"), perch.KindLinkLost, ""},
		{"connection-timeout", streamErrorOf("connection-timeout"), perch.KindLinkLost, ""},
		{"internal-server-error", streamErrorOf("internal-server-error"), perch.KindLinkLost, ""},
		{"undefined-condition", streamErrorOf("undefined-condition"), perch.KindLinkLost, ""},
		{"resource-constraint", streamErrorOf("resource-constraint"), perch.KindTryLater, ""},
		{"not-authorized", streamErrorOf("not-authorized"), perch.KindUnauthorized, ""},
		{"host-gone", streamErrorOf("host-gone"), perch.KindUpstreamConfig, ""},
		{"host-unknown", streamErrorOf("host-unknown"), perch.KindUpstreamConfig, ""},
		{"unsupported-version", streamErrorOf("unsupported-version"), perch.KindUpstreamConfig, ""},
		{"an unknown condition", streamErrorOf("x-odd"), perch.KindLinkLost, ""},
		{"a DTD", "<!DOCTYPE a [<!ENTITY b 'c'>]>", perch.KindLinkLost, "restricted-xml"},
		{"a comment", "<!-- x -->", perch.KindLinkLost, "restricted-xml"},
		{"an unknown entity", "<message><body>&bomb;</body></message>", perch.KindLinkLost, "restricted-xml"},
		{"wrong nesting", "<message><body></message></body>", perch.KindLinkLost, "not-well-formed"},
		{"a second header", streamtest.Header, perch.KindLinkLost, ""},
		{"NUL", "<message><body>\x00</body></message>", perch.KindLinkLost, "not-well-formed"},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			_, c, b, p := online(t, messengerUp())
			p.send("<message from='bob@a.test'><body>before</body></message>")
			var last string
			done := p.script(func(p *fakeServer) {
				go func() { _, _ = p.conn.Write([]byte(tt.xml)) }()
				for {
					f, raw := p.frame()
					if last += raw; f.Kind == xmlstream.KindEnd {
						return
					}
				}
			})
			<-c.Done()
			<-done
			if perch.KindOf(c.Err()) != tt.kind {
				t.Errorf("%v, want %s", c.Err(), tt.kind)
			}
			if !strings.Contains(last, tt.last) {
				t.Errorf("got the tail %q, want it with %q", last, tt.last)
			}
			if in := b.take(); len(in) != 1 {
				t.Errorf("what came before is lost: got %v, want one delivery", in)
			}
			if _, err := c.Send(&perch.PresenceOut{}); perch.KindOf(err) != perch.KindSessionOffline {
				t.Errorf("Send afterwards: got %v, want %s", err, perch.KindSessionOffline)
			}
			if _, err := c.Roster(context.Background(), ""); perch.KindOf(err) != perch.KindSessionOffline {
				t.Errorf("Roster afterwards: got %v, want %s", err, perch.KindSessionOffline)
			}
		})
	}
}

func TestStreamEndsWithin(t *testing.T) {
	bubble(t, "half a stanza, then nothing", func(t *testing.T) {
		_, c, b, p := online(t, messengerUp())
		p.send("<message from='bob@a.test'><body>half")
		_ = p.conn.Close()
		<-c.Done()
		if perch.KindOf(c.Err()) != perch.KindLinkLost || len(b.take()) != 0 {
			t.Errorf("got %v, want %s, nothing delivered", c.Err(), perch.KindLinkLost)
		}
	})
	bubble(t, "an error that mellium knows", func(t *testing.T) {
		_, c, _, p := online(t, messengerUp())
		p.script((*fakeServer).drain)
		_, _ = p.conn.Write([]byte(streamErrorOf("conflict")))
		<-c.Done()
		if !errors.Is(c.Err(), stream.Conflict) {
			t.Errorf("got %v, want %v", c.Err(), stream.Conflict)
		}
	})
	bubble(t, "a sink that panics", func(t *testing.T) {
		w := newFakeNetwork(t, messengerUp())
		w.serve("xmpp.a.test:5222", func(p *fakeServer) {
			p.login()
			p.send("<message from='bob@a.test'><body>x</body></message>")
			p.drain()
		})
		c := w.dial()
		c.Start(func(uint64, perch.Inbound) { panic("fault") }, func() {})
		<-c.Done()
		if w.d.counters.Panics.Load() != 1 || perch.KindOf(c.Err()) != perch.KindLinkLost {
			t.Errorf("got %v, want Panics 1, %s", c.Err(), perch.KindLinkLost)
		}
	})
}

func TestAnswersToOthers(t *testing.T) {
	for _, tt := range []struct{ name, request, want string }{
		{"ping", "<iq type='get' id='1' from='a.test'><ping xmlns='" + nsPing + "'/></iq>", "<iq id='1' type='result' to='a.test'/>"},
		{"unknown", "<iq type='get' id='2' from='bob@b.test/x'><q xmlns='urn:x'/></iq>", "service-unavailable"},
		{"unknown set", "<iq type='set' id='3'><q xmlns='urn:x'/></iq>", "service-unavailable"},
		{"disco", "<iq type='get' id='4' from='bob@b.test/x'><query xmlns='" + nsDiscoInfo + "'/></iq>", "http://jabber.org/protocol/disco#info"},
		{"version", "<iq type='get' id='5' from='bob@b.test/x'><query xmlns='" + nsVersion + "'/></iq>", "<name>Perch</name>"},
		{"a roster push", "<iq type='set' id='6'><query xmlns='" + nsRoster + "'><item jid='bob@a.test' subscription='both'/></query></iq>", "type='result'"},
		{"a roster push of the account", "<iq type='set' id='7' from='me@a.test'><query xmlns='" + nsRoster + "'><item jid='bob@a.test' subscription='remove'/></query></iq>", "type='result'"},
		{"a broken roster push", "<iq type='set' id='8'><query xmlns='" + nsRoster + "'/></iq>", "bad-request"},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			_, _, b, p := online(t, messengerUp())
			p.send(tt.request)
			got := p.raw()
			if !strings.Contains(got, tt.want) {
				t.Errorf("answer %s, want %s", got, tt.want)
			}
			id := streamtest.Parse(t, tt.request).Attr("id")
			if el := streamtest.Parse(t, got); el.Attr("id") != id || el.Attr("to") != streamtest.Parse(t, tt.request).Attr("from") {
				t.Errorf("addressed wrongly: got %s, want id %v, to %v", got, id, streamtest.Parse(t, tt.request).Attr("from"))
			}
			pushes := 0
			for _, in := range b.take() {
				if _, ok := in.(*perch.RosterPush); ok {
					pushes++
				}
			}
			if want := strings.HasPrefix(tt.name, "a roster push"); (pushes == 1) != want {
				t.Errorf("got %d pushes, want %v", pushes, want)
			}
		})
	}
}

// TestWriting holds back the server's reading, so that stanzas pile up: they leave in order,
// and together.
func TestWriting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, c, b, p := online(t, messengerUp())
		before := w.d.counters.Writes.Load()
		for i := range 100 {
			n, err := c.Send(&perch.MessageOut{ID: fmt.Sprint("m", i), To: "bob@a.test", Kind: perch.ChatMessage, Body: "hi"})
			if err != nil || n != uint64(i+1) {
				t.Fatalf("number %d, %v; want no error, %v", n, err, uint64(i+1))
			}
		}
		if n, err := c.Send(&perch.MessageOut{ID: "bad", To: "bob@a.test", Kind: perch.ChatMessage, Body: "\x00"}); perch.KindOf(err) != perch.KindValidation || n != 0 {
			t.Errorf("a body that XML cannot hold: got %d, %v; want %s, 0", n, err, perch.KindValidation)
		}
		for i := range 100 {
			if got := p.expect(nsClient, "message").Attr("id"); got != fmt.Sprint("m", i) {
				t.Fatalf("message %d is %s, want %v", i, got, fmt.Sprint("m", i))
			}
		}
		if writes := w.d.counters.Writes.Load() - before; writes > 3 {
			t.Errorf("got %d writes, want at most 3", writes)
		}
		synctest.Wait()
		c.mu.Lock()
		if c.writing || c.out != nil {
			t.Errorf("got a writer: %v, waiting: %v; want none, and nothing", c.writing, c.out != nil)
		}
		c.mu.Unlock()
		if n, _ := c.Send(&perch.PresenceOut{}); n != 101 {
			t.Errorf("the next number is %d, want 101", n)
		}
		p.expect(nsClient, "presence")
		if len(b.take()) != 0 {
			t.Error("something was delivered, want nothing delivered")
		}
	})
}

func TestWriteFailures(t *testing.T) {
	body := strings.Repeat("x", 1000)
	bubble(t, "a server that does not read", func(t *testing.T) {
		up := messengerUp()
		up.MaxQueue = 10_000
		_, c, _, _ := online(t, up)
		var err error
		sent := 0
		for ; err == nil && sent < 1000; sent++ {
			_, err = c.Send(&perch.MessageOut{ID: "m", To: "bob@a.test", Kind: perch.ChatMessage, Body: body})
		}
		if perch.KindOf(err) != perch.KindTryLater || sent > 30 {
			t.Errorf("after %d: got %v, want %s, at most 30", sent, err, perch.KindTryLater)
		}
		began := time.Now()
		<-c.Done()
		if took := time.Since(began); took > c.d.up.WriteTimeout+readAfterFailedWrite || perch.KindOf(c.Err()) != perch.KindLinkLost {
			t.Errorf("after %v: got %v, want at most %v, %s", took, c.Err(), c.d.up.WriteTimeout+readAfterFailedWrite, perch.KindLinkLost)
		}
	})
	bubble(t, "the server's last word counts", func(t *testing.T) {
		_, c, _, p := online(t, messengerUp())
		// The write fails, while the reason is still on its way.
		c.mu.Lock()
		c.writing = true
		c.mu.Unlock()
		c.writeFailed(errors.New("broken pipe"))
		if _, err := c.Send(&perch.PresenceOut{}); perch.KindOf(err) != perch.KindSessionOffline {
			t.Errorf("Send after a failed write: got %v, want %s", err, perch.KindSessionOffline)
		}
		_, _ = p.conn.Write([]byte("<stream:error><policy-violation xmlns='" + nsStreams + "'/></stream:error></stream:stream>"))
		<-c.Done()
		if perch.KindOf(c.Err()) != perch.KindPolicy {
			t.Errorf("got %v, want %s", c.Err(), perch.KindPolicy)
		}
	})
	bubble(t, "no last word", func(t *testing.T) {
		_, c, _, _ := online(t, messengerUp())
		c.mu.Lock()
		c.writing = true
		c.mu.Unlock()
		c.writeFailed(errors.New("broken pipe"))
		<-c.Done()
		if err := c.Err(); perch.KindOf(err) != perch.KindLinkLost || !strings.Contains(err.Error(), "broken pipe") {
			t.Errorf("got %v, want %s, with broken pipe", err, perch.KindLinkLost)
		}
	})
}

func TestClose(t *testing.T) {
	bubble(t, "politely", func(t *testing.T) {
		_, c, b, p := online(t, messengerUp())
		if _, err := c.Send(&perch.MessageOut{ID: "last", To: "bob@a.test", Kind: perch.ChatMessage, Body: "bye"}); err != nil {
			t.Fatalf("c.Send(): got error %v, want none", err)
		}
		done := p.script(func(p *fakeServer) {
			p.expect(nsClient, "message")
			if got := p.expect(nsClient, "presence").Attr("type"); got != "unavailable" {
				t.Errorf("presence %q, want unavailable", got)
			}
			if f, _ := p.frame(); f.Kind != xmlstream.KindEnd {
				t.Errorf("frame %d in place of the end, want Kind %v", f.Kind, xmlstream.KindEnd)
			}
			p.send("<message from='bob@a.test'><body>too late</body></message></stream:stream>")
		})
		if err := c.Close(context.Background()); err != nil {
			t.Fatalf("c.Close(): got error %v, want none", err)
		}
		<-done
		<-c.Done()
		if perch.KindOf(c.Err()) != perch.KindSessionOffline || len(b.take()) != 0 {
			t.Errorf("got %v, want %s, nothing delivered", c.Err(), perch.KindSessionOffline)
		}
		if err := c.Close(context.Background()); err != nil {
			t.Errorf("again: got %v, want no error", err)
		}
	})
}

func TestCloseWithoutAnAnswer(t *testing.T) {
	bubble(t, "a server that does not answer", func(t *testing.T) {
		_, c, _, p := online(t, messengerUp())
		p.script((*fakeServer).drain)
		began := time.Now()
		_ = c.Close(context.Background())
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("took %v, want 3 s", took)
		}
	})
	bubble(t, "a server that does not read", func(t *testing.T) {
		_, c, _, _ := online(t, messengerUp())
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		began := time.Now()
		_ = c.Close(ctx)
		if took := time.Since(began); took > time.Second {
			t.Errorf("took %v, want at most %v", took, time.Second)
		}
	})
	bubble(t, "before Start", func(t *testing.T) {
		w := newFakeNetwork(t, messengerUp())
		ended := false
		w.serve("xmpp.a.test:5222", func(p *fakeServer) {
			p.login()
			p.expect(nsClient, "presence")
			f, _ := p.frame()
			ended = f.Kind == xmlstream.KindEnd
		})
		c := w.dial()
		_ = c.Close(context.Background())
		<-c.Done()
		if w.wg.Wait(); !ended {
			t.Error("the stream was not closed, want it closed")
		}
		c.Start(func(uint64, perch.Inbound) {}, func() {})
	})
}

func TestAbort(t *testing.T) {
	bubble(t, "Abort says nothing", func(t *testing.T) {
		_, c, _, p := online(t, messengerUp())
		done := p.script((*fakeServer).silence)
		c.Abort()
		<-done
		<-c.Done()
		if perch.KindOf(c.Err()) != perch.KindSessionOffline {
			t.Errorf("got %v, want %s", c.Err(), perch.KindSessionOffline)
		}
	})
	bubble(t, "Abort frees requests, even below a sink that blocks", func(t *testing.T) {
		w := newFakeNetwork(t, messengerUp())
		w.serve("xmpp.a.test:5222", func(p *fakeServer) {
			p.login()
			p.send("<message from='bob@a.test'><body>x</body></message>")
			p.drain()
		})
		c := w.dial()
		block := make(chan struct{})
		c.Start(func(uint64, perch.Inbound) { <-block }, func() {})
		errs := make(chan error)
		go func() { _, err := c.VCard(context.Background(), "bob@a.test"); errs <- err }()
		synctest.Wait()
		c.Abort()
		if err := <-errs; perch.KindOf(err) != perch.KindSessionOffline {
			t.Errorf("got %v, want %s", err, perch.KindSessionOffline)
		}
		<-c.Done()
		close(block)
	})
}

// TestIdleGoroutines counts on a real socket: one goroutine for a connection that is idle.
func TestIdleGoroutines(t *testing.T) {
	up, stop := loopbackServer(t)
	defer stop()
	d, err := NewDialer(up, Options{})
	if err != nil {
		t.Fatalf("NewDialer(): got error %v, want none", err)
	}
	before := runtime.NumGoroutine()
	const n = 10
	for range n {
		c, err := d.Dial(context.Background(), tokenAccount, nil)
		if err != nil {
			t.Fatalf("d.Dial(): got error %v, want none", err)
		}
		defer func() {
			c.Abort()
			_ = c.join(context.Background())
		}()
		c.Start(func(uint64, perch.Inbound) {}, func() {})
		if _, err := c.Ping(context.Background()); err != nil {
			t.Fatalf("c.Ping(): got error %v, want none", err)
		}
	}
	// The server has one goroutine for each connection, too. Writers may be on their way out.
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); {
		if runtime.NumGoroutine() <= before+2*n {
			return
		}
		runtime.Gosched()
	}
	stacks := make([]byte, 1<<20)
	t.Errorf("got %d goroutines for %d connections and as many of the server, want one each\n%s", runtime.NumGoroutine()-before, n, stacks[:runtime.Stack(stacks, true)])
}

// loopbackServer signs every client in on a real socket and answers pings.
func loopbackServer(tb testing.TB) (Upstream, func()) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatalf("net.Listen(): got error %v, want none", err)
	}
	w := &fakeNetwork{}
	w.wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			w.wg.Go(func() {
				p := &fakeServer{conn: conn, cert: testCert()}
				p.fr = xmlstream.NewFramer(conn, xmlstream.DefaultLimits())
				defer func() { _ = conn.Close() }()
				defer func() { _ = recover() }()
				p.login()
				for {
					if el := p.next(); el.Local() == "iq" {
						p.send("<iq type='result' from='a.test' id='" + el.Attr("id") + "'/>")
					}
				}
			})
		}
	})
	up := messengerUp()
	up.Address = l.Addr().String()
	return up, func() { _ = l.Close(); w.wg.Wait() }
}
