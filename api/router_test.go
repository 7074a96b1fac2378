package api_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch/api"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/sessions"
)

func TestNotFound(t *testing.T) {
	f := newBare(t, new(sessions.Manager))
	for _, path := range []string{"/", "/v1", "/v1/", "/v1/nowhere", "/v1/buddies/", "/v1/buddies/a/b", "/v1/buddies/a%2Fb/c", "/v1//buddies", "/problems/", "/problems/none", "/v1/openapi.yaml"} {
		a := f.do("GET", path, "")
		if p := a.problem(t); p.Code != "not-found" || p.Instance != path {
			t.Errorf("%s: %s, want not-found", path, a.body)
		}
	}
}

// TestMethodNotAllowed: the API answers for its own addresses, with and without pages beside it.
func TestMethodNotAllowed(t *testing.T) {
	t.Run("alone", func(t *testing.T) { methodNotAllowed(t, newBare(t, new(sessions.Manager))) })
	t.Run("with pages", func(t *testing.T) {
		methodNotAllowed(t, newBare(t, new(sessions.Manager), func(o *gatewayOptions) { o.Pages = http.NotFoundHandler() }))
	})
}

func methodNotAllowed(t testing.TB, f *gateway) {
	for path, allow := range map[string]string{
		"/v1/session":                            "GET, POST, DELETE",
		"/v1/session/credentials":                "PUT",
		"/v1/session/password":                   "PUT",
		"/v1/buddies":                            "GET, POST",
		"/v1/buddies/bob%40example.net":          "GET, PATCH, DELETE",
		"/v1/invitations":                        "GET",
		"/v1/invitations/bob@example.net/accept": "POST",
		"/v1/presence/me":                        "GET, PUT",
		"/v1/vcards/me":                          "GET, PUT",
		"/v1/vcards/bob@example.net/photo":       "GET",
		"/v1/messages":                           "POST",
		"/v1/events":                             "GET",
		"/v1/events/tickets":                     "POST",
		"/v1/chat-states/bob@example.net":        "PUT",
		"/v1/stanzas":                            "POST",
		"/problems/validation":                   "GET",
	} {
		for _, method := range []string{"OPTIONS", "TRACE", "BREW"} {
			a := f.do(method, path, "")
			if p := a.problem(t); p.Status != 405 || p.Code != "method-not-allowed" || a.header.Get("Allow") != allow {
				t.Errorf("%s %s: %d, Allow %q, want %q", method, path, a.status, a.header.Get("Allow"), allow)
			}
		}
	}
	if a := f.do("HEAD", "/v1/events", ""); a.status != 405 {
		t.Errorf("HEAD of a stream: %d, want 405", a.status)
	}
	for _, method := range []string{"GET", "TRACE", "BREW"} {
		if a := f.do(method, "/v1/nowhere", ""); a.problem(t).Status != 404 || a.header.Get("Allow") != "" {
			t.Errorf("%s of nothing: %d, Allow %q, want 404 without Allow", method, a.status, a.header.Get("Allow"))
		}
	}
}

func TestHead(t *testing.T) {
	f := newBare(t, new(sessions.Manager))
	if a := f.do("HEAD", "/problems/validation", ""); a.status != 200 || len(a.body) != 0 {
		t.Errorf("HEAD of a page: got %d %q, want 200 without a body", a.status, a.body)
	}
	if a := f.do("HEAD", "/v1/session", ""); a.status != 401 || len(a.body) != 0 {
		t.Errorf("HEAD without a token: got %d %q, want 401 without a body", a.status, a.body)
	}
}

func TestRequestID(t *testing.T) {
	f := newBare(t, new(sessions.Manager))
	if got := f.do("GET", "/v1/nowhere", "", "X-Request-Id", "0123-abc_DEF.9").header.Get("X-Request-Id"); got != "0123-abc_DEF.9" {
		t.Errorf("a valid id became %q, want it unchanged", got)
	}
	for _, id := range []string{"short", "with blank in it", strings.Repeat("x", 65), "<script>alert", "línea-de-log"} {
		if got := f.do("GET", "/v1/nowhere", "", "X-Request-Id", id).header.Get("X-Request-Id"); got == id || got == "" {
			t.Errorf("%q was taken as %q, want a new one", id, got)
		}
	}
}

