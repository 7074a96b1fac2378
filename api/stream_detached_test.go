package api_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
)

// rawLines sends a request for a stream of lines, as it is written here.
func (g *gateway) rawLines(version, accept string) (*http.Response, *bufio.Reader) {
	g.t.Helper()
	c := g.rawDial()
	fmt.Fprintf(c, "GET /v1/events HTTP/%s\r\nHost: %s\r\nAccept: %s\r\nAuthorization: Bearer tok-alice\r\n\r\n", version, g.srv.Listener.Addr(), accept)
	r := bufio.NewReader(c)
	res, err := http.ReadResponse(r, nil)
	if err != nil || res.StatusCode != http.StatusOK {
		g.t.Fatalf("ReadResponse: got %+v, error %v; want 200", res, err)
	}
	return res, r
}

// TestLinesAreWholeBodies: over HTTP/1.1 the body has chunks, the last one included, and the
// connection ends with it; over HTTP/1.0 the end of the connection is that of the body.
func TestLinesAreWholeBodies(t *testing.T) {
	for _, accept := range []string{"text/event-stream", "application/x-ndjson"} {
		for version, coding := range map[string][]string{"1.1": {"chunked"}, "1.0": nil} {
			g := newGateway(t)
			conn := g.open("tok-alice")
			res, r := g.rawLines(version, accept)
			if !slices.Equal(res.TransferEncoding, coding) || !res.Close || res.Header.Get("Content-Type") != accept {
				t.Errorf("%s over HTTP/%s: got coding %q, close %v, type %q; want %q, true, %q",
					accept, version, res.TransferEncoding, res.Close, res.Header.Get("Content-Type"), coding, accept)
			}
			f := newLines(res, accept == "text/event-stream")
			upTo(t, f, "live")
			say(conn, strings.Repeat("long", 20_000))
			upTo(t, f, "message.received")
			go g.api.Drain(t.Context())
			upTo(t, f, "reconnect")
			if e, err := f.next(); err != io.EOF {
				t.Errorf("%s over HTTP/%s after reconnect: got %+v, error %v; want a clean end of the body", accept, version, e, err)
			}
			if n, err := io.Copy(io.Discard, r); n > 0 || err != nil {
				t.Errorf("%s over HTTP/%s after the body: got %d bytes, error %v; want the end of the connection", accept, version, n, err)
			}
		}
	}
}

// TestLinesOverTLS: HTTP/1.1 over TLS, where a write is never tried.
func TestLinesOverTLS(t *testing.T) {
	g := newGateway(t, func(o *gatewayOptions) { o.tls = true })
	conn := g.open("tok-alice")
	g.client = g.sockets
	f := g.stream("sse", "tok-alice", "").(*lines)
	defer f.close()
	if f.res.ProtoMajor != 1 {
		t.Fatalf("got HTTP/%d, want HTTP/1.1", f.res.ProtoMajor)
	}
	upTo(t, f, "live")
	say(conn, "m1")
	upTo(t, f, "message.received")
	g.fetch(http.MethodDelete, "/v1/session", "tok-alice", nil)
	if all := upTo(t, f, "error"); all[len(all)-1].Close == nil || all[len(all)-1].Close.Code != 4004 {
		t.Errorf("the end of the session: got %+v, want close code 4004", all[len(all)-1])
	}
}

// TestClientThatLeavesLines is noticed although nothing is written to it, and one that sends more is
// served on.
func TestClientThatLeavesLines(t *testing.T) {
	g := newGateway(t)
	conn := g.open("tok-alice")
	leaves, stays := g.stream("ndjson", "tok-alice", ""), g.rawDial()
	upTo(t, leaves, "live")
	fmt.Fprintf(stays, "GET /v1/events HTTP/1.1\r\nHost: x\r\nAccept: application/x-ndjson\r\nAuthorization: Bearer tok-alice\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n")
	res, err := http.ReadResponse(bufio.NewReader(stays), nil)
	if err != nil {
		t.Fatalf("ReadResponse: got error %v, want none", err)
	}
	f := newLines(res, false)
	upTo(t, f, "live")
	g.waitForStreams("tok-alice", 2)
	leaves.close()
	g.waitForStreams("tok-alice", 1)
	say(conn, "m1")
	upTo(t, f, "message.received")
}

