package xmppconn

import (
	"context"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/perch-im/perch"
)

// TestProbe looks at servers as a login does, and shows none of them a credential.
func TestProbe(t *testing.T) {
	up := messengerUp()
	up.Address = ""
	bubble(t, "several targets", func(t *testing.T) {
		w := newFakeNetwork(t, up)
		w.srv["xmpp-client"] = records("good.a.test:5222/10/0", "dead.a.test:5222/20/0", "other.a.test:5222/30/0", "sends.a.test:5222/40/0", "odd.a.test:5222/50/0")
		var said string
		w.serve("good.a.test:5222", func(p *fakeServer) {
			p.startTLS()
			p.open(offerSASL("PLAIN", "X-MESSENGER-OAUTH2"))
			said = p.rest()
		})
		w.serve("other.a.test:5222", func(p *fakeServer) { p.cert = testPKI().issue(nil, "b.test"); p.startTLS() })
		w.serve("sends.a.test:5222", afterHeader("<stream:error><see-other-host xmlns='"+nsStreams+"'>new.a.test</see-other-host></stream:error>"))
		w.serve("odd.a.test:5222", func(p *fakeServer) { p.startTLS(); p.open(offerSASL("EXTERNAL")); p.drain() })
		got := w.d.Probe(context.Background())
		slices.SortFunc(got, func(a, b Probe) int { return strings.Compare(a.Target, b.Target) })
		for i, want := range []struct {
			target, tls, mechanisms, redirect string
			cause                             perch.Cause
		}{
			{"dead.a.test:5222", "", "", "", perch.CauseRefused},
			{"good.a.test:5222", "TLS 1.3", "X-MESSENGER-OAUTH2", "", ""},
			{"odd.a.test:5222", "TLS 1.3", "", "", perch.CauseMechanism},
			{"other.a.test:5222", "", "", "", perch.CauseCertName},
			{"sends.a.test:5222", "", "", "new.a.test:5222", ""},
		} {
			p := got[i]
			if p.Target != want.target || p.TLS != want.tls || strings.Join(p.Mechanisms, " ") != want.mechanisms || p.Redirect != want.redirect || perch.CauseOf(p.Err) != want.cause {
				t.Errorf("got %+v, want %+v", p, want)
			}
			if p.TLS != "" && p.Expires.IsZero() {
				t.Errorf("got no end of the certificate of %s, want one", p.Target)
			}
		}
		w.wg.Wait()
		if said != "</stream:stream>" {
			t.Errorf("got %q sent to the server after its features, want the end of the stream alone", said)
		}
		if n := w.d.counters.SignIns.Load() + w.d.counters.SignInFailures.Load(); n != 0 {
			t.Errorf("got %d logins counted, want none", n)
		}
	})
	bubble(t, "no service", func(t *testing.T) {
		w := newFakeNetwork(t, up)
		w.srv["xmpp-client"] = []*net.SRV{{Target: "."}}
		w.srv["xmpps-client"] = w.srv["xmpp-client"]
		if got := w.d.Probe(context.Background()); len(got) != 1 || perch.CauseOf(got[0].Err) != perch.CauseName {
			t.Errorf("got %+v, want one with the cause %s", got, perch.CauseName)
		}
	})
	bubble(t, "a server that is silent", func(t *testing.T) {
		w := newFakeNetwork(t, up)
		w.serve("a.test:5222", func(p *fakeServer) { p.drain() })
		if got := w.d.Probe(context.Background()); len(got) != 1 || perch.CauseOf(got[0].Err) != perch.CauseTimeout {
			t.Errorf("got %+v, want one with the cause %s", got, perch.CauseTimeout)
		}
	})
}
