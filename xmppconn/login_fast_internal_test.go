package xmppconn

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/canary"
)

// tokenOf is a token for the account of the scripts.
func tokenOf(count uint64) perch.FastToken {
	return perch.FastToken{Mechanism: "HT-SHA-256-EXPR", Token: perch.NewSecret(canary.Secret()), Count: count}
}

// granted is what a server says of a token that it gives.
func granted(token string) string {
	return "<token xmlns='" + nsFast + "' expiry='2000-03-12T14:36:15Z' token='" + token + "'/>"
}

// TestTokenIsAskedFor with the password, for the best mechanism that server and connection have.
func TestTokenIsAskedFor(t *testing.T) {
	for _, tt := range []struct {
		name, inline, want string
		change             func(*perch.Account)
	}{
		{"bound to the connection", inlineFast, "HT-SHA-256-EXPR", nil},
		{"bound to the certificate", "<fast xmlns='" + nsFast + "'><mechanism>HT-SHA-256-NONE</mechanism><mechanism>HT-SHA-256-ENDP</mechanism></fast>", "HT-SHA-256-ENDP", nil},
		{"bound to nothing", "<fast xmlns='" + nsFast + "'><mechanism>HT-SHA-256-NONE</mechanism><mechanism>HT-SHA-256-UNIQ</mechanism></fast>", "HT-SHA-256-NONE", nil},
		{"of another family", "<fast xmlns='" + nsFast + "'><mechanism>HT-SHA3-512-EXPR</mechanism></fast>", "", nil},
		{"by a client without an id", inlineFast, "", func(a *perch.Account) { a.Agent = "" }},
		{"by one that insists on a mechanism", inlineFast, "", func(a *perch.Account) { a.Mechanism = "PLAIN" }},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			w, acc := sasl2Server(t)
			if tt.change != nil {
				tt.change(&acc)
			}
			secret := canary.Secret()
			var request string
			w.serve("xmpp.a.test:5222", func(p *fakeServer) {
				p.startTLS()
				p.open(offerSASL2(tt.inline, "PLAIN"))
				request = p.raw()
				p.succeed(identifier("me@a.test")+granted(secret), offerBind)
				p.bind(string(testSelf))
				p.drain()
			})
			c, _ := w.signIn(acc, nil)
			want := "<request-token xmlns='urn:xmpp:fast:0' mechanism='" + tt.want + "'/></authenticate>"
			if got := strings.HasSuffix(request, want); got != (tt.want != "") || tt.want == "" && strings.Contains(request, nsFast) {
				t.Errorf("asked for a token: %v, want a request for %q", strings.Contains(request, nsFast), tt.want)
			}
			f := c.Login().Fast
			if tt.want == "" {
				if !f.IsZero() {
					t.Errorf("Login().Fast = %+v, want none: it was not asked for", f)
				}
				return
			}
			if f.Mechanism != tt.want || f.Token.Reveal() != secret || f.Count != 0 || f.Expires != perch.At(time.Date(2000, 3, 12, 14, 36, 15, 0, time.UTC)) {
				t.Errorf("Login().Fast = %+v, want the token, for %s, until 2000-03-12", f, tt.want)
			}
		})
	}
}

