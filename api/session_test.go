package api_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/fakexmpp"
	"github.com/perch-im/perch/sessions"
)

type fakeData = fakexmpp.Data

type signedIn struct {
	Token   string            `json:"token"`
	Session perch.SessionInfo `json:"session"`
}

func TestSessionByAccessToken(t *testing.T) {
	f := newGateway(t)
	var got signedIn
	if a := f.want(201, "POST", "/v1/session", "", nil); a.header.Get("Location") != "/v1/session" {
		t.Errorf("got %v, want the Location", a.header)
	}
	f.want(200, "POST", "/v1/session", "", &got)
	if got.Token != "" || got.Session.JID != "alice@example.net" || got.Session.Resource != "perch" {
		t.Errorf("got %+v, want the session of alice, without a token", got)
	}
	for range 3 {
		f.want(200, "GET", "/v1/buddies", "", nil)
	}
	if n := len(f.up.Dials()); n != 1 {
		t.Errorf("%d logins, want 1", n)
	}
	if cc := f.call("GET", "/v1/session", "").header.Get("Cache-Control"); cc != "no-store" {
		t.Errorf("Cache-Control %q, want no-store", cc)
	}
}

func TestSessionByPassword(t *testing.T) {
	f := newGateway(t)
	body := `{"jid":"carol@example.net","password":"secret-canary","upstream":"other","resource":"desk"}`
	jsonType := []string{"Content-Type", "application/json"}
	a := f.do("POST", "/v1/session", body, jsonType...)
	if a.status != http.StatusCreated || a.header.Get("Location") != "/v1/session" {
		t.Fatalf("got %d %v %s, want 201 with Location", a.status, a.header, a.body)
	}
	if bytes.Contains(a.body, []byte("canary")) {
		t.Errorf("the answer has the password: %s, want none", a.body)
	}
	minted := field(t, a.body, "token")
	if !strings.HasPrefix(minted, "perch_") {
		t.Fatalf("token %q, want one that begins with perch_", minted)
	}
	if b := f.do("POST", "/v1/session", body, jsonType...); b.status != http.StatusOK {
		t.Errorf("the second sign-in: %d %s, want 200", b.status, b.body)
	}
	show := f.do("GET", "/v1/session", "", "Authorization", "Bearer "+minted)
	if show.status != 200 || field(t, show.body, "jid") != "carol@example.net" || field(t, show.body, "upstream") != "other" {
		t.Errorf("got %d %s, want 200, carol at other", show.status, show.body)
	}
	if n := len(f.up.Dials()); n != 1 {
		t.Errorf("%d logins, want 1", n)
	}
	refused := f.do("POST", "/v1/session", `{"jid":"carol@example.net","password":"bad-canary","upstream":"other"}`, jsonType...)
	if p := refused.problem(t); p.Code != "unauthorized" || bytes.Contains(refused.body, []byte("canary")) {
		t.Errorf("got %s, want unauthorized, without the secret", refused.body)
	}
	unknown := f.do("POST", "/v1/session", `{"jid":"carol@example.net","password":"x","upstream":"nowhere"}`, jsonType...)
	if unknown.problem(t).Status < 400 || unknown.status >= 500 {
		t.Errorf("an unknown upstream: %s, want a 4xx", unknown.body)
	}
}

// A session that is still at its first login is shown, and ended, without waiting.
func TestSessionWhileConnecting(t *testing.T) {
	f := newGateway(t)
	dialled, hold := make(chan struct{}), make(chan struct{})
	f.up.Edit(func(d *fakeData) {
		d.SignIn = func(ctx context.Context, _ sessions.DialRequest) (perch.Login, error) {
			close(dialled)
			select {
			case <-hold:
			case <-ctx.Done():
			}
			return perch.Login{}, perch.Errorf(perch.KindLinkLost, "no")
		}
	})
	first := make(chan answer)
	go func() { first <- f.call("GET", "/v1/buddies", "") }()
	<-dialled
	if info := f.state(); info.State != perch.StateConnecting || info.JID != "" {
		t.Errorf("got %+v, want connecting, without a JID", info)
	}
	f.want(204, "DELETE", "/v1/session", "", nil)
	close(hold)
	if a := <-first; a.status < 400 {
		t.Errorf("the first call: %d %s, want an error", a.status, a.body)
	}
}

func TestSessionDelete(t *testing.T) {
	f := newGateway(t)
	conn := f.signIn()
	f.want(204, "DELETE", "/v1/session", "", nil)
	f.eventually("signed out", conn.Closed)
	f.want(200, "GET", "/v1/buddies", "", nil) // the access token opens a new session
	if n := len(f.up.Dials()); n != 2 {
		t.Errorf("%d logins, want 2", n)
	}
}