func TestProblemPages(t *testing.T) {
	f := newBare(t, new(sessions.Manager))
	for _, slug := range api.Slugs() {
		a := f.do("GET", "/problems/"+slug, "")
		if a.status != 200 || !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") || !bytes.Contains(a.body, []byte(slug)) || a.header.Get("Content-Security-Policy") == "" {
			t.Errorf("%s: %d %v, want its page", slug, a.status, a.header)
		}
	}
}

func TestPagesAndDescriptions(t *testing.T) {
	f := newBare(t, new(sessions.Manager), func(o *gatewayOptions) {
		o.OpenAPI, o.AsyncAPI = []byte("openapi: 3.1.0"), []byte("asyncapi: 3.0.0")
		o.Pages = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/panic":
				panic("a page panicked")
			case "/buddies":
				http.NotFound(w, r)
				return
			}
			_, _ = io.WriteString(w, "page "+r.URL.Path)
		})
	})
	for path, want := range map[string]string{
		"/": "page /", "/docs": "page /docs", "/a%2Fb": "page /a/b",
		"/v1/openapi.yaml": "openapi: 3.1.0", "/v1/asyncapi.yaml": "asyncapi: 3.0.0",
	} {
		if a := f.do("GET", path, ""); a.status != 200 || string(a.body) != want {
			t.Errorf("%s: %d %q, want 200 %q", path, a.status, a.body, want)
		}
	}
	for _, path := range []string{"/v1", "/v1/nowhere", "/problems/none"} {
		f.do("GET", path, "").problem(t)
	}
	a := f.do("GET", "/buddies", "")
	if p := a.problem(t); p.Code != "not-found" || !strings.Contains(p.Detail, "/v1/") || bytes.Contains(a.body, []byte("page not found")) {
		t.Errorf("a page that is not there: %s, want the problem not-found", a.body)
	}
	if a := f.do("POST", "/docs", ""); a.problem(t).Status != 405 || a.header.Get("Allow") != "GET, HEAD" {
		t.Errorf("POST /docs: %d %v, want 405 with Allow: GET, HEAD", a.status, a.header)
	}
	if p := f.do("GET", "/panic", "").problem(t); p.Code != "internal" || strings.Contains(p.Detail, "panicked") {
		t.Errorf("got %+v, want internal, without the panic", p)
	}
}

// However a path is written, what is meant for the API gets a problem that says what is
// wrong with it: no redirect, no HTML, and nothing about pages.
func TestPathsThatAreNotClean(t *testing.T) {
	mux := http.NewServeMux() // redirects to what it calls the clean path
	mux.HandleFunc("/docs/", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "docs") })
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "home") })
	f := newBare(t, new(sessions.Manager), func(o *gatewayOptions) { o.Pages = mux })
	for _, tt := range []struct{ method, path, want string }{
		{"GET", "//v1/buddies", `("//"); did you mean /v1/buddies?`},
		{"POST", "//v1/messages", `("//"); did you mean /v1/messages?`},
		{"GET", "/v1//buddies", `("//"); did you mean /v1/buddies?`},
		{"DELETE", "///v1/session", `("//"); did you mean /v1/session?`},
		{"GET", "//v1/buddies/a%2F%2Fb@example.net", `("//"); did you mean /v1/buddies/a%2F%2Fb@example.net?`},
		{"GET", "//nowhere", `("//")`},
		{"GET", "//", `("//")`},
		{"GET", "/docs//x", `("//")`},
		{"GET", "/v1/./buddies", `segment "."; did you mean /v1/buddies?`},
		{"PUT", "/./v1/presence/me", `segment "."; did you mean /v1/presence/me?`},
		{"GET", "/x/../v1/buddies", `segment ".."; did you mean /v1/buddies?`},
		{"GET", "/%2e%2e/v1/buddies", `segment ".."`},
		{"POST", "/%2Fv1/messages", `("//")`},
		{"GET", "/v1%2Fbuddies", "nothing has this address"},
		{"GET", "/v1/buddies/", `ends with a slash; did you mean /v1/buddies?`},
		{"POST", "/v1/messages/", `ends with a slash; did you mean /v1/messages?`},
		{"POST", "/messages", "the API is below /v1/"},
		{"POST", "/V1/messages", "the API is below /v1/"},
	} {
		a := f.do(tt.method, tt.path, "")
		p := a.problem(t)
		if p.Status != 404 || p.Code != "not-found" || !strings.Contains(p.Detail, tt.want) || a.header.Get("Allow") != "" || a.header.Get("Location") != "" {
			t.Errorf("%s %s: %s %v, want a 404 with %q", tt.method, tt.path, a.body, a.header, tt.want)
		}
	}
	if a := f.do("PUT", "/docs/", ""); a.problem(t).Status != 405 {
		t.Errorf("PUT of a page: %s, want 405", a.body)
	}
	if a := f.do("GET", "/docs/", ""); string(a.body) != "docs" {
		t.Errorf("a page with a slash at its end: %s, want the page", a.body)
	}
}

