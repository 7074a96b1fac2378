package xmppconn

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/canary"
	"github.com/xdg-go/scram"
)

const (
	nsSASL2   = "urn:xmpp:sasl:2"
	nsBind2   = "urn:xmpp:bind:0"
	nsFast    = "urn:xmpp:fast:0"
	testAgent = "d4565fa7-4d72-4749-b3d3-740edbf87770"

	inlineSM   = "<sm xmlns='" + nsSM + "'/>"
	inlineBind = "<bind xmlns='" + nsBind2 + "'><inline><feature var='" + nsCarbons + "'/><feature var='" + nsCSI + "'/><feature var='" + nsSM + "'/></inline></bind>"
	inlineFast = "<fast xmlns='" + nsFast + "'><mechanism>HT-SHA-256-ENDP</mechanism><mechanism>HT-SHA-256-NONE</mechanism><mechanism>HT-SHA-256-EXPR</mechanism></fast>"
)

// offerSASL2 is the newer profile, with what can be done in one step.
func offerSASL2(inline string, names ...string) string {
	return "<authentication xmlns='" + nsSASL2 + "'><mechanism>" + strings.Join(names, "</mechanism><mechanism>") + "</mechanism><inline>" + inline + "</inline></authentication>"
}

// succeed answers a login in one step, and sends the features that follow.
func (p *fakeServer) succeed(inner, features string) {
	p.send("<success xmlns='" + nsSASL2 + "'>" + inner + "</success><stream:features>" + features + "</stream:features>")
}

func identifier(jid string) string {
	return "<authorization-identifier>" + jid + "</authorization-identifier>"
}

// sasl2Server is a server that offers the newer profile; accounts is who signs in there.
func sasl2Server(t *testing.T) (*fakeNetwork, perch.Account) {
	w := newFakeNetwork(t, Upstream{Name: "test", Domain: "a.test", Address: "xmpp.a.test:5222", RootCAs: testPKI().pool})
	return w, perch.Account{JID: testSelf.Bare(), Password: perch.NewSecret(canary.Secret()), Agent: testAgent}
}

func (w *fakeNetwork) signIn(acc perch.Account, resume []byte) (*Conn, *recorder) {
	w.t.Helper()
	c, err := w.d.Dial(context.Background(), acc, resume)
	if err != nil {
		w.t.Fatalf("Dial(): got error %v, want none", err)
	}
	w.t.Cleanup(func() { c.Abort(); _ = c.join(context.Background()) })
	b := &recorder{}
	c.Start(b.sink, func() {})
	return c, b
}

// plainText is what PLAIN shows of the account.
func plainText(acc perch.Account) string {
	return b64("\x00" + acc.JID.Local() + "\x00" + acc.Password.Reveal())
}

// hashed is a message of HT-SHA-256-EXPR on this connection.
func (p *fakeServer) hashed(token, of string) string {
	binding, err := p.state.ExportKeyingMaterial("EXPORTER-Channel-Binding", nil, 32)
	if err != nil {
		p.t.Errorf("ExportKeyingMaterial(): got error %v, want none", err)
	}
	h := hmac.New(sha256.New, []byte(token))
	h.Write([]byte(of))
	h.Write(binding)
	return string(h.Sum(nil))
}

// TestLoginInTwoSteps: by the newer profile, with a bind as before, for a session that has no place in an
// archive yet. Every byte up to the bind is looked at.
func TestLoginInTwoSteps(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		w, acc := sasl2Server(t)
		var request, from string
		w.serve("xmpp.a.test:5222", func(p *fakeServer) {
			p.startTLS()
			p.open(offerSASL("PLAIN") + offerSASL2(inlineSM+inlineBind, "PLAIN"))
			from = p.lastFrom
			request = p.raw()
			p.succeed(identifier("me@a.test"), offerBind+offerSM)
			p.bind(string(testSelf))
			p.result(p.expect(nsClient, "iq"), "<query xmlns='"+nsDiscoInfo+"'/>")
			p.expect(nsClient, "iq") // carbons
			p.expect(nsSM, "enable")
			p.send("<enabled xmlns='" + nsSM + "' id='sm-1' resume='true'/>")
			p.drain()
		})
		c, _ := w.signIn(acc, nil)
		want := "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'><initial-response>" + plainText(acc) + "</initial-response>" +
			"<user-agent id='" + testAgent + "'><software>Perch</software></user-agent></authenticate>"
		if request != want {
			t.Errorf("got a request of %d bytes, want that of %d with the password", len(request), len(want))
		}
		if from != "me@a.test" {
			t.Errorf("got from %q inside of TLS, want me@a.test", from)
		}
		if l := c.Login(); l.JID != testSelf || l.Mechanism != "PLAIN" || !l.Capabilities.StreamResume || !l.Fast.IsZero() {
			t.Errorf("Login() = %+v, want %s by PLAIN, with resumption and without a token", l, testSelf)
		}
	})
}

