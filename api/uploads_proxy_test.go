package api_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// storage is an upload service that takes files, or answers as it is told.
type storage struct {
	*httptest.Server
	mu      sync.Mutex
	got     []byte // nil: nothing yet
	size    int64  // of what has come of the last file
	header  http.Header
	length  int64
	answer  func(w http.ResponseWriter, r *http.Request) bool // reports whether it has answered
	ended   chan error                                        // how the body of each request ended
	discard bool                                              // only count
}

func newStorage(t *testing.T) *storage {
	t.Helper()
	s := &storage{ended: make(chan error, 16)}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *storage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	answer, discard := s.answer, s.discard
	s.header, s.length = r.Header.Clone(), r.ContentLength
	s.mu.Unlock()
	if answer != nil && answer(w, r) {
		return
	}
	var kept bytes.Buffer
	var to io.Writer = &kept
	if discard {
		to = io.Discard
	}
	n, err := io.Copy(to, r.Body)
	s.mu.Lock()
	s.got, s.size = kept.Bytes(), n
	s.mu.Unlock()
	s.ended <- err
	w.WriteHeader(http.StatusCreated)
}

func (s *storage) set(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

var loopback = netip.MustParsePrefix("127.0.0.0/8")

// withProxy is a gateway that takes files for an upload service at an address.
func withProxy(t *testing.T, address string, edit ...func(*gatewayOptions)) *gateway {
	t.Helper()
	g := newGateway(t, append([]func(*gatewayOptions){func(o *gatewayOptions) {
		o.Uploads.Allow = []netip.Prefix{loopback}
	}}, edit...)...)
	g.allowUploads(sessions.UploadPolicy{Proxy: perch.UploadProxyOn, HTTP: []string{"127.0.0.1", "localhost"}})
	g.uploadsAt(address, perch.UploadHeader{Name: "Authorization", Value: perch.NewSecret("Bearer slot")})
	return g
}

func (g *gateway) allowUploads(p sessions.UploadPolicy) {
	g.t.Helper()
	if err := g.manager.Reconfigure(func(o *sessions.Options) { o.Uploads = p }); err != nil {
		g.t.Fatalf("Reconfigure: got error %v, want none", err)
	}
}

// slotOf asks for a slot for a file of a size.
func (g *gateway) slotOf(size int64) slot {
	g.t.Helper()
	var p slot
	g.want(201, "POST", "/v1/uploads", fmt.Sprintf(`{"name":"cat.png","size":%d,"type":"image/png"}`, size), &p)
	if p.ProxyURL == "" {
		g.t.Fatalf("got %+v, want a slot that the gateway takes", p)
	}
	return p
}

// put sends a body to a path; size is its Content-Length, -1 for none.
func (g *gateway) put(ctx context.Context, path string, body io.Reader, size int64, header ...string) answer {
	g.t.Helper()
	a, err := g.tryPut(ctx, path, body, size, header...)
	if err != nil {
		g.t.Fatalf("PUT %s: got error %v, want an answer", path, err)
	}
	return a
}

func (g *gateway) tryPut(ctx context.Context, path string, body io.Reader, size int64, header ...string) (answer, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPut, g.url+path, body)
	if err != nil {
		return answer{}, err
	}
	r.ContentLength = size
	if size == 0 {
		r.Body = http.NoBody
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/octet-stream")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	client := g.client
	if _, whole := body.(*bytes.Reader); !whole { // what holds requests against their description reads them first
		client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	}
	res, err := client.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return answer{status: res.StatusCode, header: res.Header, body: text}, err
}

// wantPut expects a status, and for a refusal a problem.
func (g *gateway) wantPut(status int, path string, body []byte, header ...string) answer {
	g.t.Helper()
	a := g.put(g.ctx, path, bytes.NewReader(body), int64(len(body)), header...)
	if a.status != status {
		g.t.Fatalf("PUT %s: got %d %s, want %d", path, a.status, a.body, status)
	}
	return a
}

// TestUploadProxy: a file goes through as it is, with the headers of the slot and its type, and the
// slot is used up.
func TestUploadProxy(t *testing.T) {
	s := newStorage(t)
	g := withProxy(t, s.URL)
	for _, size := range []int{0, 1, 70_000, 3 << 20} {
		content := make([]byte, size)
		_, _ = rand.Read(content)
		p := g.slotOf(int64(size))
		a := g.wantPut(201, p.ProxyURL, content, "Cookie", "a=b")
		if want := `{"get_url":"` + p.GetURL + `"}`; strings.TrimSpace(string(a.body)) != want {
			t.Errorf("%d bytes: got %s, want %s", size, a.body, want)
		}
		s.set(func() {
			if !bytes.Equal(s.got, content) || s.length != int64(size) {
				t.Errorf("got %d bytes of a length of %d, want the %d that were sent", len(s.got), s.length, size)
			}
			if s.header.Get("Authorization") != "Bearer slot" || s.header.Get("Content-Type") != "image/png" || s.header.Get("Cookie") != "" || s.header.Get("X-Forwarded-For") != "" {
				t.Errorf("got header %v, want those of the slot, and nothing of the client", s.header)
			}
		})
		g.wantPut(404, p.ProxyURL, content)
	}
	var info perch.SessionInfo
	if g.want(200, "GET", "/v1/session", "", &info); info.Uploads == nil || info.Uploads.Proxy != perch.UploadProxyOn {
		t.Errorf("got %+v, want that the gateway takes files", info.Uploads)
	}
}

// TestUploadProxyRefuses what is not the file that was announced, before a byte goes anywhere.
func TestUploadProxyRefuses(t *testing.T) {
	s := newStorage(t)
	g := withProxy(t, s.URL, func(o *gatewayOptions) { o.Uploads.Bytes = 2000 })
	s.set(func() {
		s.answer = func(http.ResponseWriter, *http.Request) bool {
			t.Error("got a request of the service, want none")
			return false
		}
	})
	p := g.slotOf(1000)
	ten := strings.Repeat("x", 1000)
	for name, tc := range map[string]struct {
		path    string
		body    string
		size    int64
		header  []string
		status  int
		pointer string
	}{
		"a byte less":     {p.ProxyURL, ten[1:], 999, nil, 422, "Content-Length"},
		"a byte more":     {p.ProxyURL, ten + "x", 1001, nil, 422, "Content-Length"},
		"nothing":         {p.ProxyURL, "", 0, nil, 422, "Content-Length"},
		"too much":        {p.ProxyURL, ten + ten + "x", 2001, nil, 413, "Content-Length"},
		"no length":       {p.ProxyURL, ten, -1, nil, 411, ""},
		"an encoding":     {p.ProxyURL, ten, 1000, []string{"Content-Encoding", "gzip"}, 415, ""},
		"another id":      {"/v1/uploads/" + strings.Repeat("A", 26), ten, 1000, nil, 404, ""},
		"a query":         {p.ProxyURL + "?x=1", ten, 1000, nil, 422, "?x"},
		"another's token": {p.ProxyURL, ten, 1000, []string{"Authorization", "Bearer tok-other"}, 404, ""},
		"no token":        {p.ProxyURL, ten, 1000, []string{"Authorization", ""}, 401, ""},
	} {
		a := g.put(g.ctx, tc.path, io.NopCloser(strings.NewReader(tc.body)), tc.size, tc.header...)
		if a.status != tc.status {
			t.Errorf("%s: got %d %s, want %d", name, a.status, a.body, tc.status)
			continue
		}
		if problem := a.problem(t); tc.pointer != "" && (len(problem.Errors) != 1 || problem.Errors[0].Pointer != tc.pointer) {
			t.Errorf("%s: got %+v, want an error about %s", name, problem, tc.pointer)
		}
	}
	g.allowUploads(sessions.UploadPolicy{HTTP: []string{"127.0.0.1"}})
	var direct slot
	if g.want(201, "POST", "/v1/uploads", fileRequest, &direct); direct.ProxyURL != "" {
		t.Errorf("without a proxy: got %+v, want no address for it", direct)
	}
	g.wantPut(404, "/v1/uploads/"+direct.ID, make([]byte, 70))
}

// TestUploadProxyAnswers: what the service refuses is told with its status, and no redirect is followed.
func TestUploadProxyAnswers(t *testing.T) {
	inside := newStorage(t)
	s := newStorage(t)
	g := withProxy(t, s.URL)
	p := g.slotOf(5)
	for _, status := range []int{301, 302, 303, 307, 308, 400, 401, 403, 409, 410, 413, 500, 507} {
		s.set(func() {
			s.answer = func(w http.ResponseWriter, _ *http.Request) bool {
				w.Header().Set("Location", inside.URL+"/inside")
				w.WriteHeader(status)
				return true
			}
		})
		got := g.wantPut(502, p.ProxyURL, []byte("hello")).problem(t)
		if got.Code != "upload-refused" || got.UpstreamStatus != status || strings.Contains(got.Detail, "127.0.0.1") {
			t.Errorf("%d: got %+v, want upload-refused with the status", status, got)
		}
	}
	if inside.set(func() {}); inside.header != nil {
		t.Errorf("got a request at the address of a redirect, want none")
	}
	s.set(func() { s.answer = nil })
	g.wantPut(201, p.ProxyURL, []byte("hello")) // the slot is still good
}

// TestUploadProxyGuard: a slot that is inside is not reached, whatever its name, unless its network is
// named.
func TestUploadProxyGuard(t *testing.T) {
	s := newStorage(t)
	at, _ := url.Parse(s.URL)
	for _, host := range []string{"127.0.0.1", "localhost"} {
		g := withProxy(t, "http://"+net.JoinHostPort(host, at.Port()), func(o *gatewayOptions) { o.Uploads.Allow = nil })
		got := g.wantPut(502, g.slotOf(5).ProxyURL, []byte("hello")).problem(t)
		if got.Code != "upload-refused" || !strings.Contains(got.Detail, "--upload-proxy-allow") || got.UpstreamStatus != 0 {
			t.Errorf("%s: got %+v, want upload-refused, and what to do", host, got)
		}
	}
	if s.set(func() {}); s.header != nil {
		t.Errorf("got a request inside, want none")
	}
}

// TestUploadProxyUnreachable: a service that is not there, and one without a sound certificate.
func TestUploadProxyUnreachable(t *testing.T) {
	gone := newStorage(t)
	gone.Close()
	if got := withProxy(t, gone.URL); got.wantPut(502, got.slotOf(5).ProxyURL, []byte("hello")).problem(t).Code != "upload-refused" {
		t.Errorf("nobody there: want upload-refused")
	}
	secure := httptest.NewTLSServer(newStorage(t))
	defer secure.Close()
	g := withProxy(t, secure.URL)
	if got := g.wantPut(502, g.slotOf(5).ProxyURL, []byte("hello")).problem(t); got.Code != "upstream-tls" {
		t.Errorf("a certificate of nobody: got %+v, want upstream-tls", got)
	}
}

// TestUploadProxyOneAtATime: a second file of the session waits for the first one, which another session
// does not.
func TestUploadProxyOneAtATime(t *testing.T) {
	s := newStorage(t)
	g := withProxy(t, s.URL)
	first, second := g.slotOf(10), g.slotOf(5)
	from, to := io.Pipe()
	done := make(chan answer, 1)
	go func() { done <- g.put(g.ctx, first.ProxyURL, from, 10) }()
	_, _ = io.WriteString(to, "hello")
	g.eventually("the first file is under way", func() bool {
		a := g.put(g.ctx, second.ProxyURL, strings.NewReader("hello"), 5)
		return a.status == 409 && a.problem(t).Code == "conflict" && a.header.Get("Retry-After") == "1"
	})
	_, _ = io.WriteString(to, "world")
	_ = to.Close()
	if a := <-done; a.status != 201 {
		t.Errorf("the first file: got %d %s, want 201", a.status, a.body)
	}
	g.wantPut(201, second.ProxyURL, []byte("hello"))
}

// TestUploadProxyClientLeaves: when the client is gone, so is the request to the service, and the slot
// can be tried again.
func TestUploadProxyClientLeaves(t *testing.T) {
	s := newStorage(t)
	g := withProxy(t, s.URL)
	p := g.slotOf(1 << 20)
	ctx, leave := context.WithCancel(g.ctx)
	from, to := io.Pipe()
	go func() {
		_, _ = to.Write(make([]byte, 100_000))
		leave()
		_ = to.CloseWithError(context.Canceled)
	}()
	if a, err := g.tryPut(ctx, p.ProxyURL, from, 1<<20); err == nil {
		t.Fatalf("got %d %s, want that the request is over", a.status, a.body)
	}
	select {
	case err := <-s.ended:
		if err == nil {
			t.Error("got the whole file, want it cut")
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the service still waits for the file, want its request ended")
	}
	content := make([]byte, 1<<20)
	g.eventually("the slot is free", func() bool {
		return g.put(g.ctx, p.ProxyURL, bytes.NewReader(content), 1<<20).status == 201
	})
}

// TestUploadProxyMemory: a file of 100 MiB takes no more memory than a small one.
func TestUploadProxyMemory(t *testing.T) {
	s := newStorage(t)
	s.discard = true
	g := withProxy(t, s.URL)
	const size = 100 << 20
	p := g.slotOf(size)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began := time.Now()
	a := g.put(g.ctx, p.ProxyURL, io.LimitReader(zeros{}, size), size)
	runtime.ReadMemStats(&after)
	s.set(func() {
		if a.status != 201 || s.size != size {
			t.Errorf("got %d %s after %d bytes, want 201 after %d", a.status, a.body, s.size, size)
		}
	})
	used := after.TotalAlloc - before.TotalAlloc // of the client, the gateway and the service together
	t.Logf("100 MiB in %v, %d KiB allocated", time.Since(began), used>>10)
	if used > 8<<20 {
		t.Errorf("got %d bytes allocated for a file of %d, want at most 8 MiB", used, size)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestUploadProxyForwarded: a file that comes to another node than that of its session goes through both,
// as it comes.
func TestUploadProxyForwarded(t *testing.T) {
	s := newStorage(t)
	n := newNodes(t, func(o *gatewayOptions) { o.Uploads.Allow = []netip.Prefix{loopback} })
	n.b.allowUploads(sessions.UploadPolicy{Proxy: perch.UploadProxyOn, HTTP: []string{"127.0.0.1"}})
	n.b.uploadsAt(s.URL)
	n.openAtB(token)
	var p slot
	n.a.want(201, "POST", "/v1/uploads", fmt.Sprintf(`{"name":"cat.png","size":%d}`, 3<<20), &p)
	content := make([]byte, 3<<20)
	_, _ = rand.Read(content)
	if a := n.a.put(n.a.ctx, p.ProxyURL, bytes.NewReader(content[1:]), 3<<20-1); a.status != 422 {
		t.Errorf("a byte less: got %d %s, want 422", a.status, a.body)
	}
	if a := n.a.put(n.a.ctx, p.ProxyURL, io.NopCloser(bytes.NewReader(content)), -1); a.status != 411 {
		t.Errorf("no length: got %d %s, want 411", a.status, a.body)
	}
	if a := n.a.put(n.a.ctx, p.ProxyURL, bytes.NewReader(content), 3<<20); a.status != 201 {
		t.Errorf("got %d %s, want 201", a.status, a.body)
	}
	s.set(func() {
		if !bytes.Equal(s.got, content) {
			t.Errorf("got %d bytes, want the %d that were sent", len(s.got), len(content))
		}
	})
}

// TestUploadProxyForwardedEdge: a file for another node takes a place of the node that it comes to, too.
func TestUploadProxyForwardedEdge(t *testing.T) {
	s := newStorage(t)
	n := newNodes(t, func(o *gatewayOptions) { o.Uploads.Allow = []netip.Prefix{loopback} })
	n.b.allowUploads(sessions.UploadPolicy{Proxy: perch.UploadProxyOn, HTTP: []string{"127.0.0.1"}})
	n.b.uploadsAt(s.URL)
	n.openAtB(token)
	var p slot
	n.a.want(201, "POST", "/v1/uploads", `{"name":"cat.png","size":5}`, &p)
	free := n.a.api.TakeUploadPlaces()
	if a := n.a.wantPut(429, p.ProxyURL, []byte("hello")); a.header.Get("Retry-After") != "1" {
		t.Errorf("got Retry-After %q, want 1", a.header.Get("Retry-After"))
	}
	free()
	n.a.wantPut(201, p.ProxyURL, []byte("hello"))
}

// TestUploadProxyObserver: each file is counted once, by what became of it, with the bytes of it that came.
func TestUploadProxyObserver(t *testing.T) {
	l := &ledger{}
	s := newStorage(t)
	g := withProxy(t, s.URL, func(o *gatewayOptions) { o.Observer = l })
	put := func(status int) {
		t.Helper()
		g.wantPut(status, g.slotOf(5).ProxyURL, []byte("hello"))
	}
	put(201)
	s.set(func() {
		s.answer = func(w http.ResponseWriter, r *http.Request) bool {
			_, _ = io.Copy(io.Discard, r.Body)
			w.WriteHeader(507)
			return true
		}
	})
	put(502)
	s.set(func() { s.answer = nil })
	g.wantPut(422, g.slotOf(5).ProxyURL, []byte("other")[1:]) // no file has gone anywhere
	ctx, leave := context.WithCancel(g.ctx)
	from, to := io.Pipe()
	go func() {
		_, _ = to.Write([]byte("abc"))
		leave()
		_ = to.CloseWithError(context.Canceled)
	}()
	if a, err := g.tryPut(ctx, g.slotOf(5).ProxyURL, from, 5); err == nil {
		t.Fatalf("got %d %s, want that the request is over", a.status, a.body)
	}
	uploads := func() string {
		l.mu.Lock()
		defer l.mu.Unlock()
		return strings.Join(l.uploads, "\n")
	}
	g.eventually("three files are counted", func() bool { return strings.Count(uploads(), "\n") == 2 })
	s.Close()
	put(502)
	got := uploads()
	aborted := "aborted 0" // the client may be gone before its first byte is read
	if strings.Contains(got, "aborted 3") {
		aborted = "aborted 3"
	}
	if want := "ok 5\nrefused 5\n" + aborted + "\nunreachable 0"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
