package logingate

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestGateBoundsLogins: as many compute at once as there are places, and one that waits for a
// server far away takes none.
func TestGateBoundsLogins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const places, logins = 2, 10
		g := New(places)
		var computing, most atomic.Int32
		compute := func() {
			most.Store(max(most.Load(), computing.Add(1)))
			time.Sleep(time.Second)
			computing.Add(-1)
		}
		var wg sync.WaitGroup
		begun := time.Now()
		for range logins {
			client, server := net.Pipe()
			wg.Go(func() {
				defer client.Close()
				socket, lift, err := g.Pass(t.Context(), client)
				if err != nil {
					t.Errorf("Pass: got error %v, want none", err)
					return
				}
				defer lift()
				compute()
				if _, err := socket.Read(make([]byte, 1)); err != nil {
					t.Errorf("Read: got error %v, want none", err)
				}
				compute()
			})
			wg.Go(func() {
				defer server.Close()
				time.Sleep(time.Minute) // a server that is slow to answer
				if _, err := server.Write([]byte{1}); err != nil {
					t.Errorf("Write: got error %v, want none", err)
				}
			})
		}
		wg.Wait()
		if got := most.Load(); got != places {
			t.Errorf("got %d logins that compute at once, want %d", got, places)
		}
		if got, want := time.Since(begun), time.Minute+logins/places*time.Second; got != want {
			t.Errorf("got all logins after %s, want %s: the minute of the server counts once", got, want)
		}
		if n := len(g.places); n != 0 {
			t.Errorf("got %d places taken after all logins, want 0", n)
		}
	})
}

// TestGateOfAServerNearby: a login whose server answers soon keeps its place until it is over.
func TestGateOfAServerNearby(t *testing.T) {
	for _, tt := range []struct {
		answer, want time.Duration // how soon the server answers; when the next login begins
	}{
		{gateWait - time.Nanosecond, 2*time.Second + gateWait - time.Nanosecond},
		{gateWait + time.Nanosecond, time.Second + gateWait},
	} {
		t.Run(tt.answer.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := New(1)
				client, server := net.Pipe()
				defer client.Close()
				defer server.Close()
				begun := time.Now()
				var wg sync.WaitGroup
				wg.Go(func() {
					socket, lift, err := g.Pass(t.Context(), client)
					if err != nil {
						t.Errorf("Pass: got error %v, want none", err)
						return
					}
					defer lift()
					time.Sleep(time.Second)
					if _, err := socket.Read(make([]byte, 1)); err != nil {
						t.Errorf("Read: got error %v, want none", err)
					}
					time.Sleep(time.Second)
				})
				wg.Go(func() {
					time.Sleep(time.Second + tt.answer)
					if _, err := server.Write([]byte{1}); err != nil {
						t.Errorf("Write: got error %v, want none", err)
					}
				})
				synctest.Wait()
				_, lift, err := g.Pass(t.Context(), server)
				if err != nil {
					t.Fatalf("Pass of the next login: got error %v, want none", err)
				}
				if got := time.Since(begun); got != tt.want {
					t.Errorf("got the next login after %s, want %s", got, tt.want)
				}
				lift()
				wg.Wait()
			})
		})
	}
}

// TestGateOfAnEndedLogin: a login whose context ends waits for no place, neither at its begin nor
// after its server has answered, and gives back what it has.
func TestGateOfAnEndedLogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(1)
		first, other := net.Pipe()
		defer first.Close()
		defer other.Close()
		ctx, cancel := context.WithCancel(t.Context())
		socket, lift, err := g.Pass(ctx, first)
		if err != nil {
			t.Fatalf("Pass: got error %v, want none", err)
		}
		ended := make(chan error, 1)
		go func() {
			_, err := socket.Read(make([]byte, 1))
			ended <- err
		}()
		time.Sleep(gateWait)
		synctest.Wait()
		_, liftSecond, err := g.Pass(t.Context(), other)
		if err != nil {
			t.Fatalf("Pass while the first waits: got error %v, want none", err)
		}
		if _, err := other.Write([]byte{1}); err != nil {
			t.Fatalf("Write: got error %v, want none", err)
		}
		synctest.Wait()
		cancel()
		if err := <-ended; !errors.Is(err, net.ErrClosed) {
			t.Errorf("Read of a login that has ended: got error %v, want %v", err, net.ErrClosed)
		}
		lift()
		if _, _, err := g.Pass(ctx, first); !errors.Is(err, context.Canceled) {
			t.Errorf("Pass of a login that has ended: got error %v, want %v", err, context.Canceled)
		}
		liftSecond()
		if n := len(g.places); n != 0 {
			t.Errorf("got %d places taken in the end, want 0", n)
		}
	})
}

// TestSocketAfterTheLogin: reading takes no place any more.
func TestSocketAfterTheLogin(t *testing.T) {
	client, server := net.Pipe()
	defer client.Close()
	defer server.Close()
	g := New(1)
	socket, lift, err := g.Pass(t.Context(), client)
	if err != nil {
		t.Fatalf("Pass: got error %v, want none", err)
	}
	lift()
	g.places <- struct{}{} // another login has it
	go func() { _, _ = server.Write([]byte{7}) }()
	b := make([]byte, 1)
	if n, err := socket.Read(b); n != 1 || err != nil || b[0] != 7 {
		t.Errorf("Read: got %d bytes %v, error %v; want 1, 7, none", n, b, err)
	}
}
