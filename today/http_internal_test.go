package today

import (
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch/internal/canary"
)

// pipeListener accepts pipes, on the clock of synctest.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error   { close(l.closed); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// dial is nil when nothing accepts it.
func (l *pipeListener) dial() net.Conn {
	ours, theirs := net.Pipe()
	synctest.Wait()
	select {
	case l.conns <- theirs:
		return ours
	default:
		return nil
	}
}

// serveHTTP runs the listener for HTTP of a service in a bubble.
func serveHTTP(t *testing.T, o Options, f func(*testing.T, *pipeListener)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		o.Logger = canary.Logger()
		s, err := New(o)
		if err != nil {
			t.Fatalf("New: got error %v, want none", err)
		}
		l := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
		server := s.newHTTPServer()
		done := make(chan error)
		go func() { done <- server.Serve(s.limited(l)) }()
		f(t, l)
		_ = server.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("Serve: got error %v, want %v", err, http.ErrServerClosed)
		}
		s.stop()
	})
}

// TestSlowHTTP: who does not send what is announced, or does not read, is let go after a while.
func TestSlowHTTP(t *testing.T) {
	const head = "GET /.well-known/host-meta HTTP/1.1\r\nHost: localhost\r\n"
	for what, tt := range map[string]struct {
		send  string
		read  bool
		after time.Duration
	}{
		"no header":         {"GET / HTTP/1.1\r\n", true, httpHeaderTime},
		"half a body":       {head + "Content-Length: 100\r\n\r\nx", true, fileTime},
		"not reading":       {head + "\r\n", false, 2 * fileTime},
		"nothing more then": {head + "\r\n", true, httpIdleTime},
	} {
		serveHTTP(t, Options{}, func(t *testing.T, l *pipeListener) {
			c := l.dial()
			defer c.Close()
			begin := time.Now()
			_ = c.SetDeadline(begin.Add(time.Hour))
			if _, err := io.WriteString(c, tt.send); err != nil {
				t.Fatalf("%s: got error %v, want none", what, err)
			}
			if !tt.read {
				time.Sleep(tt.after + time.Second)
				if n, err := c.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
					t.Errorf("%s: got %d bytes and error %v, want the end", what, n, err)
				}
				return
			}
			_, err := io.Copy(io.Discard, c)
			if got := time.Since(begin); err != nil || got > tt.after+time.Second {
				t.Errorf("%s: got error %v after %v, want the end after %v", what, err, got, tt.after)
			}
		})
	}
}

// TestHTTPConnectionsAreLimited: those that there are stay, and others wait.
func TestHTTPConnectionsAreLimited(t *testing.T) {
	serveHTTP(t, Options{MaxConnections: 3}, func(t *testing.T, l *pipeListener) {
		var list []net.Conn
		for c := l.dial(); c != nil && len(list) < 1000; c = l.dial() {
			list = append(list, c)
		}
		if want := 3 + httpRequests; len(list) != want {
			t.Errorf("got %d connections, want %d", len(list), want)
		}
		list[0].Close()
		if list[0] = l.dial(); list[0] == nil {
			t.Fatal("got no place for another one when one has ended, want one")
		}
		for _, c := range list {
			c.Close()
		}
	})
}
