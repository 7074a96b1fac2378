package messenger_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/perch-im/perch/messenger"
)

// browser follows no redirect: the test looks at them.
type browser struct {
	t    *testing.T
	base string
	http *http.Client
}

func newBrowser(t *testing.T, s *messenger.Service) browser {
	srv := httptest.NewServer(s.OAuthHandler())
	t.Cleanup(srv.Close)
	c := srv.Client()
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return browser{t, srv.URL, c}
}

func (b browser) do(r *http.Request) (*http.Response, string) {
	b.t.Helper()
	res, err := b.http.Do(r)
	if err != nil {
		b.t.Fatalf("http.Do: got error %v, want none", err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatalf("io.ReadAll: got error %v, want none", err)
	}
	return res, string(body)
}

func (b browser) get(path string, q url.Values) (*http.Response, string) {
	b.t.Helper()
	r, err := http.NewRequest("GET", b.base+path+"?"+q.Encode(), nil)
	if err != nil {
		b.t.Fatalf("http.NewRequest: got error %v, want none", err)
	}
	return b.do(r)
}

func (b browser) post(path string, form url.Values) (*http.Response, string) {
	b.t.Helper()
	r, err := http.NewRequest("POST", b.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatalf("http.NewRequest: got error %v, want none", err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.do(r)
}

const callback = "http://127.0.0.1:9999/callback"

func request(kind string) url.Values {
	return url.Values{
		"client_id": {"000000004C0BA"}, "redirect_uri": {callback}, "response_type": {kind},
		"scope": {"wl.signin wl.messenger wl.offline_access"}, "state": {"a b&c"},
	}
}

var ticketRule = regexp.MustCompile(`name="ticket" value="([^"]+)"`)

// consent walks over the page and returns where the browser is sent.
func (b browser) consent(q url.Values, account, decision string) *url.URL {
	b.t.Helper()
	res, body := b.get(messenger.AuthorizePath, q)
	m := ticketRule.FindStringSubmatch(body)
	if res.StatusCode != 200 || m == nil {
		b.t.Fatalf("consent page: %d %s, want 200 and one", res.StatusCode, body)
	}
	res, body = b.post(messenger.AuthorizePath, url.Values{"ticket": {m[1]}, "account": {account}, "decision": {decision}})
	if res.StatusCode != http.StatusSeeOther {
		b.t.Fatalf("consent: %d %s, want %d", res.StatusCode, body, http.StatusSeeOther)
	}
	to, err := res.Location()
	if err != nil {
		b.t.Fatalf("res.Location: got error %v, want none", err)
	}
	if !strings.HasPrefix(to.String(), callback) {
		b.t.Fatalf("sent to %s, want %q at its beginning", to, callback)
	}
	return to
}

func TestM04ConsentToSession(t *testing.T) {
	s := demo(t)
	b := newBrowser(t, s)
	to := b.consent(request("token"), "alice", "allow")
	if strings.Contains(to.EscapedFragment(), "+") || !strings.Contains(to.EscapedFragment(), "%2B") {
		t.Errorf("the fragment is not percent-encoded: %s, want no %q in it and %q in it", to.EscapedFragment(), "+", "%2B")
	}
	f, err := url.ParseQuery(to.EscapedFragment())
	if err != nil || f.Get("state") != "a b&c" || f.Get("expires_in") != "3600" || f.Get("scope") != "wl.messenger wl.offline_access" {
		t.Errorf("fragment %v (%v), want no error and %q and %q and %q", f, err, "a b&c", "3600", "wl.messenger wl.offline_access")
	}
	alice := online(t, s, f.Get("access_token"))
	if !strings.HasPrefix(alice.jid, string(s.JID("alice"))) {
		t.Errorf("signed in as %s, want %q at its beginning", alice.jid, string(s.JID("alice")))
	}
}

func TestM17CodeAndRefresh(t *testing.T) {
	s := demo(t)
	b := newBrowser(t, s)
	code := b.consent(request("code"), "bob", "allow").Query().Get("code")
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "client_id": {"000000004C0BA"}, "redirect_uri": {callback}}
	for range 2 {
		res, body := b.post(messenger.TokenPath, form)
		var got struct {
			TokenType    string `json:"token_type"`
			ExpiresIn    int    `json:"expires_in"`
			AccessToken  string `json:"access_token"`
			RefreshToken string `json:"refresh_token"`
		}
		if err := json.Unmarshal([]byte(body), &got); err != nil || res.StatusCode != 200 || got.ExpiresIn != 3600 || got.TokenType != "bearer" {
			t.Fatalf("got %d %s, want no error and 200 and 3600 and %q", res.StatusCode, body, "bearer")
		}
		if res.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("a token may be cached, want %q", "no-store")
		}
		online(t, s, got.AccessToken)
		if res, body := b.post(messenger.TokenPath, form); res.StatusCode != 400 || !strings.Contains(body, "invalid_grant") {
			t.Errorf("used twice: %d %s, want 400 and %q in it", res.StatusCode, body, "invalid_grant")
		}
		form = url.Values{"grant_type": {"refresh_token"}, "refresh_token": {got.RefreshToken}, "client_id": {"000000004C0BA"}}
	}
	if s.Logins("bob") != 2 {
		t.Errorf("%d logins, want 2", s.Logins("bob"))
	}
}

func TestTokenEndpointRefusals(t *testing.T) {
	s := demo(t)
	b := newBrowser(t, s)
	fresh := func() url.Values {
		return url.Values{
			"grant_type": {"authorization_code"}, "client_id": {"000000004C0BA"}, "redirect_uri": {callback},
			"code": {b.consent(request("code"), "bob", "allow").Query().Get("code")},
		}
	}
	for name, tt := range map[string]struct{ key, value, want string }{
		"other client":   {"client_id", "another", "invalid_grant"},
		"other redirect": {"redirect_uri", callback + "/", "invalid_grant"},
		"other code":     {"code", "guess", "invalid_grant"},
		"other grant":    {"grant_type", "password", "unsupported_grant_type"},
		"wrong kind":     {"grant_type", "refresh_token", "invalid_grant"},
	} {
		form := fresh()
		form.Set(tt.key, tt.value)
		if res, body := b.post(messenger.TokenPath, form); res.StatusCode != 400 || !strings.Contains(body, tt.want) {
			t.Errorf("%s: %d %s, want 400 and %q in it", name, res.StatusCode, body, tt.want)
		}
	}
	if res, _ := b.post(messenger.TokenPath, url.Values{"code": {strings.Repeat("x", 100<<10)}}); res.StatusCode != 400 {
		t.Errorf("a form too big: %d, want 400", res.StatusCode)
	}
}

func TestConsentPageChecksItsRequest(t *testing.T) {
	b := newBrowser(t, demo(t))
	for name, tt := range map[string]struct {
		key, value string
		status     int
		want       string // in the body, or in the address sent to
	}{
		"no client":         {"client_id", "", 400, "client_id"},
		"foreign redirect":  {"redirect_uri", "https://evil.example/", 400, "redirect_uri"},
		"lookalike":         {"redirect_uri", "http://127.0.0.1.evil.example/", 400, "redirect_uri"},
		"user info":         {"redirect_uri", "http://127.0.0.1@evil.example/", 400, "redirect_uri"},
		"backslash":         {"redirect_uri", "http://127.0.0.1\\@evil.example/", 400, "redirect_uri"},
		"fragment":          {"redirect_uri", callback + "#x", 400, "redirect_uri"},
		"script":            {"redirect_uri", "javascript:alert(1)", 400, "redirect_uri"},
		"no redirect":       {"redirect_uri", "", 400, "redirect_uri"},
		"too long":          {"state", strings.Repeat("x", 2000), 400, "too long"},
		"other kind":        {"response_type", "id_token", 303, "#error=unsupported_response_type"},
		"no messenger":      {"scope", "wl.signin", 303, "error=invalid_scope"},
		"unknown scope":     {"scope", "wl.messenger openid", 303, "error=invalid_scope"},
		"IPv6":              {"redirect_uri", "http://[::1]:1/", 200, "ticket"},
		"localhost":         {"redirect_uri", "http://localhost/cb?x=1", 200, "ticket"},
		"the service's own": {"redirect_uri", b.base + messenger.DesktopPath, 200, "ticket"},
	} {
		q := request("token")
		q.Set(tt.key, tt.value)
		res, body := b.get(messenger.AuthorizePath, q)
		if res.StatusCode != tt.status || !strings.Contains(body+res.Header.Get("Location"), tt.want) {
			t.Errorf("%s: %d %s %s, want %v and %q in it", name, res.StatusCode, res.Header.Get("Location"), body, tt.status, tt.want)
		}
	}
}

func TestConsentPageIsSafe(t *testing.T) {
	s := demo(t)
	b := newBrowser(t, s)
	q := request("token")
	q.Set("client_id", `<script>alert("1")</script>`)
	res, body := b.get(messenger.AuthorizePath, q)
	if strings.Contains(body, "<script>") {
		t.Errorf("client_id is not escaped, want no %q in it", "<script>")
	}
	policy := res.Header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "form-action 'self' http://127.0.0.1:9999") || strings.Contains(policy, "unsafe") {
		t.Errorf("policy %q, want %q in it and %q in it and no %q in it", policy, "default-src 'none'", "form-action 'self' http://127.0.0.1:9999", "unsafe")
	}
	if res.Header.Get("Referrer-Policy") != "no-referrer" || res.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("headers %v, want %q and %q", res.Header, "no-referrer", "nosniff")
	}
	if strings.Contains(body, "Wanda") || !strings.Contains(body, "alice@contoso.com") {
		t.Errorf("the accounts to pick from are not the people, want no %q in it and %q in it", "Wanda", "alice@contoso.com")
	}
	ticket := ticketRule.FindStringSubmatch(body)[1]
	form := url.Values{"ticket": {ticket}, "account": {"wanda"}, "decision": {"allow"}}
	if res, _ := b.post(messenger.AuthorizePath, form); res.StatusCode != 400 {
		t.Errorf("signed in as a bot: %d, want 400", res.StatusCode)
	}
	form.Set("account", "alice")
	if res, _ := b.post(messenger.AuthorizePath, form); res.StatusCode != 400 {
		t.Errorf("a ticket used twice: %d, want 400", res.StatusCode)
	}
	if to := b.consent(request("code"), "alice", "deny"); to.Query().Get("error") != "access_denied" || to.Query().Get("state") != "a b&c" {
		t.Errorf("declined: %s, want %q and %q", to, "access_denied", "a b&c")
	}
	for _, path := range []string{messenger.DesktopPath, "/oauth20_style.css"} {
		if res, body := b.get(path, nil); res.StatusCode != 200 || body == "" {
			t.Errorf("%s: got %d, want 200 and some text", path, res.StatusCode)
		}
	}
}

