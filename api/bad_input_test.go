package api_test

import (
	"strings"
	"testing"

	"github.com/perch-im/perch"
)

// Every kind of bad input has its documented problem, and harms nothing: afterwards the
// session is online on its first and only login, and nothing has gone to the upstream.
func TestBadInput(t *testing.T) {
	f := newGateway(t)
	f.up.Edit(func(d *fakeData) {
		d.Roster = []perch.Buddy{{JID: "bob@example.net", Subscription: perch.SubscriptionBoth}}
	})
	conn := f.signIn()
	sent := len(conn.Sent())
	long := strings.Repeat("x", 300<<10)
	for _, tt := range []struct {
		name, method, path, body string
		status                   int
		code, pointer            string
		header                   []string
	}{
		{"unknown field", "POST", "/v1/messages", `{"to":"bob@example.net","body":"x","colour":"red"}`, 422, "validation", "/colour", nil},
		{"broken JSON", "POST", "/v1/messages", `{"to":`, 400, "malformed-json", "", nil},
		{"no body", "POST", "/v1/messages", "", 400, "malformed-json", "", nil},
		{"JSON that is no object", "POST", "/v1/messages", `"hello"`, 400, "malformed-json", "", nil},
		{"trailing garbage", "POST", "/v1/messages", `{"to":"bob@example.net","body":"x"}{`, 400, "malformed-json", "", nil},
		{"duplicate key", "POST", "/v1/messages", `{"to":"bob@example.net","body":"x","body":"y"}`, 400, "malformed-json", "/body", nil},
		{"invalid UTF-8", "POST", "/v1/messages", "{\"to\":\"bob@example.net\",\"body\":\"\xff\"}", 400, "malformed-json", "", nil},
		{"300 KiB", "POST", "/v1/messages", `{"to":"bob@example.net","body":"` + long + `"}`, 413, "body-too-large", "", nil},
		{"form", "POST", "/v1/messages", `to=bob`, 415, "unsupported-media-type", "", []string{"Content-Type", "application/x-www-form-urlencoded"}},
		{"another charset", "POST", "/v1/messages", `{}`, 415, "unsupported-media-type", "", []string{"Content-Type", "application/json; charset=utf-16"}},
		{"compressed", "POST", "/v1/messages", `{}`, 415, "unsupported-media-type", "", []string{"Content-Type", "application/json", "Content-Encoding", "gzip"}},
		{"no recipient", "POST", "/v1/messages", `{"body":"x"}`, 422, "validation", "/to", nil},
		{"bad recipient", "POST", "/v1/messages", `{"to":"@@","body":"x"}`, 422, "jid-malformed", "/to", nil},
		{"recipient with a blank", "POST", "/v1/messages", `{"to":"a b@example.net","body":"x"}`, 422, "jid-malformed", "/to", nil},
		{"empty message", "POST", "/v1/messages", `{"to":"bob@example.net","body":""}`, 422, "validation", "/body", nil},
		{"blank message", "POST", "/v1/messages", `{"to":"bob@example.net","body":" \n"}`, 422, "validation", "/body", nil},
		{"forbidden character", "POST", "/v1/messages", `{"to":"bob@example.net","body":"a\u0000b"}`, 422, "validation", "/body", nil},
		{"wrong type", "POST", "/v1/messages", `{"to":7,"body":"x"}`, 422, "validation", "/to", nil},
		{"unknown kind", "POST", "/v1/messages", `{"to":"bob@example.net","body":"x","kind":"shout"}`, 422, "validation", "/kind", nil},
		{"id with a blank", "POST", "/v1/messages", `{"to":"bob@example.net","body":"x","id":"a b"}`, 422, "validation", "/id", nil},
		{"bad idempotency key", "POST", "/v1/messages", `{"to":"bob@example.net","body":"x"}`, 422, "validation", "Idempotency-Key", []string{"Idempotency-Key", `"half`}},
		{"query on a POST", "POST", "/v1/messages?x=1", `{"to":"bob@example.net","body":"x"}`, 422, "validation", "?x", nil},
		{"unknown query", "GET", "/v1/buddies?gruop=x", "", 422, "validation", "?gruop", nil},
		{"limit of words", "GET", "/v1/buddies?limit=ten", "", 422, "validation", "?limit", nil},
		{"limit 0", "GET", "/v1/buddies?limit=0", "", 422, "validation", "?limit", nil},
		{"limit 201", "GET", "/v1/buddies?limit=201", "", 422, "validation", "?limit", nil},
		{"limit twice", "GET", "/v1/buddies?limit=1&limit=2", "", 422, "validation", "?limit", nil},
		{"foreign cursor", "GET", "/v1/buddies?cursor=abc", "", 422, "validation", "?cursor", nil},
		{"unknown include", "GET", "/v1/buddies?include=vcard", "", 422, "validation", "?include", nil},
		{"query that is none", "GET", "/v1/buddies?q=%zz", "", 422, "validation", "?", nil},
		{"query not in UTF-8", "GET", "/v1/buddies?q=%ff", "", 422, "validation", "?q", nil},
		{"token in the URL", "GET", "/v1/buddies?access_token=x", "", 401, "unauthorized", "", nil},
		{"bad JID in a path", "GET", "/v1/presence/a%20b@example.net", "", 422, "jid-malformed", "{jid}", nil},
		{"resource in a path", "GET", "/v1/buddies/bob@example.net%2Fphone", "", 422, "jid-malformed", "{jid}", nil},
		{"bad JID in a query", "GET", "/v1/presence?jid=@", "", 422, "jid-malformed", "?jid", nil},
		{"neither jid nor account", "POST", "/v1/buddies", `{"name":"x"}`, 422, "validation", "/jid", nil},
		{"both jid and account", "POST", "/v1/buddies", `{"jid":"a@b.c","account":"a@b.c"}`, 422, "validation", "/jid", nil},
		{"account that is none", "POST", "/v1/buddies", `{"account":"mary"}`, 422, "validation", "/account", nil},
		{"group twice", "POST", "/v1/buddies", `{"jid":"a@b.c","groups":["x","x"]}`, 422, "validation", "/groups/1", nil},
		{"empty group", "POST", "/v1/buddies", `{"jid":"a@b.c","groups":[""]}`, 422, "validation", "/groups/0", nil},
		{"name of two lines", "POST", "/v1/buddies", `{"jid":"a@b.c","name":"x\ny"}`, 422, "validation", "/name", nil},
		{"patch of nothing", "PATCH", "/v1/buddies/bob@example.net", `{}`, 422, "validation", "/name", nil},
		{"unknown show", "PUT", "/v1/presence/me", `{"show":"busy"}`, 422, "validation", "/show", nil},
		{"priority too large", "PUT", "/v1/presence/me", `{"priority":128}`, 422, "validation", "/priority", nil},
		{"unknown chat state", "PUT", "/v1/chat-states/bob@example.net", `{"state":"typing"}`, 422, "validation", "/state", nil},
		{"archive without an account", "GET", "/v1/archive", "", 422, "validation", "?with", nil},
		{"archive both ways", "GET", "/v1/archive?with=bob@example.net&before=1&after=2", "", 422, "validation", "?before", nil},
		{"archive of no time", "GET", "/v1/archive?with=bob@example.net&start=yesterday", "", 422, "validation", "?start", nil},
		{"archive backwards", "GET", "/v1/archive?with=bob@example.net&start=2026-01-02T00:00:00Z&end=2026-01-01T00:00:00Z", "", 422, "validation", "?end", nil},
		{"lookup of nothing", "GET", "/v1/jids", "", 422, "validation", "?account", nil},
		{"lookup of markup", "GET", "/v1/jids?account=%3Cx%3E@y", "", 422, "validation", "?account", nil},
		{"vCard with a pdf for a photo", "PUT", "/v1/vcards/me", `{"photo":{"data":"JVBERi0xLjQ="}}`, 422, "validation", "/photo/data", nil},
		{"vCard with no base64", "PUT", "/v1/vcards/me", `{"photo":{"data":"%"}}`, 422, "validation", "/photo/data", nil},
		{"refresh of words", "GET", "/v1/vcards/bob@example.net?refresh=please", "", 422, "validation", "?refresh", nil},
		{"body of a decline", "POST", "/v1/invitations/bob@example.net/decline", `{"reason":"x"}`, 422, "validation", "/reason", nil},
		{"sign-in with two secrets", "POST", "/v1/session", `{"jid":"a@b.c","password":"x","token":"y"}`, 422, "validation", "/password", nil},
		{"sign-in with none", "POST", "/v1/session", `{"jid":"a@b.c"}`, 422, "validation", "/password", nil},
		{"sign-in with a bad JID", "POST", "/v1/session", `{"jid":"@","password":"x"}`, 422, "jid-malformed", "/jid", nil},
		{"credentials of nothing", "PUT", "/v1/session/credentials", `{}`, 422, "validation", "/password", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := *f
			f.t = t
			f.refused(tt.status, tt.code, tt.pointer, tt.method, tt.path, tt.body, tt.header...)
		})
	}
	if info := f.state(); info.State != perch.StateOnline {
		t.Errorf("the session is %+v, want it online", info)
	}
	if n := len(f.up.Dials()); n != 1 {
		t.Errorf("%d logins, want 1", n)
	}
	if got := conn.Sent(); len(got) != sent {
		t.Errorf("the upstream was sent %v, want nothing", got[sent:])
	}
}

