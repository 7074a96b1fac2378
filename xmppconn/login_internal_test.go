package xmppconn

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/streamtest"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
	"mellium.im/xmpp/stream"
)

// bubble runs a test in virtual time.
func bubble(t *testing.T, name string, f func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
}

func TestSignIn(t *testing.T) {
	bubble(t, "the Messenger exchange", func(t *testing.T) {
		w := newFakeNetwork(t, messengerUp())
		var token, bindXML string
		w.serve("xmpp.a.test:5222", func(p *fakeServer) {
			p.startTLS()
			if p.state.ServerName != "a.test" || p.lastTo != "a.test" {
				t.Errorf("SNI %q, to %q: both must be the domain; want ServerName a.test, to a.test", p.state.ServerName, p.lastTo)
			}
			p.open(offerSASL("PLAIN", "X-MESSENGER-OAUTH2 "))
			if p.lastFrom != "" {
				t.Errorf("got from %q in the stream header, want none: the service never saw one", p.lastFrom)
			}
			token = p.raw()
			p.send(saslSuccess)
			p.open(offerBind + "<session xmlns='" + nsSession + "'/>")
			bindXML = p.raw()
			p.send("<iq type='result' id='" + streamtest.Parse(t, bindXML).Attr("id") + "' from='a.test'><bind xmlns='" + nsBind +
				"'><jid> 12345@a.test/RES </jid></bind></iq>")
			p.result(p.expect(nsClient, "iq"), "") // the session
			p.drain()
		})
		c := w.dial()
		if want := "<auth xmlns='" + nsSASL + "' mechanism='X-MESSENGER-OAUTH2'>" + testToken + "</auth>"; token != want {
			t.Errorf("auth: got %s, want token %v", token, want)
		}
		if !strings.Contains(bindXML, "<bind xmlns='"+nsBind+"'/>") {
			t.Errorf("bind: got %s, want it with %v", bindXML, "<bind xmlns='"+nsBind+"'/>")
		}
		if l := c.Login(); l.JID != "12345@a.test/RES" || l.Capabilities.Archive != "136" || l.Resumed {
			t.Errorf("Login() = %+v, want 12345@a.test/RES with archive 136, not resumed", l)
		}
		if w.d.Counters().SignIns.Load() != 1 {
			t.Error("not counted, want SignIns 1")
		}
	})
}

func TestSignInDirect(t *testing.T) {
	bubble(t, "a standard server, directly", func(t *testing.T) {
		up := messengerUp()
		up.Profile, up.TLS, up.Address = ProfileStandard, TLSDirect, "xmpp.a.test"
		w := newFakeNetwork(t, up)
		w.serve("xmpp.a.test:5223", func(p *fakeServer) {
			p.handshake()
			if p.state.NegotiatedProtocol != "xmpp-client" {
				t.Errorf("ALPN %q, want NegotiatedProtocol xmpp-client", p.state.NegotiatedProtocol)
			}
			p.open(offerSASL("OAUTHBEARER"))
			p.expect(nsSASL, "auth")
			p.send("<success xmlns='" + nsSASL + "'>=</success>")
			p.open(offerBind + "<session xmlns='" + nsSession + "'><optional/></session><ver xmlns='" + nsRosterVer + "'/>")
			iq := p.bind("me@a.test/home")
			if got := iq.Child(nsBind, "bind").ChildText(nsBind, "resource"); got != "h<o>me" {
				t.Errorf("wanted resource %q", got)
			}
			disco := p.expect(nsClient, "iq")
			if disco.Attr("to") != "me@a.test" || disco.Child(nsDiscoInfo, "query") == nil {
				t.Errorf("question after bind: got %+v, want to me@a.test, disco#info", disco)
			}
			p.send("<message from='a.test'><body>welcome</body></message>") // before the answer
			p.send("<iq type='result' from='evil@a.test' id='" + disco.Attr("id") + "'/>")
			p.result(disco, "<query xmlns='"+nsDiscoInfo+"'><feature var='"+nsMAM+"'/></query>")
			p.drain()
		})
		acc := tokenAccount
		acc.JID, acc.Resource = "me@a.test", "h<o>me"
		c, err := w.d.Dial(context.Background(), acc, nil)
		if err != nil {
			t.Fatalf("w.d.Dial(): got error %v, want none", err)
		}
		defer c.Abort()
		if l := c.Login().Capabilities; l.Archive != "313" || !l.EditRoster || !c.rosterVer {
			t.Errorf("capabilities %+v, roster versions %v; want Archive 313, EditRoster, rosterVer", l, c.rosterVer)
		}
		b := &recorder{}
		c.Start(b.sink, func() {})
		if in := b.take(); len(in) != 1 || in[0].(*perch.MessageIn).Body != "welcome" {
			t.Errorf("what came before Start: got %v, want one delivery, Body welcome", in)
		}
		if w.d.counters.ForgedAnswers.Load() != 1 {
			t.Error("the forged answer was not counted, want ForgedAnswers 1")
		}
	})
}

