package today

import (
	"encoding/base64"
	"net"
	"testing"
	"testing/synctest"

	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/xmpptest"
)

// TestSignInWaitsWithoutTheLock: a client that does not read what it is told while it signs in holds up nobody.
func TestSignInWaitsWithoutTheLock(t *testing.T) {
	const secret = canary.Mark + "ann"
	authenticate := func(inner string) string {
		plain := base64.StdEncoding.EncodeToString([]byte("\x00ann\x00" + secret))
		return "<authenticate xmlns='" + nsSASL2 + "' mechanism='PLAIN'><initial-response>" + plain + "</initial-response>" + inner + "</authenticate>"
	}
	const bind = "<bind xmlns='" + nsBind2 + "'/>"
	for what, tt := range map[string]struct {
		plain bool // it has signed in already
		send  string
	}{
		"a login":                   {false, authenticate("")},
		"a login, and a bind":       {false, authenticate(bind)},
		"a login, and a resumption": {false, authenticate("<resume xmlns='" + nsSM + "' previd='x' h='0'/>")},
		"a bind":                    {true, "<iq type='set' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>"},
		"a resumption":              {true, "<resume xmlns='" + nsSM + "' previd='x' h='0'/>"},
	} {
		synctest.Test(t, func(t *testing.T) {
			s, err := New(Options{MaxResources: 1, Listen: Off, ListenHTTP: Off, Logger: canary.Logger(), Accounts: []Account{{Local: "ann", Password: secret}}})
			if err != nil {
				t.Fatalf("New: got error %v, want none", err)
			}
			s.play(s.accounts["ann"], "x", func([]byte) {}) // nothing can be bound
			ours, theirs := net.Pipe()
			s.ServeConn(theirs)
			c := xmpptest.Over(t, xmpptest.Server{Domain: s.Domain(), CA: s.CA()}, ours)
			c.Secure()
			if tt.plain {
				c.Plain("ann", secret)
				c.Open()
			}
			c.Send("%s", tt.send)
			synctest.Wait()
			if !s.mu.TryLock() {
				t.Fatalf("%s: got the lock held while the client does not read, want it free", what)
			}
			s.mu.Unlock()
			c.Next()
			c.Conn.Close()
			synctest.Wait()
			s.stop()
		})
	}
}
