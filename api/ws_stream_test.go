package api_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/api"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/fakexmpp"
)

// answerTo sends a command and reads up to its answer.
func (f *socketFeed) answerTo(command string) envelope {
	f.t.Helper()
	f.send(command)
	for {
		e, err := f.next()
		if err != nil {
			f.t.Fatalf("waiting for the answer to %s: %v, want one", command, err)
		}
		if e.Type == "reply" || e.Type == "error" {
			return e
		}
	}
}

func TestCommands(t *testing.T) {
	g := newGateway(t)
	conn := g.open("tok-alice")
	f := g.dial("tok-alice")
	defer f.close()
	ok := func(command string, status int, data string) {
		t.Helper()
		e := f.answerTo(command)
		if e.Type != "reply" || e.Status != status || string(e.Data) != data || e.Time == "" {
			t.Errorf("%s: %s %d %s, want %d %s (%+v)", command, e.Type, e.Status, e.Data, status, data, e.Error)
		}
	}
	ok(`{"id":"c1","type":"ping"}`, 200, `{}`)
	ok(`{"id":"c2","type":"ping","data":{}}`, 200, `{}`)
	ok(`{"id":"c3","type":"chat_state.set","data":{"to":"bob@example.net","state":"composing"}}`, 204, `{}`)
	ok(`{"id":"c4","type":"presence.set","data":{"show":"dnd","status":"busy"}}`, 200, `{"available":true,"show":"dnd","status":"busy","priority":0}`)
	ok(`{"id":"c5","type":"subscribe","data":{"types":["message.*","presence"]}}`, 200, `{"types":["message.*","presence"]}`)
	ok(`{"id":"c6","type":"subscribe","data":{}}`, 200, `{"types":[]}`)
	tip := g.waitLogged("tok-alice", conn)
	ok(`{"id":"c7","type":"ack","data":{"id":"`+tip+`"}}`, 200, `{"id":"`+tip+`"}`)

	found := map[string]bool{}
	for _, out := range conn.Sent() {
		switch out := out.(type) {
		case *perch.ChatStateOut:
			found["state"] = out.To == "bob@example.net" && out.State == perch.StateComposing
		case *perch.PresenceOut:
			found["presence"] = out.Show == perch.ShowDND && out.Status == "busy"
		}
	}
	if !found["state"] || !found["presence"] {
		t.Errorf("the upstream got %v, want the chat state and the presence", found)
	}
}