// An answer that breaks off must not look whole, nor have a problem glued to it.
func TestPanicInAnAnswer(t *testing.T) {
	f := newBare(t, new(sessions.Manager), func(o *gatewayOptions) {
		o.Pages = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "half an ans")
			_ = http.NewResponseController(w).Flush()
			panic("a page panicked")
		})
	})
	req, err := http.NewRequestWithContext(f.ctx, "GET", f.url+"/", nil)
	if err != nil {
		t.Fatalf("http.NewRequestWithContext: got error %v, want none", err)
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatalf("http.DefaultTransport.RoundTrip: got error %v, want none", err)
	}
	defer resp.Body.Close()
	if b, err := io.ReadAll(resp.Body); err == nil || string(b) != "half an ans" {
		t.Errorf("got %q, %v, want half an answer and an error", b, err)
	}
}

func TestCORS(t *testing.T) {
	f := newBare(t, new(sessions.Manager), func(o *gatewayOptions) { o.Origins = []string{"https://chat.example"} })
	preflight := func(origin string) http.Header {
		return f.do("OPTIONS", "/v1/messages", "", "Origin", origin, "Access-Control-Request-Method", "POST",
			"Access-Control-Request-Headers", "authorization,content-type,idempotency-key").header
	}
	h := preflight("https://chat.example")
	if h.Get("Access-Control-Allow-Origin") != "https://chat.example" || h.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("got %v, want the origin, and no credentials", h)
	}
	for _, origin := range []string{"https://evil.example", "https://chat.example.evil.example", "http://chat.example", "https://chat.example:444", "null"} {
		if h := preflight(origin); h.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %v, want it refused", origin, h)
		}
	}
	h = f.do("GET", "/v1/nowhere", "", "Origin", "https://chat.example").header
	if !strings.Contains(h.Get("Access-Control-Expose-Headers"), "Etag") && !strings.Contains(h.Get("Access-Control-Expose-Headers"), "ETag") {
		t.Errorf("got %v, want ETag exposed", h)
	}
	off := newBare(t, new(sessions.Manager))
	if h := off.do("GET", "/v1/nowhere", "", "Origin", "https://chat.example").header; h.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("off, and yet %v, want no CORS headers", h)
	}
}

