package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// pushKey is the key of the gateways of these tests, that of RFC 8292, 2.4.
const pushKey = "BA1Hxzyi1RUM1b5wjxsn7nGxAszw2u61m164i3MrAIxHF6YK5h4SDYic-dRuU_RCPCfA5aq9ojSwk5Y2EmClBPs"

// pushItem is a push subscription as clients see it.
type pushItem struct {
	ID, Host, Include string
	Types             []string
	Conversations     []string
	CreatedAt         string `json:"created_at"`
	State, Reason     string
	Failures          int
	FailingSince      *string `json:"failing_since"`
	NextAttemptAt     *string `json:"next_attempt_at"`
	LastAttempt       *struct {
		At     string
		Status int
		Error  string
	} `json:"last_attempt"`
}

// subscription is the body for one of push.example.org; more are further fields.
func subscription(more ...string) string {
	return `{"endpoint":"https://push.example.org:8443/p/secret","keys":{"p256dh":"BPoint","auth":"c2VjcmV0"},"expirationTime":null` + strings.Join(more, "") + `}`
}

// subscribe puts a push subscription with a token.
func (g *gateway) subscribe(with string, status int, id, body string) (x pushItem) {
	g.t.Helper()
	a := g.as(with, "PUT", "/v1/push/"+id, body)
	if a.status != status || json.Unmarshal(a.body, &x) != nil {
		g.t.Fatalf("PUT /v1/push/%s %s: %d %s, want %d", id, body, a.status, a.body, status)
	}
	if where := a.header.Get("Location"); (where == "/v1/push/"+id) != (status == 201) || a.header.Get("Cache-Control") != "no-store" {
		g.t.Errorf("PUT: got the header %v, want no-store, and the address of one that is made", a.header)
	}
	return x
}

// subscribed lists the push subscriptions that a token sees, by their ids.
func (g *gateway) subscribed(with string) map[string]pushItem {
	g.t.Helper()
	var list struct {
		Key   string `json:"application_server_key"`
		Items []pushItem
	}
	a := g.as(with, "GET", "/v1/push", "")
	if a.status != 200 || json.Unmarshal(a.body, &list) != nil || list.Items == nil || list.Key != pushKey {
		g.t.Fatalf("GET /v1/push: %d %s, want the key and the list", a.status, a.body)
	}
	if strings.Contains(string(a.body), "/p/secret") || strings.Contains(string(a.body), "BPoint") || strings.Contains(string(a.body), "c2VjcmV0") {
		g.t.Errorf("GET /v1/push: got %s, want nothing with which others could write to the device", a.body)
	}
	found := map[string]pushItem{}
	for _, x := range list.Items {
		found[x.ID] = x
	}
	return found
}

// TestPush: a device subscribes itself, once, is shown without its secrets, and ends.
func TestPush(t *testing.T) {
	f := newGateway(t)
	f.signIn()
	made := f.subscribe("", 201, "phone", subscription(`,"types":["message.*"],"conversations":["Bob@Example.net","bob@example.net"],"include":"ids"`))
	if made.ID != "phone" || made.Host != "push.example.org:8443" || !slices.Equal(made.Types, []string{"message.*"}) || !slices.Equal(made.Conversations, []string{"bob@example.net"}) ||
		made.Include != "ids" || made.State != "active" || made.CreatedAt == "" || made.LastAttempt != nil || made.NextAttemptAt != nil || made.FailingSince != nil {
		t.Errorf("made: got %+v, want it as it was asked for", made)
	}
	again := f.subscribe("", 200, "phone", subscription())
	if again.Types != nil || again.Conversations != nil || again.Include != "full" || again.CreatedAt != made.CreatedAt {
		t.Errorf("again: got %+v, want the defaults", again)
	}
	f.subscribe("", 201, "A_b-9", subscription())
	if got := f.subscribed(""); len(got) != 2 || got["phone"].Host != "push.example.org:8443" || got["A_b-9"].State != "active" {
		t.Errorf("list: got %+v, want both", got)
	}
	f.want(204, "DELETE", "/v1/push/phone", "", nil)
	f.refused(404, "not-found", "", "DELETE", "/v1/push/phone", "")
	f.refused(404, "not-found", "", "POST", "/v1/push/phone/test", "")
	for i := range sessions.MaxPush - 1 {
		f.subscribe("", 201, fmt.Sprint("d", i), subscription())
	}
	f.refused(429, "quota-exceeded", "", "PUT", "/v1/push/one-too-many", subscription())
}