// TestTokenSignsIn in place of the password, in one round trip; its proof is bound to the connection, and
// that of the server is looked at. The server may give another one.
func TestTokenSignsIn(t *testing.T) {
	for _, tt := range []struct {
		name           string
		rotate, honest bool
	}{{"once more", false, true}, {"rotated", true, true}, {"the server does not know it", false, false}} {
		bubble(t, tt.name, func(t *testing.T) {
			w, acc := sasl2Server(t)
			acc.Archived, acc.Proved, acc.Fast = true, "SCRAM-SHA-512-PLUS", tokenOf(3)
			token, next := acc.Fast.Token.Reveal(), canary.Secret()
			var request, want string
			w.serve("xmpp.a.test:5222", func(p *fakeServer) {
				p.startTLS()
				p.open(offerSASL2(inlineSM+inlineBind+inlineFast, "SCRAM-SHA-512-PLUS") + offerExporter)
				request = p.raw()
				want = "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='HT-SHA-256-EXPR'><initial-response>" + b64("me\x00"+p.hashed(token, "Initiator")) +
					"</initial-response><user-agent id='" + testAgent + "'><software>Perch</software></user-agent><bind xmlns='urn:xmpp:bind:0'><tag>Perch</tag>" +
					"<enable xmlns='urn:xmpp:carbons:2'/><enable xmlns='urn:xmpp:sm:3' resume='true'/></bind><fast xmlns='urn:xmpp:fast:0' count='3'/></authenticate>"
				proof := p.hashed(token, "Responder")
				if !tt.honest {
					proof = p.hashed("something else", "Responder")
				}
				inner := "<additional-data>" + b64(proof) + "</additional-data>" + identifier("me@a.test/Perch/1") + "<bound xmlns='" + nsBind2 + "'/>"
				if tt.rotate {
					inner += granted(next)
				}
				p.succeed(inner, "")
				p.result(p.expect(nsClient, "iq"), "<query xmlns='"+nsDiscoInfo+"'/>")
				p.drain()
			})
			c, err := w.d.Dial(context.Background(), acc, nil)
			if (err == nil) != tt.honest {
				t.Fatalf("Dial(): got %v, want it to succeed: %v", err, tt.honest)
			}
			if request != want {
				t.Errorf("got a request of %d bytes, want that of %d", len(request), len(want))
			}
			if err != nil {
				return
			}
			defer c.Abort()
			f := c.Login().Fast
			if tt.rotate && (f.Token.Reveal() != next || f.Count != 0 || f.Mechanism != "HT-SHA-256-EXPR") || !tt.rotate && f != acc.Fast {
				t.Errorf("Login().Fast = %+v, want the next token: %v", f, tt.rotate)
			}
			if m := c.Login().Mechanism; m != "" || w.d.counters.TokenSignIns.Load() != 1 {
				t.Errorf("Login().Mechanism = %q, counted %d; want none, so that the pin stays, and 1", m, w.d.counters.TokenSignIns.Load())
			}
		})
	}
}

// TestTokenIsRefused: the password signs in on the same stream, or on the next one when the server ends it,
// and asks for another token. A server that cannot check it just now may be shown it again.
func TestTokenIsRefused(t *testing.T) {
	for _, tt := range []struct {
		name, condition string
		closes          string // "at once", "after the refusal"; "" does not
		kept            bool
	}{
		{"expired", "credentials-expired", "", false}, {"not authorized", "not-authorized", "", false},
		{"not now", "temporary-auth-failure", "", true},
		{"and hung up", "not-authorized", "after the refusal", false}, {"by hanging up", "", "at once", false},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			w, acc := sasl2Server(t)
			acc.Fast = tokenOf(1)
			var second string
			streams := 0
			w.serve("xmpp.a.test:5222", func(p *fakeServer) {
				streams++
				p.startTLS()
				p.open(offerSASL2(inlineFast, "PLAIN"))
				first := p.raw()
				if strings.Contains(first, "HT-SHA-256-EXPR'>") {
					if tt.closes == "at once" {
						return
					}
					p.send("<failure xmlns='" + nsSASL2 + "'><" + tt.condition + " xmlns='" + nsSASL + "'/></failure>")
					first = p.raw()
					if tt.closes != "" {
						return
					}
				}
				second = first
				p.succeed(identifier("me@a.test"), offerBind)
				p.bind(string(testSelf))
				p.drain()
			})
			c, _ := w.signIn(acc, nil)
			if !strings.Contains(second, plainText(acc)) || !strings.Contains(second, "<request-token ") {
				t.Error("the second request has no password, or asks for no token; want both")
			}
			if f := c.Login().Fast; (f == acc.Fast) != tt.kept || !tt.kept && !f.IsZero() {
				t.Errorf("Login().Fast = %+v, want it kept: %v", f, tt.kept)
			}
			if want := 1 + len(tt.closes)/len("at once"); streams != min(want, 2) || c.Login().Mechanism != "PLAIN" {
				t.Errorf("got %d streams, by %q; want %d, by PLAIN", streams, c.Login().Mechanism, min(want, 2))
			}
		})
	}
}