// TestMessageSendIsIdempotent: the frame's id is the key.
func TestMessageSendIsIdempotent(t *testing.T) {
	g := newGateway(t)
	conn := g.open("tok-alice")
	f := g.dial("tok-alice")
	const hi = `{"id":"k1","type":"message.send","data":{"to":"bob@example.net","body":"hi"}}`
	first := f.answerTo(hi)
	if first.Type != "reply" || first.Status != 202 || first.Ref != "k1" || !strings.Contains(string(first.Data), `"status":"accepted"`) {
		t.Fatalf("got %+v %s, want the reply 202 accepted", first, first.Data)
	}
	f.close()
	f = g.dial("tok-alice") // on another socket too
	defer f.close()
	var a, b struct{ ID string }
	again := f.answerTo(hi)
	first.into(t, &a)
	again.into(t, &b)
	if again.Status != 202 || a.ID == "" || a.ID != b.ID {
		t.Errorf("repeated: %d %s, first %s, want the same", again.Status, again.Data, first.Data)
	}
	other := f.answerTo(strings.Replace(hi, `"hi"`, `"something else"`, 1))
	if other.Error == nil || other.Error.Code != "idempotency-mismatch" || other.Error.Status != 422 || other.Ref != "k1" {
		t.Errorf("another body: %+v, want idempotency-mismatch", other)
	}
	g.waitLogged("tok-alice", conn)
	n := 0
	for _, out := range conn.Sent() {
		if _, ok := out.(*perch.MessageOut); ok {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d stanzas, want 1", n)
	}
}

func TestCommandErrors(t *testing.T) {
	g := newGateway(t)
	g.open("tok-alice")
	for _, c := range []struct{ name, frame, ref, code, pointer string }{
		{"unknown type", `{"id":"c1","type":"roster.get"}`, "c1", "validation", "/type"},
		{"no type", `{"id":"c1"}`, "c1", "validation", "/type"},
		{"unknown field", `{"id":"c1","type":"ping","x":1}`, "c1", "validation", "/x"},
		{"unknown field of data", `{"id":"c1","type":"ping","data":{"x":1}}`, "c1", "validation", "/data/x"},
		{"no JSON", `hello`, "", "malformed-json", ""},
		{"cut JSON", `{"id":"c1","type":"ping"`, "", "malformed-json", ""},
		{"two objects", `{"id":"c1","type":"ping"}{}`, "", "malformed-json", ""},
		{"a list", `[{"id":"c1","type":"ping"}]`, "", "malformed-json", ""},
		{"a key twice", `{"id":"c1","id":"c2","type":"ping"}`, "c2", "malformed-json", "/id"},
		{"half a surrogate pair", `{"id":"c1","type":"ping","data":{"x":"\ud800"}}`, "c1", "malformed-json", ""},
		{"id is a number", `{"id":7,"type":"ping"}`, "", "validation", "/id"},
		{"id with a blank", `{"id":"a b","type":"ping"}`, "", "validation", "/id"},
		{"long id", `{"id":"` + strings.Repeat("a", 129) + `","type":"ping"}`, "", "validation", "/id"},
		{"no recipient", `{"id":"c1","type":"message.send","data":{"body":"x"}}`, "c1", "validation", "/data/to"},
		{"bad recipient", `{"id":"c1","type":"message.send","data":{"to":"@","body":"x"}}`, "c1", "jid-malformed", "/data/to"},
		{"no body", `{"id":"c1","type":"message.send","data":{"to":"bob@example.net","body":" "}}`, "c1", "validation", "/data/body"},
		{"what XML cannot carry", `{"id":"c1","type":"message.send","data":{"to":"bob@example.net","body":"\u0001"}}`, "c1", "validation", "/data/body"},
		{"no such chat state", `{"id":"c1","type":"chat_state.set","data":{"to":"bob@example.net","state":"asleep"}}`, "c1", "validation", "/data/state"},
		{"no such show", `{"id":"c1","type":"presence.set","data":{"show":"gone"}}`, "c1", "validation", "/data/show"},
		{"no such event", `{"id":"c1","type":"subscribe","data":{"types":["message.*","nope"]}}`, "c1", "validation", "/data/types"},
		{"no cursor", `{"id":"c1","type":"ack","data":{"id":"x"}}`, "c1", "validation", "/data/id"},
		{"foreign cursor", `{"id":"c1","type":"ack","data":{"id":"0123456789-1"}}`, "c1", "validation", "/data/id"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := g.dial("tok-alice")
			defer f.close()
			e := f.answerTo(c.frame)
			if e.Type != "error" || e.Error == nil || e.Error.Code != c.code || e.Ref != c.ref || e.Close != nil {
				t.Fatalf("got %+v, error %+v, want %s for %q", e, e.Error, c.code, c.ref)
			}
			if c.pointer != "" && (len(e.Error.Errors) == 0 || e.Error.Errors[0].Pointer != c.pointer) {
				t.Errorf("fields %+v, want %s", e.Error.Errors, c.pointer)
			}
			if c.pointer != "" && c.code != "malformed-json" && !strings.HasPrefix(e.Error.Detail, c.pointer+": ") {
				t.Errorf("detail %q does not begin with %s, want it to", e.Error.Detail, c.pointer)
			}
			if r := f.answerTo(`{"id":"p","type":"ping"}`); r.Ref != "p" || r.Type != "reply" {
				t.Errorf("the next command was not answered: %+v, want a reply", r)
			}
		})
	}
}

// TestCommandWithoutID is answered only where there is something to say.
func TestCommandWithoutID(t *testing.T) {
	g := newGateway(t)
	g.open("tok-alice")
	f := g.dial("tok-alice")
	defer f.close()
	f.send(`{"type":"chat_state.set","data":{"to":"bob@example.net","state":"active"}}`)
	f.send(`{"type":"subscribe","data":{"types":["message.*"]}}`)
	f.send(`{"type":"ping"}`)
	e := f.answerTo(`{"type":"message.send","data":{"to":"bob@example.net","body":"hi"}}`)
	if e.Type != "reply" || e.Ref != "" || e.Status != 202 {
		t.Errorf("got %+v, want a reply with 202", e)
	}
}

