package callout_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/miekg/dns"

	"github.com/perch-im/perch/internal/callout"
)

// receiver is an HTTP server that counts, on an address of this machine.
type receiver struct {
	*httptest.Server
	conns, requests atomic.Int32
}

func newReceiver(t *testing.T, address string, h http.HandlerFunc) *receiver {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", address)
	if err != nil {
		t.Fatalf("Listen(%s): got error %v, want none", address, err)
	}
	r := &receiver{}
	r.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.requests.Add(1)
		h(w, req)
	}))
	_ = r.Listener.Close()
	r.Listener = l
	r.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			r.conns.Add(1)
		}
	}
	r.Start()
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) port() string {
	_, port, _ := net.SplitHostPort(r.Listener.Addr().String())
	return port
}

// resolver is a resolver whose every name leads where answer says, by the number of the question.
func resolver(t *testing.T, answer func(n int) []string) *net.Resolver {
	t.Helper()
	conn, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("ListenPacket: got error %v, want none", err)
	}
	var n atomic.Int32
	s := &dns.Server{PacketConn: conn, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		if q.Question[0].Qtype == dns.TypeA {
			for _, ip := range answer(int(n.Add(1))) {
				m.Answer = append(m.Answer, &dns.A{Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET}, A: net.ParseIP(ip)})
			}
		}
		if len(m.Answer) == 0 && len(answer(0)) == 0 {
			m.Rcode = dns.RcodeNameError
		}
		_ = w.WriteMsg(m)
	})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.ActivateAndServe() // until Shutdown
	}()
	t.Cleanup(func() {
		_ = conn.Close()
		<-done
	})
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

func only(ips ...string) func(int) []string { return func(int) []string { return ips } }

// TestNamesThatLeadInside: it is the address that counts which a name leads to, whatever the name is.
func TestNamesThatLeadInside(t *testing.T) {
	inside := newReceiver(t, "127.0.0.1:0", func(http.ResponseWriter, *http.Request) {})
	for name, ips := range map[string][]string{
		"loopback": {"127.0.0.1"}, "private": {"10.0.0.1"}, "metadata of a cloud": {"169.254.169.254"}, "unspecified": {"0.0.0.0"},
		"shared": {"100.64.0.1"}, "several": {"127.0.0.1", "192.168.1.1"}, "multicast": {"224.0.0.1"}, "broadcast": {"255.255.255.255"},
	} {
		for _, allow := range [][]netip.Prefix{nil, {netip.MustParsePrefix("127.0.0.2/32")}} {
			c := callout.New(callout.Options{Resolver: resolver(t, only(ips...)), Allow: allow})
			for _, scheme := range []string{"https", "http"} {
				a := c.Post(t.Context(), scheme+"://receiver.example.org:"+inside.port()+"/", http.Header{}, nil)
				if !a.Refused || a.Err == nil || a.Status != 0 {
					t.Errorf("%s, %s: got %+v, want it refused", name, scheme, a)
				}
			}
		}
	}
	// What is sent without TLS stays in the networks that are allowed.
	c := callout.New(callout.Options{Resolver: resolver(t, only("8.8.8.8")), Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")}})
	if a := c.Post(t.Context(), "http://outside.example.org:"+inside.port()+"/", http.Header{}, nil); !a.Refused {
		t.Errorf("a public address without TLS: got %+v, want it refused", a)
	}
	c = callout.New(callout.Options{Resolver: resolver(t, only())})
	unknown := c.Post(t.Context(), "https://unknown.example.org/", http.Header{}, nil)
	c = callout.New(callout.Options{Resolver: resolver(t, only("10.0.0.1"))})
	if a := c.Post(t.Context(), "https://inside.example.org/", http.Header{}, nil); unknown.Err == nil || unknown.Err.Error() != a.Err.Error() {
		t.Errorf("a name that is not known: got error %q, want that of one that leads inside: %q", unknown.Err, a.Err)
	}
	if n := inside.conns.Load(); n != 0 {
		t.Errorf("got %d connections inside, want none", n)
	}
}

// TestRebinding: a name that leads elsewhere the second time gains nothing, with connections that wait and
// without them.
func TestRebinding(t *testing.T) {
	outside := newReceiver(t, "127.0.0.2:0", func(http.ResponseWriter, *http.Request) {})
	inside := newReceiver(t, "127.0.0.1:"+outside.port(), func(http.ResponseWriter, *http.Request) {})
	c := callout.New(callout.Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")}, Resolver: resolver(t, func(n int) []string {
		if n == 1 {
			return []string{"127.0.0.2"}
		}
		return []string{"127.0.0.1"}
	})})
	defer c.Close()
	post := func() callout.Answer {
		return c.Post(t.Context(), "http://rebind.example.org:"+outside.port()+"/", http.Header{}, nil)
	}
	if a := post(); a.Status != http.StatusOK || a.Err != nil {
		t.Fatalf("the first call: got %+v, want 200", a)
	}
	c.Close()
	for range 3 {
		if a := post(); !a.Refused {
			t.Errorf("after the name leads inside: got %+v, want it refused", a)
		}
	}
	if n := inside.conns.Load(); n != 0 {
		t.Errorf("got %d connections inside, want none", n)
	}
}

// TestRedirects: no redirect is followed, neither inside nor outside.
func TestRedirects(t *testing.T) {
	inside := newReceiver(t, "127.0.0.1:0", func(http.ResponseWriter, *http.Request) {})
	for _, status := range []int{301, 302, 303, 307, 308} {
		r := newReceiver(t, "127.0.0.2:0", func(w http.ResponseWriter, req *http.Request) {
			http.Redirect(w, req, inside.URL, status)
		})
		c := callout.New(callout.Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
		a := c.Post(t.Context(), r.URL, http.Header{}, []byte("{}"))
		if a.Status != status || a.Err == nil || a.Refused || strings.Contains(a.Err.Error(), "127.") {
			t.Errorf("%d: got %+v, want an error that names no address", status, a)
		}
		c.Close()
	}
	if n := inside.requests.Load(); n != 0 {
		t.Errorf("got %d requests inside, want none", n)
	}
}

// TestAnswers: what is sent arrives as it is, and statuses have words.
func TestAnswers(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.3:1")
	for status, want := range map[int]string{200: "", 204: "", 299: "", 404: "it answered 404 Not Found", 500: "it answered 500 Internal Server Error", 599: "it answered 599"} {
		r := newReceiver(t, "127.0.0.1:0", func(w http.ResponseWriter, req *http.Request) {
			if body, _ := io.ReadAll(req.Body); string(body) != `{"a":1}` || req.Header.Get("A") != "b" || req.Method != http.MethodPost || req.Header.Get("Accept-Encoding") != "" {
				t.Errorf("got %s %v %s, want what was sent", req.Method, req.Header, body)
			}
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(status)
		})
		c := callout.New(callout.Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}})
		for range 3 {
			a := c.Post(t.Context(), r.URL+"/?x=y", http.Header{"A": {"b"}}, []byte(`{"a":1}`))
			got := ""
			if a.Err != nil {
				got = a.Err.Error()
			}
			if a.Status != status || got != want || (want != "") != (a.RetryAfter.Seconds() == 7) {
				t.Errorf("%d: got %+v, want the error %q", status, a, want)
			}
		}
		if n := r.conns.Load(); n != 1 {
			t.Errorf("%d: got %d connections for three calls, want 1", status, n)
		}
		c.Close()
	}
}