// TestLoginInOneStep signs in, binds, and enables stream management and carbons with one request. What the
// login asks, and is answered, afterwards counts: a message between them keeps its place.
func TestLoginInOneStep(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		w, acc := sasl2Server(t)
		acc.Archived = true
		var request string
		ready := make(chan *fakeServer, 1)
		hold := make(chan struct{})
		t.Cleanup(func() { close(hold) })
		w.serve("xmpp.a.test:5222", func(p *fakeServer) {
			p.startTLS()
			p.open(offerSASL2(inlineSM+inlineBind, "PLAIN"))
			request = p.raw()
			p.send("<success xmlns='" + nsSASL2 + "'>" + identifier("me@a.test/Perch/1") + "<bound xmlns='" + nsBind2 + "'><metadata xmlns='" + nsMAM + "'/>" +
				"<enabled xmlns='" + nsSM + "' id='sm-1' resume='true' max='300'/></bound></success>" + chat("in-1", "early") + "<stream:features><ver xmlns='" + nsRosterVer + "'/></stream:features>")
			disco := p.expect(nsClient, "iq")
			p.send(chat("in-2", "early too"))
			p.result(disco, "<query xmlns='"+nsDiscoInfo+"'><feature var='"+nsMAM+"'/></query>")
			p.expect(nsClient, "iq") // the form of the archive
			ready <- p
			<-hold
		})
		c, b := w.signIn(acc, nil)
		if want := "<bind xmlns='urn:xmpp:bind:0'><tag>Perch</tag><enable xmlns='urn:xmpp:carbons:2'/><enable xmlns='urn:xmpp:sm:3' resume='true'/></bind></authenticate>"; !strings.HasSuffix(request, want) {
			t.Errorf("got a request of %d bytes, want it to end with %s", len(request), want)
		}
		if l := c.Login(); l.JID != "me@a.test/Perch/1" || !l.Capabilities.StreamResume || !l.Capabilities.ClientState || l.Capabilities.Archive != "313" || !c.rosterVer {
			t.Errorf("Login() = %+v, roster versions %v; want me@a.test/Perch/1 with resumption, client states and archive 313, and versions", l, c.rosterVer)
		}
		p := <-ready
		if in := b.take(); len(in) != 2 || in[0].(*perch.MessageIn).Body != "early" {
			t.Errorf("got %+v, want the two early messages", in)
		}
		p.wantH(t, "0") // nothing is committed
		c.Handled(1)
		p.wantH(t, "1") // the answer comes after the second message
		c.Handled(2)
		synctest.Wait()
		p.expect(nsSM, "a")
		p.wantH(t, "3")
		last := say(t, c, "out-1")
		p.expect(nsClient, "message")
		p.send("<a xmlns='" + nsSM + "' h='3'/>") // the two questions of the login, and the message
		in := b.take()
		if len(in) != 1 || in[0].(*perch.AckIn).Through != last {
			t.Errorf("got %+v, want one AckIn through %d", in, last)
		}
		if n := w.d.counters; n.StrayAnswers.Load() != 0 || n.ForgedAnswers.Load() != 0 || n.Malformed.Load() != 0 {
			t.Errorf("counted %d stray, %d forged, %d malformed; want none", n.StrayAnswers.Load(), n.ForgedAnswers.Load(), n.Malformed.Load())
		}
	})
}

// TestBindInOneStepIsNotWanted: a resource by name, a session that has no place in an archive, and a
// server whose stream management does not answer.
func TestBindInOneStepIsNotWanted(t *testing.T) {
	for name, change := range map[string]func(*perch.Account){
		"a resource by name": func(a *perch.Account) { a.Archived, a.Resource = true, "desk" },
		"no archive":         func(*perch.Account) {},
	} {
		bubble(t, name, func(t *testing.T) {
			w, acc := sasl2Server(t)
			change(&acc)
			var request string
			w.serve("xmpp.a.test:5222", func(p *fakeServer) {
				p.startTLS()
				p.open(offerSASL2(inlineSM+inlineBind, "PLAIN"))
				request = p.raw()
				p.succeed(identifier("me@a.test"), offerBind)
				p.bind(string(testSelf))
				p.drain()
			})
			w.signIn(acc, nil)
			if strings.Contains(request, nsBind2) {
				t.Error("the request binds a resource, want it to authenticate alone")
			}
		})
	}
}