func TestSubscribeChangesTheFilter(t *testing.T) {
	g := newGateway(t)
	conn := g.open("tok-alice")
	f := g.dial("tok-alice")
	defer f.close()
	f.answerTo(`{"id":"s","type":"subscribe","data":{"types":["chat_state"]}}`)
	say(conn, "unseen")
	conn.Deliver(&perch.ChatStateIn{From: "bob@example.net/phone", State: perch.StateComposing})
	if e, err := f.next(); err != nil || e.Type != "chat_state" {
		t.Errorf("got %s, %v, want chat_state", e.Type, err)
	}
}

func TestTooManyBadFrames(t *testing.T) {
	g := newGateway(t)
	g.open("tok-alice")
	f := g.dial("tok-alice")
	for range 10 {
		f.send("nonsense")
	}
	all, code := closeCode(t, f)
	if code != 4008 || len(all) != 11 || all[10].Close == nil || all[10].Close.Code != 4008 {
		t.Errorf("got %d frames, closed with %d, want 11 frames and 4008", len(all), code)
	}
	g.dial("tok-alice").close() // the session is unharmed
}

// TestUnknownTypesNeverClose: a later client may try types that are not known here.
func TestUnknownTypesNeverClose(t *testing.T) {
	g := newGateway(t)
	g.open("tok-alice")
	f := g.dial("tok-alice")
	defer f.close()
	for i := range 50 {
		if e := f.answerTo(fmt.Sprintf(`{"id":"u%d","type":"future.%d"}`, i, i)); e.Type != "error" || e.Ref != fmt.Sprint("u", i) {
			t.Fatalf("got %+v, want an error", e)
		}
	}
}

func TestCommandsPerMinute(t *testing.T) {
	g := newGateway(t, func(o *gatewayOptions) { o.CommandsPerMinute = 20 })
	g.open("tok-alice")
	f := g.dial("tok-alice")
	for i := range 20 {
		if e := f.answerTo(fmt.Sprintf(`{"id":"c%d","type":"ping"}`, i)); e.Type != "reply" {
			t.Fatalf("command %d: %+v, want a reply", i, e)
		}
	}
	for i := range 19 {
		if e := f.answerTo(`{"id":"over","type":"ping"}`); e.Error == nil || e.Error.Code != "quota-exceeded" || e.Error.Status != 429 || e.Ref != "over" {
			t.Fatalf("command %d over the limit: %+v, want quota-exceeded", i, e)
		}
	}
	f.send(`{"id":"over","type":"ping"}`) // twice the limit
	if _, code := closeCode(t, f); code != 4008 {
		t.Errorf("closed with %d, want 4008", code)
	}
}

// socketResult is how a handshake went.
type socketResult struct {
	status      int
	subprotocol string
	types       []string
	code        websocket.StatusCode
	problem     string
}

// try makes a handshake and reads until live, or to the end.
func (g *gateway) try(query string, h http.Header, protocols ...string) socketResult {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	ws, res, err := websocket.Dial(ctx, g.wsURL(query), &websocket.DialOptions{HTTPClient: g.client, HTTPHeader: h, Subprotocols: protocols})
	if err != nil {
		if res == nil {
			g.t.Fatalf("websocket.Dial: got error %v, want none", err)
		}
		return socketResult{status: res.StatusCode}
	}
	f := &socketFeed{g.t, ctx, ws, cancel, sentCommands{}}
	r := socketResult{status: 101, subprotocol: ws.Subprotocol()}
	for {
		e, err := f.next()
		if err != nil {
			r.code = websocket.CloseStatus(err)
			return r
		}
		r.types = append(r.types, e.Type)
		if e.Type == "error" {
			r.problem = e.Error.Code
		}
		if e.Type == "live" {
			f.close()
			return r
		}
	}
}

func bearer(token string) string {
	return "perch.bearer." + base64.RawURLEncoding.EncodeToString([]byte(token))
}