func TestSignInRefusedWithAReason(t *testing.T) {
	bubble(t, "bearer refused with a reason", func(t *testing.T) {
		up := messengerUp()
		up.Profile = ProfileStandard
		w := newFakeNetwork(t, up)
		w.serve("xmpp.a.test:5222", func(p *fakeServer) {
			p.startTLS()
			p.open(offerSASL("OAUTHBEARER"))
			p.expect(nsSASL, "auth")
			p.send("<challenge xmlns='" + nsSASL + "'>" + b64(`{"status":"invalid_token"}`) + "</challenge>")
			if got := p.expect(nsSASL, "response").Text(); got != "AQ==" {
				t.Errorf("response %q, want AQ==", got)
			}
			p.send("<failure xmlns='" + nsSASL + "'><not-authorized/><text xml:lang='en'>no</text></failure>")
			p.drain()
		})
		err := w.dialError(perch.KindUnauthorized)
		se, ok := errors.AsType[*SASLError](err)
		if !ok || se.Condition != "not-authorized" || se.Status != "invalid_token" || se.Text != "no" || se.Mechanism != "OAUTHBEARER" {
			t.Errorf("cause: got %+v, want Condition not-authorized, Status invalid_token, Text no, Mechanism OAUTHBEARER", se)
		}
		if strings.Contains(err.Error(), testToken) {
			t.Errorf("the token is in the error, want it without %v", testToken)
		}
	})
}

// A credential is shown to the server of its own domain only, which is not even asked here.
func TestSignInOfAnotherDomain(t *testing.T) {
	bubble(t, "nothing is dialled", func(t *testing.T) {
		w := newFakeNetwork(t, messengerUp())
		w.serve("xmpp.a.test:5222", func(*fakeServer) { t.Error("the server was dialled, want no connection") })
		for _, jid := range []perch.JID{"me@b.test", "me@sub.a.test", "me@a.test.b.test"} {
			acc := tokenAccount
			acc.JID = jid
			_, err := w.d.Dial(context.Background(), acc, nil)
			if perch.KindOf(err) != perch.KindValidation || !strings.Contains(err.Error(), "/jid: this upstream serves only the domain a.test") {
				t.Errorf("%s: got %v, want %s, with /jid: this upstream serves only the domain a.test", jid, err, perch.KindValidation)
			}
		}
	})
}

// TestSignInRefused is everything that a server, or an attacker in between, can do to a sign-in.
// refusal is a script of a server at which a login must fail.
type refusal struct {
	name   string
	script func(*fakeServer)
	kind   perch.Kind
}

// testRefusals holds each refusal to its kind, within the time of a login.
func testRefusals(t *testing.T, refusals []refusal) {
	t.Helper()
	for _, tt := range refusals {
		bubble(t, tt.name, func(t *testing.T) {
			w := newFakeNetwork(t, messengerUp())
			w.serve("xmpp.a.test:5222", func(p *fakeServer) { tt.script(p) })
			began := time.Now()
			w.dialError(tt.kind)
			if took := time.Since(began); took > w.d.up.SignInTimeout {
				t.Errorf("took %v, want at most %v", took, w.d.up.SignInTimeout)
			}
			if w.d.counters.SignInFailures.Load() != 1 {
				t.Error("not counted as one failure, want SignInFailures 1")
			}
		})
	}
}

