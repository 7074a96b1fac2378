package messenger_test

import (
	"fmt"
	"testing"

	"github.com/perch-im/perch/internal/xmpptest"
)

// Whatever a signed-in client sends, the stream ends with a condition and no other
// client is affected.
func TestHostileStreams(t *testing.T) {
	s := start(t, world())
	ben := online(t, s, "ben")
	for _, tt := range xmpptest.HostileStanzas(at("ben")) {
		t.Run(tt.Name, func(t *testing.T) {
			c := signIn(t, s, "ann")
			go func() { _, _ = fmt.Fprint(c.conn, tt.Sent+"</stream:stream>") }()
			if cond, _ := c.ended(); cond != tt.Want {
				t.Errorf("got condition %q, want %q", cond, tt.Want)
			}
		})
	}
	if got := ben.sync(); len(only(got, "message")) != 0 {
		t.Errorf("ben got %v, want 0", got)
	}
}

func TestHostileHeaders(t *testing.T) {
	s := start(t, world())
	for _, tt := range xmpptest.HostileHeaders(domain) {
		t.Run(tt.Name, func(t *testing.T) {
			c := dial(t, s)
			go func() {
				_, _ = fmt.Fprint(c.conn, tt.Sent)
				if tt.Sent == "" || tt.Want == "" {
					closeWrite(c)
				}
			}()
			st, err := c.start()
			if tt.Want == "" {
				if err == nil {
					t.Fatalf("answered with %v, want an error", st)
				}
				return
			}
			if err != nil || st.Name.Local != "stream" {
				t.Fatalf("no header: %v, want no error and %q", err, "stream")
			}
			if cond, clean := c.ended(); cond != tt.Want || !clean {
				t.Errorf("condition %q, clean %v, want %q", cond, clean, tt.Want)
			}
		})
	}
	online(t, s, "ann")
}

func closeWrite(c *client) {
	if w, ok := c.conn.(interface{ CloseWrite() error }); ok {
		_ = w.CloseWrite()
	}
}

func TestStanzasBeforeBindAreRefused(t *testing.T) {
	s := start(t, world())
	c := dial(t, s)
	c.secure()
	c.auth("ann")
	c.open()
	c.send("<message type='chat' to='%s'><body>x</body></message>", at("ben"))
	if cond, _ := c.ended(); cond != "not-authorized" {
		t.Errorf("condition %q, want %q", cond, "not-authorized")
	}
	c = dial(t, s)
	c.secure()
	c.send("<iq type='get' id='1'><query xmlns='jabber:iq:roster'/></iq>")
	if cond, _ := c.ended(); cond != "not-authorized" {
		t.Errorf("condition %q, want %q", cond, "not-authorized")
	}
}

func TestConnectionsAreLimited(t *testing.T) {
	o := world()
	o.MaxConnections = 1
	s := start(t, o)
	online(t, s, "ann")
	if _, err := dial(t, s).start(); err == nil {
		t.Error("a second connection is served, want an error")
	}
}
