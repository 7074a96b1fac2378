package messenger_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch/messenger"
)

func TestM01ListensOnLoopback(t *testing.T) {
	s := demo(t)
	at := netip.MustParseAddrPort(s.Addr().String())
	if !at.Addr().IsLoopback() || at.Port() == 0 {
		t.Errorf("listens on %v, want a loopback address with a port", at)
	}
	for _, listen := range []string{"0.0.0.0:0", "[::]:0", ":0", "192.0.2.1:5222"} {
		if _, err := messenger.New(messenger.Options{Listen: listen}); err == nil {
			t.Errorf("%q is taken without AllowRemote, want an error", listen)
		}
		if _, err := messenger.New(messenger.Options{Listen: listen, AllowRemote: true}); err != nil {
			t.Errorf("%q with AllowRemote: got error %v, want none", listen, err)
		}
	}
}

func TestM01CertificateNamesOfBothWays(t *testing.T) {
	s, err := messenger.New(messenger.Options{})
	if err != nil {
		t.Fatalf("messenger.New: got error %v, want none", err)
	}
	if b, rest := pem.Decode(s.CAPEM()); b == nil || len(rest) != 0 {
		t.Fatal("CAPEM is not one PEM block, want one and 0")
	}
	s = start(t, messenger.Options{})
	c := dial(t, s)
	c.secure()
	state := c.conn.(*tls.Conn).ConnectionState()
	for _, name := range []string{"messenger.live.com", "xmpp.messenger.live.com", "localhost"} {
		if _, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{DNSName: name, Roots: s.CA()}); err != nil {
			t.Errorf("%s: got error %v, want none", name, err)
		}
	}
}

func TestM02StartTLSRequired(t *testing.T) {
	s := demo(t)
	c := dial(t, s)
	f := c.open()
	if len(f.Kids) != 1 || f.at("starttls", "required").XMLName.Local == "" {
		t.Fatalf("features before TLS: %v, want 1 and some text", f)
	}
	for name, first := range map[string]string{
		"sasl":     "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='X-MESSENGER-OAUTH2'>demo-alice</auth>",
		"iq":       "<iq type='get' id='1'><query xmlns='jabber:iq:roster'/></iq>",
		"presence": "<presence/>",
	} {
		t.Run(name, func(t *testing.T) {
			c := dial(t, s)
			c.open()
			c.send("%s", first)
			if cond, _ := c.ended(); cond != "policy-violation" {
				t.Errorf("condition %q, want %q", cond, "policy-violation")
			}
		})
	}
	if n := s.Logins("alice"); n != 0 {
		t.Errorf("%d logins in clear, want 0", n)
	}
}

// What is sent in clear after <starttls/> must never count as sent over TLS.
func TestM02InjectedPlaintextIsDropped(t *testing.T) {
	s := demo(t)
	c := dial(t, s)
	c.open()
	c.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/><stream:stream to='%s'><auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='X-MESSENGER-OAUTH2'>demo-alice</auth>", domain)
	if n := c.next(); n.XMLName.Local != "proceed" {
		t.Fatalf("got %v: got %q, want %q", n, n.XMLName.Local, "proceed")
	}
	c.tls()
	f := c.open()
	if f.at("mechanisms").XMLName.Local == "" {
		t.Fatalf("after TLS: %v, want some text", f)
	}
}

func TestM03SeeOtherHost(t *testing.T) {
	tests := []struct {
		stage messenger.RedirectStage
		reach func(c *client) node // to the stage
	}{
		{messenger.RedirectPreTLS, func(c *client) node { return c.open() }},
		{messenger.RedirectPostTLS, func(c *client) node { return c.secure() }},
		{messenger.RedirectPostAuth, func(c *client) node { c.secure(); c.auth("demo-alice"); return c.open() }},
		{messenger.RedirectOnline, func(c *client) node { c.complete("demo-alice"); c.send("<presence/>"); return lastError(c) }},
	}
	for _, tt := range tests {
		t.Run(string(tt.stage), func(t *testing.T) {
			o := messenger.Demo()
			o.Redirect = messenger.Redirect{Stage: tt.stage, Targets: []string{"BAYMSG1.edge.live.com", "[::1]:5223"}, Times: 2}
			s := start(t, o)
			for _, want := range o.Redirect.Targets {
				n := tt.reach(dial(t, s))
				if n.condition() != "see-other-host" || n.Kids[0].Text != want {
					t.Fatalf("got %v, want see-other-host %s", n, want)
				}
			}
			online(t, s, "demo-alice") // served after two
			if n := s.Stats().Redirects; n != 2 {
				t.Errorf("%d redirects counted, want 2", n)
			}
		})
	}
}