// What client libraries send by themselves must not make the browser refuse the request.
func TestCORSHeaders(t *testing.T) {
	f := newBare(t, new(sessions.Manager), func(o *gatewayOptions) { o.Origins = []string{"https://chat.example"} })
	for requested, want := range map[string]bool{
		"":                            true,
		"authorization,cache-control": true, // npm's eventsource
		"Authorization, Cache-Control, Last-Event-ID": true,
		"authorization,x-requested-with":              true,
		"AUTHORIZATION":                               true,
		"last-event-id":                               true,
		"traceparent,tracestate,baggage":              true,
		"idempotency-key,content-type":                true,
		"if-none-match,accept,pragma":                 true,
		"sentry-trace":                                true,
		"authorization , ,\tcache-control":            true,
		"authorization\x00pragma":                     true, // two lines, see below
		"authorization\x00x-evil":                     false,
		"x-evil":                                      false,
		"authorization,perch-hop":                     false,
		"cookie":                                      false,
		"authorization cache-control":                 false,
		"auth\"orization":                             false,
	} {
		header := []string{"Origin", "https://chat.example", "Access-Control-Request-Method", "GET"}
		for line := range strings.SplitSeq(requested, "\x00") {
			header = append(header, "Access-Control-Request-Headers", line)
		}
		h := f.do("OPTIONS", "/v1/events", "", header...).header
		if got := h.Get("Access-Control-Allow-Origin") != ""; got != want {
			t.Errorf("%q: allowed %v, want %v", requested, got, want)
		}
		if requested == "authorization,cache-control" && !strings.EqualFold(h.Get("Access-Control-Allow-Headers"), "authorization, cache-control") {
			t.Errorf("%q: allowed %q, want both", requested, h.Get("Access-Control-Allow-Headers"))
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	m := new(sessions.Manager)
	for name, o := range map[string]api.Options{
		"no sessions":         {},
		"any origin":          {Sessions: m, Origins: []string{"*"}},
		"pattern":             {Sessions: m, Origins: []string{"https://*.example"}},
		"origin with path":    {Sessions: m, Origins: []string{"https://chat.example/"}},
		"origin of no web":    {Sessions: m, Origins: []string{"null"}},
		"negative rate":       {Sessions: m, RateLimits: api.RateLimits{IPRate: api.Rate{PerSecond: -1, Burst: 1}}},
		"rate without room":   {Sessions: m, RateLimits: api.RateLimits{TokenRate: api.Rate{PerSecond: 1}}},
		"rate of an upstream": {Sessions: m, RateLimits: api.RateLimits{AccountRates: map[string]api.Rate{"u": {PerSecond: 1}}}},
		"negative body":       {Sessions: m, BodyBytes: -1},
		"no prefix":           {Sessions: m, TrustedProxies: []netip.Prefix{{}}},
	} {
		if _, err := api.New(o); err == nil {
			t.Errorf("%s: accepted, want an error", name)
		}
	}
	if _, err := api.New(api.Options{Sessions: m}); err != nil {
		t.Errorf("api.New: got error %v, want none", err)
	}
}

func TestAdmin(t *testing.T) {
	f := newGateway(t, func(o *gatewayOptions) {
		o.Metrics = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "metric 1\n") })
	})
	public := f.url
	f.url = f.admin
	for path, want := range map[string]string{
		"/livez": `"status":"ok"`, "/readyz": `"status":"ok"`, "/version": `"version":"test"`, "/metrics": "metric 1",
		"/debug/pprof/": "goroutine", "/debug/pprof/goroutine?debug=1": "goroutine profile",
	} {
		if a := f.do("GET", path, ""); a.status != 200 || !bytes.Contains(a.body, []byte(want)) {
			t.Errorf("%s: %d %.100s, want 200 with %q", path, a.status, a.body, want)
		}
	}
	f.do("GET", "/v1/session", "").problem(t)
	f.api.Drain(f.ctx)
	if a := f.do("GET", "/readyz", ""); a.status != 503 || !bytes.Contains(a.body, []byte("draining")) {
		t.Errorf("while draining: %d %s, want 503 draining", a.status, a.body)
	}
	if a := f.do("GET", "/livez", ""); a.status != 200 {
		t.Errorf("livez while draining: %d, want 200", a.status)
	}
	f.url = public
	for _, path := range []string{"/livez", "/readyz", "/metrics", "/debug/pprof/", "/version"} {
		if a := f.do("GET", path, ""); a.status != 404 {
			t.Errorf("%s on the public listener: %d, want 404", path, a.status)
		}
	}
}