// TestOriginMatrix: which pages may open a socket, by which credential.
func TestOriginMatrix(t *testing.T) {
	g := newGateway(t, func(o *gatewayOptions) {
		o.Origins = []string{"https://chat.example", "https://other.example:8443"}
		o.SignInRate = api.Rate{PerSecond: 1e6, Burst: 1e6}
	})
	g.open("tok-alice")
	host := strings.TrimPrefix(g.srv.URL, "http://")
	name, port, _ := strings.Cut(host, ":")
	for _, c := range []struct {
		name, origin string
		ok           bool
	}{
		{"own host", "http://" + host, true},
		{"own host behind a TLS proxy", "https://" + host, true},
		{"listed", "https://chat.example", true},
		{"listed, in capitals", "HTTPS://Chat.Example", true},
		{"listed, default port written", "https://chat.example:443", true},
		{"listed, with its port", "https://other.example:8443", true},
		{"listed, other scheme", "http://chat.example", false},
		{"listed, other port", "https://chat.example:8443", false},
		{"listed, without its port", "https://other.example", false},
		{"own name, other port", "http://" + name + ":1" + port, false},
		{"own name, no port", "http://" + name, false},
		{"subdomain of a listed one", "https://evil.chat.example", false},
		{"listed one as a prefix", "https://chat.example.evil.example", false},
		{"listed one as a suffix", "https://evilchat.example", false},
		{"listed one as a user", "https://chat.example@evil.example", false},
		{"with a path", "https://chat.example/", false},
		{"with a query", "https://chat.example?", false},
		{"null", "null", false},
		{"file", "file://", false},
		{"extension", "chrome-extension://abcdef", false},
		{"nonsense", "::", false},
		{"star", "*", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := g.try("", http.Header{"Origin": {c.origin}}, "perch.v1", bearer("tok-alice"))
			if c.ok && (r.status != 101 || r.subprotocol != "perch.v1" || r.types[len(r.types)-1] != "live") {
				t.Errorf("got %+v, want live", r)
			}
			if !c.ok && (r.status != 101 || r.code != 4003 || r.problem != "forbidden" || len(r.types) != 1) {
				t.Errorf("got %+v, want forbidden and 4003", r)
			}
		})
	}
	t.Run("two origins", func(t *testing.T) {
		if r := g.try("", http.Header{"Origin": {"https://chat.example", "https://chat.example"}}, bearer("tok-alice")); r.code != 4003 {
			t.Errorf("two origins: got %+v, want 4003", r)
		}
	})
	t.Run("a foreign page causes no login", func(t *testing.T) {
		n := len(g.up.Dials())
		g.try("", http.Header{"Origin": {"https://evil.example"}}, bearer("tok-new"))
		if len(g.up.Dials()) != n {
			t.Error("a refused page: got it did, want no login")
		}
	})
}

// TestSocketCredentials: where a token may be, and how a bad one is refused.
func TestSocketCredentials(t *testing.T) {
	g := newGateway(t, func(o *gatewayOptions) { o.SignInRate = api.Rate{PerSecond: 1e6, Burst: 1e6} })
	g.open("tok-alice")
	page := func(h ...string) http.Header { return header(append(h, "Origin", g.srv.URL)...) }
	for _, c := range []struct {
		name      string
		header    http.Header
		protocols []string
		want      socketResult
	}{
		{"header", header("Authorization", "Bearer tok-alice"), []string{"perch.v1"}, socketResult{status: 101, subprotocol: "perch.v1"}},
		{"header, no subprotocol", header("Authorization", "Bearer tok-alice"), nil, socketResult{status: 101}},
		{"subprotocol", nil, []string{"perch.v1", bearer("tok-alice")}, socketResult{status: 101, subprotocol: "perch.v1"}},
		{"subprotocol first", nil, []string{bearer("tok-alice"), "perch.v1"}, socketResult{status: 101, subprotocol: "perch.v1"}},
		{"subprotocol alone", nil, []string{bearer("tok-alice")}, socketResult{status: 101}},
		{"subprotocol with padding", nil, []string{"perch.v1", "perch.bearer." + base64.URLEncoding.EncodeToString([]byte("tok-alice"))}, socketResult{status: 101, subprotocol: "perch.v1"}},
		{"subprotocol from a page", page(), []string{"perch.v1", bearer("tok-alice")}, socketResult{status: 101, subprotocol: "perch.v1"}},
		{"nothing", nil, []string{"perch.v1"}, socketResult{status: 401}},
		{"refused", header("Authorization", "Bearer bad-token"), nil, socketResult{status: 401}},
		{"refused subprotocol", nil, []string{"perch.v1", bearer("bad-token")}, socketResult{status: 401}},
		{"not base64", nil, []string{"perch.v1", "perch.bearer.%%%"}, socketResult{status: 401}},
		{"empty", nil, []string{"perch.v1", "perch.bearer."}, socketResult{status: 401}},
		{"Basic", header("Authorization", "Basic dG9rOg=="), nil, socketResult{status: 401}},
		{"nothing, from a page", page(), []string{"perch.v1"}, socketResult{status: 101, subprotocol: "perch.v1", code: 4001, problem: "unauthorized"}},
		{"refused, from a page", page(), []string{"perch.v1", bearer("bad-token")}, socketResult{status: 101, subprotocol: "perch.v1", code: 4001, problem: "unauthorized"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := g.try("", c.header, c.protocols...)
			live := len(r.types) > 0 && r.types[len(r.types)-1] == "live"
			r.types = nil
			if fmt.Sprint(r) != fmt.Sprint(c.want) || live != (c.want.status == 101 && c.want.code == 0) {
				t.Errorf("%+v, live %v; want %+v", r, live, c.want)
			}
		})
	}
}