// lastError reads up to the stream error.
func lastError(c *client) node {
	for {
		if n := c.next(); n.XMLName.Local == "error" {
			return n
		}
	}
}

func TestM03RedirectToItselfAndWhileOnline(t *testing.T) {
	s := demo(t)
	if err := s.SetRedirect(messenger.Redirect{Stage: messenger.RedirectPostTLS, Times: 1, PerAddress: true}); err != nil {
		t.Fatalf("s.SetRedirect: got error %v, want none", err)
	}
	n := dial(t, s).secure()
	if n.condition() != "see-other-host" || n.Kids[0].Text != s.Addr().String() {
		t.Fatalf("got %v, want %q and %v", n, "see-other-host", s.Addr().String())
	}
	alice := online(t, s, "demo-alice")
	if k := s.RedirectNow("alice", "other.example:5222"); k != 1 {
		t.Fatalf("%d streams redirected, want 1", k)
	}
	if cond, clean := alice.ended(); cond != "see-other-host" || !clean {
		t.Errorf("ended with %q, clean %v, want %q and clean true", cond, clean, "see-other-host")
	}
	if err := s.SetRedirect(messenger.Redirect{Stage: "sometimes"}); err == nil {
		t.Error("an unknown stage is taken, want an error")
	}
}

func TestM04MechanismAndRawToken(t *testing.T) {
	s := demo(t)
	c := dial(t, s)
	f := c.secure()
	if m := f.at("mechanisms"); len(f.Kids) != 1 || len(m.Kids) != 1 || m.Kids[0].Text != "X-MESSENGER-OAUTH2 " {
		t.Fatalf("features after TLS: %v, want 1 and %q", f, "X-MESSENGER-OAUTH2 ")
	}
	if n := c.auth("bm90IHZhbGlk"); n.condition() != "not-authorized" {
		t.Fatalf("unknown token: %v, want %q", n, "not-authorized")
	}
	if n := c.auth("demo-alice"); n.XMLName.Local != "success" {
		t.Fatalf("another try: %v: got %q, want %q", n, n.XMLName.Local, "success")
	}
	if got := s.Stats().Failures; got != 1 {
		t.Errorf("%d failures counted, want 1", got)
	}
}

func TestM04Failures(t *testing.T) {
	s := demo(t)
	const ns = "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'"
	for sent, want := range map[string]string{
		"<auth " + ns + " mechanism='PLAIN'>AGEAYg==</auth>":             "invalid-mechanism",
		"<auth " + ns + " mechanism='X-MESSENGER-OAUTH2'/>":              "not-authorized",
		"<auth " + ns + " mechanism='X-MESSENGER-OAUTH2 '>nope</auth>":   "not-authorized",
		"<auth " + ns + " mechanism='X-MESSENGER-OAUTH2'>demo-al</auth>": "not-authorized",
		"<abort " + ns + "/>":              "aborted",
		"<response " + ns + "></response>": "malformed-request",
	} {
		c := dial(t, s)
		c.secure()
		c.send("%s", sent)
		if n := c.next(); n.condition() != want {
			t.Errorf("%s: %v, want %s", sent, n, want)
		}
	}
}

func TestM04TriesAreBounded(t *testing.T) {
	c := dial(t, demo(t))
	c.secure()
	for range 3 {
		if n := c.auth("guess"); n.condition() != "not-authorized" {
			t.Fatalf("got %v, want %q", n, "not-authorized")
		}
	}
	if cond, clean := c.ended(); cond != "policy-violation" || !clean {
		t.Errorf("ended with %q, clean %v, want %q and clean true", cond, clean, "policy-violation")
	}
}

func TestM04LongToken(t *testing.T) {
	s := demo(t)
	long := strings.Repeat("EwBw+/=*.", 2000)
	if err := s.AddToken("bob", long, 0); err != nil {
		t.Fatalf("s.AddToken: got error %v, want none", err)
	}
	signIn(t, s, long)
}