// TestStreamResumesWithTheLogin: XEP-0198 inside of XEP-0388.
func TestStreamResumesWithTheLogin(t *testing.T) {
	earlier := earlierStream()
	bubble(t, "resumed", func(t *testing.T) {
		w, acc := sasl2Server(t)
		acc.Archived = true
		var request, again string
		w.serve("xmpp.a.test:5222", func(p *fakeServer) {
			p.startTLS()
			p.open(offerSASL2(inlineSM+inlineBind, "PLAIN"))
			request = p.raw()
			p.succeed(identifier(smSelf)+"<resumed xmlns='"+nsSM+"' previd='sm-0' h='0'/>", offerSM)
			again = p.raw()
			p.drain()
		})
		c, _ := w.signIn(acc, earlier)
		synctest.Wait()
		if want := "<resume xmlns='urn:xmpp:sm:3' h='7' previd='sm-0'/><bind "; !strings.Contains(request, want) {
			t.Errorf("got a request of %d bytes, want it with %s", len(request), want)
		}
		if l := c.Login(); !l.Resumed || l.JID != smSelf || again != chat("m-1", "again") {
			t.Errorf("Login() = %+v, wrote %q again; want %s resumed, and what the server lacks", l, again, smSelf)
		}
		if n := w.d.counters; n.Resumes.Load() != 1 || n.Malformed.Load() != 0 {
			t.Errorf("counted %d resumptions and %d malformed, want 1 and none", n.Resumes.Load(), n.Malformed.Load())
		}
	})
}

// earlierStream is the state of a stream with one message that may not have arrived.
func earlierStream() []byte {
	return (&streamState{Version: streamStateVersion, ID: "sm-0", JID: smSelf, In: 7, Unacked: []unackedState{{XML: chat("m-1", "again"), ID: "m-1"}}}).encoded()
}

// TestStreamIsNotResumedWithTheLogin: the server binds in the same step, or the login does as before, and
// a server that cannot say no is asked without.
func TestStreamIsNotResumedWithTheLogin(t *testing.T) {
	earlier := earlierStream()
	for _, bound := range []bool{true, false} {
		name := "forgotten, and bound in the same step"
		if !bound {
			name = "forgotten, and bound as before"
		}
		bubble(t, name, func(t *testing.T) {
			w, acc := sasl2Server(t)
			acc.Archived = bound
			w.serve("xmpp.a.test:5222", func(p *fakeServer) {
				p.startTLS()
				p.open(offerSASL2(inlineSM+inlineBind, "PLAIN"))
				p.expect(nsSASL2, "authenticate")
				failed := "<failed xmlns='" + nsSM + "' h='1'><item-not-found xmlns='" + nsStanzas + "'/></failed>"
				if bound {
					p.succeed(identifier("me@a.test/Perch/2")+failed+"<bound xmlns='"+nsBind2+"'><enabled xmlns='"+nsSM+"' id='sm-1' resume='true'/></bound>", "")
				} else {
					p.succeed(identifier("me@a.test")+failed, offerBind+offerSM)
					p.bind("me@a.test/Perch/2") // and not another <resume/>
				}
				p.result(p.expect(nsClient, "iq"), "<query xmlns='"+nsDiscoInfo+"'/>")
				if !bound {
					p.expect(nsClient, "iq")
					p.expect(nsSM, "enable")
					p.send("<enabled xmlns='" + nsSM + "' id='sm-1' resume='true'/>")
				}
				p.drain()
			})
			c, _ := w.signIn(acc, earlier)
			if l := c.Login(); l.Resumed || l.JID != "me@a.test/Perch/2" || !l.Capabilities.StreamResume {
				t.Errorf("Login() = %+v, want a new stream of me@a.test/Perch/2 that can be resumed", l)
			}
			if written, _ := c.ResumedMessages(); written["m-1"] != 0 || len(written) != 1 {
				t.Errorf("ResumedMessages() = %v, want m-1 with the server", written)
			}
			if n := w.d.counters.ResumesFailed.Load(); n != 1 {
				t.Errorf("counted %d refused resumptions, want 1", n)
			}
		})
	}
	for name, resumed := range map[string]string{
		"the server hangs up":               "",
		"the server does not answer":        "silence",
		"the server resumes another stream": "<resumed xmlns='" + nsSM + "' previd='other' h='1'/>",
		"the server does not say how far":   "<resumed xmlns='" + nsSM + "' previd='sm-0'/>",
	} {
		bubble(t, name, func(t *testing.T) {
			w, acc := sasl2Server(t)
			attempt := 0
			w.serve("xmpp.a.test:5222", func(p *fakeServer) {
				attempt++
				p.startTLS()
				p.open(offerSASL2(inlineSM, "PLAIN"))
				if strings.Contains(p.raw(), "<resume") {
					switch resumed {
					case "":
					case "silence":
						p.drain()
					default:
						p.succeed(identifier("me@a.test")+resumed, "")
						p.drain()
					}
					return
				}
				p.succeed(identifier("me@a.test"), offerBind)
				p.bind(string(testSelf))
				p.drain()
			})
			c, _ := w.signIn(acc, earlier)
			if c.Login().Resumed || attempt != 2 {
				t.Errorf("resumed %v in %d attempts, want a new stream in 2", c.Login().Resumed, attempt)
			}
		})
	}
}