// TestSignInThatIsClosed: whatever the server was asked when it closed the stream, that is the cause, and
// the client reads what it was.
func TestSignInThatIsClosed(t *testing.T) {
	auth := func(p *fakeServer) { p.startTLS(); p.open(offerSASL("OAUTHBEARER")); p.expect(nsSASL, "auth") }
	bind := func(p *fakeServer) *xmlstream.Element {
		auth(p)
		p.send(saslSuccess)
		p.open(offerBind + offerSM)
		return p.next()
	}
	for doing, script := range map[string]func(*fakeServer){
		"authenticating":     auth,
		"binding a resource": func(p *fakeServer) { bind(p) },
		"enabling stream management": func(p *fakeServer) {
			p.result(bind(p), "<bind xmlns='"+nsBind+"'><jid>"+smSelf+"</jid></bind>")
			for !p.next().Is(nsSM, "enable") {
				continue
			}
		},
	} {
		bubble(t, doing, func(t *testing.T) {
			up := messengerUp()
			up.Profile = ProfileStandard
			w := newFakeNetwork(t, up)
			w.serve("xmpp.a.test:5222", func(p *fakeServer) { script(p); p.send("</stream:stream>"); p.drain() })
			err := w.dialError(perch.KindLinkLost)
			if e, ok := errors.AsType[*perch.Error](err); !ok || e.Cause != perch.CauseClosed || !strings.Contains(e.Detail, "("+doing+")") {
				t.Errorf("got %v of the cause %q, want one of %q with %q", err, perch.CauseOf(err), perch.CauseClosed, doing)
			}
		})
	}
}

// failing refuses the credential.
func failing(condition string) func(*fakeServer) {
	return func(p *fakeServer) {
		p.startTLS()
		p.open(offerSASL("X-MESSENGER-OAUTH2"))
		p.expect(nsSASL, "auth")
		p.send("<failure xmlns='" + nsSASL + "'>" + condition + "</failure>")
		p.drain()
	}
}

func streamErrorOf(condition string) string {
	return "<stream:error><" + condition + " xmlns='" + nsStreams + "'/></stream:error></stream:stream>"
}

// afterHeader sends this behind the first stream header.
func afterHeader(xml string) func(*fakeServer) {
	return func(p *fakeServer) { p.header(); p.send(streamtest.Header + xml); p.drain() }
}

// insideTLS sends this behind the header inside of TLS.
func insideTLS(xml string) func(*fakeServer) {
	return func(p *fakeServer) { p.startTLS(); afterHeader(xml)(p) }
}

// answeringBind sends this for the request to bind, whose id stands for ID.
func answeringBind(xml string) func(*fakeServer) {
	return func(p *fakeServer) {
		p.startTLS()
		p.authenticate()
		p.open(offerBind)
		iq := p.expect(nsClient, "iq")
		p.send(strings.ReplaceAll(xml, "ID", iq.Attr("id")))
		p.drain()
	}
}

func boundJID(jid string) string {
	return "<iq type='result' id='ID'><bind xmlns='" + nsBind + "'><jid>" + jid + "</jid></bind></iq>"
}

// presenting has another certificate.
func presenting(change func(*x509.Certificate), names ...string) func(*fakeServer) {
	return func(p *fakeServer) { p.cert = testPKI().issue(change, names...); p.startTLS(); p.drain() }
}

func TestSignInRefusesTLS(t *testing.T) {
	testRefusals(t, []refusal{
		{"TLS is not offered", func(p *fakeServer) { p.open(offerSASL("X-MESSENGER-OAUTH2")); p.silence() }, perch.KindUpstreamTLS},
		{"empty features", afterHeader("<stream:features/>"), perch.KindUpstreamTLS},
		{"TLS is refused", func(p *fakeServer) {
			p.open(offerTLS)
			p.next()
			p.send("<failure xmlns='" + nsTLS + "'/></stream:stream>")
			p.drain()
		}, perch.KindUpstreamTLS},
		{"bytes after proceed", func(p *fakeServer) {
			p.open(offerTLS)
			p.next()
			p.send("<proceed xmlns='" + nsTLS + "'/><stream:features>" + offerSASL("X-MESSENGER-OAUTH2") + "</stream:features>")
			p.silence()
		}, perch.KindUpstreamTLS},
		{"TLS 1.1", func(p *fakeServer) { p.minTLS = tls.VersionTLS11; p.startTLS(); p.drain() }, perch.KindUpstreamTLS},
		{"another name", presenting(nil, "b.test"), perch.KindUpstreamTLS},
		{"the dialled host's name only", presenting(nil, "xmpp.a.test"), perch.KindUpstreamTLS},
		{"expired", presenting(func(c *x509.Certificate) { c.NotAfter = c.NotBefore.Add(time.Hour) }, "a.test"), perch.KindUpstreamTLS},
		{"from the future", presenting(func(c *x509.Certificate) { c.NotBefore = c.NotAfter.Add(-time.Hour) }, "a.test"), perch.KindUpstreamTLS},
		{"garbage in place of TLS", func(p *fakeServer) {
			p.open(offerTLS)
			p.next()
			p.send("<proceed xmlns='" + nsTLS + "'/>")
			buf := make([]byte, 4096)
			_, _ = p.conn.Read(buf)
			p.send("HTTP/1.1 400 Bad Request\r\n\r\n")
			p.drain()
		}, perch.KindUpstreamTLS},
		{"hangs up in the handshake", func(p *fakeServer) {
			p.open(offerTLS)
			p.next()
			p.send("<proceed xmlns='" + nsTLS + "'/>")
		}, perch.KindLinkLost},
		{"hangs up at once", func(p *fakeServer) {}, perch.KindLinkLost},
	})
}

