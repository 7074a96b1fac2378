package xmppconn

import (
	"context"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/testkit"
)

// newServer is a server, and what that of Debian 13 has of a login in one step.
type newServer struct {
	name      string
	start     func(testkit.TB) *testkit.Server
	domain    string
	mechanism string // for a password
	fast      string // mechanism of its tokens
	has       func() bool
}

var newServers = []newServer{
	{"prosody", func(t testkit.TB) *testkit.Server { return testkit.Prosody(t, testkit.ProsodyOptions{}) }, testkit.ProsodySCRAM256, "SCRAM-SHA-256-PLUS", "HT-SHA-256-EXPR", testkit.ProsodyAtLeast13},
	{"ejabberd", testkit.Ejabberd, testkit.EjabberdSCRAM512, "SCRAM-SHA-512-PLUS", "HT-SHA-256-EXPR", func() bool { return testkit.EjabberdAtLeast("24.12") }},
}

// realLogin is one login at a real server, of which the test sees more than a connection tells.
type realLogin struct {
	t   *testing.T
	d   *Dialer
	acc perch.Account
}

func newRealLogin(t *testing.T, n newServer) *realLogin {
	t.Helper()
	s := n.start(t)
	u := s.NewUserAt(t, "step", n.domain)
	d, err := NewDialer(Upstream{Name: s.Name, Domain: n.domain, Address: s.Addr, RootCAs: s.CA}, Options{Logger: canary.Logger()})
	if err != nil {
		t.Fatalf("NewDialer(): got error %v, want none", err)
	}
	return &realLogin{t, d, perch.Account{JID: perch.JID(u.JID), Password: perch.NewSecret(u.Password), Agent: "d4565fa7-4d72-4749-b3d3-740edbf87770", Archived: true}}
}

// run signs in; the connection is started and ends with the test.
func (r *realLogin) run(earlier []byte) *login {
	r.t.Helper()
	host, port, err := net.SplitHostPort(r.d.up.Address)
	if err != nil {
		r.t.Fatalf("SplitHostPort(): got error %v, want none", err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		r.t.Fatalf("Atoi(): got error %v, want none", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	at := target{host: host, port: uint16(n)}
	raw, err := r.d.connect(ctx, at)
	if err != nil {
		r.t.Fatalf("connect(): got error %v, want none", err)
	}
	l := newLogin(ctx, r.d, r.acc, at, raw)
	l.earlier = parseStreamState(earlier)
	if err := l.run(); err != nil {
		_ = raw.Close()
		r.t.Fatalf("run(): got error %v, want none", err)
	}
	l.c.Start(func(uint64, perch.Inbound) {}, func() {})
	r.t.Cleanup(func() { _ = l.c.Close(context.Background()) })
	return l
}

// TestServersWithOneStep: the servers of Debian 12 have nothing of SASL2, and a login there takes the steps of
// RFC 6120; those of later ones have all of it. What each offers is in docs/versions.md.
func TestServersWithOneStep(t *testing.T) {
	for _, n := range newServers {
		t.Run(n.name, func(t *testing.T) {
			r := newRealLogin(t, n)
			l := r.run(nil)
			got, has := l.c.Login(), n.has()
			if (l.success != nil) != has || l.bound() != has || got.Fast.IsZero() == has || (len(l.offer.SASL2.Mechanisms) > 0) != has {
				t.Errorf("got SASL2 %v, bound with the login %v, a token %v of %+v; want %v of each", l.success != nil, l.bound(), !got.Fast.IsZero(), l.offer, has)
			}
			if slices.Contains(l.offer.Bindings, "tls-exporter") != has || strings.HasSuffix(got.Mechanism, "-PLUS") != has {
				t.Errorf("got %s with the bindings %q, want it bound by tls-exporter: %v", got.Mechanism, l.offer.Bindings, has)
			}
			if !got.Capabilities.StreamResume || got.JID.Bare() != r.acc.JID {
				t.Errorf("got %+v, want %s, with a stream that can be resumed", got, r.acc.JID)
			}
		})
	}
}

// TestExternalOnProsody: Prosody, in any version, offers EXTERNAL to no account, and the operator is told so.
func TestExternalOnProsody(t *testing.T) {
	s := testkit.Prosody(t, testkit.ProsodyOptions{})
	u := s.NewUser(t, "bot")
	cert, key := testkit.CA(t).Client(t, testkit.ClientCertificate{Addresses: []string{u.JID}})
	token := canary.Secret() + strings.Repeat("t", 32)
	c, err := ParseClientCertificate(cert, key, token, s.Domain)
	if err != nil {
		t.Fatalf("ParseClientCertificate(): got error %v, want none", err)
	}
	_, err = Dial(context.Background(), Upstream{Name: s.Name, Domain: s.Domain, Address: s.Addr, RootCAs: s.CA, Client: c},
		perch.Account{JID: perch.JID(u.JID), Token: perch.NewSecret(token)}, Options{Logger: canary.Logger()})
	if perch.CauseOf(err) != perch.CauseClientCert || perch.KindOf(err) != perch.KindUpstreamConfig || !strings.Contains(err.Error(), "does not offer EXTERNAL") {
		t.Errorf("Dial(): got error %v, want one with the cause %s, that names EXTERNAL", err, perch.CauseClientCert)
	}
}