// TestSASL2WithSCRAM runs three messages, and insists on the proof of the server.
func TestSASL2WithSCRAM(t *testing.T) {
	for _, honest := range []bool{true, false} {
		name := "proved"
		if !honest {
			name = "not proved"
		}
		bubble(t, name, func(t *testing.T) {
			w, acc := sasl2Server(t)
			w.serve("xmpp.a.test:5222", func(p *fakeServer) {
				p.startTLS()
				p.open(offerSASL("SCRAM-SHA-256") + offerSASL2("", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-256") + offerExporter)
				p.scram2(acc.Password.Reveal(), honest)
				p.bind(string(testSelf))
				p.drain()
			})
			c, err := w.d.Dial(context.Background(), acc, nil)
			if (err == nil) != honest {
				t.Fatalf("Dial(): got %v, want it to succeed: %v", err, honest)
			}
			if err != nil {
				if perch.KindOf(err) != perch.KindUpstreamConfig {
					t.Errorf("got %v, want %s", err, perch.KindUpstreamConfig)
				}
				return
			}
			defer c.Abort()
			if got := c.Login().Mechanism; got != "SCRAM-SHA-256-PLUS" {
				t.Errorf("Login().Mechanism = %q, want SCRAM-SHA-256-PLUS", got)
			}
		})
	}
}

// scram2 is the server's side of SCRAM-SHA-256-PLUS by the newer profile.
func (p *fakeServer) scram2(password string, honest bool) {
	client, err := scram.SHA256.NewClient("me", password, "")
	if err != nil {
		panic(err)
	}
	stored, err := client.GetStoredCredentialsWithError(scram.KeyFactors{Salt: "0123456789abcdef", Iters: 4096})
	if err != nil {
		panic(err)
	}
	server, _ := scram.SHA256.NewServer(func(string) (scram.StoredCredentials, error) { return stored, nil })
	state := p.conn.(*tls.Conn).ConnectionState()
	binding, _ := scram.NewTLSExporterBinding(&state)
	c := server.NewConversationWithChannelBinding(binding)
	first, _ := base64.StdEncoding.DecodeString(p.expect(nsSASL2, "authenticate").ChildText(nsSASL2, "initial-response"))
	answer, err := c.Step(string(first))
	if err != nil {
		p.t.Errorf("the first message of the client: got error %v, want none", err)
	}
	p.send("<challenge xmlns='" + nsSASL2 + "'>" + b64(answer) + "</challenge>")
	second, _ := base64.StdEncoding.DecodeString(p.expect(nsSASL2, "response").Text())
	if answer, err = c.Step(string(second)); err != nil {
		p.t.Errorf("the proof of the client: got error %v, want none", err)
	}
	if !honest {
		answer = "v=AAAA"
	}
	p.succeed("<additional-data>"+b64(answer)+"</additional-data>"+identifier("me@a.test"), offerBind)
}

// TestSASL2Refusals: the causes are those of the older profile.
func TestSASL2Refusals(t *testing.T) {
	for _, tt := range []struct {
		name, answer string
		kind         perch.Kind
		cause        perch.Cause
		words        string
	}{
		{"refused", "<failure xmlns='" + nsSASL2 + "'><not-authorized xmlns='" + nsSASL + "'/></failure>", perch.KindUnauthorized, perch.CauseCredential, ""},
		{"in the namespace of the profile", "<failure xmlns='" + nsSASL2 + "'><temporary-auth-failure/></failure>", perch.KindTryLater, perch.CauseTryLater, ""},
		{"another factor", "<continue xmlns='" + nsSASL2 + "'><tasks><task>TOTP-EXAMPLE</task><task>&lt;b&gt;</task></tasks></continue>", perch.KindUnauthorized, perch.CauseCredential, "another step, which this gateway does not have (TOTP-EXAMPLE)"},
		{"something else", "<success xmlns='" + nsSASL + "'/>", perch.KindLinkLost, perch.CauseOther, ""},
		{"elsewhere", "<stream:error><see-other-host xmlns='" + nsStreams + "'>evil.test</see-other-host></stream:error>", perch.KindRedirectRefused, perch.CauseRedirect, ""},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			w, acc := sasl2Server(t)
			var said string
			w.serve("xmpp.a.test:5222", func(p *fakeServer) {
				p.startTLS()
				p.open(offerSASL("PLAIN") + offerSASL2("", "PLAIN"))
				p.expect(nsSASL2, "authenticate")
				p.send(tt.answer)
				said = p.rest()
			})
			c, err := w.d.Dial(context.Background(), acc, nil)
			if err == nil {
				c.Abort()
			}
			if perch.KindOf(err) != tt.kind || perch.CauseOf(err) != tt.cause || err == nil || !strings.Contains(err.Error(), tt.words) {
				t.Errorf("got %v, want %s for %s, with %q", err, tt.kind, tt.cause, tt.words)
			}
			w.wg.Wait()
			if strings.Contains(said, "<auth") {
				t.Error("the client tried once more, want no second try")
			}
		})
	}
}

