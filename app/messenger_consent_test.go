package app_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch/app"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/testkit"
	"github.com/perch-im/perch/messenger"
)

// demo runs the gateway as it is without any configuration, on free ports.
func demo(t *testing.T) *app.App {
	t.Helper()
	a, err := app.New(app.Options{Listen: "127.0.0.1:0", AdminListen: "off", Logger: canary.Logger()})
	if err != nil {
		t.Fatalf("app.New: got error %v, want none", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := a.Stop(ctx); err != nil {
			t.Errorf("a.Stop: got error %v, want none", err)
		}
	})
	if err := a.Start(); err != nil {
		t.Fatalf("a.Start: got error %v, want none", err)
	}
	return a
}

// browser follows no redirect by itself: the test looks at each.
type browser struct{ http *http.Client }

func newBrowser(t *testing.T) browser {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return browser{&http.Client{Transport: transport, Timeout: 20 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}}
}

// open loads a page, or sends a form when there is one.
func (b browser) open(t *testing.T, address string, form url.Values) (*http.Response, string) {
	t.Helper()
	var res *http.Response
	var err error
	if form == nil {
		res, err = b.http.Get(address)
	} else {
		res, err = b.http.PostForm(address, form)
	}
	if err != nil {
		t.Fatalf("%s: got error %v, want none", address, err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("io.ReadAll: got error %v, want none", err)
	}
	return res, string(body)
}

var ticketField = regexp.MustCompile(`name="ticket" value="([^"]+)"`)

// consent says yes, as an account, and gives the address that the page leads to.
func (b browser) consent(t *testing.T, address, account string) *url.URL {
	t.Helper()
	res, body := b.open(t, address, nil)
	ticket := ticketField.FindStringSubmatch(body)
	if res.StatusCode != http.StatusOK || ticket == nil {
		t.Fatalf("consent page: %s\n%s, want %d and one", res.Status, body, http.StatusOK)
	}
	for _, want := range []string{"wl.messenger", "alice@contoso.com", "bob@contoso.com", "carol@contoso.com"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not say %s, want %q in it", want, want)
		}
	}
	page, _, _ := strings.Cut(address, "?")
	res, body = b.open(t, page, url.Values{"ticket": {ticket[1]}, "account": {account}, "decision": {"allow"}})
	to, err := res.Location()
	if err != nil || res.StatusCode != http.StatusSeeOther {
		t.Fatalf("consent: %s %v\n%s, want no error and %d", res.Status, err, body, http.StatusSeeOther)
	}
	return to
}

// TestM04ConsentToSession walks the whole sign-in of the documents on the demo: the page
// asks, the access token is in the fragment, and is the bearer token of the
// gateway, as it stands there and decoded.
func TestM04ConsentToSession(t *testing.T) {
	a := demo(t)
	b := newBrowser(t)
	to := b.consent(t, a.ConsentURL(), "carol")
	if res, body := b.open(t, strings.TrimSuffix(to.String(), "#"+to.EscapedFragment()), nil); res.StatusCode != http.StatusOK || !strings.Contains(body, "access_token") {
		t.Errorf("the page that it leads to: %s\n%s, want %d and %q in it", res.Status, body, http.StatusOK, "access_token")
	}
	raw := regexp.MustCompile(`access_token=([^&]+)`).FindStringSubmatch(to.EscapedFragment())
	if raw == nil || !strings.Contains(raw[1], "%") {
		t.Fatalf("fragment %q, want one and %q in it", to.EscapedFragment(), "%")
	}
	decoded, err := url.PathUnescape(raw[1])
	if err != nil || len(decoded) < 900 {
		t.Fatalf("token of %d bytes, %v, want no error and at least 900", len(decoded), err)
	}
	for _, bearer := range []string{decoded, raw[1]} {
		g := testkit.NewGateway(t, a.URL(), bearer)
		if g.Get(t, "/v1/buddies").Find("items", "name", "Wanda") == nil {
			t.Error("this is not carol's roster, want an error")
		}
	}
}

// TestM04ConsentWithCode is the other grant: a code in the query, redeemed for the access
// token, and a refresh token that gives the next one to the live session.
func TestM04ConsentWithCode(t *testing.T) {
	a := demo(t)
	b := newBrowser(t)
	u, err := url.Parse(a.ConsentURL())
	if err != nil {
		t.Fatalf("url.Parse: got error %v, want none", err)
	}
	q := u.Query()
	q.Set("response_type", "code")
	q.Set("scope", "wl.messenger wl.offline_access")
	u.RawQuery = q.Encode()
	code := b.consent(t, u.String(), "bob").Query().Get("code")
	redeem := func(form url.Values) (access, refresh string) {
		form.Set("client_id", q.Get("client_id"))
		res, body := b.open(t, u.Scheme+"://"+u.Host+messenger.TokenPath, form)
		var answer struct {
			AccessToken  string `json:"access_token"`
			RefreshToken string `json:"refresh_token"`
		}
		if err := json.Unmarshal([]byte(body), &answer); err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("token endpoint: %s %s, want no error and %d", res.Status, body, http.StatusOK)
		}
		return answer.AccessToken, answer.RefreshToken
	}
	access, refresh := redeem(url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {q.Get("redirect_uri")}})
	g := testkit.NewGateway(t, a.URL(), access)
	since := g.Get(t, "/v1/events").Str("next")
	jid := g.Get(t, "/v1/session").Str("jid")

	next, _ := redeem(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}})
	g.Call(t, http.StatusNoContent, http.MethodPut, "/v1/session/credentials", map[string]string{"token": next})
	g = testkit.NewGateway(t, a.URL(), next)
	if s := g.Get(t, "/v1/session"); s.Str("jid") != jid || s.Str("state") != "online" {
		t.Errorf("session %v, want jid %v and state %q", s, jid, "online")
	}
	if answer := g.Get(t, "/v1/events?since="+url.QueryEscape(since)); answer.At("reset") != nil {
		t.Errorf("the cursor of before is lost: %v, want no reset", answer)
	}
}