func TestConsentPageStaysOnLoopback(t *testing.T) {
	o := messenger.Demo()
	for _, remote := range []bool{false, true} {
		o.AllowRemote = remote
		s, err := messenger.New(o)
		if err != nil {
			t.Fatalf("messenger.New: got error %v, want none", err)
		}
		for _, tt := range []struct{ host, from string }{{"rebound.example", "127.0.0.1:1"}, {"127.0.0.1:80", "192.0.2.1:1"}} {
			r := httptest.NewRequest("GET", messenger.AuthorizePath+"?"+request("token").Encode(), nil)
			r.Host, r.RemoteAddr = tt.host, tt.from
			w := httptest.NewRecorder()
			s.OAuthHandler().ServeHTTP(w, r)
			if want := map[bool]int{false: 403, true: 200}[remote]; w.Code != want {
				t.Errorf("AllowRemote %v, %v: %d, want %v", remote, tt, w.Code, want)
			}
		}
	}
	r := httptest.NewRequest("POST", messenger.AuthorizePath, strings.NewReader("ticket=x"))
	r.Host, r.RemoteAddr = "127.0.0.1:80", "127.0.0.1:1"
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	s, _ := messenger.New(messenger.Demo())
	w := httptest.NewRecorder()
	if s.OAuthHandler().ServeHTTP(w, r); w.Code != 403 {
		t.Errorf("a form of another site: %d, want 403", w.Code)
	}
}
