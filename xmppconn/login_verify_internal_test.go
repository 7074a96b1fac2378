package xmppconn

import (
	"context"
	"strings"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/canary"
)

// Verify learns whose account a credential opens, takes no resource by name, and leaves
// without a presence.
func TestVerify(t *testing.T) {
	password := perch.Account{JID: "me@a.test", Password: perch.NewSecret(canary.Mark + "pw"), Resource: "desk"}
	bubble(t, "the mechanism names the user", func(t *testing.T) {
		up := messengerUp()
		up.Profile = ProfileStandard
		w := newFakeNetwork(t, up)
		rest := ""
		w.serve("xmpp.a.test:5222", func(p *fakeServer) {
			p.startTLS()
			p.open(offerSASL("PLAIN"))
			p.expect(nsSASL, "auth")
			p.send(saslSuccess)
			rest = p.rest()
		})
		jid, err := w.d.Verify(context.Background(), password)
		if err != nil || jid != "me@a.test" {
			t.Errorf("Verify = %q, %v; want no error, jid me@a.test", jid, err)
		}
		if w.wg.Wait(); rest != "</stream:stream>" {
			t.Errorf("after success came %q: nothing was to be bound, want rest </stream:stream>", rest)
		}
	})
	bubble(t, "the server knows the user", func(t *testing.T) {
		w := newFakeNetwork(t, messengerUp())
		rest := ""
		w.serve("xmpp.a.test:5222", func(p *fakeServer) {
			p.startTLS()
			p.open(offerSASL("X-MESSENGER-OAUTH2"))
			p.raw()
			p.send(saslSuccess)
			p.open(offerBind)
			iq := p.bind("12345@a.test/other")
			if got := iq.Child(nsBind, "bind").ChildText(nsBind, "resource"); got != "" {
				t.Errorf("wanted resource %q, which may be in use", got)
			}
			rest = p.rest()
		})
		acc := tokenAccount
		acc.Resource = "desk"
		jid, err := w.d.Verify(context.Background(), acc)
		if err != nil || jid != "12345@a.test" {
			t.Errorf("Verify = %q, %v; want no error, jid 12345@a.test", jid, err)
		}
		if w.wg.Wait(); rest != "</stream:stream>" {
			t.Errorf("after bind came %q, want rest </stream:stream>", rest)
		}
	})
	bubble(t, "refused", func(t *testing.T) {
		up := messengerUp()
		up.Profile = ProfileStandard
		w := newFakeNetwork(t, up)
		w.serve("xmpp.a.test:5222", func(p *fakeServer) {
			p.startTLS()
			p.open(offerSASL("PLAIN"))
			p.expect(nsSASL, "auth")
			p.send("<failure xmlns='" + nsSASL + "'><not-authorized/></failure>")
			p.drain()
		})
		if jid, err := w.d.Verify(context.Background(), password); perch.KindOf(err) != perch.KindUnauthorized || jid != "" {
			t.Errorf("Verify = %q, %v; want %s, jid none", jid, err, perch.KindUnauthorized)
		}
	})
	bubble(t, "a JID of another domain", func(t *testing.T) {
		w := newFakeNetwork(t, messengerUp())
		w.serve("xmpp.a.test:5222", func(p *fakeServer) {
			p.startTLS()
			p.open(offerSASL("X-MESSENGER-OAUTH2"))
			p.raw()
			p.send(saslSuccess)
			p.open(offerBind)
			p.bind("boss@elsewhere.test/x")
			p.drain()
		})
		if jid, err := w.d.Verify(context.Background(), tokenAccount); perch.KindOf(err) != perch.KindUpstreamConfig || jid != "" {
			t.Errorf("Verify = %q, %v; want %s, jid none", jid, err, perch.KindUpstreamConfig)
		}
		acc := password
		acc.JID = "me@elsewhere.test"
		if _, err := w.d.Verify(context.Background(), acc); perch.KindOf(err) != perch.KindValidation || strings.Contains(err.Error(), "pw") {
			t.Errorf("an account of another domain: got %v, want %s, and not pw", err, perch.KindValidation)
		}
	})
}
