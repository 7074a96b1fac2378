package messenger

import (
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/perch-im/perch/internal/xmppserver"
)

// Paths of OAuthHandler, named as those of the historical sign-in.
const (
	AuthorizePath = "/oauth20_authorize"
	TokenPath     = "/oauth20_token"
	DesktopPath   = "/oauth20_desktop.srf" // a redirect_uri for programs without a server of their own
	stylePath     = "/oauth20_style.css"
)

// Scopes that mean something here. Others that begin with "wl." are taken and left out.
const (
	scopeMessenger = "wl.messenger"      // an access token that signs in
	scopeOffline   = "wl.offline_access" // a refresh token beside it
	maxForm        = 64 << 10            // bytes
	maxParam       = 1024                // bytes of one parameter
)

// OAuthHandler serves the sign-in: a consent page at AuthorizePath, where one of the
// service's accounts is picked without a password, and the token endpoint at TokenPath
// (RFC 6749; implicit and code grant, refresh_token with wl.offline_access). Any
// client_id is taken; the redirect_uri must be an http address of the loopback
// interface, DesktopPath on the same host, or one of Options.OAuthRedirects exactly.
//
// Without Options.AllowRemote it answers only requests from and to the loopback
// interface: the page gives tokens to every visitor.
func (s *Service) OAuthHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+AuthorizePath, s.showConsent)
	mux.HandleFunc("POST "+AuthorizePath, s.takeConsent)
	mux.HandleFunc("POST "+TokenPath, s.redeem)
	mux.HandleFunc("GET "+DesktopPath, func(w http.ResponseWriter, _ *http.Request) { page(w, http.StatusOK, desktopPage, nil) })
	mux.HandleFunc("GET "+stylePath, serveStyle)
	guarded := http.NewCrossOriginProtection().Handler(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", csp(""))
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		// The Host header is checked against DNS rebinding: a foreign page must not read this one.
		if !s.o.AllowRemote && !(xmppserver.IsLoopback(hostOnly(r.RemoteAddr)) && xmppserver.IsLoopback(hostOnly(r.Host))) {
			http.Error(w, "this page is served on the loopback interface only", http.StatusForbidden)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		guarded.ServeHTTP(w, r)
	})
}

// ConsentURL is the address of the consent page of an OAuthHandler at host:port, for a
// person: the page that it leads to says where the access token stands.
func ConsentURL(hostport string) string {
	base := "http://" + hostport
	return base + AuthorizePath + "?" + url.Values{
		"client_id": {"demo"}, "response_type": {"token"}, "scope": {scopeMessenger}, "redirect_uri": {base + DesktopPath},
	}.Encode()
}

// csp allows the style sheet and a form, whose answer may lead to another origin.
func csp(formTarget string) string {
	return strings.TrimSpace("default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self' " + formTarget)
}

func hostOnly(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return strings.Trim(hostport, "[]")
}

// showConsent checks the request and asks. What is wrong with client_id or redirect_uri
// is shown to the user alone (RFC 6749, 4.1.2.1); the rest goes back to the client.
func (s *Service) showConsent(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	c := consent{
		client: q.Get("client_id"), redirect: q.Get("redirect_uri"),
		kind: q.Get("response_type"), scope: q.Get("scope"), state: q.Get("state"),
	}
	for _, v := range q {
		if len(v) != 1 || len(v[0]) > maxParam {
			refusePage(w, "A parameter is too long or was given twice.")
			return
		}
	}
	if c.client == "" {
		refusePage(w, "client_id is missing.")
		return
	}
	if !s.redirectAllowed(c.redirect, r) {
		refusePage(w, "redirect_uri must be an http address of the loopback interface without a fragment, or one that is registered.")
		return
	}
	if c.kind != "token" && c.kind != "code" {
		c.fail(w, r, "unsupported_response_type", "response_type must be token or code")
		return
	}
	var ok bool
	if c.scope, ok = normalScope(c.scope); !ok {
		c.fail(w, r, "invalid_scope", "scope must hold "+scopeMessenger)
		return
	}
	u, _ := url.Parse(c.redirect) // checked above
	w.Header().Set("Content-Security-Policy", csp(u.Scheme+"://"+u.Host))
	page(w, http.StatusOK, consentPage, consentView{
		Client: c.client, Scopes: strings.Fields(c.scope), Target: u.Host, Action: AuthorizePath,
		Accounts: s.people(), Ticket: s.oauth.consents.put(c, consentLife),
	})
}

// people are the accounts that can be picked, in the order of the options.
func (s *Service) people() []personView {
	var list []personView
	for _, a := range s.order {
		if a.bot == nil && len(list) < 100 {
			list = append(list, personView{a.user, a.accountID, defaultTo(a.Nick, a.user)})
		}
	}
	return list
}

