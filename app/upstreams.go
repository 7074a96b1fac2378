package app

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
	"github.com/perch-im/perch/xmppconn"
)

// upstream is one configured service: how to dial it, and what the sessions know of it.
type upstream struct {
	dialer         *xmppconn.Dialer
	info           sessions.Upstream
	tokenMechanism string
	profile        string

	config Upstream          // that it was made of; of an embedded service the token-prefix and rooms alone
	files  [sha256.Size]byte // of the content of its files
}

// buildUpstreams makes a dialler for each upstream; without any the embedded services
// are started and take their place.
func (a *App) buildUpstreams() error {
	a.watchLogins()
	if len(a.o.Upstreams) == 0 {
		return a.startDemo()
	}
	next, err := a.nextUpstreams(&a.o)
	if err != nil {
		return err
	}
	a.live.upstreams.Store(&next.table)
	return nil
}

// connection translates the configuration. What is in the files that it names goes into read, too.
func (u Upstream) connection(read io.Writer) (xmppconn.Upstream, error) {
	x := xmppconn.Upstream{
		Name: u.Name, Domain: u.Domain, Address: u.Address, ServerName: u.ServerName,
		TLS: xmppconn.TLSMode(u.TLS), Profile: xmppconn.Profile(u.Profile),
		Mechanisms: u.Mechanisms, RedirectAllow: u.RedirectAllow,
		TokenAsPassword: u.TokenMechanism == "PLAIN",
	}
	if u.TLS == "" && u.Address != "" {
		x.TLS = xmppconn.TLSStartTLS
	}
	var err error
	if x.Client, err = u.clientCertificate(read); err != nil {
		return x, err
	}
	if u.CAFile == "" {
		return x, nil
	}
	pem, err := os.ReadFile(u.CAFile)
	if err != nil {
		return x, fmt.Errorf("ca-file: %w", err)
	}
	_, _ = read.Write(pem)
	x.RootCAs = x509.NewCertPool()
	if !x.RootCAs.AppendCertsFromPEM(pem) {
		return x, fmt.Errorf("ca-file %s has no PEM certificate", u.CAFile)
	}
	return x, nil
}

// newUpstream makes the dialler of an upstream. What one of this name has counted before goes on.
func (a *App) newUpstream(x xmppconn.Upstream, tokenMechanism string) (*upstream, error) {
	d, err := xmppconn.NewDialer(x, xmppconn.Options{Logger: a.log, Gate: a.gate, ParkAfter: a.o.ParkAfter, Observer: a.metrics.iqsOf(x.Name), Trace: a.tracing.iqs(x.Name), Failed: a.failures.of(x.Name), Counters: a.live.counters[x.Name]})
	if err != nil {
		return nil, fmt.Errorf("upstream %q: %w", x.Name, err)
	}
	return &upstream{
		dialer: d, tokenMechanism: tokenMechanism, profile: cmp.Or(string(x.Profile), ProfileStandard),
		info: sessions.Upstream{
			Name: x.Name, Domain: x.Domain, TokenBearer: tokenMechanism != "", NeedsJID: x.Profile != xmppconn.ProfileMessenger,
			Capabilities: d.Capabilities(),
		},
	}, nil
}

// dial is the sessions' way to a connection.
func (a *App) dial(ctx context.Context, req sessions.DialRequest) (sessions.Conn, error) {
	u, acc, err := a.upstreamOf(req.Account)
	if err != nil {
		return nil, err
	}
	acc.Resource = cmp.Or(acc.Resource, u.config.Resource)
	began := time.Now()
	c, err := u.dialer.Dial(ctx, acc, req.Resume)
	if err != nil {
		return nil, err // not c: a nil *Conn in an interface is not nil
	}
	a.logins.succeed(acc.Upstream, time.Since(began))
	return c, nil
}

// verify is the sessions' way to learn whether the upstream accepts a credential.
func (a *App) verify(ctx context.Context, acc perch.Account) (perch.JID, error) {
	u, acc, err := a.upstreamOf(acc)
	if err != nil {
		return "", err
	}
	return u.dialer.Verify(ctx, acc)
}

// endToken is the sessions' way to end a token of the upstream.
func (a *App) endToken(ctx context.Context, acc perch.Account) error {
	u, acc, err := a.upstreamOf(acc)
	if err != nil {
		return err
	}
	return u.dialer.EndToken(ctx, acc)
}

// upstreamOf finds the upstream of an account, and completes the account for it.
func (a *App) upstreamOf(acc perch.Account) (*upstream, perch.Account, error) {
	u, ok := (*a.live.upstreams.Load())[acc.Upstream]
	if !ok {
		return u, acc, perch.Errorf(perch.KindUpstreamConfig, "the upstream %q is not configured any more", acc.Upstream)
	}
	if acc.Mechanism == "" && !acc.Token.IsZero() {
		acc.Mechanism = u.tokenMechanism
	}
	return u, acc, nil
}
