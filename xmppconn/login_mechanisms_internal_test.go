package xmppconn

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/xmppconn/internal/sasl"
	"github.com/xdg-go/scram"
)

// shows is a login whose first message has the credential in it.
func shows(p *fakeServer, mechanism string, acc perch.Account) {
	p.open(offerSASL(mechanism))
	text := p.expect(nsSASL, "auth").Text()
	if plain, err := base64.StdEncoding.DecodeString(text); err == nil && mechanism != "X-MESSENGER-OAUTH2" {
		text = string(plain)
	}
	if !strings.Contains(text, acc.Password.Reveal()+acc.Token.Reveal()) {
		p.t.Errorf("%s: got a first message of %d bytes, want the credential in it", mechanism, len(text))
	}
	p.send(saslSuccess)
}

func proves(h scram.HashGeneratorFcn) func(*fakeServer, string, perch.Account) {
	return func(p *fakeServer, mechanism string, acc perch.Account) {
		features := offerSASL(mechanism) + offerExporter
		if !strings.HasSuffix(mechanism, "-PLUS") {
			features = offerSASL(mechanism, mechanism+"-PLUS") // with no type of binding that the client has
		}
		if used, proved := p.scram(h, acc.Password.Reveal(), features); used != mechanism || !proved {
			p.t.Errorf("got %s, proved %v; want %s, true", used, proved, mechanism)
		}
	}
}

// answersFacebook is the challenge of X-FACEBOOK-PLATFORM.
func answersFacebook(p *fakeServer, mechanism string, acc perch.Account) {
	p.open(offerSASL(mechanism))
	p.expect(nsSASL, "auth")
	p.send("<challenge xmlns='" + nsSASL + "'>" + b64("method=auth.xmpp_login&nonce=n") + "</challenge>")
	if text, _ := base64.StdEncoding.DecodeString(p.expect(nsSASL, "response").Text()); !strings.Contains(string(text), "access_token=") {
		p.t.Errorf("%s: got an answer of %d bytes, want the token in it", mechanism, len(text))
	}
	p.send(saslSuccess)
}

// showsCertificate is a login that is proved before its first message, which has the account alone.
func showsCertificate(p *fakeServer, mechanism string, acc perch.Account) {
	p.open(offerSASL(mechanism))
	if text, _ := base64.StdEncoding.DecodeString(p.expect(nsSASL, "auth").Text()); string(text) != string(acc.JID) || p.shown() != 1 {
		p.t.Errorf("%s: got %q and %d certificates, want %s and 1", mechanism, text, p.shown(), acc.JID)
	}
	p.send(saslSuccess)
}

// mechanismServers has the side of the server for every mechanism of a login without an earlier one; those of tokens
// are in TestTokenSignsIn.
var mechanismServers = map[string]func(*fakeServer, string, perch.Account){
	"SCRAM-SHA-512-PLUS": proves(scram.SHA512), "SCRAM-SHA-256-PLUS": proves(scram.SHA256), "SCRAM-SHA-1-PLUS": proves(scram.SHA1),
	"SCRAM-SHA-512": proves(scram.SHA512), "SCRAM-SHA-256": proves(scram.SHA256), "SCRAM-SHA-1": proves(scram.SHA1),
	"PLAIN": shows, "OAUTHBEARER": shows, "X-OAUTH2": shows, "X-MESSENGER-OAUTH2": shows, "X-GOOGLE-TOKEN": shows,
	"X-FACEBOOK-PLATFORM": answersFacebook, "EXTERNAL": showsCertificate,
}

// TestEveryMechanism signs in by each mechanism that there is.
func TestEveryMechanism(t *testing.T) {
	for _, name := range sasl.Names() {
		bubble(t, name, func(t *testing.T) {
			method, _ := sasl.Lookup(name)
			serve := mechanismServers[name]
			if serve == nil {
				t.Fatalf("got no server that speaks %s, want one", name)
			}
			acc := perch.Account{JID: testSelf.Bare(), Password: perch.NewSecret(canary.Secret())}
			if method.TakesToken {
				acc.Password, acc.Token = perch.Secret{}, perch.NewSecret(testToken)
			}
			up := Upstream{Name: "test", Domain: "a.test", Address: "xmpp.a.test:5222", RootCAs: testPKI().pool}
			if method.NeedsCert {
				up, acc = externalUp()
			}
			up.Mechanisms = []string{name}
			w := newFakeNetwork(t, up)
			w.serve("xmpp.a.test:5222", func(p *fakeServer) {
				p.startTLS()
				serve(p, name, acc)
				p.open(offerBind)
				p.bind(string(testSelf))
				p.drain()
			})
			c, _ := w.signIn(acc, nil)
			if got := c.Login(); got.Mechanism != name || got.JID != testSelf {
				t.Errorf("Login() = %s by %s, want %s by %s", got.JID, got.Mechanism, testSelf, name)
			}
		})
	}
}

// TestEveryDowngrade: after a login by each mechanism, every weaker one of the same credential is refused with
// the reason, before a word of the credential.
func TestEveryDowngrade(t *testing.T) {
	for _, before := range sasl.Names() {
		was, _ := sasl.Lookup(before)
		for _, now := range sasl.Names() {
			is, _ := sasl.Lookup(now)
			if was.TakesToken != is.TakesToken || is.Strength >= was.Strength {
				continue
			}
			bubble(t, before+" then "+now, func(t *testing.T) {
				w, acc := sasl2Server(t)
				acc.Proved = before
				if is.TakesToken {
					acc.Password, acc.Token, acc.Mechanism = perch.Secret{}, perch.NewSecret(testToken), now
					if !slices.Contains(w.d.policy.Mechanisms, now) {
						w.d.policy.Mechanisms = []string{now} // of a closed network
					}
				}
				var said string
				w.serve("xmpp.a.test:5222", func(p *fakeServer) {
					p.startTLS()
					p.open(offerSASL(now) + offerSASL2("", now) + offerExporter)
					said = p.rest()
				})
				_, err := w.d.Dial(context.Background(), acc, nil)
				w.wg.Wait()
				if perch.CauseOf(err) != perch.CauseDowngrade || err == nil || !strings.Contains(err.Error(), before) || !strings.Contains(err.Error(), now) || strings.Contains(said, "<auth") {
					t.Errorf("got %v, want it refused for %s, naming %s and %s, before a word", err, perch.CauseDowngrade, before, now)
				}
			})
		}
	}
}
