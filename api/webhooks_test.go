package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/sessions"
)

// receivers stand for the servers of all webhooks of a gateway: a sessions.Sender.
type receivers struct {
	mu     sync.Mutex
	got    []sessions.Delivery
	answer sessions.Outcome // the zero value has arrived
}

func (x *receivers) Check(t perch.ReaderTarget, _ perch.ReaderSpec) error {
	if !strings.HasPrefix(t.URL, "https://") {
		return perch.Invalid("/url", "must begin with https://")
	}
	return nil
}

func (x *receivers) Send(_ context.Context, d sessions.Delivery) sessions.Outcome {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.got = append(x.got, d)
	out := x.answer
	if out.Err == nil {
		out.Status = 204
	}
	return out
}

func (x *receivers) fail(out sessions.Outcome) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.answer = out
}

func (x *receivers) all() []sessions.Delivery {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.Clone(x.got)
}

// events are all that a reader has got, as one text.
func (x *receivers) events(id string) (text string) {
	for _, d := range x.all() {
		for _, e := range d.Events {
			if d.Reader.ID == id {
				text += string(e.Wire)
			}
		}
	}
	return text
}

// webhookItem is a webhook as clients see it.
type webhookItem struct {
	Secret        string
	ID, URL       string
	Types         []string
	Conversations []string
	When, Include string
	CreatedAt     string `json:"created_at"`
	State, Reason string
	Cursor        string
	Failures      int
	FailingSince  *string `json:"failing_since"`
	NextAttemptAt *string `json:"next_attempt_at"`
	LastAttempt   *struct {
		At     string
		Status int
		Error  string
	} `json:"last_attempt"`
}

// hook puts a webhook with a token.
func (g *gateway) hook(with string, status int, id, body string) (x webhookItem) {
	g.t.Helper()
	a := g.as(with, "PUT", "/v1/webhooks/"+id, body)
	if a.status != status || json.Unmarshal(a.body, &x) != nil {
		g.t.Fatalf("PUT /v1/webhooks/%s %s: %d %s, want %d", id, body, a.status, a.body, status)
	}
	if x.Secret != "" {
		canary.Note(x.Secret)
	}
	if where := a.header.Get("Location"); (where == "/v1/webhooks/"+id) != (status == 201) || a.header.Get("Cache-Control") != "no-store" {
		g.t.Errorf("PUT: got the header %v, want no-store, and the address of one that is made", a.header)
	}
	return x
}

func (g *gateway) hooks(with string) (ids []string) {
	g.t.Helper()
	var list struct{ Items []webhookItem }
	if a := g.as(with, "GET", "/v1/webhooks", ""); a.status != 200 || json.Unmarshal(a.body, &list) != nil || list.Items == nil {
		g.t.Fatalf("GET /v1/webhooks: %d %s, want the list", a.status, a.body)
	}
	for _, x := range list.Items {
		ids = append(ids, x.ID)
	}
	return ids
}

const simple = `{"url":"https://bot.example.org/perch"}`

// TestWebhooks: one is made with its secret, changed without it, shown without it, and ended.
func TestWebhooks(t *testing.T) {
	f := newGateway(t)
	f.signIn()
	made := f.hook("", 201, "bot", `{"url":"https://bot.example.org/perch?x=1","types":["message.*","session.state"],"conversations":["Bob@Example.net","bob@example.net"],"when":"detached","include":"ids"}`)
	if !strings.HasPrefix(made.Secret, "whsec_") || made.ID != "bot" || made.URL != "https://bot.example.org/perch?x=1" || !slices.Equal(made.Types, []string{"message.*", "session.state"}) ||
		!slices.Equal(made.Conversations, []string{"bob@example.net"}) || made.When != "detached" || made.Include != "ids" || made.State != "active" || made.Cursor == "" || made.CreatedAt == "" ||
		made.LastAttempt != nil || made.FailingSince != nil || made.NextAttemptAt != nil || made.Reason != "" {
		t.Errorf("made: got %+v, want it as it was asked for, with a secret", made)
	}
	again := f.hook("", 200, "bot", simple)
	if again.Secret != "" || again.URL != "https://bot.example.org/perch" || again.Types != nil || again.Conversations != nil || again.When != "always" || again.Include != "full" || again.Cursor != made.Cursor {
		t.Errorf("again: got %+v, want the defaults, the cursor, and no secret", again)
	}
	if x := f.hook("", 200, "bot", `{"url":"https://bot.example.org/perch","rotate_secret":true}`); x.Secret == "" || x.Secret == made.Secret {
		t.Error("rotated: got no other secret, want one")
	}
	f.hook("", 201, "A_b-9", simple)
	if got := f.hooks(""); len(got) != 2 || !slices.Contains(got, "bot") || !slices.Contains(got, "A_b-9") {
		t.Errorf("list: got %q, want both", got)
	}
	var shown webhookItem
	if a := f.want(200, "GET", "/v1/webhooks/bot", "", nil); json.Unmarshal(a.body, &shown) != nil || shown.URL != again.URL || strings.Contains(string(a.body), "secret") {
		t.Errorf("shown: got %s, want it without a secret", a.body)
	}
	f.want(204, "DELETE", "/v1/webhooks/bot", "", nil)
	f.refused(404, "not-found", "", "GET", "/v1/webhooks/bot", "")
	f.refused(404, "not-found", "", "DELETE", "/v1/webhooks/bot", "")
	f.refused(404, "not-found", "", "POST", "/v1/webhooks/bot/test", "")
	f.refused(404, "not-found", "", "POST", "/v1/webhooks/bot/replay", `{"since":"abc-1"}`)
}

