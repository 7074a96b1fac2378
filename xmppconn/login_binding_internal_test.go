package xmppconn

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"slices"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/canary"
	"github.com/xdg-go/scram"
)

// scram is the server's side of one authentication with the library's server; it reports the mechanism
// and whether the client proved itself.
func (p *fakeServer) scram(h scram.HashGeneratorFcn, password string, features string) (mechanism string, proved bool) {
	client, err := h.NewClient("me", password, "")
	if err != nil {
		p.t.Errorf("NewClient(): got error %v, want none", err)
		panic(errClientGone)
	}
	stored, err := client.GetStoredCredentialsWithError(scram.KeyFactors{Salt: "0123456789abcdef", Iters: 4096})
	if err != nil {
		p.t.Errorf("GetStoredCredentialsWithError(): got error %v, want none", err)
		panic(errClientGone)
	}
	server, _ := h.NewServer(func(string) (scram.StoredCredentials, error) { return stored, nil })
	state := p.conn.(*tls.Conn).ConnectionState()
	binding, err := scram.NewTLSExporterBinding(&state)
	if err != nil {
		p.t.Errorf("NewTLSExporterBinding(): got error %v, want none", err)
		panic(errClientGone)
	}
	p.open(features)
	auth := p.expect(nsSASL, "auth")
	mechanism = auth.Attr("mechanism")
	c := server.NewConversationWithChannelBinding(binding)
	text := auth.Text()
	for range 2 {
		said, _ := base64.StdEncoding.DecodeString(text)
		answer, err := c.Step(string(said))
		if err != nil {
			p.send("<failure xmlns='" + nsSASL + "'><not-authorized/></failure>")
			return mechanism, false
		}
		if c.Done() {
			p.send("<success xmlns='" + nsSASL + "'>" + b64(answer) + "</success>")
			return mechanism, c.Valid()
		}
		p.send("<challenge xmlns='" + nsSASL + "'>" + b64(answer) + "</challenge>")
		text = p.expect(nsSASL, "response").Text()
	}
	return mechanism, c.Valid()
}

const offerExporter = "<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'><channel-binding type='tls-exporter'/></sasl-channel-binding>"

// TestLoginIsBoundToItsConnection: where the server names a type of channel binding (XEP-0440) that the
// connection has, the -PLUS form is used; a server that does not name one is not guessed at.
func TestLoginIsBoundToItsConnection(t *testing.T) {
	for _, tt := range []struct {
		name, features, want string
		hash                 scram.HashGeneratorFcn
	}{
		{"SHA-512", offerSASL("PLAIN", "SCRAM-SHA-512-PLUS", "SCRAM-SHA-512") + offerExporter, "SCRAM-SHA-512-PLUS", scram.SHA512},
		{"SHA-256", offerSASL("SCRAM-SHA-256", "SCRAM-SHA-256-PLUS") + offerExporter, "SCRAM-SHA-256-PLUS", scram.SHA256},
		{"SHA-1", offerSASL("SCRAM-SHA-1", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-512") + offerExporter, "SCRAM-SHA-1-PLUS", scram.SHA1},
		{"no type is named", offerSASL("SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"), "SCRAM-SHA-256", scram.SHA256},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			w := newFakeNetwork(t, Upstream{Name: "test", Domain: "a.test", Address: "xmpp.a.test:5222", RootCAs: testPKI().pool})
			password := canary.Secret()
			var mechanism string
			var proved bool
			w.serve("xmpp.a.test:5222", func(p *fakeServer) {
				p.startTLS()
				mechanism, proved = p.scram(tt.hash, password, tt.features)
				p.open(offerBind)
				p.bind(string(testSelf))
				p.drain()
			})
			c, err := w.d.Dial(context.Background(), perch.Account{JID: testSelf.Bare(), Password: perch.NewSecret(password)}, nil)
			if err != nil {
				t.Fatalf("Dial(): got error %v, want none", err)
			}
			if got := c.Login().Mechanism; got != tt.want {
				t.Errorf("Login().Mechanism = %q, want %q", got, tt.want)
			}
			c.Abort()
			w.wg.Wait()
			if mechanism != tt.want || !proved {
				t.Errorf("got %q, proved %v; want %q, true", mechanism, proved, tt.want)
			}
		})
	}
}

// TestStrippedOfferIsNoticed: who takes the -PLUS forms out of the server's list, and their types, is
// found by the server, which is told that the client saw none (RFC 5802, 6).
func TestStrippedOfferIsNoticed(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		w := newFakeNetwork(t, Upstream{Name: "test", Domain: "a.test", Address: "xmpp.a.test:5222", RootCAs: testPKI().pool})
		password := canary.Secret()
		w.serve("xmpp.a.test:5222", func(p *fakeServer) {
			p.startTLS()
			if _, proved := p.scram(scram.SHA256, password, offerSASL("SCRAM-SHA-256")); proved {
				t.Error("the server took a login that was not bound, want it refused")
			}
			p.drain()
		})
		if c, err := w.d.Dial(context.Background(), perch.Account{JID: testSelf.Bare(), Password: perch.NewSecret(password)}, nil); err == nil {
			c.Abort()
			t.Error("signed in, want a refusal")
		}
	})
}

// TestLoginIsNotDowngraded: a server that offered more at the account's last login is shown nothing.
func TestLoginIsNotDowngraded(t *testing.T) {
	for wish, want := range map[string][]string{"": nil, "PLAIN": {"auth"}} {
		bubble(t, wish, func(t *testing.T) {
			w := newFakeNetwork(t, Upstream{Name: "test", Domain: "a.test", Address: "xmpp.a.test:5222", RootCAs: testPKI().pool})
			var said []string
			w.serve("xmpp.a.test:5222", func(p *fakeServer) {
				p.startTLS()
				p.open(offerSASL("PLAIN"))
				if wish != "" {
					said = append(said, p.expect(nsSASL, "auth").Local())
				}
				p.drain()
			})
			acc := perch.Account{JID: testSelf.Bare(), Password: perch.NewSecret(canary.Secret()), Proved: "SCRAM-SHA-256", Mechanism: wish}
			_, err := w.d.Dial(context.Background(), acc, nil)
			if refused := perch.CauseOf(err) == perch.CauseDowngrade; refused != (wish == "") || refused && perch.KindOf(err) != perch.KindUpstreamConfig {
				t.Errorf("got %v, want it refused as a downgrade: %v", err, wish == "")
			}
			w.wg.Wait()
			if !slices.Equal(said, want) {
				t.Errorf("the client sent %q, want %q", said, want)
			}
			if n := w.d.counters.SignInFailures.Of(perch.CauseDowngrade); n != 0 != (wish == "") {
				t.Errorf("counted %d downgrades, want one: %v", n, wish == "")
			}
		})
	}
}