// TestPushRefusals: what cannot be is refused by its field.
func TestPushRefusals(t *testing.T) {
	f := newGateway(t)
	f.signIn()
	for _, tt := range []struct{ body, code, pointer string }{
		{`{}`, "validation", "/endpoint"},
		{`{"endpoint":"https://p"}`, "validation", "/keys"},
		{`{"endpoint":"https://p","keys":null}`, "validation", "/keys"},
		{`{"endpoint":"https://p","keys":{"p256dh":7,"auth":""}}`, "validation", "/keys/p256dh"},
		{`{"endpoint":"https://p","keys":{"p256dh":"a","auth":"b","more":1}}`, "validation", "/keys/more"},
		{`{"endpoint":"https://p","keys":{"p256dh":"a","auth":"b"},"when":"always"}`, "validation", "/when"},
		{subscription(`,"include":"all"`), "validation", "/include"},
		{subscription(`,"types":[]`), "validation", "/types"},
		{subscription(`,"types":["message.received","presence"]`), "validation", "/types/1"},
		{subscription(`,"conversations":[]`), "validation", "/conversations"},
		{subscription(`,"conversations":["a b@x"]`), "jid-malformed", "/conversations/0"},
		{`{"endpoint":"http://p","keys":{"p256dh":"a","auth":"b"}}`, "validation", "/url"}, // by who sends them
	} {
		f.refused(422, tt.code, tt.pointer, "PUT", "/v1/push/phone", tt.body)
	}
	for _, id := range []string{"no.id", "%20", strings.Repeat("x", 65)} {
		f.refused(422, "validation", "{id}", "PUT", "/v1/push/"+id, subscription())
	}
	if got := f.subscribed(""); len(got) != 0 {
		t.Errorf("list: got %v, want none", got)
	}
}

// TestPushDeliveries: what comes while no stream is open is pushed; how that goes is seen. A subscription that
// has ended is forgotten.
func TestPushDeliveries(t *testing.T) {
	f := newGateway(t)
	conn := f.signIn()
	f.subscribe("", 201, "phone", subscription())
	say(conn, "m1")
	f.eventually("a message", func() bool { return len(f.pushed.all()) == 1 && f.subscribed("")["phone"].LastAttempt != nil })
	d := f.pushed.all()[0]
	if d.Reader.Kind != perch.PushReader || d.Reader.Target != (perch.ReaderTarget{URL: "https://push.example.org:8443/p/secret", P256DH: "BPoint", Auth: "c2VjcmV0"}) ||
		d.Account != "alice@example.net" || len(d.Events) != 1 || d.Events[0].Type != perch.EventMessageReceived || d.About(t.Context(), "bob@example.net").Name != "Bob" {
		t.Errorf("pushed: got %+v, want the message for the subscription", d)
	}
	stream := f.stream("ws", token, "")
	if _, err := stream.next(); err != nil {
		t.Fatalf("stream: got error %v, want none", err)
	}
	say(conn, "m2")
	for {
		e, err := stream.next()
		if err != nil {
			t.Fatalf("stream: got error %v, want the message", err)
		}
		if e.Type == "message.received" && strings.Contains(string(e.Data), "number m2") {
			break
		}
	}
	f.pushed.fail(sessions.Outcome{Status: 500, Err: errors.New("it answered 500 Internal Server Error")})
	if a := f.want(200, "POST", "/v1/push/phone/test", "", nil); !strings.Contains(string(a.body), `"status":500,"error":"it answered 500 Internal Server Error"`) {
		t.Errorf("test: got %s, want the outcome", a.body)
	}
	if got := f.pushed.all(); len(got) != 2 || !got[1].Test || len(got[1].Events) != 0 {
		t.Errorf("while a stream is open: got %d deliveries, want the test alone beside the first", len(got))
	}
	stream.close()
	f.pushed.fail(sessions.Outcome{Status: 410, Gone: true, Err: errors.New("the subscription has ended")})
	f.subscribe("", 200, "phone", subscription())
	say(conn, "m3")
	f.eventually("its end", func() bool { return len(f.subscribed("")) == 0 })
}

