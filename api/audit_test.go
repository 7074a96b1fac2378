package api_test

import (
	"encoding/json"
	"log/slog"
	"net/netip"
	"strings"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/fakexmpp"
)

// logged makes a gateway log to l, at info.
func logged(l *lockedBuffer, edit ...func(*gatewayOptions)) func(*gatewayOptions) {
	return func(o *gatewayOptions) {
		o.Logger = canary.Logger(slog.NewJSONHandler(l, &slog.HandlerOptions{Level: slog.LevelInfo}))
		for _, f := range edit {
			f(o)
		}
	}
}

// linesOf are those with a message.
func linesOf(t *testing.T, l *lockedBuffer, msg string) (lines []map[string]any) {
	t.Helper()
	for text := range strings.Lines(l.String()) {
		var line map[string]any
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatalf("got error %v of the line %s, want none", err, text)
		}
		if line["msg"] == msg {
			lines = append(lines, line)
		}
	}
	return lines
}

// TestAuditLines: who signed in, minted, replaced, was refused and signed out stands in a line, and
// no credential does.
func TestAuditLines(t *testing.T) {
	var log lockedBuffer
	g := newGateway(t, logged(&log))
	password, bad, access := canary.Secret(), "bad-"+canary.Secret(), canary.Secret()
	post := func(body string) answer {
		return g.do("POST", "/v1/session", body, "Content-Type", "application/json")
	}
	a := post(`{"jid":"carol-hidden@example.net","upstream":"other","password":"` + password + `"}`)
	if a.status != 201 {
		t.Fatalf("sign-in: got %d %s, want 201", a.status, a.body)
	}
	var minted struct{ Token string }
	if err := json.Unmarshal([]byte(a.body), &minted); err != nil || minted.Token == "" {
		t.Fatalf("sign-in: got %s, error %v, want a token", a.body, err)
	}
	canary.Note(minted.Token)
	fresh := canary.Secret()
	bearer := []string{"Authorization", "Bearer " + minted.Token, "Content-Type", "application/json"}
	for _, step := range []struct {
		what         string
		status       int
		method, path string
		body         string
		header       []string
	}{
		{"refused password", 401, "POST", "/v1/session", `{"jid":"dave-hidden@example.net","upstream":"other","password":"` + bad + `"}`, bearer[2:]},
		{"refused bearer", 401, "GET", "/v1/session", "", []string{"Authorization", "Bearer " + bad}},
		{"refused replacement", 401, "PUT", "/v1/session/credentials", `{"password":"` + bad + `"}`, bearer},
		{"replacement", 204, "PUT", "/v1/session/credentials", `{"password":"` + fresh + `"}`, bearer},
		{"access token", 200, "GET", "/v1/session", "", []string{"Authorization", "Bearer " + access}},
		{"the same once more", 200, "GET", "/v1/session", "", []string{"Authorization", "Bearer " + access}},
		{"sign-out", 204, "DELETE", "/v1/session", "", bearer},
	} {
		if a := g.do(step.method, step.path, step.body, step.header...); a.status != step.status {
			t.Errorf("%s: got %d %s, want %d", step.what, a.status, a.body, step.status)
		}
	}
	g.try("ticket=not-a-ticket-hidden", nil)
	for msg, want := range map[string][]string{
		"signed in":           {"password", "bearer"},
		"token minted":        {""},
		"credential refused":  {"password", "bearer", "replacement", "ticket"},
		"credential replaced": {""},
		"signed out":          {""},
	} {
		lines := linesOf(t, &log, msg)
		if len(lines) != len(want) {
			t.Errorf("%s: got %d lines %v, want %d", msg, len(lines), lines, len(want))
			continue
		}
		for i, line := range lines {
			if credential, _ := line["credential"].(string); credential != want[i] || line["audit"] != true || line["client"] != "127.0.0.1" || line["request_id"] == "" || line["level"] != "INFO" {
				t.Errorf("%s: got %v, want the credential %q, audit true, the client 127.0.0.1 and a request id, at info", msg, line, want[i])
			}
			if session, _ := line["session"].(string); (msg != "credential refused" || want[i] == "replacement") && len(session) != 8 {
				t.Errorf("%s: got the session %q, want the beginning of its id", msg, session)
			}
		}
	}
	first, replaced := linesOf(t, &log, "signed in")[0], linesOf(t, &log, "credential replaced")[0]
	if first["account"] == nil || first["account"] != replaced["account"] || first["session"] != replaced["session"] {
		t.Errorf("got %v and %v, want the same account and session in both", first, replaced)
	}
	for what, secret := range map[string]string{
		"password": password, "refused credential": bad, "fresh password": fresh, "access token": access, "minted token": minted.Token,
		"mark of secrets": canary.Mark, "JIDs and ticket": "hidden",
	} {
		if text := log.String(); strings.Contains(text, secret) {
			t.Errorf("got the %s in the log, want none:\n%s", what, text)
		}
	}
}