// TestTokenIsNotShown where it may not be: for another mechanism than its own, after its end, with less
// than the account's last login, or where somebody has named what is good enough.
func TestTokenIsNotShown(t *testing.T) {
	for _, tt := range []struct {
		name, inline string
		mechanisms   []string
		change       func(*perch.Account)
	}{
		{"another mechanism", strings.ReplaceAll(inlineFast, "EXPR", "UNIQ"), nil, func(*perch.Account) {}},
		{"expired", inlineFast, nil, func(a *perch.Account) { a.Fast.Expires = 1 }},
		{"bound to nothing, after a login that was bound", inlineFast, nil, func(a *perch.Account) {
			a.Fast.Mechanism, a.Proved = "HT-SHA-256-NONE", "SCRAM-SHA-1-PLUS"
			a.Mechanism = "PLAIN"
		}},
		{"the upstream names mechanisms", inlineFast, []string{"PLAIN"}, func(*perch.Account) {}},
		{"the login names a mechanism", inlineFast, nil, func(a *perch.Account) { a.Mechanism = "PLAIN" }},
		{"none is taken", "", nil, func(*perch.Account) {}},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			w := newFakeNetwork(t, Upstream{Name: "test", Domain: "a.test", Address: "xmpp.a.test:5222", RootCAs: testPKI().pool, Mechanisms: tt.mechanisms})
			acc := perch.Account{JID: testSelf.Bare(), Password: perch.NewSecret(canary.Secret()), Agent: testAgent, Fast: tokenOf(1)}
			tt.change(&acc)
			var mechanism string
			w.serve("xmpp.a.test:5222", func(p *fakeServer) {
				p.startTLS()
				p.open(offerSASL2(tt.inline, "PLAIN"))
				mechanism = p.expect(nsSASL2, "authenticate").Attr("mechanism")
				p.succeed(identifier("me@a.test"), offerBind)
				p.bind(string(testSelf))
				p.drain()
			})
			w.signIn(acc, nil)
			if mechanism != "PLAIN" {
				t.Errorf("signed in by %s, want the password by PLAIN", mechanism)
			}
		})
	}
}

// TestTokenStaysOfAnOlderLogin: a server that does not offer the newer profile just now says nothing of the
// token.
func TestTokenStaysOfAnOlderLogin(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		w, acc := sasl2Server(t)
		acc.Fast = tokenOf(2)
		w.serve("xmpp.a.test:5222", func(p *fakeServer) {
			p.startTLS()
			p.open(offerSASL("PLAIN"))
			p.expect(nsSASL, "auth")
			p.send(saslSuccess)
			p.open(offerBind)
			p.bind(string(testSelf))
			p.drain()
		})
		c, _ := w.signIn(acc, nil)
		if l := c.Login(); l.Fast != acc.Fast || l.Mechanism != "PLAIN" {
			t.Errorf("got a login by %q that keeps the token: %v; want PLAIN, and the token of the account", l.Mechanism, l.Fast == acc.Fast)
		}
	})
}

// TestEndToken signs in with the token for the last time, and with nothing else.
func TestEndToken(t *testing.T) {
	for _, taken := range []bool{true, false} {
		name := "taken"
		if !taken {
			name = "refused"
		}
		bubble(t, name, func(t *testing.T) {
			w, acc := sasl2Server(t)
			acc.Archived, acc.Fast = true, tokenOf(9)
			token := acc.Fast.Token.Reveal()
			var request, rest string
			w.serve("xmpp.a.test:5222", func(p *fakeServer) {
				p.startTLS()
				p.open(offerSASL2(inlineSM+inlineBind+inlineFast, "PLAIN"))
				request = p.raw()
				if !taken {
					p.send("<failure xmlns='" + nsSASL2 + "'><not-authorized xmlns='" + nsSASL + "'/></failure>")
				} else {
					p.succeed("<additional-data>"+b64(p.hashed(token, "Responder"))+"</additional-data>"+identifier("me@a.test"), offerBind)
				}
				rest = p.rest()
			})
			if err := w.d.EndToken(context.Background(), acc); (err == nil) != taken {
				t.Errorf("EndToken(): got %v, want it to succeed: %v", err, taken)
			}
			w.wg.Wait()
			if !strings.HasSuffix(request, "<fast xmlns='urn:xmpp:fast:0' count='9' invalidate='true'/></authenticate>") || strings.Contains(request, nsBind2) {
				t.Error("got a request that does not end the token, or binds a resource; want it to end the token alone")
			}
			if strings.Contains(rest, "<auth") || strings.Contains(rest, "<iq") {
				t.Error("the client went on to sign in, want the end of the stream")
			}
		})
	}
	bubble(t, "no such thing", func(t *testing.T) {
		w, acc := sasl2Server(t)
		acc.Fast = tokenOf(1)
		w.serve("xmpp.a.test:5222", func(p *fakeServer) {
			p.startTLS()
			p.open(offerSASL("PLAIN"))
			p.silence()
		})
		if err := w.d.EndToken(context.Background(), acc); perch.KindOf(err) != perch.KindFeatureUnsupported {
			t.Errorf("EndToken(): got %v, want %s", err, perch.KindFeatureUnsupported)
		}
	})
}