// TestWebhookRefusals: what cannot be is refused by its field.
func TestWebhookRefusals(t *testing.T) {
	f := newGateway(t)
	f.signIn()
	many := func(n int, text string) string { return strings.TrimSuffix(strings.Repeat(`"`+text+`",`, n), ",") }
	for _, tt := range []struct{ body, code, pointer string }{
		{`{}`, "validation", "/url"},
		{`{"url":"http://bot.example.org"}`, "validation", "/url"},
		{`{"url":"https://b","types":[]}`, "validation", "/types"},
		{`{"url":"https://b","types":["message.received","presence"]}`, "validation", "/types/1"},
		{`{"url":"https://b","types":["presence.*"]}`, "validation", "/types/0"},
		{`{"url":"https://b","types":["chat_state"]}`, "validation", "/types/0"},
		{`{"url":"https://b","types":["hello"]}`, "validation", "/types/0"},
		{`{"url":"https://b","types":["message.received,message.sent"]}`, "validation", "/types/0"},
		{`{"url":"https://b","types":[" message.*"]}`, "validation", "/types/0"},
		{`{"url":"https://b","types":[""]}`, "validation", "/types/0"},
		{`{"url":"https://b","conversations":[]}`, "validation", "/conversations"},
		{`{"url":"https://b","conversations":["@"]}`, "jid-malformed", "/conversations/0"},
		{`{"url":"https://b","conversations":[` + many(201, "a@b") + `]}`, "validation", "/conversations"},
		{`{"url":"https://b","when":"never"}`, "validation", "/when"},
		{`{"url":"https://b","include":"body"}`, "validation", "/include"},
		{`{"url":"https://b","secret":"whsec_x"}`, "validation", "/secret"},
	} {
		f.refused(422, tt.code, tt.pointer, "PUT", "/v1/webhooks/bot", tt.body)
	}
	for _, id := range []string{"a.b", "a%20b", strings.Repeat("a", 65), "%C3%A4", "a%2Fb"} {
		f.refused(422, "validation", "{id}", "PUT", "/v1/webhooks/"+id, simple)
	}
	f.refused(422, "validation", "?x", "GET", "/v1/webhooks?x=1", "")
	for i := range sessions.MaxWebhooks {
		f.hook("", 201, fmt.Sprintf("n%d", i), simple)
	}
	f.refused(429, "quota-exceeded", "", "PUT", "/v1/webhooks/more", simple)
	for _, since := range []string{`{}`, `{"since":"nonsense"}`, `{"since":"zzz-1"}`, `{"since":"` + f.cursor("n0") + `9999"}`} {
		f.refused(422, "validation", "/since", "POST", "/v1/webhooks/n0/replay", since)
	}
}

// cursor is that of a webhook.
func (g *gateway) cursor(id string) string { return g.shownHook(id).Cursor }

func (g *gateway) shownHook(id string) (x webhookItem) {
	g.t.Helper()
	if a := g.want(200, "GET", "/v1/webhooks/"+id, "", nil); json.Unmarshal(a.body, &x) != nil {
		g.t.Fatalf("GET /v1/webhooks/%s: %s, want it", id, a.body)
	}
	return x
}