// TestNoTokenForRoomsThatAreNot: a sign-in that fails for what it asks beside it makes no token that
// its client would never see.
func TestNoTokenForRoomsThatAreNot(t *testing.T) {
	var log lockedBuffer
	g := newGateway(t, logged(&log))
	g.up.Edit(func(d *fakexmpp.Data) { d.Capabilities = perch.Capabilities{ChatOnly: true} })
	body := `{"jid":"carol@example.net","upstream":"other","password":"` + canary.Secret() + `","rooms":"autojoin"}`
	for range 2 {
		if a := g.do("POST", "/v1/session", body, "Content-Type", "application/json"); a.status != 501 {
			t.Errorf("got %d %s, want 501: this upstream has no rooms", a.status, a.body)
		}
	}
	if in, minted := linesOf(t, &log, "signed in"), linesOf(t, &log, "token minted"); len(in) != 2 || len(minted) != 0 {
		t.Errorf("got %v and %v, want two sign-ins and no token", in, minted)
	}
}

// TestRefusedCredentialsAreBounded: a flood of guesses from one address is a few lines, whatever
// --sign-in-rate allows.
func TestRefusedCredentialsAreBounded(t *testing.T) {
	var log lockedBuffer
	g := newGateway(t, logged(&log, func(o *gatewayOptions) { o.SignInRate = o.IPRate }))
	const guesses = 200
	for range guesses {
		if a := g.do("GET", "/v1/session", "", "Authorization", "Bearer perch_"+canary.Secret()); a.status != 401 {
			t.Fatalf("a guess: got %d %s, want 401", a.status, a.body)
		}
	}
	lines := linesOf(t, &log, "credential refused")
	if len(lines) < 5 || len(lines) > 12 {
		t.Fatalf("got %d lines of %d refusals, want 5 to 12", len(lines), guesses)
	}
	if last, _ := lines[len(lines)-1]["refusals"].(float64); last < guesses/2 {
		t.Errorf("got %v refusals in the last line, want at least half of %d", last, guesses)
	}
}

// TestRequestLines have the client by the rules of trusted proxies, and its session.
func TestRequestLines(t *testing.T) {
	for name, tt := range map[string]struct {
		trusted []netip.Prefix
		xff     string
		want    string
	}{
		"no proxy":             {nil, "192.0.2.9", "127.0.0.1"},
		"trusted proxy":        {[]netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, "192.0.2.9", "192.0.2.9"},
		"claimed before it":    {[]netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, "198.51.100.1, 192.0.2.9", "192.0.2.9"},
		"another proxy":        {[]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, "192.0.2.9", "127.0.0.1"},
		"IPv6, without a zone": {[]netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, "2001:db8::7", "2001:db8::7"},
	} {
		t.Run(name, func(t *testing.T) {
			var log lockedBuffer
			g := newGateway(t, logged(&log, func(o *gatewayOptions) { o.TrustedProxies = tt.trusted }))
			g.signIn()
			a := g.do("GET", "/v1/buddies", "", "Authorization", "Bearer "+token, "X-Forwarded-For", tt.xff, "X-Request-Id", "the-very-one")
			if a.status != 200 {
				t.Fatalf("got %d %s, want 200", a.status, a.body)
			}
			g.srv.Close() // all lines are written
			for _, line := range linesOf(t, &log, "request") {
				if line["request_id"] != "the-very-one" {
					continue
				}
				session, _ := line["session"].(string)
				if line["client"] != tt.want || len(session) != 8 || line["route"] != "/v1/buddies" || line["node"] != nil {
					t.Errorf("got %v, want the client %s, a session, and no node of a gateway that is alone", line, tt.want)
				}
				return
			}
			t.Errorf("got %s, want a line of the request", log.String())
		})
	}
}

// TestRequestLinesOfNodes: a request that another node answers has a line on both, each with its
// node and the client's address; the first one names the owner.
func TestRequestLinesOfNodes(t *testing.T) {
	var log lockedBuffer
	n := newNodes(t, logged(&log))
	n.openAtB("tok-alice")
	n.a.get("/v1/buddies", "tok-alice", header("X-Request-Id", "the-very-one"))
	n.a.srv.Close()
	n.b.srv.Close() // all lines are written
	self := func(g *gateway) string { return string(g.manager.Self().ID) }
	at := map[any]map[string]any{}
	for _, line := range linesOf(t, &log, "request") {
		if line["request_id"] == "the-very-one" {
			at[line["node"]] = line
		}
	}
	a, b := at[self(n.a)], at[self(n.b)]
	if a == nil || b == nil || a["owner"] != self(n.b) || b["owner"] != nil || a["client"] != "127.0.0.1" || b["client"] != "127.0.0.1" || b["session"] == nil {
		t.Errorf("got %v of a and %v of b, want the client in both, the owner in a's, the session in b's", a, b)
	}
}

// TestNoRequestLines: the lines about requests can be turned off, and others stay.
func TestNoRequestLines(t *testing.T) {
	var log lockedBuffer
	g := newGateway(t, logged(&log, func(o *gatewayOptions) { o.NoRequestLines = true }))
	g.signIn()
	g.do("GET", "/v1/session", "", "Authorization", "Bearer bad-"+canary.Secret())
	g.srv.Close()
	if got := linesOf(t, &log, "request"); len(got) != 0 {
		t.Errorf("got %v, want no line of a request", got)
	}
	if got := linesOf(t, &log, "credential refused"); len(got) != 1 {
		t.Errorf("got %v, want the audit line", got)
	}
}