func TestBodyAtTheLimit(t *testing.T) {
	f := newGateway(t, func(o *gatewayOptions) { o.BodyBytes = 1000 })
	f.signIn()
	frame := `{"to":"bob@example.net","body":""}`
	fits := `{"to":"bob@example.net","body":"` + strings.Repeat("x", 1000-len(frame)) + `"}`
	f.want(202, "POST", "/v1/messages", fits, nil)
	f.refused(413, "body-too-large", "", "POST", "/v1/messages", fits+" ")
}

func TestUnknownTokenDoesNotReachTheUpstreamTwice(t *testing.T) {
	f := newGateway(t)
	for range 3 {
		a := f.do("GET", "/v1/buddies", "", "Authorization", "Bearer bad-token")
		if p := a.problem(t); p.Code != "unauthorized" {
			t.Errorf("got %s, want the problem unauthorized", a.body)
		}
	}
	if n := len(f.up.Dials()); n != 1 {
		t.Errorf("%d logins reached the upstream, want 1", n)
	}
}

func TestAuthorizationHeader(t *testing.T) {
	f := newGateway(t)
	for name, header := range map[string][]string{
		"none":           nil,
		"another scheme": {"Authorization", "Basic YTpi"},
		"no token":       {"Authorization", "Bearer"},
		"blank token":    {"Authorization", "Bearer  "},
		"two headers":    {"Authorization", "Bearer a", "Authorization", "Bearer b"},
		"two tokens":     {"Authorization", "Bearer a b"},
		"too long":       {"Authorization", "Bearer " + strings.Repeat("x", 13<<10)},
		"not ASCII":      {"Authorization", "Bearer t\xc3\xb6ken"},
	} {
		if p := f.do("GET", "/v1/session", "", header...).problem(t); p.Code != "unauthorized" {
			t.Errorf("%s: %+v, want the problem unauthorized", name, p)
		}
	}
	if p := f.do("GET", "/v1/session?token="+token, "").problem(t); p.Code != "unauthorized" {
		t.Errorf("token in the query: %+v, want the problem unauthorized", p)
	}
	if p := f.do("POST", "/v1/session", "").problem(t); p.Code != "unauthorized" {
		t.Errorf("POST without anything: %+v, want the problem unauthorized", p)
	}
	if n := len(f.up.Dials()); n != 0 {
		t.Errorf("%d logins, want none", n)
	}
	if a := f.do("GET", "/v1/session", "", "Authorization", "bEARER  "+token); a.status != 200 {
		t.Errorf("the scheme in other letters: %d %s, want 200", a.status, a.body)
	}
}
