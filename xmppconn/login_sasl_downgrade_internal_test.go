package xmppconn

import (
	"context"
	"strings"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/canary"
)

// TestSASLDowngrade offers an account less than its credential needs, or than its upstream
// allows. The client then says nothing more: no <auth/>, and no part of the credential.
func TestSASLDowngrade(t *testing.T) {
	password := canary.Secret()
	token := perch.Account{JID: "me@a.test", Token: perch.NewSecret(testToken)}
	named := perch.Account{JID: "me@a.test", Password: perch.NewSecret(password)}
	for _, tt := range []struct {
		name    string
		allowed []string // of the upstream; nil is the default
		wish    string
		acc     perch.Account
		offered []string
	}{
		{"PLAIN alone for a token", nil, "", token, []string{"PLAIN"}},
		{"passwords alone for a token", nil, "", token, []string{"PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-256"}},
		{"a token that wants one mechanism", nil, "OAUTHBEARER", token, []string{"PLAIN", "X-OAUTH2"}},
		{"a mechanism of a closed network", nil, "", token, []string{"X-FACEBOOK-PLATFORM", "X-GOOGLE-TOKEN"}},
		{"a token where PLAIN is allowed, but not as its password", []string{"OAUTHBEARER", "PLAIN"}, "", token, []string{"PLAIN"}},
		{"PLAIN where it is not allowed", []string{"SCRAM-SHA-256", "SCRAM-SHA-1"}, "", named, []string{"PLAIN"}},
		{"SHA-1 where SHA-256 alone is allowed", []string{"SCRAM-SHA-256"}, "", named, []string{"SCRAM-SHA-1", "PLAIN"}},
		{"a password that wants one mechanism", nil, "SCRAM-SHA-256", named, []string{"SCRAM-SHA-1", "PLAIN"}},
		{"tokens alone for a password", nil, "", named, []string{"OAUTHBEARER", "X-OAUTH2", "X-MESSENGER-OAUTH2"}},
		{"names that only look alike", nil, "", named, []string{"plain", "PLAIN-CLIENTTOKEN", "SCRAM-SHA-1-PLUS", "EXTERNAL"}},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			w := newFakeNetwork(t, Upstream{Name: "test", Domain: "a.test", Address: "xmpp.a.test:5222", RootCAs: testPKI().pool, Mechanisms: tt.allowed})
			var said string
			w.serve("xmpp.a.test:5222", func(p *fakeServer) {
				p.startTLS()
				p.open(offerSASL(tt.offered...))
				said = p.rest()
			})
			tt.acc.Mechanism = tt.wish
			c, err := w.d.Dial(context.Background(), tt.acc, nil)
			if err == nil {
				c.Abort()
			}
			if k := perch.KindOf(err); k != perch.KindUpstreamConfig && k != perch.KindValidation || perch.CauseOf(err) != perch.CauseMechanism {
				t.Errorf("got %v, want %s or %s, for the mechanism", err, perch.KindUpstreamConfig, perch.KindValidation)
			}
			w.wg.Wait()
			if strings.Contains(said, "<auth") || said != "" && said != "</stream:stream>" {
				tag, _, _ := strings.Cut(said, ">") // the text is the credential
				t.Errorf("the client sent %s>, want no more than the end of the stream", tag)
			}
			if len(w.dialed) != 1 {
				t.Errorf("dialled %q, want one attempt", w.dialed)
			}
		})
	}
}

// TestNoLesserMechanismAfterRefusal: a server that refuses the best mechanism, to be shown the
// password by a lesser one, sees one <auth/> and then the end.
func TestNoLesserMechanismAfterRefusal(t *testing.T) {
	for _, condition := range []string{"not-authorized", "invalid-mechanism", "mechanism-too-weak", "temporary-auth-failure", "aborted", "encryption-required"} {
		bubble(t, condition, func(t *testing.T) {
			w := newFakeNetwork(t, Upstream{Name: "test", Domain: "a.test", Address: "xmpp.a.test:5222", RootCAs: testPKI().pool})
			var mechanism, said string
			w.serve("xmpp.a.test:5222", func(p *fakeServer) {
				p.startTLS()
				p.open(offerSASL("PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-256"))
				mechanism = p.expect(nsSASL, "auth").Attr("mechanism")
				p.send("<failure xmlns='" + nsSASL + "'><" + condition + "/></failure>")
				said = p.rest()
			})
			acc := perch.Account{JID: "me@a.test", Password: perch.NewSecret(canary.Secret())}
			if c, err := w.d.Dial(context.Background(), acc, nil); err == nil {
				c.Abort()
				t.Error("signed in, want a refusal")
			}
			w.wg.Wait()
			if mechanism != "SCRAM-SHA-256" || strings.Contains(said, "<auth") || strings.Contains(said, "<response") || len(w.dialed) != 1 {
				tag, _, _ := strings.Cut(said, ">") // the text is the credential
				t.Errorf("got <auth mechanism=%q>, then %s>, by %q; want SCRAM-SHA-256 and one attempt", mechanism, tag, w.dialed)
			}
		})
	}
}