// A session whose credential ran out shows what it has, says what to do, and continues
// with a fresh credential, which leads to it from then on.
func TestSuspendedForCredentials(t *testing.T) {
	f := newGateway(t)
	f.up.Edit(func(d *fakeData) {
		d.Roster = []perch.Buddy{{JID: "bob@example.net", Subscription: perch.SubscriptionBoth}}
	})
	conn := f.signIn()
	f.eventually("in the roster", func() bool { return f.call("GET", "/v1/buddies/bob@example.net", "").status == 200 })
	conn.Fail(perch.Errorf(perch.KindUnauthorized, "credentials expired"))
	f.eventually("suspended", func() bool { return f.state().State == perch.StateSuspended })
	if reason := f.state().Reason; reason != perch.ReasonCredentials {
		t.Fatalf("reason %q, want credentials", reason)
	}
	for _, path := range []string{"/v1/buddies", "/v1/buddies/bob@example.net", "/v1/presence", "/v1/invitations", "/v1/presence/me"} {
		f.want(200, "GET", path, "", nil)
	}
	for path, body := range map[string]string{
		"POST /v1/messages":                     `{"to":"bob@example.net","body":"x"}`,
		"POST /v1/buddies":                      `{"jid":"eve@example.net"}`,
		"PATCH /v1/buddies/bob@example.net":     `{"name":"x"}`,
		"DELETE /v1/buddies/bob@example.net":    "",
		"PUT /v1/presence/me":                   `{}`,
		"PUT /v1/chat-states/bob@example.net":   `{"state":"active"}`,
		"GET /v1/archive?with=bob@example.net":  "",
		"POST /v1/stanzas":                      `{"xml":"<iq/>"}`,
		"GET /v1/jids?account=mary@contoso.com": "",
		"GET /v1/vcards/eve@example.net":        "",
		"GET /v1/vcards/me/photo":               "",
	} {
		method, path, _ := strings.Cut(path, " ")
		a := f.refused(401, "unauthorized", "", method, path, body)
		if !bytes.Contains(a.body, []byte("/v1/session/credentials")) {
			t.Errorf("%s does not say what to do: %s, want the address for credentials", path, a.body)
		}
	}
	f.refused(401, "unauthorized", "", "PUT", "/v1/session/credentials", `{"token":"bad-fresh-token"}`)
	f.want(204, "PUT", "/v1/session/credentials", `{"token":"good-fresh-token"}`, nil)
	fresh := []string{"Authorization", "Bearer good-fresh-token", "Content-Type", "application/json"}
	a := f.do("POST", "/v1/messages", `{"to":"bob@example.net","body":"x"}`, fresh...)
	if a.status != 202 {
		t.Errorf("with the fresh token: %d %s, want 202", a.status, a.body)
	}
	if b := f.do("GET", "/v1/buddies/bob@example.net", "", fresh...); b.status != 200 {
		t.Errorf("the roster is gone: %d %s, want 200", b.status, b.body)
	}
	f.refused(401, "unauthorized", "", "GET", "/v1/session", "") // the old token has no session now
}

// No token, password, JID or query of a request may come into the log.
func TestLogHasNoSecrets(t *testing.T) {
	var log bytes.Buffer
	f := newGateway(t, func(o *gatewayOptions) {
		o.Logger = canary.Logger(slog.NewJSONHandler(&lockedWriter{w: &log}, &slog.HandlerOptions{Level: slog.LevelInfo}))
	})
	f.signIn()
	f.call("GET", "/v1/buddies/dave-canary@example.net", "")
	f.call("GET", "/v1/buddies?q=query-canary", "")
	f.call("POST", "/v1/messages", `{"to":"dave-canary@example.net","body":"body-canary"}`)
	f.call("GET", "/v1/nowhere-canary", "")
	f.call("GET", "/v1/session?token=canary", "")
	f.do("CANARY", "/v1/session", "")
	f.do("GET", "/v1/session", "", "Authorization", "Bearer bad-canary", "X-Request-Id", "canary canary")
	text := log.String()
	if strings.Contains(strings.ToLower(text), "canary") {
		t.Errorf("the log says too much: %s, want no secret", text)
	}
	for _, want := range []string{`"route":"/v1/buddies/{jid}"`, `"status":404`, `"request_id"`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in %s, want it in the log", want, text)
		}
	}
}