// TestWebhookCalls: how the calls go is seen; a test changes nothing, and a replay brings again what was brought.
func TestWebhookCalls(t *testing.T) {
	f := newGateway(t)
	conn := f.signIn()
	before := f.hook("", 201, "bot", `{"url":"https://bot.example.org/perch","types":["message.received"]}`)
	say(conn, "m1")
	f.eventually("the call", func() bool { return f.shownHook("bot").LastAttempt != nil })
	got := f.receivers.all()
	if len(got) != 1 || len(got[0].Events) != 1 || !strings.Contains(string(got[0].Events[0].Wire), "number m1") || len(got[0].Secrets) != 1 || got[0].Secrets[0].Reveal() != before.Secret {
		t.Fatalf("got %+v, want a call with the message, signed with the secret", got)
	}
	if x := f.shownHook("bot"); x.Cursor == before.Cursor || x.LastAttempt.Status != 204 || x.LastAttempt.Error != "" || x.State != "active" {
		t.Errorf("after it: got %+v, want another cursor, and 204", x)
	}
	f.receivers.fail(sessions.Outcome{Status: 500, Err: errors.New("it answered 500 Internal Server Error")})
	if a := f.want(200, "POST", "/v1/webhooks/bot/test", "", nil); !strings.Contains(string(a.body), `"status":500,"error":"it answered 500 Internal Server Error"`) {
		t.Errorf("test: got %s, want the outcome", a.body)
	}
	if x := f.shownHook("bot"); x.Failures != 0 || x.State != "active" || x.LastAttempt.Status != 204 {
		t.Errorf("after a test: got %+v, want nothing changed", x)
	}
	say(conn, "m2")
	f.eventually("a failure", func() bool { return f.shownHook("bot").Failures > 0 })
	if x := f.shownHook("bot"); x.State != "retrying" || x.FailingSince == nil || x.NextAttemptAt == nil || x.LastAttempt.Error != "it answered 500 Internal Server Error" {
		t.Errorf("after a failure: got %+v, want when it is tried again, and why", x)
	}
	f.receivers.fail(sessions.Outcome{Status: 410, Gone: true, Err: errors.New("it answered 410 Gone")})
	f.eventually("disabled", func() bool { return f.shownHook("bot").State == "disabled" })
	if x := f.shownHook("bot"); x.Reason != "gone" || x.NextAttemptAt != nil {
		t.Errorf("once it is gone: got %+v, want no more attempts, and why", x)
	}
	f.receivers.fail(sessions.Outcome{})
	f.hook("", 200, "bot", `{"url":"https://bot.example.org/perch","types":["message.received"]}`)
	f.eventually("the second message", func() bool {
		x := f.receivers.all()
		return len(x[len(x)-1].Events) > 0 && x[len(x)-1].ID != got[0].ID && f.shownHook("bot").State == "active"
	})
	n := len(f.receivers.all())
	f.want(200, "POST", "/v1/webhooks/bot/replay", `{"since":"`+before.Cursor+`"}`, nil)
	f.eventually("both again", func() bool { return len(f.receivers.all()) > n })
	if last := f.receivers.all()[n]; last.ID == got[0].ID || len(last.Events) != 2 {
		t.Errorf("replayed: got %d events under %s, want both under another id", len(last.Events), last.ID)
	}
}

