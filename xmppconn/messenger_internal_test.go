package xmppconn

import (
	"context"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/messenger"
)

// serviceOverPipes is a Dialer that reaches an embedded service over pipes, on the clock of
// synctest: both sides of Perch, which share no code, and nothing in between.
func serviceOverPipes(t *testing.T, o messenger.Options, change func(*Upstream)) (*messenger.Service, *Dialer) {
	t.Helper()
	o.Listen, o.Domain = "off", "a.test"
	o.Accounts = []messenger.Account{{User: "ann", Tokens: []messenger.Token{{Text: testToken}}}}
	cert := testCert() // valid on that clock, too
	o.Certificate = &cert
	s, err := messenger.New(o)
	if err != nil {
		t.Fatalf("messenger.New(): got error %v, want none", err)
	}
	if err := s.Start(context.Background()); err != nil {
		t.Fatalf("s.Start(): got error %v, want none", err)
	}
	up := messengerUp()
	up.Address = "192.0.2.1:5222"
	change(&up)
	d, err := NewDialer(up, Options{Logger: canary.Logger()})
	if err != nil {
		t.Fatalf("NewDialer(): got error %v, want none", err)
	}
	d.dialTCP = func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := bufferedPipe()
		s.ServeConn(theirs)
		return ours, nil
	}
	t.Cleanup(func() { _ = s.Stop(context.Background()) })
	return s, d
}

// bufferedPipe is a net.Pipe that both ends may write to at the same time, as TLS does
// after its handshake.
func bufferedPipe() (a, b net.Conn) {
	a, x := net.Pipe()
	y, b := net.Pipe()
	for _, way := range [][2]net.Conn{{x, y}, {y, x}} {
		go func() {
			_, _ = io.Copy(way[1], way[0]) // until either end is closed
			_ = way[0].Close()
			_ = way[1].Close()
		}()
	}
	return a, b
}

// TestM16PingsSurviveIdleDrops keeps a silent connection to a service that drops those
// after a minute, for an hour; and shows that it would be dropped without the pings.
func TestM16PingsSurviveIdleDrops(t *testing.T) {
	for _, tt := range []struct {
		name    string
		every   time.Duration
		dropped bool
	}{{"as it is", 0, false}, {"without pings", 24 * time.Hour, true}} {
		bubble(t, tt.name, func(t *testing.T) {
			s, d := serviceOverPipes(t, messenger.Options{IdleTimeout: time.Minute}, func(u *Upstream) { u.KeepAlive = tt.every })
			c, err := d.Dial(context.Background(), tokenAccount, nil)
			if err != nil {
				t.Fatalf("d.Dial(): got error %v, want none", err)
			}
			c.Start(func(uint64, perch.Inbound) {}, func() {})
			defer func() { c.Abort(); _ = c.join(context.Background()) }()
			if _, err := c.Send(&perch.PresenceOut{OwnPresence: perch.OwnPresence{Available: true}}); err != nil {
				t.Fatalf("c.Send(): got error %v, want none", err)
			}
			select {
			case <-c.Done():
				if !tt.dropped {
					t.Errorf("dropped: got %v, want dropped", c.Err())
				}
			case <-time.After(time.Hour):
				if tt.dropped {
					t.Error("not dropped after an hour, want it dropped")
				}
			}
			pings := s.Stanzas("ann").IQs
			if want := int64(time.Hour / (56 * time.Second)); !tt.dropped && pings < want {
				t.Errorf("%d requests in an hour, want %d pings", pings, want)
			}
			synctest.Wait()
		})
	}
}
