package xmppconn

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/xmppconn/internal/clientcert"
)

// externalUp is an upstream with the certificate of testSelf, and the account that signs in with it.
func externalUp() (Upstream, perch.Account) {
	pair := testPKI().issue(nil, "the account")
	pair.Leaf, _ = x509.ParseCertificate(pair.Certificate[0])
	c := &clientcert.Certificate{JID: testSelf.Bare(), Token: perch.NewSecret(canary.Secret()), TLS: pair}
	return Upstream{Name: "test", Domain: "a.test", Address: "xmpp.a.test:5222", RootCAs: testPKI().pool, Client: c},
		perch.Account{JID: testSelf.Bare(), Token: c.Token, Agent: testAgent}
}

// queuedWriter has room for what is written, as a socket has and a pipe has not.
type queuedWriter struct {
	net.Conn
	out chan []byte
}

func (q *queuedWriter) Write(b []byte) (int, error) { q.out <- bytes.Clone(b); return len(b), nil }

func (q *queuedWriter) run() {
	for b := range q.out {
		_, _ = q.Conn.Write(b)
	}
}

// shown is how many certificates the client has shown.
func (p *fakeServer) shown() int { return len(p.state.PeerCertificates) }

const external1 = "<auth xmlns='" + nsSASL + "' mechanism='EXTERNAL'>"

// TestExternal signs in with the certificate by both profiles: byte for byte, with the account that it is to
// open, and without the token.
func TestExternal(t *testing.T) {
	authzid := b64(string(testSelf.Bare()))
	for name, tt := range map[string]struct{ offer, first, success string }{
		"RFC 6120": {offerSASL("PLAIN", "OAUTHBEARER", "EXTERNAL"), external1 + authzid + "</auth>", ""},
		"XEP-0388": {offerSASL2("", "OAUTHBEARER", "EXTERNAL") + offerSASL("EXTERNAL"),
			"<authenticate xmlns='" + nsSASL2 + "' mechanism='EXTERNAL'><initial-response>" + authzid + "</initial-response>",
			identifier(string(testSelf.Bare()))},
	} {
		bubble(t, name, func(t *testing.T) {
			up, acc := externalUp()
			w := newFakeNetwork(t, up)
			w.serve("xmpp.a.test:5222", func(p *fakeServer) {
				p.startTLS()
				p.open(tt.offer)
				f, _ := p.frame()
				said := string(f.Raw)
				if !strings.HasPrefix(said, tt.first) || strings.Contains(said, acc.Token.Reveal()) {
					t.Errorf("got %s, want it to begin with %s and no token", said, tt.first)
				}
				if p.shown() != 1 {
					t.Errorf("got %d certificates of the client, want 1", p.shown())
				}
				if tt.success == "" {
					p.send(saslSuccess)
					p.open(offerBind)
				} else {
					p.succeed(tt.success, offerBind)
				}
				p.bind(string(testSelf))
				p.drain()
			})
			c, _ := w.signIn(acc, nil)
			if got := c.Login(); got.Mechanism != "EXTERNAL" || got.JID != testSelf || !got.Fast.IsZero() {
				t.Errorf("Login() = %s by %s, want %s by EXTERNAL and no token of the server", got.JID, got.Mechanism, testSelf)
			}
		})
	}
}

// TestExternalIsForOneAccount: no other login shows the certificate, and no token but the operator's, or for
// another account, makes a connection at all.
func TestExternalIsForOneAccount(t *testing.T) {
	bubble(t, "a password", func(t *testing.T) {
		up, _ := externalUp()
		w := newFakeNetwork(t, up)
		w.serve("xmpp.a.test:5222", func(p *fakeServer) {
			p.startTLS()
			p.open(offerSASL("EXTERNAL", "PLAIN"))
			if el := p.expect(nsSASL, "auth"); el.Attr("mechanism") != "PLAIN" || p.shown() != 0 {
				t.Errorf("got %s and %d certificates, want PLAIN and none", el.Attr("mechanism"), p.shown())
			}
			p.send(saslSuccess)
			p.open(offerBind)
			p.bind(string(testSelf))
			p.drain()
		})
		w.signIn(perch.Account{JID: testSelf.Bare(), Password: perch.NewSecret(canary.Secret())}, nil)
	})
	for name, tt := range map[string]struct {
		change func(*perch.Account)
		kind   perch.Kind
	}{
		"another account":   {func(a *perch.Account) { a.JID = "eve@a.test" }, perch.KindValidation},
		"no account":        {func(a *perch.Account) { a.JID = "" }, perch.KindValidation},
		"another token":     {func(a *perch.Account) { a.Token = perch.NewSecret(canary.Secret()) }, perch.KindUnauthorized},
		"another mechanism": {func(a *perch.Account) { a.Mechanism = "OAUTHBEARER" }, perch.KindValidation},
	} {
		bubble(t, name, func(t *testing.T) {
			up, acc := externalUp()
			tt.change(&acc)
			w := newFakeNetwork(t, up)
			w.serve("xmpp.a.test:5222", func(*fakeServer) { t.Error("got a connection, want none") })
			for what, ask := range map[string]func() error{
				"Dial()":   func() error { _, err := w.d.Dial(context.Background(), acc, nil); return err },
				"Verify()": func() error { _, err := w.d.Verify(context.Background(), acc); return err },
			} {
				if err := ask(); perch.KindOf(err) != tt.kind {
					t.Errorf("%s: got error %v, want %s", what, err, tt.kind)
				}
			}
		})
	}
}