func header(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Set(pairs[i], pairs[i+1])
	}
	return h
}

// ticket asks for one.
func (g *gateway) ticket(token, origin string) (api.Ticket, int) {
	g.t.Helper()
	h := http.Header{}
	if origin != "" {
		h.Set("Origin", origin)
	}
	res, body := g.fetch(http.MethodPost, "/v1/events/tickets", token, h)
	var k api.Ticket
	if res.StatusCode == 201 {
		if err := json.Unmarshal(body, &k); err != nil || k.Ticket == "" || res.Header.Get("Cache-Control") != "no-store" {
			g.t.Fatalf("got %v in %s, want a ticket, not to be stored", err, body)
		}
	}
	return k, res.StatusCode
}

func TestTickets(t *testing.T) {
	g := newGateway(t, func(o *gatewayOptions) { o.Origins = []string{"https://chat.example", "https://other.example"} })
	g.open("tok-alice")
	chat, other := header("Origin", "https://chat.example"), header("Origin", "https://other.example")

	k, status := g.ticket("tok-alice", "https://chat.example")
	if left := time.Until(k.ExpiresAt.Time()); status != 201 || left < 25*time.Second || left > 31*time.Second || len(k.Ticket) < 43 {
		t.Fatalf("got %d %+v, want 201, and about 30 s", status, k)
	}
	if r := g.try("ticket="+k.Ticket, chat, "perch.v1"); r.code != 0 || r.types[len(r.types)-1] != "live" {
		t.Errorf("first use: %+v, want live", r)
	}
	refused := func(what, ticket string, h http.Header) {
		t.Helper()
		r := g.try("ticket="+ticket, h, "perch.v1")
		if h == nil && r.status != 401 || h != nil && (r.code != 4001 || r.problem != "unauthorized") {
			t.Errorf("%s: %+v, want 401, or 4001 for a page", what, r)
		}
	}
	refused("second use", k.Ticket, chat)
	k, _ = g.ticket("tok-alice", "https://chat.example")
	refused("foreign origin", k.Ticket, other)
	refused("after a foreign origin has shown it", k.Ticket, chat)
	k, _ = g.ticket("tok-alice", "https://chat.example")
	refused("a page's ticket without an origin", k.Ticket, nil)
	refused("never issued", strings.Repeat("a", 43), chat)
	if r := g.try("ticket=x", header("Origin", "https://evil.example")); r.code != 4003 {
		t.Errorf("origin that is not allowed: %+v, want 4003", r)
	}
	if _, status := g.ticket("tok-alice", "https://evil.example"); status != 403 {
		t.Errorf("ticket for an origin that is not allowed: %d, want 403", status)
	}
	if _, status := g.ticket("", "https://chat.example"); status != 401 {
		t.Errorf("ticket without a token: %d, want 401", status)
	}

	// A program's ticket is as good as its token, and opens nothing from a page.
	k, _ = g.ticket("tok-alice", "")
	if r := g.try("ticket="+k.Ticket, nil, "perch.v1"); r.status != 101 || r.code != 0 {
		t.Errorf("a program's ticket: %+v, want 101", r)
	}
	k, _ = g.ticket("tok-alice", "")
	refused("a program's ticket from a page", k.Ticket, chat)

	// The end of the session ends its tickets.
	k, _ = g.ticket("tok-alice", "https://chat.example")
	if res, _ := g.fetch(http.MethodDelete, "/v1/session", "tok-alice", nil); res.StatusCode != 204 {
		t.Fatalf("signing out: got %s, want 204", res.Status)
	}
	refused("ended session", k.Ticket, chat)
}

func TestTicketsExpire(t *testing.T) {
	g := newGateway(t, func(o *gatewayOptions) { o.TicketLife = time.Nanosecond })
	g.open("tok-alice")
	k, _ := g.ticket("tok-alice", "")
	if r := g.try("ticket="+k.Ticket, nil); r.status != 401 {
		t.Errorf("got %+v, want 401", r)
	}
}

