package cluster_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/perch-im/perch/internal/cluster"
	"github.com/perch-im/perch/internal/testkit"
)

func TestMain(m *testing.M) { os.Exit(testkit.Run(m)) }

// backend is a node of which only the address is real.
type backend struct {
	*httptest.Server
	mu    sync.Mutex
	asked []*http.Request
}

func newBackend(t *testing.T, answer http.HandlerFunc) *backend {
	t.Helper()
	b := &backend{}
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		b.mu.Lock()
		b.asked = append(b.asked, r)
		b.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(b.Close)
	return b
}

func (b *backend) addr() string { return strings.TrimPrefix(b.URL, "http://") }

// requests gives what has arrived, and forgets it.
func (b *backend) requests() []*http.Request {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer func() { b.asked = nil }()
	return b.asked
}

func fine(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "fine") }

func away(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusServiceUnavailable)
	_, _ = io.WriteString(w, "draining")
}

// cut ends the connection when the request has been read.
func cut(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}

func balance(t *testing.T, nodes ...string) string {
	t.Helper()
	return "http://" + testkit.Nginx(t, testkit.NginxOptions{Config: func(listen string) string { return cluster.NginxConfig(t, listen, nodes...) }}).Addr
}

func do(t *testing.T, method, url string, header http.Header) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader("{}"))
	if err != nil {
		t.Fatalf("http.NewRequestWithContext: got error %v, want none", err)
	}
	req.Header, req.Close = header, true
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatalf("DefaultClient.Do: got error %v, want none", err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("io.ReadAll: got error %v, want none", err)
	}
	return res.StatusCode, string(text)
}

// TestNginxTriesTheOther: a node that is away costs a client nothing, unless a request that
// must not be repeated may have been carried out.
func TestNginxTriesTheOther(t *testing.T) {
	closed := newBackend(t, fine)
	closed.Close()
	for _, c := range []struct {
		name     string
		bad      *backend
		method   string
		status   int
		repeated bool
	}{
		{"no address, GET", closed, "GET", 200, true},
		{"no address, POST", closed, "POST", 200, true},
		{"draining, GET", newBackend(t, away), "GET", 200, true},
		{"draining, PUT", newBackend(t, away), "PUT", 200, true},
		{"draining, POST", newBackend(t, away), "POST", 503, false},
		{"draining, PATCH", newBackend(t, away), "PATCH", 503, false},
		{"cut, GET", newBackend(t, cut), "GET", 200, true},
		{"cut, DELETE", newBackend(t, cut), "DELETE", 200, true},
		{"cut, POST", newBackend(t, cut), "POST", 503, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			good := newBackend(t, fine)
			url := balance(t, c.bad.addr(), good.addr())
			met := 0
			for range 10 {
				status, body := do(t, c.method, url+"/v1/messages", http.Header{})
				asked, answered := len(c.bad.requests()), len(good.requests())
				if c.bad != closed {
					met += asked
				} else {
					met++
				}
				want, there := c.status, c.repeated
				if asked == 0 && c.bad != closed {
					want, there = 200, true
				}
				if status != want || (answered == 1) != there || answered > 1 || asked > 1 {
					t.Errorf("%d %q, want %d; the bad node was asked %d times, the good one %d", status, body, want, asked, answered)
				}
			}
			if met == 0 || c.bad != closed && met == 10 {
				t.Errorf("the bad node was asked in %d of 10 cases: want some of them", met)
			}
		})
	}
}

// TestNginxAnswersWithoutANode: a client gets a problem of the API when there is no node, and
// the answer of a node is passed on as it is.
func TestNginxAnswersWithoutANode(t *testing.T) {
	closed := newBackend(t, fine)
	closed.Close()
	for name, nodes := range map[string][]string{
		"no node": {closed.addr(), closed.addr()}, "one that stops": {newBackend(t, away).addr(), closed.addr()},
	} {
		g := testkit.NewGateway(t, balance(t, nodes...), "")
		a := g.Call(t, http.StatusServiceUnavailable, http.MethodGet, "/v1/session", nil)
		for string(a.Body) == "draining" { // that node was the second one
			a = g.Call(t, http.StatusServiceUnavailable, http.MethodGet, "/v1/session", nil)
		}
		problem := a.JSON(t)
		if a.Header.Get("Content-Type") != "application/problem+json" || a.Header.Get("Retry-After") != "1" ||
			problem.Str("code") != "unreachable" || problem.Str("request_id") != a.Header.Get("X-Request-Id") || problem.Str("request_id") == "" {
			t.Errorf("%s: %v %s, want %q and %q and code %q and request_id %v and some text", name, a.Header, a.Body, "application/problem+json", "1", "unreachable", a.Header.Get("X-Request-Id"))
		}
	}
	said := newBackend(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadGateway)
		_, _ = io.WriteString(w, "the upstream's TLS")
	})
	if status, body := do(t, "GET", balance(t, said.addr(), said.addr()), http.Header{}); status != http.StatusBadGateway || body != "the upstream's TLS" {
		t.Errorf("a node's own 502 became %d %q, want %d and %q", status, body, http.StatusBadGateway, "the upstream's TLS")
	}
}

// TestNginxWithBothNodesDown: two nodes that refuse for a reason are not taken for failed.
func TestNginxWithBothNodesDown(t *testing.T) {
	url := balance(t, newBackend(t, away).addr(), newBackend(t, away).addr())
	for range 5 {
		if status, body := do(t, "GET", url, http.Header{}); status != http.StatusServiceUnavailable || body != "draining" {
			t.Errorf("got %d %q, want %d and %q", status, body, http.StatusServiceUnavailable, "draining")
		}
	}
}