// The listener's own limits: 16 KiB of headers are read, more are refused.
func TestServerHeaderLimit(t *testing.T) {
	f := newBare(t, new(sessions.Manager))
	srv := api.NewServer(f.api.Handler(), nil)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("net.Listen: got error %v, want none", err)
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	t.Cleanup(func() {
		_ = srv.Shutdown(context.Background())
		<-served
	})
	for size, want := range map[int]int{15 << 10: 404, 17 << 10: 431} {
		c, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatalf("net.Dial: got error %v, want none", err)
		}
		fmt.Fprintf(c, "GET /v1/nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Pad: %s\r\n\r\n", strings.Repeat("x", size))
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatalf("http.ReadResponse: got error %v, want none", err)
		}
		_ = resp.Body.Close()
		_ = c.Close()
		if resp.StatusCode != want {
			t.Errorf("%d bytes: %d, want %d", size, resp.StatusCode, want)
		}
	}
}

// A client that does not send the body that it announced cannot hold a request for ever.
func TestBodyThatNeverComes(t *testing.T) {
	f := newBare(t, new(sessions.Manager), func(o *gatewayOptions) { o.RequestTime = 300 * time.Millisecond })
	c, err := net.Dial("tcp", strings.TrimPrefix(f.url, "http://"))
	if err != nil {
		t.Fatalf("net.Dial: got error %v, want none", err)
	}
	defer c.Close()
	fmt.Fprint(c, "POST /v1/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatalf("http.ReadResponse: got error %v, want none", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusBadRequest || !resp.Close {
		t.Errorf("got %d, closed %v, want 400, and the connection closed", resp.StatusCode, resp.Close)
	}
}

func TestProblemIsOneJSONObject(t *testing.T) {
	f := newBare(t, new(sessions.Manager))
	a := f.do("GET", "/v1/nowhere", "")
	var m map[string]any
	if err := json.Unmarshal(a.body, &m); err != nil {
		t.Fatalf("json.Unmarshal: got error %v, want none", err)
	}
	for _, name := range []string{"type", "title", "status", "detail", "instance", "code", "request_id"} {
		if m[name] == nil {
			t.Errorf("no %s in %s, want it there", name, a.body)
		}
	}
}

// TestCommandLineShowsNoArguments: they may have secrets.
func TestCommandLineShowsNoArguments(t *testing.T) {
	f := newBare(t, new(sessions.Manager))
	f.url = f.admin
	args := os.Args
	defer func() { os.Args = args }()
	secret := canary.Secret()
	os.Args = []string{"perch", "--secret", secret, "--redis-url=redis://:" + secret + "@x"}
	for _, path := range []string{"/debug/pprof/cmdline", "/debug/pprof/cmdline?debug=1", "/debug/pprof/cmdline/"} {
		if a := f.do("GET", path, ""); bytes.Contains(a.body, []byte("secret")) || bytes.Contains(a.body, []byte(secret)) {
			t.Errorf("%s shows arguments, want the program's name alone", path)
		}
	}
	if a := f.do("GET", "/debug/pprof/cmdline", ""); string(a.body) != "perch" {
		t.Errorf("cmdline: %q, want the program's name", a.body)
	}
}

// TestAdminHost: a name that an attacker points here opens nothing.
func TestAdminHost(t *testing.T) {
	f := newBare(t, new(sessions.Manager), func(o *gatewayOptions) { o.AdminHosts = []string{"perch.internal"} })
	f.url = f.admin
	for host, want := range map[string]int{
		"127.0.0.1": 200, "127.0.0.1:9090": 200, "10.0.0.5:9090": 200, "[::1]:9090": 200, "[::1]": 200,
		"localhost": 200, "LOCALHOST:9090": 200, "localhost.": 200,
		"perch.internal:9090": 200, "Perch.Internal": 200,
		"evil.example": 403, "evil.example:9090": 403, "127.0.0.1.evil.example": 403, "localhost.evil.example": 403,
		"notlocalhost": 403, "perch.internal.evil.example": 403, "xperch.internal": 403,
	} {
		for _, path := range []string{"/livez", "/debug/pprof/heap"} {
			if a := f.do("GET", path, "", "Host", host); a.status != want {
				t.Errorf("%s for %s: %d, want %d", path, host, a.status, want)
			}
		}
	}
}