// TestWebhookOfToken: a webhook shows no more than its token, and a token sees none that shows more.
func TestWebhookOfToken(t *testing.T) {
	f := newGateway(t)
	conn := f.signIn()
	f.hook("", 201, "whole", simple)
	reader, _ := f.make(tokenBody("webhooks read"))
	roster, _ := f.make(tokenBody("webhooks roster"))
	bound, boundID := f.make(tokenBody("webhooks read", `,"conversations":["bob@example.net"]`))
	for _, tt := range []struct{ with, body, pointer string }{
		{roster, `{"url":"https://b","types":["message.*"]}`, "/types/0"},
		{roster, `{"url":"https://b","types":["roster.*","room.state"]}`, "/types/1"},
		{bound, `{"url":"https://b","conversations":["carol@example.net"]}`, "/conversations/0"},
		{bound, `{"url":"https://b","conversations":["bob@example.net","bob@example.net/phone"]}`, "/conversations/1"},
	} {
		if p := f.as(tt.with, "PUT", "/v1/webhooks/x", tt.body).problem(t); p.Code != "insufficient-scope" || len(p.Errors) == 0 || p.Errors[0].Pointer != tt.pointer {
			t.Errorf("%s: got %+v, want insufficient-scope at %s", tt.body, p, tt.pointer)
		}
	}
	if a := f.as(reader, "PUT", "/v1/webhooks/reader", simple); a.status != 201 {
		t.Errorf("with webhooks and read: %d %s, want 201", a.status, a.body)
	}
	f.hook(bound, 201, "bound", simple)
	f.hook(roster, 201, "roster", simple)
	if got := f.hooks(bound); !slices.Equal(got, []string{"bound"}) {
		t.Errorf("of the bounded token: got %q, want its own alone", got)
	}
	for _, c := range []string{"GET /v1/webhooks/whole", "DELETE /v1/webhooks/whole", "POST /v1/webhooks/whole/test"} {
		method, path, _ := strings.Cut(c, " ")
		if p := f.as(bound, method, path, "").problem(t); p.Status != 404 {
			t.Errorf("%s with the bounded token: got %+v, want 404", c, p)
		}
	}
	say(conn, "m1")
	conn.Deliver(&perch.MessageIn{Message: perch.Message{ID: "c1", From: "carol@example.net/x", To: "alice@example.net", Kind: perch.ChatMessage, Body: "of carol"}})
	f.eventually("what all may see", func() bool {
		x := f.receivers.events("whole")
		return strings.Contains(x, "number m1") && strings.Contains(x, "of carol")
	})
	f.eventually("what the token may see", func() bool { return strings.Contains(f.receivers.events("bound"), "number m1") })
	if got := f.receivers.events("bound") + f.receivers.events("roster"); strings.Contains(got, "of carol") || strings.Contains(f.receivers.events("roster"), "number m1") {
		t.Errorf("got %s, want no message of another conversation, and none without read", got)
	}
	f.want(204, "DELETE", "/v1/tokens/"+boundID, "", nil)
	f.eventually("its end with its token", func() bool { return !slices.Contains(f.hooks(""), "bound") })
}

// TestWebhooksOff: an operator who wants none says so to clients.
func TestWebhooksOff(t *testing.T) {
	f := newGateway(t, func(o *gatewayOptions) { o.Webhooks = false })
	f.signIn()
	for _, c := range webhookRoutes() {
		if p := f.as("", c.method, c.path, c.body).problem(t); p.Status != 501 || p.Code != "feature-unsupported" || !strings.Contains(p.Detail, "--webhooks") {
			t.Errorf("%s %s: got %+v, want 501 and the setting", c.method, c.path, p)
		}
	}
	for _, on := range []bool{true, false} {
		g := newGateway(t, func(o *gatewayOptions) { o.Webhooks = on })
		g.signIn()
		stream := g.stream("ws", token, "")
		hello, err := stream.next()
		stream.close()
		if err != nil || strings.Contains(string(hello.Data), `"webhooks"`) != on {
			t.Errorf("hello: got %s, error %v, want webhooks in features: %v", hello.Data, err, on)
		}
	}
}

// TestWebhookAudit: who has changed which webhook is in the log, and neither its address nor its secret.
func TestWebhookAudit(t *testing.T) {
	var log lockedBuffer
	f := newGateway(t, logged(&log))
	f.signIn()
	with, by := f.make(tokenBody("webhooks read"))
	secret := f.hook(with, 201, "bot", simple).Secret
	for path, want := range map[string]int{"POST /v1/webhooks/bot/replay": 200, "POST /v1/webhooks/none/replay": 404} {
		method, path, _ := strings.Cut(path, " ")
		if a := f.as(with, method, path, `{"since":"`+f.cursor("bot")+`"}`); a.status != want {
			t.Errorf("%s: %d %s, want %d", path, a.status, a.body, want)
		}
	}
	if a := f.as(with, "DELETE", "/v1/webhooks/bot", ""); a.status != 204 {
		t.Errorf("DELETE: %d %s, want 204", a.status, a.body)
	}
	var changes []string
	for _, line := range linesOf(t, &log, "webhook changed") {
		if line["audit"] != true || line["id"] != "bot" || line["by"] != by || line["session"] == "" {
			t.Errorf("got the line %v, want the webhook, the token and the session", line)
		}
		changes = append(changes, fmt.Sprint(line["change"]))
	}
	if want := []string{"put", "replayed", "deleted"}; !slices.Equal(changes, want) {
		t.Errorf("got the lines %q, want %q", changes, want)
	}
	if text := log.String(); strings.Contains(text, "bot.example.org") || strings.Contains(text, secret) {
		t.Errorf("got the address or the secret in the log, want neither: %s", text)
	}
}