// TestNginxForwardsRequests: what a node has to know of a request arrives.
func TestNginxForwardsRequests(t *testing.T) {
	node := newBackend(t, fine)
	url := balance(t, node.addr(), node.addr())
	token := "Bearer " + strings.Repeat("x", 12<<10)
	status, body := do(t, "GET", url+"/v1/buddies/a%2Fb@c?d=%20e", http.Header{
		"Authorization": {token}, "X-Forwarded-For": {"192.0.2.1"}, "X-Request-Id": {"mine"},
		"Upgrade": {"websocket"}, "Connection": {"Upgrade"}, "Sec-Websocket-Protocol": {"perch.v1"},
	})
	if status != http.StatusOK {
		t.Fatalf("got %d %s, want %d", status, body, http.StatusOK)
	}
	r := node.requests()[0]
	for name, want := range map[string]string{
		"Authorization": token, "X-Forwarded-For": "192.0.2.1, 127.0.0.1",
		"Upgrade": "websocket", "Connection": "upgrade", "Sec-Websocket-Protocol": "perch.v1",
	} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("%s: %.80q, want %.80q", name, got, want)
		}
	}
	if id := r.Header.Get("X-Request-Id"); len(id) != 32 {
		t.Errorf("X-Request-Id %q is not nginx's, want 32", id)
	}
	if r.RequestURI != "/v1/buddies/a%2Fb@c?d=%20e" || r.Host != strings.TrimPrefix(url, "http://") {
		t.Errorf("%s at %s, want %q and %v", r.RequestURI, r.Host, "/v1/buddies/a%2Fb@c?d=%20e", strings.TrimPrefix(url, "http://"))
	}
	do(t, "GET", url, http.Header{})
	if r := node.requests()[0]; r.Header.Get("Connection") != "" || r.Header.Get("Upgrade") != "" {
		t.Errorf("without an upgrade: %v, want %q and %q", r.Header, "", "")
	}
}

// TestNginxStreams: what a node has written is there at once, before there is more.
func TestNginxStreams(t *testing.T) {
	next := make(chan struct{})
	node := newBackend(t, func(w http.ResponseWriter, r *http.Request) {
		for i := range 3 {
			fmt.Fprintf(w, "line %d\n", i)
			_ = http.NewResponseController(w).Flush()
			select {
			case <-next:
			case <-r.Context().Done():
			}
		}
	})
	url := balance(t, node.addr(), node.addr())
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatalf("http.NewRequestWithContext: got error %v, want none", err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatalf("DefaultClient.Do: got error %v, want none", err)
	}
	defer http.DefaultClient.CloseIdleConnections()
	defer res.Body.Close()
	buf := make([]byte, 100)
	for i := range 3 {
		n, err := res.Body.Read(buf)
		if err != nil || string(buf[:n]) != fmt.Sprintf("line %d\n", i) {
			t.Fatalf("read %q, %v, want no error and %q", buf[:n], err, fmt.Sprintf("line %d\n", i))
		}
		next <- struct{}{}
	}
}

// TestGuideNginx runs the configuration that docs/operations.md shows, with TLS.
func TestGuideNginx(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(testkit.Root(t), "docs/operations.md"))
	if err != nil {
		t.Fatalf("os.ReadFile: got error %v, want none", err)
	}
	block := regexp.MustCompile("(?s)```nginx\n(.*?)```").FindSubmatch(page)
	if block == nil {
		t.Fatal("docs/operations.md shows no nginx, want one")
	}
	ca, node := testkit.CA(t), newBackend(t, fine)
	certificate, key := ca.Leaf(t, "127.0.0.1")
	s := testkit.Nginx(t, testkit.NginxOptions{
		Files: map[string][]byte{"perch.example.org.pem": certificate, "perch.example.org.key": key},
		Config: func(listen string) string {
			conf := "events { }\nhttp {\naccess_log off;\n" + string(block[1]) + "}\n"
			conf = replaced(t, conf, "/etc/ssl/perch.example.org.pem", "perch.example.org.pem")
			conf = replaced(t, conf, "/etc/ssl/perch.example.org.key", "perch.example.org.key")
			return replaced(t, replaced(t, conf, "listen 443", "listen "+listen), "server 127.0.0.1:8080", "server "+node.addr())
		},
	})
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: ca.Pool}}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+s.Addr+"/v1/messages", strings.NewReader("{}"))
	if err != nil {
		t.Fatalf("http.NewRequestWithContext: got error %v, want none", err)
	}
	req.Header.Set("X-Forwarded-For", "192.0.2.1")
	res, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatalf("got %v\n%s, want no error", err, s.Log())
	}
	_ = res.Body.Close()
	if r := node.requests()[0]; res.StatusCode != http.StatusOK || r.Header.Get("X-Forwarded-For") != "192.0.2.1, 127.0.0.1" || r.Host != s.Addr {
		t.Errorf("%s; the node got %s %v, want %d and %q and %v", res.Status, r.Host, r.Header, http.StatusOK, "192.0.2.1, 127.0.0.1", s.Addr)
	}
}

func replaced(t *testing.T, text, old, by string) string {
	t.Helper()
	if !strings.Contains(text, old) {
		t.Fatalf("there is no %s in:\n%s, want %q in it", old, text, old)
	}
	return strings.Replace(text, old, by, 1)
}