func TestM05ServiceAssignsTheJID(t *testing.T) {
	s := start(t, messenger.Options{Accounts: []messenger.Account{
		{User: "u", Identifier: "363eab04e3102f43", Tokens: []messenger.Token{{Text: "t"}}},
	}})
	a, b := signIn(t, s, "t"), signIn(t, s, "t") // both ask for the resource "test"
	for _, c := range []*client{a, b} {
		if !strings.HasPrefix(c.jid, "363eab04e3102f43@messenger.live.com/messenger-") {
			t.Errorf("bound %q, want %q at its beginning", c.jid, "363eab04e3102f43@messenger.live.com/messenger-")
		}
	}
	if a.jid == b.jid {
		t.Errorf("two streams have one JID: got %v, want anything but %v", a.jid, b.jid)
	}
	if got := s.Resources("u"); len(got) != 2 {
		t.Errorf("resources %v, want 2", got)
	}
	if n := a.iq("set", "", "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"); n.condition() != "not-allowed" {
		t.Errorf("second bind: %v, want %q", n, "not-allowed")
	}
}

func TestM05KeptResourceGivesConflict(t *testing.T) {
	o := messenger.Demo()
	o.KeepResource = true
	s := start(t, o)
	old := online(t, s, "demo-alice")
	bob := online(t, s, "demo-bob")
	if !strings.HasSuffix(old.jid, "/test") {
		t.Fatalf("bound %q, want %q at its end", old.jid, "/test")
	}
	online(t, s, "demo-alice")
	if cond, clean := old.ended(); cond != "conflict" || !clean {
		t.Errorf("ended with %q, clean %v, want %q and clean true", cond, clean, "conflict")
	}
	var kinds []string
	for _, p := range only(bob.sync(), "presence") {
		kinds = append(kinds, p.get("type"))
	}
	if fmt.Sprint(kinds) != "[unavailable ]" {
		t.Errorf("bob saw %q, want unavailable, then available", kinds)
	}
}

func TestM05ResourcesAreLimited(t *testing.T) {
	o := messenger.Demo()
	o.MaxResources = 1
	s := start(t, o)
	signIn(t, s, "demo-alice")
	c := dial(t, s)
	c.secure()
	c.auth("demo-alice")
	c.open()
	if n := c.bind("x"); n.condition() != "resource-constraint" {
		t.Errorf("got %v, want %q", n, "resource-constraint")
	}
}

func TestM17IssuedTokens(t *testing.T) {
	s := demo(t)
	token, err := s.IssueToken("alice@contoso.com", 0)
	if err != nil {
		t.Fatalf("s.IssueToken: got error %v, want none", err)
	}
	if len(token) < 800 || len(token) > 1100 || url.QueryEscape(token) == token {
		t.Errorf("a token of %d characters, want at least 800 and at most 1100 and anything but %v", len(token), token)
	}
	alice := online(t, s, token)
	if !s.RevokeToken(token) || s.RevokeToken(token) {
		t.Error("RevokeToken does not know the token, or knows it twice, want true and then false")
	}
	alice.sync() // the stream stays up
	c := dial(t, s)
	c.secure()
	if n := c.auth(token); n.condition() != "not-authorized" {
		t.Errorf("revoked: %v, want %q", n, "not-authorized")
	}
	if _, err := s.IssueToken("nobody", 0); err == nil {
		t.Error("got a token for an unknown account, want an error")
	}
}

func TestM17RevokedTokenClosesWhenAsked(t *testing.T) {
	o := messenger.Demo()
	o.CloseOnExpiry = true
	s := start(t, o)
	alice := online(t, s, "demo-alice")
	bob := online(t, s, "demo-bob")
	s.RevokeToken("demo-alice")
	if cond, clean := alice.ended(); cond != "not-authorized" || !clean {
		t.Errorf("ended with %q, clean %v, want %q and clean true", cond, clean, "not-authorized")
	}
	bob.sync()
}

func TestStopClosesStreams(t *testing.T) {
	s := demo(t)
	c := online(t, s, "demo-alice")
	unbound := dial(t, s)
	unbound.secure()
	done := make(chan error)
	go func() { done <- s.Stop(context.Background()) }()
	if cond, clean := c.ended(); cond != "system-shutdown" || !clean {
		t.Errorf("ended with %q, clean %v, want %q and clean true", cond, clean, "system-shutdown")
	}
	c.conn.Close()
	if err := <-done; err != nil {
		t.Errorf("the result of done: got error %v, want none", err)
	}
	if err := s.Start(t.Context()); err == nil {
		t.Error("started again, want an error")
	}
}

// A client that does not hang up must not hold Stop for longer than its context.
func TestStopDoesNotWaitForClients(t *testing.T) {
	s := demo(t)
	online(t, s, "demo-alice")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	begin := time.Now()
	if err := s.Stop(ctx); err != nil {
		t.Errorf("s.Stop: got error %v, want none", err)
	}
	if d := time.Since(begin); d > time.Second {
		t.Errorf("Stop took %v, want at most %v", d, time.Second)
	}
}