// TestExternalFails: whatever the server has against the certificate is told as that, and the token is shown by
// no other mechanism.
func TestExternalFails(t *testing.T) {
	failure := func(condition string) func(*fakeServer) {
		return func(p *fakeServer) {
			p.startTLS()
			p.open(offerSASL("EXTERNAL", "OAUTHBEARER", "PLAIN"))
			p.expect(nsSASL, "auth")
			p.send("<failure xmlns='" + nsSASL + "'><" + condition + "/></failure>")
			if rest := p.rest(); strings.Contains(rest, "<auth") {
				t.Errorf("got %s after the failure, want no other try", rest)
			}
		}
	}
	for name, tt := range map[string]struct {
		serve func(*fakeServer)
		spoil func(*Upstream)
		kind  perch.Kind
		cause perch.Cause
		text  string
	}{
		"refused":    {failure("not-authorized"), nil, perch.KindUpstreamConfig, perch.CauseClientCert, "does not take the certificate"},
		"for others": {failure("invalid-authzid"), nil, perch.KindUpstreamConfig, perch.CauseClientCert, "invalid-authzid"},
		"for now":    {failure("temporary-auth-failure"), nil, perch.KindTryLater, perch.CauseTryLater, ""},
		"not offered": {func(p *fakeServer) {
			p.startTLS()
			p.open(offerSASL("OAUTHBEARER", "PLAIN", "X-OAUTH2") + offerSASL2("", "OAUTHBEARER"))
			if rest := p.rest(); strings.Contains(rest, "<auth") {
				t.Errorf("got %s, want nothing of the account", rest)
			}
		}, nil, perch.KindUpstreamConfig, perch.CauseClientCert, "does not offer EXTERNAL"},
		"by an alert": {func(p *fakeServer) {
			p.open(offerTLS)
			p.expect(nsTLS, "starttls")
			p.send("<proceed xmlns='" + nsTLS + "'/>")
			queued := &queuedWriter{p.conn, make(chan []byte, 8)}
			defer close(queued.out)
			go queued.run()
			err := tls.Server(queued, &tls.Config{
				Certificates: []tls.Certificate{p.cert}, SessionTicketsDisabled: true, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: x509.NewCertPool(),
			}).Handshake()
			if err == nil {
				t.Error("got the certificate of an unknown authority taken, want it refused")
			}
			_, _ = io.Copy(io.Discard, p.conn)
		}, nil, perch.KindUpstreamConfig, perch.CauseClientCert, "ended the TLS connection"},
		"expired": {func(p *fakeServer) { p.t.Error("got a connection, want none") },
			func(up *Upstream) { up.Client.TLS.Leaf.NotAfter = time.Date(1999, 5, 1, 0, 0, 0, 0, time.UTC) },
			perch.KindUpstreamConfig, perch.CauseClientCert, "has expired on 1999-05-01"},
	} {
		bubble(t, name, func(t *testing.T) {
			up, acc := externalUp()
			if tt.spoil != nil {
				tt.spoil(&up)
			}
			w := newFakeNetwork(t, up)
			w.serve("xmpp.a.test:5222", tt.serve)
			_, err := w.d.Dial(context.Background(), acc, nil)
			w.wg.Wait()
			if perch.KindOf(err) != tt.kind || perch.CauseOf(err) != tt.cause || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("got %v (%s, %s), want %s, %s with %q", err, perch.KindOf(err), perch.CauseOf(err), tt.kind, tt.cause, tt.text)
			}
			if n := w.d.counters.SignInFailures.Of(tt.cause); n != 1 {
				t.Errorf("got %d failures counted, want 1", n)
			}
		})
	}
}

// TestExternalIsKept: once an account was signed in with a certificate, its token is shown by no mechanism, also
// where the certificate was taken out of the settings and another mechanism put in.
func TestExternalIsKept(t *testing.T) {
	for _, now := range []string{"OAUTHBEARER", "X-OAUTH2", "X-GOOGLE-TOKEN", "PLAIN"} {
		for _, wish := range []string{"", now} {
			bubble(t, now+" named "+wish, func(t *testing.T) {
				up, acc := externalUp()
				up.Client, up.Mechanisms, up.TokenAsPassword = nil, []string{now}, true
				acc.Proved, acc.Mechanism = "EXTERNAL", wish
				w := newFakeNetwork(t, up)
				var said string
				w.serve("xmpp.a.test:5222", func(p *fakeServer) {
					p.startTLS()
					p.open(offerSASL(now) + offerSASL2("", now))
					said = p.rest()
				})
				_, err := w.d.Dial(context.Background(), acc, nil)
				w.wg.Wait()
				if perch.CauseOf(err) != perch.CauseDowngrade || strings.Contains(said, "<auth") {
					t.Errorf("got %v after %q, want %s before a word", err, said, perch.CauseDowngrade)
				}
			})
		}
	}
}
