package xmppconn

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/perch-im/perch"
)

// TestM02NothingInClear reads what goes out before TLS is up, on servers that do not offer
// it, refuse it, or put words after <proceed/>: no more than a stream header and a wish
// for TLS.
func TestM02NothingInClear(t *testing.T) {
	for _, tt := range []struct{ name, features, answer string }{
		{"not offered", offerSASL("X-MESSENGER-OAUTH2", "PLAIN"), ""},
		{"offered beside SASL and refused", offerTLS + offerSASL("X-MESSENGER-OAUTH2"), "<failure xmlns='" + nsTLS + "'/></stream:stream>"},
		{"words after proceed", offerTLS, "<proceed xmlns='" + nsTLS + "'/><stream:features>" + offerSASL("X-MESSENGER-OAUTH2") + "</stream:features>"},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			w := newFakeNetwork(t, messengerUp())
			var sent []string // by the client, before TLS
			w.serve("xmpp.a.test:5222", func(p *fakeServer) {
				p.open(tt.features)
				if tt.answer != "" {
					sent = append(sent, p.raw())
					p.send(tt.answer)
				}
				p.silence()
			})
			w.dialError(perch.KindUpstreamTLS)
			w.wg.Wait()
			for _, xml := range sent {
				if !strings.HasPrefix(xml, "<starttls") || strings.Contains(xml, testToken) {
					t.Errorf("sent in clear: got %s, want it to begin with <starttls, and not %v", xml, testToken)
				}
			}
		})
	}
}

// TestM05JIDIsAnOutcome signs in with a token alone: the server says who that is.
func TestM05JIDIsAnOutcome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFakeNetwork(t, messengerUp())
		w.serve("xmpp.a.test:5222", func(p *fakeServer) {
			p.startTLS()
			p.authenticate()
			p.open(offerBind)
			p.bind("3e1afc479649b3fb@a.test/anything it likes")
			p.drain()
		})
		if got := w.dial().Login().JID; got != "3e1afc479649b3fb@a.test/anything it likes" {
			t.Errorf("signed in as %q, want 3e1afc479649b3fb@a.test/anything it likes", got)
		}
	})
}

// TestM01BothKindsOfRecords dials what XEP-0368 and RFC 6120 offer as one list: the unreachable
// direct target first, then the STARTTLS one of the next priority.
func TestM01BothKindsOfRecords(t *testing.T) {
	up := messengerUp()
	up.Address = ""
	synctest.Test(t, func(t *testing.T) {
		w := newFakeNetwork(t, up)
		w.srv["xmpp-client"] = records("c1.a.test:5222/20/0", "c3.a.test:5222/40/0")
		w.srv["xmpps-client"] = records("s0.a.test:443/10/0", "s2.a.test:5223/30/0")
		w.serve("s2.a.test:5223", func(p *fakeServer) { // direct: the first bytes are TLS
			p.handshake()
			p.authenticate()
			p.open(offerBind)
			p.bind(string(testSelf))
			p.drain()
		})
		w.dial()
		if want := []string{"s0.a.test:443", "c1.a.test:5222", "s2.a.test:5223"}; !slices.Equal(w.dialed, want) {
			t.Errorf("dialled %q, want %v", w.dialed, want)
		}
	})
}
