package today_test

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/xmpptest"
	"github.com/perch-im/perch/today"
)

// Whatever a signed-in client sends, the stream ends with a condition and no other client is affected.
func TestHostileStreams(t *testing.T) {
	s := start(t, world())
	ben := online(t, s, "ben", "b")
	for _, tt := range xmpptest.HostileStanzas(at("ben")) {
		t.Run(tt.Name, func(t *testing.T) {
			c := signIn(t, s, "ann", "")
			go func() { _, _ = fmt.Fprint(c.Conn, tt.Sent+"</stream:stream>") }()
			if cond, _ := c.Ended(); cond != tt.Want {
				t.Errorf("got condition %q, want %q", cond, tt.Want)
			}
		})
	}
	if got := ben.Sync(); len(xmpptest.Only(got, "message")) != 0 {
		t.Errorf("ben got %v, want no message", got)
	}
}

func TestHostileHeaders(t *testing.T) {
	s := start(t, world())
	for _, tt := range xmpptest.HostileHeaders(s.Domain()) {
		t.Run(tt.Name, func(t *testing.T) {
			c := xmpptest.Dial(t, server(s))
			go func() {
				_, _ = fmt.Fprint(c.Conn, tt.Sent)
				if w, ok := c.Conn.(interface{ CloseWrite() error }); ok && (tt.Sent == "" || tt.Want == "") {
					_ = w.CloseWrite()
				}
			}()
			st, err := c.Start()
			if tt.Want == "" {
				if err == nil {
					t.Fatalf("answered with %v, want an error", st)
				}
				return
			}
			if err != nil || st.Name.Local != "stream" {
				t.Fatalf("no header: %v, want no error and %q", err, "stream")
			}
			if cond, clean := c.Ended(); cond != tt.Want || !clean {
				t.Errorf("condition %q, clean %v, want %q", cond, clean, tt.Want)
			}
		})
	}
	online(t, s, "ann", "a")
}

func TestStanzasBeforeBindAreRefused(t *testing.T) {
	s := start(t, world())
	c := xmpptest.Dial(t, server(s))
	c.Secure()
	c.Send("<iq type='get' id='1'><query xmlns='jabber:iq:roster'/></iq>")
	if cond, _ := c.Ended(); cond != "not-authorized" {
		t.Errorf("before SASL: condition %q, want %q", cond, "not-authorized")
	}
	c = xmpptest.Dial(t, server(s))
	c.Secure()
	c.Plain("ann", canary.Mark+"ann")
	c.Open()
	c.Send("<message type='chat' to='%s'><body>x</body></message>", at("ben"))
	if cond, _ := c.Ended(); cond != "not-authorized" {
		t.Errorf("before bind: condition %q, want %q", cond, "not-authorized")
	}
}

func TestConnectionsAndResourcesAreLimited(t *testing.T) {
	o := world()
	o.MaxConnections, o.MaxResources = 3, 2
	s := start(t, o)
	online(t, s, "ann", "1")
	online(t, s, "ann", "2")
	c := xmpptest.Dial(t, server(s))
	c.Secure()
	c.Plain("ann", canary.Mark+"ann")
	c.Open()
	if got := c.Bind("3").Condition(); got != "resource-constraint" {
		t.Errorf("a third resource: got %q, want %q", got, "resource-constraint")
	}
	if _, err := xmpptest.Dial(t, server(s)).Start(); err == nil {
		t.Error("a fourth connection is served, want an error")
	}
}

func TestRosterIsLimited(t *testing.T) {
	s := start(t, world())
	c := signIn(t, s, "cat", "c")
	for i := range 2000 {
		c.Send("<presence type='subscribe' to='p%d@else.example'/>", i)
	}
	c.Sync()
	item := "<query xmlns='jabber:iq:roster'><item jid='one.more@else.example'/></query>"
	if got := c.IQ("set", "", item).Condition(); got != "resource-constraint" {
		t.Errorf("item 2,001: got %q, want %q", got, "resource-constraint")
	}
}

// piped connects over a pipe, on the clock of synctest: a socket would stop that clock.
func piped(t *testing.T, s *today.Service) *xmpptest.Client {
	ours, theirs := net.Pipe()
	s.ServeConn(theirs)
	return xmpptest.Over(t, server(s), ours)
}

func TestSignInHasADeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := world()
		o.Listen, o.ListenHTTP = today.Off, today.Off
		c := piped(t, start(t, o))
		c.Open()
		begin := time.Now()
		if _, err := c.Wait(time.Hour); err == nil {
			t.Fatal("the connection is still open, want an error")
		}
		if d := time.Since(begin); d != 30*time.Second {
			t.Errorf("dropped after %v, want %v", d, 30*time.Second)
		}
	})
}

func TestIdleStreamsAreDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := world()
		o.Listen, o.ListenHTTP = today.Off, today.Off
		c := piped(t, start(t, o)).SignIn("ann", canary.Mark+"ann", "a")
		time.Sleep(10 * time.Minute)
		c.Sync()
		begin := time.Now()
		n, err := c.Wait(time.Hour)
		if err != nil || n.Condition() != "connection-timeout" {
			t.Fatalf("got %v %v, want no error and %q", n, err, "connection-timeout")
		}
		if d := time.Since(begin); d != 15*time.Minute {
			t.Errorf("dropped after %v, want %v", d, 15*time.Minute)
		}
		c.Conn.Close()
	})
}

// A client that does not read is cut; those who write to it do not notice.
func TestSlowClientIsCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := world()
		o.Listen, o.ListenHTTP, o.QueueBytes = today.Off, today.Off, 10_000
		s := start(t, o)
		ben := piped(t, s).SignIn("ben", canary.Mark+"ben", "b")
		ben.Send("<presence/>")
		synctest.Wait() // and ben never reads again
		ann := piped(t, s).SignIn("ann", canary.Mark+"ann", "a")
		for range 20 {
			ann.Send("<message type='chat' to='%s'><body>%s</body></message>", at("ben"), strings.Repeat("x", 1000))
			ann.Sync()
		}
		if n := s.Stats().Slow; n != 1 {
			t.Errorf("slow: got %d, want 1", n)
		}
		ann.Conn.Close()
	})
}