// takeConsent redeems the ticket of a page that was shown: without one, a foreign page
// could send the form.
func (s *Service) takeConsent(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		refusePage(w, "The form could not be read.")
		return
	}
	c, ok := s.oauth.consents.redeem(r.PostForm.Get("ticket"))
	if !ok {
		refusePage(w, "This page is too old or was used before. Start again in your application.")
		return
	}
	a := s.users[r.PostForm.Get("account")]
	if r.PostForm.Get("decision") != "allow" {
		c.fail(w, r, "access_denied", "the user has declined")
		return
	}
	if a == nil || a.bot != nil {
		refusePage(w, "There is no such account.")
		return
	}
	g := grant{a, c.client, c.redirect, c.scope}
	if c.kind == "code" {
		c.answer(w, r, url.Values{"code": {s.oauth.codes.put(g, codeLife)}})
		return
	}
	t := s.accessToken(g)
	c.answer(w, r, url.Values{
		"access_token": {t.AccessToken}, "token_type": {t.TokenType}, "scope": {t.Scope},
		"expires_in": {t.seconds()},
	})
}

// redirectAllowed compares exactly, but for the port of loopback addresses (RFC 8252,
// 7.3).
func (s *Service) redirectAllowed(raw string, r *http.Request) bool {
	if slices.Contains(s.o.OAuthRedirects, raw) {
		return true
	}
	u, err := url.Parse(raw)
	if err != nil || u.User != nil || u.Opaque != "" || strings.ContainsAny(raw, "#\\ ") {
		return false
	}
	if u.Path == DesktopPath && u.RawQuery == "" && u.Host == r.Host {
		return u.Scheme == "http" || u.Scheme == "https"
	}
	return u.Scheme == "http" && xmppserver.IsLoopback(u.Hostname())
}

// normalScope drops what has no meaning here, and reports whether the rest is enough.
func normalScope(scope string) (string, bool) {
	var kept []string
	for _, f := range strings.FieldsFunc(scope, func(r rune) bool { return r == ' ' || r == ',' }) {
		switch {
		case f == scopeMessenger || f == scopeOffline:
			kept = append(kept, f)
		case !strings.HasPrefix(f, "wl."):
			return "", false
		}
	}
	slices.Sort(kept)
	kept = slices.Compact(kept)
	return strings.Join(kept, " "), slices.Contains(kept, scopeMessenger)
}

// answer sends the browser back: in the fragment for the implicit grant, which no server
// sees, in the query for a code.
func (c consent) answer(w http.ResponseWriter, r *http.Request, v url.Values) {
	if c.state != "" {
		v.Set("state", c.state)
	}
	// Percent-encoded, blanks too: not every reader of a fragment takes "+" for one.
	params := strings.ReplaceAll(v.Encode(), "+", "%20")
	sep := "#"
	if c.kind == "code" {
		sep = "?"
		if strings.Contains(c.redirect, "?") {
			sep = "&"
		}
	}
	http.Redirect(w, r, c.redirect+sep+params, http.StatusSeeOther) //nolint:gosec // showConsent has checked the address
}

func (c consent) fail(w http.ResponseWriter, r *http.Request, code, text string) {
	c.answer(w, r, url.Values{"error": {code}, "error_description": {text}})
}

// tokenAnswer is RFC 6749, 5.1.
type tokenAnswer struct {
	TokenType    string `json:"token_type"`
	ExpiresIn    int    `json:"expires_in"` // seconds
	Scope        string `json:"scope"`
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token,omitempty"`
}

func (t tokenAnswer) seconds() string { b, _ := json.Marshal(t.ExpiresIn); return string(b) }

// accessToken issues a token of the same kind as IssueToken.
func (s *Service) accessToken(g grant) tokenAnswer {
	text := newToken()
	s.tokens.add(text, g.acct, s.o.TokenLife)
	return tokenAnswer{TokenType: "bearer", ExpiresIn: int(s.o.TokenLife / time.Second), Scope: g.scope, AccessToken: text}
}

// redeem is the token endpoint (RFC 6749, 4.1.3 and 6). Clients are public: a
// client_secret is not looked at. Every code and refresh token can be used once.
func (s *Service) redeem(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		tokenError(w, "invalid_request", "the form could not be read")
		return
	}
	var g grant
	var ok bool
	switch f := r.PostForm; f.Get("grant_type") {
	case "authorization_code":
		g, ok = s.oauth.codes.redeem(f.Get("code"))
		ok = ok && g.redirect == f.Get("redirect_uri")
	case "refresh_token":
		g, ok = s.oauth.refresh.redeem(f.Get("refresh_token"))
	default:
		tokenError(w, "unsupported_grant_type", "grant_type must be authorization_code or refresh_token")
		return
	}
	if !ok || g.client != r.PostForm.Get("client_id") {
		tokenError(w, "invalid_grant", "the grant is unknown, used, expired, or for another client_id or redirect_uri")
		return
	}
	t := s.accessToken(g)
	if slices.Contains(strings.Fields(g.scope), scopeOffline) {
		t.RefreshToken = s.oauth.refresh.put(g, refreshLife)
	}
	writeJSON(w, http.StatusOK, t)
}

func tokenError(w http.ResponseWriter, code, text string) {
	writeJSON(w, http.StatusBadRequest, map[string]string{"error": code, "error_description": text})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client is gone: no way to report it
}