func TestSignInRefusesStreams(t *testing.T) {
	testRefusals(t, []refusal{
		{"a stanza before the header", func(p *fakeServer) { p.header(); p.send("<message><body>x</body></message>"); p.drain() }, perch.KindUpstreamConfig},
		{"a stream error before the header", func(p *fakeServer) {
			p.header()
			p.send("<stream:error xmlns:stream='" + nsStream + "'><host-unknown xmlns='" + nsStreams + "'/></stream:error>")
			p.drain()
		}, perch.KindUpstreamConfig},
		{"not XMPP at all", func(p *fakeServer) { p.header(); p.send("220 mail.a.test ESMTP\r\n"); p.drain() }, perch.KindUpstreamConfig},
		{"a DTD", func(p *fakeServer) {
			p.header()
			p.send("<!DOCTYPE x [<!ENTITY a 'b'>]>" + streamtest.Header)
			p.drain()
		}, perch.KindUpstreamConfig},
		{"XMPP 0.9", func(p *fakeServer) {
			p.header()
			p.send(strings.Replace(streamtest.Header, "version='1.0' xml:lang", "xml:lang", 1) + "<stream:features/>")
			p.drain()
		}, perch.KindUpstreamConfig},
		{"a stanza in place of features", afterHeader("<message/>"), perch.KindUpstreamConfig},
		{"silence after the header", afterHeader(""), perch.KindUpstreamTimeout},
		{"silence after the header inside of TLS", insideTLS(""), perch.KindUpstreamTimeout},
		{"silence at all", func(p *fakeServer) { p.drain() }, perch.KindUpstreamTimeout},
		{"host-unknown", afterHeader(streamErrorOf("host-unknown")), perch.KindUpstreamConfig},
		{"host-gone inside of TLS", insideTLS(streamErrorOf("host-gone")), perch.KindUpstreamConfig},
		{"unsupported-version", afterHeader(streamErrorOf("unsupported-version")), perch.KindUpstreamConfig},
		{"reset", insideTLS(streamErrorOf("reset")), perch.KindLinkLost},
		{"remote-connection-failed", insideTLS(streamErrorOf("remote-connection-failed")), perch.KindLinkLost},
		{"resource-constraint", afterHeader(streamErrorOf("resource-constraint")), perch.KindTryLater},
		{"system-shutdown", insideTLS(streamErrorOf("system-shutdown")), perch.KindLinkLost},
		{"policy-violation", insideTLS(streamErrorOf("policy-violation")), perch.KindPolicy},
		{"the end of the stream", insideTLS("</stream:stream>"), perch.KindLinkLost},
		{"features too deep", insideTLS("<stream:features>" + strings.Repeat("<a>", 10000)), perch.KindUpstreamTimeout},
	})
}