// TestPushKnowsConversations: a delivery is told what a conversation is called, and of which of its messages the
// person wants to know.
func TestPushKnowsConversations(t *testing.T) {
	f := withRooms(t)
	f.joins(`{"nick":"Al"}`)
	f.subscribe("", 201, "phone", subscription())
	say(f.conn, "m1")
	f.eventually("a message", func() bool { return len(f.pushed.all()) > 0 })
	d := f.pushed.all()[0]
	naming := func(from perch.JID, kind perch.MessageKind, body string) *perch.Message {
		return &perch.Message{From: from, To: "alice@example.net", Kind: kind, Body: body}
	}
	for _, c := range []struct {
		jid    perch.JID
		name   string
		notify perch.Notify
	}{{"bob@example.net", "Bob", perch.NotifyMentions}, {theRoom, "Talk", perch.NotifyNone}, {theRoom + "/carol", "carol", ""}, {"nobody@example.net", "", ""}} {
		if c.notify != "" {
			f.want(200, "PATCH", "/v1/conversations/"+string(c.jid), fmt.Sprintf(`{"notify":%q}`, c.notify), nil)
		}
		if got := d.About(t.Context(), c.jid); got.Name != c.name || got.Notify != c.notify || got.Mentions == nil || got.Mentions(naming(c.jid.Bare()+"/x", perch.GroupchatMessage, "hello")) {
			t.Errorf("%s: got %q, %q, want %q, %q, and nothing that names the account", c.jid, got.Name, got.Notify, c.name, c.notify)
		}
	}
	if !d.About(t.Context(), theRoom).Mentions(naming(theRoom+"/carol", perch.GroupchatMessage, "al: tea?")) {
		t.Error("a message of the room with the own nick: got none that names the account, want one")
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if got := d.About(ended, "bob@example.net"); got.Name != "" {
		t.Errorf("without time: got %q, want nothing", got.Name)
	}
}

// TestPushOfToken: a token that may read subscribes itself, sees no more than it may, and silences nobody else.
func TestPushOfToken(t *testing.T) {
	f := newGateway(t)
	conn := f.signIn()
	f.subscribe("", 201, "whole", subscription())
	device, deviceID := f.make(tokenBody("read"))
	bound, _ := f.make(tokenBody("read", `,"conversations":["bob@example.net"]`))
	manager, _ := f.make(tokenBody("read webhooks"))
	f.subscribe(device, 201, "device", subscription())
	f.subscribe(device, 200, "device", subscription(`,"include":"ids"`))
	f.subscribe(bound, 201, "bound", subscription())
	for _, c := range []call{
		{"PUT", "/v1/push/whole", subscription(), ""}, {"DELETE", "/v1/push/whole", "", ""}, {"POST", "/v1/push/whole/test", "", ""}, {"DELETE", "/v1/push/bound", "", ""},
	} {
		if a := f.as(device, c.method, c.path, c.body); !a.outOfScope(t) || !slices.Contains(a.problem(t).Scopes, perch.ScopeWebhooks) {
			t.Errorf("%s %s with read: %d %s, want 403 and the scope webhooks", c.method, c.path, a.status, a.body)
		}
	}
	for _, tt := range []struct{ with, body, pointer string }{
		{device, subscription(`,"types":["room.state","message.*"]`), ""},
		{bound, subscription(`,"conversations":["carol@example.net"]`), "/conversations/0"},
	} {
		a := f.as(tt.with, "PUT", "/v1/push/"+map[string]string{device: "device", bound: "bound"}[tt.with], tt.body)
		if tt.pointer == "" && a.status != 200 || tt.pointer != "" && (!a.outOfScope(t) || a.problem(t).Errors[0].Pointer != tt.pointer) {
			t.Errorf("%s: %d %s, want a refusal at %q", tt.body, a.status, a.body, tt.pointer)
		}
	}
	if got := f.subscribed(bound); len(got) != 1 || got["bound"].ID != "bound" {
		t.Errorf("of the bounded token: got %+v, want its own alone", got)
	}
	conn.Deliver(&perch.MessageIn{Message: perch.Message{ID: "c1", From: "carol@example.net/x", To: "alice@example.net", Kind: perch.ChatMessage, Body: "of carol"}})
	say(conn, "m1")
	f.eventually("what all may see", func() bool {
		return strings.Contains(f.pushed.events("whole"), "number m1") && strings.Contains(f.pushed.events("whole"), "of carol")
	})
	f.eventually("what the token may see", func() bool { return strings.Contains(f.pushed.events("bound"), "number m1") })
	if strings.Contains(f.pushed.events("bound"), "of carol") {
		t.Errorf("the bounded token: got %s, want nothing of another conversation", f.pushed.events("bound"))
	}
	if a := f.as(manager, "DELETE", "/v1/push/whole", ""); a.status != 204 {
		t.Errorf("with webhooks: %d %s, want 204", a.status, a.body)
	}
	f.want(204, "DELETE", "/v1/tokens/"+deviceID, "", nil)
	f.eventually("its end with its token", func() bool { return f.subscribed("")["device"].ID == "" })
}

// TestPushOff: an operator who wants none says so to clients.
func TestPushOff(t *testing.T) {
	f := newGateway(t, func(o *gatewayOptions) { o.PushKey = nil })
	f.signIn()
	for _, c := range pushRoutes() {
		if p := f.as("", c.method, c.path, c.body).problem(t); p.Status != 501 || p.Code != "feature-unsupported" || !strings.Contains(p.Detail, "--push") {
			t.Errorf("%s %s: got %+v, want 501 and the setting", c.method, c.path, p)
		}
	}
	for _, g := range []*gateway{f, newGateway(t)} {
		if g != f {
			g.signIn()
		}
		stream := g.stream("ws", token, "")
		hello, err := stream.next()
		stream.close()
		if err != nil || strings.Contains(string(hello.Data), `"push"`) != (g != f) {
			t.Errorf("hello: got %s, error %v, want push in features: %v", hello.Data, err, g != f)
		}
	}
}

// TestPushAudit: who has changed which subscription is in the log, and not where it is.
func TestPushAudit(t *testing.T) {
	var log lockedBuffer
	f := newGateway(t, logged(&log))
	f.signIn()
	with, by := f.make(tokenBody("read"))
	f.subscribe(with, 201, "phone", subscription())
	if a := f.as(with, "DELETE", "/v1/push/phone", ""); a.status != 204 {
		t.Errorf("DELETE: %d %s, want 204", a.status, a.body)
	}
	var changes []string
	for _, line := range linesOf(t, &log, "push subscription changed") {
		if line["audit"] != true || line["id"] != "phone" || line["by"] != by || line["session"] == "" {
			t.Errorf("got the line %v, want the subscription, the token and the session", line)
		}
		changes = append(changes, fmt.Sprint(line["change"]))
	}
	if want := []string{"put", "deleted"}; !slices.Equal(changes, want) {
		t.Errorf("got the changes %q, want %q", changes, want)
	}
	if text := log.String(); strings.Contains(text, "/p/secret") || strings.Contains(text, "BPoint") || strings.Contains(text, "c2VjcmV0") {
		t.Errorf("got the log %s, want nothing of the subscription", text)
	}
}