// TestSASL2IsNotDowngraded: the pin of the account's last login holds in both profiles, and a server that
// has what the account needs in the older one alone is signed in to by that.
func TestSASL2IsNotDowngraded(t *testing.T) {
	bubble(t, "less in both", func(t *testing.T) {
		w, acc := sasl2Server(t)
		acc.Proved = "SCRAM-SHA-256"
		var said string
		w.serve("xmpp.a.test:5222", func(p *fakeServer) {
			p.startTLS()
			p.open(offerSASL("PLAIN") + offerSASL2(inlineFast, "PLAIN"))
			said = p.rest()
		})
		_, err := w.d.Dial(context.Background(), acc, nil)
		w.wg.Wait()
		if perch.CauseOf(err) != perch.CauseDowngrade || strings.Contains(said, "<auth") {
			t.Errorf("got %v, want it refused as a downgrade before a word", err)
		}
	})
	bubble(t, "less in the newer one", func(t *testing.T) {
		w, acc := sasl2Server(t)
		acc.Mechanism = "PLAIN"
		w.serve("xmpp.a.test:5222", func(p *fakeServer) {
			p.startTLS()
			p.open(offerSASL("PLAIN") + offerSASL2("", "SCRAM-SHA-1"))
			p.expect(nsSASL, "auth")
			p.send(saslSuccess)
			p.open(offerBind)
			p.bind(string(testSelf))
			p.drain()
		})
		w.signIn(acc, nil)
	})
}

// TestVerifyBySASL2 binds nothing, says who the client is to nobody, and asks for no token.
func TestVerifyBySASL2(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		w, acc := sasl2Server(t)
		acc.Archived, acc.Fast = true, perch.FastToken{Mechanism: "HT-SHA-256-EXPR", Token: perch.NewSecret(canary.Secret())}
		var request, rest string
		for name, tt := range map[string]struct {
			offer, jid string
			acc        perch.Account
			kind       perch.Kind
		}{
			"password":       {"PLAIN", "me@a.test", acc, ""},
			"token":          {"OAUTHBEARER", "me@a.test", tokenAccount, ""},
			"another domain": {"OAUTHBEARER", "me@b.test", tokenAccount, perch.KindUpstreamConfig},
		} {
			w.serve("xmpp.a.test:5222", func(p *fakeServer) {
				p.startTLS()
				p.open(offerSASL2(inlineSM+inlineBind+inlineFast, tt.offer))
				request = p.raw()
				p.succeed(identifier(tt.jid), offerBind)
				rest = p.rest()
			})
			jid, err := w.d.Verify(context.Background(), tt.acc)
			w.wg.Wait()
			if perch.KindOf(err) != tt.kind && err != nil || (err == nil) != (tt.kind == "") || err == nil && jid != "me@a.test" {
				t.Errorf("%s: Verify() = %q, %v; want me@a.test, or %s", name, jid, err, tt.kind)
			}
			if strings.Contains(request, "user-agent") || strings.Contains(request, nsFast) || strings.Contains(request, nsBind2) || strings.Contains(rest, "<iq") {
				t.Errorf("%s: got a request with more than a credential, want nothing else in it", name)
			}
		}
	})
}