func TestSignInRefusesSASL(t *testing.T) {
	testRefusals(t, []refusal{
		{"no mechanism", insideTLS("<stream:features/>"), perch.KindUpstreamConfig},
		{"only PLAIN for a token", insideTLS("<stream:features>" + offerSASL("PLAIN") + "</stream:features>"), perch.KindUpstreamConfig},
		{"not-authorized", failing("<not-authorized/>"), perch.KindUnauthorized},
		{"credentials-expired", failing("<credentials-expired/>"), perch.KindUnauthorized},
		{"account-disabled", failing("<account-disabled/><text>gone</text>"), perch.KindUnauthorized},
		{"a failure of no words", failing(""), perch.KindUnauthorized},
		{"temporary-auth-failure", failing("<temporary-auth-failure/>"), perch.KindTryLater},
		{"mechanism-too-weak", failing("<mechanism-too-weak/>"), perch.KindUpstreamConfig},
		{"aborted", failing("<aborted/>"), perch.KindLinkLost},
		{"an odd challenge", func(p *fakeServer) {
			p.startTLS()
			p.open(offerSASL("X-MESSENGER-OAUTH2"))
			p.next()
			p.send("<challenge xmlns='" + nsSASL + "'>AAAA</challenge>")
			p.expect(nsSASL, "abort")
		}, perch.KindUpstreamConfig},
		{"a message in place of success", func(p *fakeServer) {
			p.startTLS()
			p.open(offerSASL("X-MESSENGER-OAUTH2"))
			p.next()
			p.send("<message><success xmlns='" + nsSASL + "'/></message>")
			p.drain()
		}, perch.KindLinkLost},
	})
}

func TestSignInRefusesBind(t *testing.T) {
	testRefusals(t, []refusal{
		{"no bind", func(p *fakeServer) { p.startTLS(); p.authenticate(); p.open(""); p.drain() }, perch.KindUpstreamConfig},
		{"a JID of another domain", answeringBind(boundJID("boss@corp.test/x")), perch.KindUpstreamConfig},
		{"a bare JID", answeringBind(boundJID("me@a.test")), perch.KindUpstreamConfig},
		{"a server's JID", answeringBind(boundJID("a.test/x")), perch.KindUpstreamConfig},
		{"no JID", answeringBind("<iq type='result' id='ID'/>"), perch.KindUpstreamConfig},
		{"bind conflict", answeringBind("<iq type='error' id='ID'><error type='cancel'><conflict xmlns='" + nsStanzas + "'/></error></iq>"), perch.KindStreamConflict},
		{"bind limit", answeringBind("<iq type='error' id='ID'><error type='wait'><resource-constraint xmlns='" + nsStanzas + "'/></error></iq>"), perch.KindTryLater},
		{"bind not allowed", answeringBind("<iq type='error' id='ID'><error type='cancel'><not-allowed xmlns='" + nsStanzas + "'/></error></iq>"), perch.KindUpstreamConfig},
		{"bind answered by a stranger", answeringBind("<iq type='result' from='x@evil.test' id='ID'><bind xmlns='" + nsBind + "'><jid>me@a.test/x</jid></bind></iq>"), perch.KindUpstreamTimeout},
		{"bind answered by another id", answeringBind("<iq type='result' id='nID'><bind xmlns='" + nsBind + "'><jid>me@a.test/x</jid></bind></iq>"), perch.KindUpstreamTimeout},
		{"a flood before the answer", answeringBind(strings.Repeat("<message><body>x</body></message>", 300)), perch.KindLinkLost},
	})
}

func TestSignInErrorsAreTyped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFakeNetwork(t, messengerUp())
		w.serve("xmpp.a.test:5222", func(p *fakeServer) {
			p.header()
			p.send(streamtest.Header + "<stream:error><conflict xmlns='" + nsStreams + "'/><text xmlns='" + nsStreams + "'>why</text></stream:error>")
			p.drain()
		})
		err := w.dialError(perch.KindStreamConflict)
		if !errors.Is(err, stream.Conflict) {
			t.Errorf("not mellium's conflict: got %v, want %v", err, stream.Conflict)
		}
		if e, _ := errors.AsType[*perch.Error](err); e.XMPP == nil || e.XMPP.Condition != "conflict" || e.XMPP.Text != "why" {
			t.Errorf("got %+v, want a XMPP, Condition conflict, Text why", err)
		}
	})
}