// TestFramesWithTheHandshake: what a client sends before it knows that the socket is open is read.
func TestFramesWithTheHandshake(t *testing.T) {
	g := newGateway(t)
	g.open("tok-alice")
	c := g.rawDial()
	early := string(text(pingCommand).bytes()) + string(text(pingOf(2000)).bytes())
	fmt.Fprintf(c, rawHandshake+"%s", g.srv.Listener.Addr(), "Authorization: Bearer tok-alice\r\n", early)
	r := &rawConn{t, c, bufio.NewReader(c)}
	if _, err := http.ReadResponse(r.r, nil); err != nil {
		t.Fatalf("ReadResponse: got error %v, want none", err)
	}
	said, _ := r.until(func(said []string) bool { return len(said) == 2 })
	if got, want := strings.Join(said, ","), "reply p,reply p"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestPanicOfLines: a fault of ours ends one stream of lines, with an error that has the code 4100.
func TestPanicOfLines(t *testing.T) {
	faulty := &faultyObserver{}
	g := newGateway(t, func(o *gatewayOptions) { o.Observer = faulty })
	conn := g.open("tok-alice")
	f := g.stream("sse", "tok-alice", "")
	defer f.close()
	upTo(t, f, "live")
	faulty.panics.Store(true)
	say(conn, "1")
	if e, err := f.next(); err != nil || e.Close == nil || e.Close.Code != 4100 {
		t.Errorf("next of the stream that panics: got %+v, error %v; want an error with close code 4100", e, err)
	}
	if e, err := f.next(); err == nil {
		t.Errorf("next after the error: got %+v, want the end", e)
	}
	g.waitForStreams("tok-alice", 0)
}

// TestPingsDuringALongReplay are answered, and a client that closes ends the replay.
func TestPingsDuringALongReplay(t *testing.T) {
	inBubble(t, func(t *testing.T, g *gateway) {
		conn := g.open("tok-alice")
		cursor := g.waitLogged("tok-alice", conn)
		for i := range 2000 {
			say(conn, fmt.Sprint("m", i))
		}
		g.waitLogged("tok-alice", conn)
		c := g.rawDial()
		query := strings.Replace(rawHandshake, "/ws", "/ws?"+since(cursor), 1)
		fmt.Fprintf(c, query, g.srv.Listener.Addr(), "Authorization: Bearer tok-alice\r\n")
		r := &rawConn{t, c, bufio.NewReader(c)}
		if _, err := http.ReadResponse(r.r, nil); err != nil {
			t.Fatalf("ReadResponse: got error %v, want none", err)
		}
		send := func(f rawFrame) {
			_, _ = c.Write(f.bytes())
			synctest.Wait() // the server has read it, and waits until this client reads
		}
		send(rawFrame{op: opPing, payload: "now"})
		texts, pongs, closed := 0, 0, false
		for !closed {
			op, _, err := r.read()
			if err != nil {
				t.Fatalf("read after %d frames: got error %v, want a close frame", texts, err)
			}
			switch op {
			case opText:
				texts++
			case opPong:
				pongs++
				send(closing(1000, ""))
			case opClose:
				closed = true
			}
		}
		if pongs != 1 || texts > 200 {
			t.Errorf("got %d pongs and %d events before the close frame, want 1 and at most 200 of 2000", pongs, texts)
		}
	})
}

// TestSlowSocketsHoldNobodyUp: while the clients of many sockets take nothing, another one gets every
// event at once.
func TestSlowSocketsHoldNobodyUp(t *testing.T) {
	inBubble(t, func(t *testing.T, g *gateway) {
		conn := g.open("tok-alice")
		for range 10 {
			g.raw("tok-alice") // and reads no further
		}
		f := g.dial("tok-alice")
		defer f.close()
		began := time.Now()
		for i := range 100 {
			conn.Deliver(&perch.MessageIn{Message: perch.Message{ID: fmt.Sprint("m", i), From: "bob@example.net/phone", To: "alice@example.net", Kind: perch.ChatMessage, Body: "x"}})
		}
		if n := countMessages(f, 100); n != 100 || time.Since(began) != 0 {
			t.Errorf("got %d messages after %v, want 100 at once", n, time.Since(began))
		}
	})
}
