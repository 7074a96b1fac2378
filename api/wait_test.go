package api_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/fakexmpp"
)

const waiting = `{"id":"m1","to":"bob@example.net","body":"hello"}`

// sending is a POST of a message that waits, under way.
func (g *gateway) sending(path, body string) <-chan string {
	answer := make(chan string, 1)
	r := g.request(g.t.Context(), "POST", path, "tok-alice", http.Header{"Content-Type": {"application/json"}})
	setBody(r, body)
	go func() {
		res, err := g.client.Do(r)
		if err != nil {
			answer <- err.Error()
			return
		}
		defer res.Body.Close()
		text := make([]byte, 1000)
		n, _ := res.Body.Read(text)
		answer <- strings.TrimSpace(res.Status[:3] + " " + res.Header.Get("Location") + " " + string(text[:n]))
	}()
	return answer
}

// sent waits until a message is on its way.
func sent(t *testing.T, conn *fakexmpp.Conn) *perch.MessageOut {
	t.Helper()
	for {
		switch out := conn.Next(t.Context()).(type) {
		case *perch.MessageOut:
			return out
		case nil:
			t.Fatal("got no message, want one")
		}
	}
}

// TestWaitForTheServer: 200 once the server has the message, for a repeated request too.
func TestWaitForTheServer(t *testing.T) {
	inBubble(t, func(t *testing.T, g *gateway) {
		conn := g.open("tok-alice")
		first := g.sending("/v1/messages?wait=acked", waiting)
		sent(t, conn)
		synctest.Wait() // until it is stored: a request with its id is a 409 before
		again := g.sending("/v1/messages?wait=acked", waiting)
		synctest.Wait()
		select {
		case a := <-first:
			t.Fatalf("the first request has not waited: %s, want it to wait", a)
		case a := <-again:
			t.Fatalf("the repeated request has not waited: %s, want it to wait", a)
		default:
		}
		time.Sleep(9 * time.Second)
		conn.Ack()
		const want = `200 /v1/messages/m1 {"id":"m1","ref":"obTE","status":"acked"}`
		for _, answer := range []<-chan string{first, again, g.sending("/v1/messages?wait=acked", waiting)} {
			if a := <-answer; a != want {
				t.Errorf("%s, want %s", a, want)
			}
		}
		if a := <-g.sending("/v1/messages", waiting); a != `202 /v1/messages/m1 {"id":"m1","ref":"obTE","status":"accepted"}` {
			t.Errorf("without waiting: %s, want 202 accepted", a)
		}
		if n := len(conn.Sent()); n == 0 {
			t.Error("got nothing sent, want the message")
		}
	})
}

// TestWaitTooLong: 202 with what is known after ten seconds.
func TestWaitTooLong(t *testing.T) {
	inBubble(t, func(t *testing.T, g *gateway) {
		conn := g.open("tok-alice")
		began := time.Now()
		answer := g.sending("/v1/messages?wait=acked", waiting)
		sent(t, conn)
		if a := <-answer; a != `202 /v1/messages/m1 {"id":"m1","ref":"obTE","status":"sent"}` || time.Since(began) != 10*time.Second {
			t.Errorf("got %s after %v, want 202 sent after 10 s", a, time.Since(began))
		}
	})
	inBubble(t, func(t *testing.T, g *gateway) {
		conn := g.open("tok-alice")
		began := time.Now()
		answer := g.sending("/v1/messages?wait=acked", waiting)
		sent(t, conn)
		if a := <-answer; !strings.HasPrefix(a, "202") || time.Since(began) != 3*time.Second {
			t.Errorf("a request of three seconds: %s after %v, want 202 after 3 s", a, time.Since(began))
		}
	}, func(o *gatewayOptions) { o.RequestTime = 3 * time.Second })
}

// TestWaitForAFailure, which is known as well.
func TestWaitForAFailure(t *testing.T) {
	inBubble(t, func(t *testing.T, g *gateway) {
		conn := g.open("tok-alice")
		answer := g.sending("/v1/messages?wait=acked", waiting)
		sent(t, conn)
		conn.Deliver(&perch.MessageError{ID: "m1", From: "bob@example.net", Error: perch.XMPPError{Condition: "item-not-found", Type: "cancel"}})
		if got, want := <-answer, `200 /v1/messages/m1 {"id":"m1","ref":"obTE","status":"failed"}`; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

func TestWaitForNothing(t *testing.T) {
	f := newGateway(t)
	f.signIn()
	for _, query := range []string{"?wait=", "?wait=sent", "?wait=acked,sent", "?wait=1"} {
		f.refused(422, "validation", "?wait", "POST", "/v1/messages"+query, waiting)
	}
	f.refused(422, "validation", "?wait", "POST", "/v1/messages?wait=acked&wait=acked", waiting)
	f.refused(404, "not-found", "", "GET", "/v1/messages/m1", "")
}