func TestSignInEndsWithItsContext(t *testing.T) {
	bubble(t, "cancelled", func(t *testing.T) {
		w := newFakeNetwork(t, messengerUp())
		ctx, cancel := context.WithCancel(context.Background())
		w.serve("xmpp.a.test:5222", func(p *fakeServer) { p.header(); cancel(); p.drain() })
		began := time.Now()
		if _, err := w.d.Dial(ctx, tokenAccount, nil); err == nil {
			t.Fatal("signed in, want an error")
		}
		if time.Since(began) > 0 {
			t.Errorf("took %v, want at most 0", time.Since(began))
		}
	})
	bubble(t, "a server that dribbles", func(t *testing.T) {
		up := messengerUp()
		up.SignInTimeout = 12 * time.Second
		w := newFakeNetwork(t, up)
		w.serve("xmpp.a.test:5222", func(p *fakeServer) {
			p.header()
			p.send(streamtest.Header)
			for {
				time.Sleep(time.Second) // of virtual time: a blank a second keeps nothing alive
				p.send(" ")
			}
		})
		began := time.Now()
		w.dialError(perch.KindUpstreamTimeout)
		if took := time.Since(began); took > 12*time.Second {
			t.Errorf("took %v, want at most 12 s", took)
		}
	})
	bubble(t, "a fault of ours", func(t *testing.T) {
		w := newFakeNetwork(t, messengerUp())
		w.serve("xmpp.a.test:5222", func(p *fakeServer) { p.drain() })
		dial := w.d.dialTCP
		w.d.dialTCP = nil // a nil call in the sign-in's goroutine
		w.dialError(perch.KindLinkLost)
		if w.d.counters.Panics.Load() != 1 {
			t.Error("the panic was not counted, want Panics 1")
		}
		w.d.dialTCP = dial
	})
}

func TestM01TargetsAreTriedInTurn(t *testing.T) {
	up := messengerUp()
	up.Address = ""
	srv := func(w *fakeNetwork) {
		w.srv["xmpp-client"] = records("dead.a.test:5222/10/0", "mute.a.test:5222/20/0", "good.a.test:5222/30/0")
	}
	bubble(t, "unreachable and silent ones first", func(t *testing.T) {
		w := newFakeNetwork(t, up)
		srv(w)
		w.serve("mute.a.test:5222", func(p *fakeServer) { p.header(); p.drain() })
		w.serve("good.a.test:5222", func(p *fakeServer) { p.login(); p.drain() })
		w.dial()
		if want := []string{"dead.a.test:5222", "mute.a.test:5222", "good.a.test:5222"}; !slices.Equal(w.dialed, want) {
			t.Errorf("dialled %q, want %v", w.dialed, want)
		}
	})
	bubble(t, "all unreachable", func(t *testing.T) {
		w := newFakeNetwork(t, up)
		srv(w)
		w.dialError(perch.KindLinkLost)
		if want := []string{"dead.a.test:5222", "mute.a.test:5222", "good.a.test:5222"}; !slices.Equal(w.dialed, want) {
			t.Errorf("dialled %q, want %q", w.dialed, want)
		}
	})
	bubble(t, "all mute", func(t *testing.T) {
		w := newFakeNetwork(t, up)
		srv(w)
		for _, host := range []string{"dead", "mute", "good"} {
			w.serve(host+".a.test:5222", func(p *fakeServer) { p.header(); p.drain() })
		}
		began := time.Now()
		w.dialError(perch.KindUpstreamTimeout)
		if took := time.Since(began); took > w.d.up.SignInTimeout || len(w.dialed) != 3 {
			t.Errorf("dialled %q in %v, want each target within %v", w.dialed, took, w.d.up.SignInTimeout)
		}
	})
	bubble(t, "a refused credential is not tried elsewhere", func(t *testing.T) {
		w := newFakeNetwork(t, up)
		srv(w)
		w.serve("mute.a.test:5222", func(p *fakeServer) {
			p.startTLS()
			p.open(offerSASL("X-MESSENGER-OAUTH2"))
			p.next()
			p.send("<failure xmlns='" + nsSASL + "'><not-authorized/></failure>")
			p.drain()
		})
		w.dialError(perch.KindUnauthorized)
		if len(w.dialed) != 2 {
			t.Errorf("dialled %q, want 2 dialled", w.dialed)
		}
	})
	bubble(t, "a bad certificate outweighs silence", func(t *testing.T) {
		w := newFakeNetwork(t, up)
		srv(w)
		w.serve("dead.a.test:5222", func(p *fakeServer) { p.cert = testPKI().issue(nil, "b.test"); p.startTLS() })
		w.dialError(perch.KindUpstreamTLS)
		if len(w.dialed) != 3 {
			t.Errorf("dialled %q, want 3 dialled", w.dialed)
		}
	})
}
