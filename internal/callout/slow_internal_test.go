package callout

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// pipeTo has a client reach one receiver, by pipes: the clock of a bubble needs no socket.
func pipeTo(t *testing.T, serve func(net.Conn)) *Client {
	t.Helper()
	c := New(Options{})
	var serving sync.WaitGroup
	c.secure.DialTLSContext = func(context.Context, string, string) (net.Conn, error) {
		here, there := net.Pipe()
		serving.Go(func() {
			defer there.Close()
			serve(there)
		})
		return here, nil
	}
	t.Cleanup(func() {
		c.Close()
		serving.Wait()
	})
	return c
}

// read takes one request from a connection.
func read(t *testing.T, conn net.Conn) {
	req, err := http.ReadRequest(bufio.NewReader(conn))
	if err == nil {
		_, err = io.Copy(io.Discard, req.Body)
	}
	if err != nil {
		t.Errorf("the request: got error %v, want none", err)
	}
}

// TestSlowReceiver: one that does not answer, or does not end, costs a bounded time.
func TestSlowReceiver(t *testing.T) {
	for name, tt := range map[string]struct {
		serve  func(*testing.T, net.Conn)
		status int
		err    error
		took   time.Duration
	}{
		"it never answers": {func(t *testing.T, c net.Conn) { read(t, c); _, _ = io.Copy(io.Discard, c) }, 0, errSlow, AnswerTime},
		"it never ends its head": {func(t *testing.T, c net.Conn) {
			read(t, c)
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nA: ")
			_, _ = io.Copy(io.Discard, c)
		}, 0, errSlow, AnswerTime},
		"it never reads": {func(_ *testing.T, c net.Conn) { time.Sleep(time.Minute) }, 0, errSlow, ConnectTime + AnswerTime},
		"its body never ends": {func(t *testing.T, c net.Conn) {
			read(t, c)
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc")
			_, _ = io.Copy(io.Discard, c)
		}, 200, nil, bodyTime},
		"it closes": {func(t *testing.T, c net.Conn) { read(t, c) }, 0, errUnreachable, 0},
		"it sends more than a head": {func(t *testing.T, c net.Conn) {
			read(t, c)
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n")
			for n := 0; ; n++ {
				if _, err := io.WriteString(c, "A: 0123456789012345678901234567890123456789\r\n"); err != nil {
					if sent := 45 * n; sent > 2*headBytes {
						t.Errorf("got %d bytes of a head read, want about %d", sent, headBytes)
					}
					return
				}
			}
		}, 0, errUnreachable, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := pipeTo(t, func(conn net.Conn) { tt.serve(t, conn) })
				begin := time.Now()
				a := c.Post(t.Context(), "https://example.org/", http.Header{}, []byte("{}"))
				if took := time.Since(begin); a.Status != tt.status || !errors.Is(a.Err, tt.err) || took != tt.took {
					t.Errorf("got status %d, error %v after %v, want %d, %v after %v", a.Status, a.Err, took, tt.status, tt.err, tt.took)
				}
			})
		})
	}
}

// TestStopped: who ends a request is not told that the receiver was slow.
func TestStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := pipeTo(t, func(conn net.Conn) { read(t, conn); _, _ = io.Copy(io.Discard, conn) })
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		time.AfterFunc(time.Second, cancel)
		if a := c.Post(ctx, "https://example.org/", http.Header{}, nil); !errors.Is(a.Err, errStopped) {
			t.Errorf("got error %v, want %v", a.Err, errStopped)
		}
	})
}