func TestTicketsAreBounded(t *testing.T) {
	g := newGateway(t)
	g.open("tok-alice")
	g.open("tok-other")
	for i := range 20 {
		if _, status := g.ticket("tok-alice", ""); status != 201 {
			t.Fatalf("ticket %d: %d, want 201", i, status)
		}
	}
	if _, status := g.ticket("tok-alice", ""); status != 429 {
		t.Errorf("ticket 21: %d, want 429", status)
	}
	if _, status := g.ticket("tok-other", ""); status != 201 {
		t.Errorf("another session: %d, want 201", status)
	}
}

// TestSocketWithoutUpstream: a session that cannot sign in is an error, not a hang.
func TestSocketWithoutUpstream(t *testing.T) {
	g := newGateway(t)
	g.up.Edit(func(d *fakexmpp.Data) {
		d.SignIn = refuseLogin
	})
	r := g.try("", header("Authorization", "Bearer tok-alice"))
	if r.status < 400 || r.status == 500 {
		t.Errorf("got %+v, want a 4xx", r)
	}
}

// FuzzCommand sends anything as a text frame: it is answered, or the socket is closed
// with a code of the contract, and the session lives on.
func FuzzCommand(f *testing.F) {
	for _, s := range []string{
		pingCommand, `{}`, `[]`, `null`, `{"type":""}`, `{"id":"x","type":"ack","data":{"id":"a-1"}}`, `{"id":"x","type":"subscribe","data":{"types":["message.*"]}}`,
		`{"id":"x","type":"message.send","data":{"to":"bob@example.net","body":"hi"}}`, `{"type":"chat_state.set","data":{"to":"bob@example.net","state":"gone"}}`,
		`{"id":"x","type":"presence.set","data":{"priority":-128}}`, `{"data":{"data":{}}}`, "\xff", `{"id":"\ud800"}`,
	} {
		f.Add([]byte(s))
	}
	g := newGateway(f, func(o *gatewayOptions) { o.CommandsPerMinute, o.StreamsPerToken = 1e9, 1000 })
	g.open("tok-alice")
	f.Fuzz(func(t *testing.T, frame []byte) {
		if len(frame) > 65536 {
			return
		}
		here := *g
		here.t = t
		r := here.raw("tok-alice")
		defer r.conn.Close()
		_, _ = r.conn.Write(rawFrame{op: opText, payload: string(frame)}.bytes())
		_, _ = r.conn.Write(text(`{"id":"last","type":"ping"}`).bytes())
		said, code := r.until(func(said []string) bool { return len(said) > 0 && said[len(said)-1] == "reply last" })
		if code != stays && code != 1007 {
			t.Fatalf("said %q, closed with %d, want the connection open, or 1007", said, code)
		}
	})
}

// TestSecretsStayOutOfLogs lets every way to open a stream pass a log that keeps all.
func TestSecretsStayOutOfLogs(t *testing.T) {
	var log lockedBuffer
	g := newGateway(t, func(o *gatewayOptions) {
		o.Logger = canary.Logger(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug - 4}))
	})
	g.open("tok-canary")
	k, _ := g.ticket("tok-canary", "")
	spent, _ := g.ticket("tok-canary", g.srv.URL)
	g.try("ticket="+k.Ticket, nil)
	g.try("ticket="+spent.Ticket, header("Origin", "http://evil.example"))
	g.try("", nil, "perch.v1", bearer("tok-canary"))
	g.try("", nil, "perch.v1", bearer("bad-canary"))
	g.try("token=tok-canary", nil)
	f := g.dial("tok-canary")
	f.answerTo(`{"id":"c","type":"message.send","data":{"to":"bob@example.net","body":"body-canary"}}`)
	f.answerTo(`{"id":"c","type":"canary"}`)
	f.close()
	g.stream("sse", "tok-canary", "").close()
	g.waitForStreams("tok-canary", 0)
	for what, secret := range map[string]string{
		"token": "canary", "token in base64": base64.RawURLEncoding.EncodeToString([]byte("tok-canary"))[:12],
		"ticket": k.Ticket, "spent ticket": spent.Ticket, "JID": "bob@example.net",
	} {
		if text := log.String(); strings.Contains(text, secret) || len(text) < 100 {
			t.Errorf("%s in the log, want no secret:\n%s", what, text)
		}
	}
}

// lockedBuffer is a log that may be read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
