package api_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch/api"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/sessions"
)

// TestEveryConnectionHasDeadlines has clients that stop in the middle, each at another place, and
// measures how long they may hold their connection.
func TestEveryConnectionHasDeadlines(t *testing.T) {
	request := func(line, rest string) string { return line + " HTTP/1.1\r\nHost: x\r\n" + rest + "\r\n" }
	for _, tt := range []struct {
		name  string
		sends string
		reads bool
		want  time.Duration
	}{
		{"says nothing", "", true, 5 * time.Second},
		{"half a header", "GET / HTTP/1.1\r\nHost: x\r\n", true, 5 * time.Second},
		{"nothing after a request", request("GET /page", ""), true, 60 * time.Second},
		{"a body that does not come, for a page", request("GET /page", "Content-Length: 200000\r\n"), true, 30 * time.Second},
		{"a body that does not come, for nothing", request("POST /nope", "Content-Length: 200000\r\n"), true, 30 * time.Second},
		{"a body that does not come, for a method that is not there", request("PUT /v1/buddies", "Content-Length: 200000\r\n"), true, 30 * time.Second},
		{"a body that does not come, for a stream", request("GET /v1/events", "Content-Length: 200000\r\nAuthorization: Bearer bad-token\r\n"), true, 30 * time.Second},
		{"chunks that do not come, for a stream", request("GET /v1/events", "Transfer-Encoding: chunked\r\n"), true, 30 * time.Second},
		{"a body that does not come, for a socket", request("GET /v1/events/ws", "Content-Length: 200000\r\n"), true, 30 * time.Second},
		{"a body that does not come, for a sign-in", request("POST /v1/session", "Content-Type: application/json\r\nContent-Length: 200000\r\n"), true, 30 * time.Second},
		{"a page that is not read", request("GET /page", ""), false, 60 * time.Second},
		{"a problem that is not read", request("GET /nope", ""), false, 60 * time.Second},
		{"a refusal that is not read", request("GET /v1/events", ""), false, 60 * time.Second},
		{"a description that is not read", request("GET /v1/openapi.yaml", ""), false, 60 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { holdConnection(t, tt.sends, tt.reads, tt.want) })
		})
	}
}

func holdConnection(t *testing.T, sends string, reads bool, want time.Duration) {
	a, err := api.New(api.Options{
		Sessions: new(sessions.Manager), Logger: canary.Logger(), OpenAPI: []byte(strings.Repeat("x", 1<<20)),
		Pages: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/page" {
				http.NotFound(w, r)
				return
			}
			_, _ = io.WriteString(w, strings.Repeat("x", 1<<20))
		}),
	})
	if err != nil {
		t.Fatalf("api.New: got error %v, want none", err)
	}
	l := newPipes()
	s := api.NewServer(a.Handler(), canary.Logger())
	served := make(chan struct{})
	ended := make(chan time.Duration, 1)
	began := time.Now()
	s.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			select {
			case ended <- time.Since(began):
			default:
			}
		}
	}
	go func() { defer close(served); _ = s.Serve(l) }()
	c, err := l.dial(t.Context(), "", "")
	if err != nil {
		t.Fatalf("l.dial: got error %v, want none", err)
	}
	if _, err := io.WriteString(c, sends); err != nil {
		t.Fatalf("io.WriteString: got error %v, want none", err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		if reads {
			_, _ = io.Copy(io.Discard, c)
		}
	}()
	select {
	case got := <-ended:
		if got < want-time.Second || got > want+2*time.Second {
			t.Errorf("held for %v, want %v", got, want)
		}
	case <-time.After(time.Hour):
		t.Errorf("held for an hour, want %v", want)
	}
	_ = c.Close()
	<-read
	_ = s.Close()
	_ = l.Close()
	<-served
}

// TestHTTP2Limits reads what the server announces: the first frame after the preface is
// its SETTINGS (RFC 9113, 3.4 and 6.5).
func TestHTTP2Limits(t *testing.T) {
	srv := httptest.NewUnstartedServer(nil)
	srv.Config = api.NewServer(http.NotFoundHandler(), canary.Logger())
	srv.EnableHTTP2 = true
	srv.StartTLS()
	defer srv.Close()
	cfg := srv.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	cfg.NextProtos = []string{"h2"}
	c, err := tls.Dial("tcp", srv.Listener.Addr().String(), cfg)
	if err != nil {
		t.Fatalf("tls.Dial: got error %v, want none", err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(c, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"); err != nil {
		t.Fatalf("io.WriteString: got error %v, want none", err)
	}
	r := bufio.NewReader(c)
	head := make([]byte, 9)
	if _, err := io.ReadFull(r, head); err != nil || head[3] != 4 {
		t.Fatalf("frame %x, %v; want SETTINGS", head, err)
	}
	payload := make([]byte, int(head[0])<<16|int(head[1])<<8|int(head[2]))
	if _, err := io.ReadFull(r, payload); err != nil {
		t.Fatalf("io.ReadFull: got error %v, want none", err)
	}
	settings := map[uint16]uint32{}
	for ; len(payload) >= 6; payload = payload[6:] {
		settings[binary.BigEndian.Uint16(payload)] = binary.BigEndian.Uint32(payload[2:])
	}
	if got := settings[3]; got != 100 {
		t.Errorf("SETTINGS_MAX_CONCURRENT_STREAMS %d, want 100", got)
	}
	if got := settings[6]; got == 0 || got > 16<<10+1024 {
		t.Errorf("SETTINGS_MAX_HEADER_LIST_SIZE %d, want about 16 KiB", got)
	}
	if h := srv.Config.HTTP2; h.SendPingTimeout != 30*time.Second || h.PingTimeout != 15*time.Second || h.WriteByteTimeout != 10*time.Second {
		t.Errorf("HTTP/2 deadlines %+v, want 30 s, 15 s and 10 s", h)
	}
}

func TestListenerLimits(t *testing.T) {
	base, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("net.Listen: got error %v, want none", err)
	}
	refused := make(chan string, 10)
	l := api.NewListener(base, api.ListenerOptions{Total: 3, PerAddress: 2, Refused: func(r string) { refused <- r }})
	defer l.Close()
	accepted := make(chan net.Conn, 10)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				close(accepted)
				return
			}
			accepted <- c
		}
	}()
	dial := func(from string) net.Conn {
		t.Helper()
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: 10 * time.Second}
		c, err := d.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatalf("d.Dial: got error %v, want none", err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	take := func(from string) net.Conn { t.Helper(); dial(from); return <-accepted }
	turnAway := func(from, want string) {
		t.Helper()
		c := dial(from)
		if got := <-refused; got != want {
			t.Errorf("refused for %q, want %q", got, want)
		}
		_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
		if _, err := c.Read(make([]byte, 1)); err == nil || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a refused connection is still open: %v, want it closed", err)
		}
	}
	first := take("127.0.0.1")
	take("127.0.0.1")
	turnAway("127.0.0.1", api.RefusedAddress)
	other := take("127.0.0.2")
	turnAway("127.0.0.3", api.RefusedTotal)
	_ = other.Close()
	_ = other.Close() // counts once
	if n := l.Open(); n != 2 {
		t.Errorf("%d open, want 2", n)
	}
	turnAway("127.0.0.1", api.RefusedAddress)
	_ = first.Close()
	take("127.0.0.1")
	take("127.0.0.2")
	turnAway("127.0.0.2", api.RefusedTotal)
}
