package xmppconn

import (
	"context"
	"crypto/tls"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/diagnosis"
	"github.com/perch-im/perch/xmppconn/internal/negotiate"
)

// Probe is what a login would find at one place, up to its credential.
type Probe struct {
	Target     string    // host:port; "" when there is none to dial
	Direct     bool      // TLS from the first byte
	TLS        string    // its version, such as "TLS 1.3"; "" without
	Expires    time.Time // of the server's certificate
	Mechanisms []string  // the SASL mechanisms that the server offers and the upstream may use, in its order
	Redirect   string    // host:port where the server sends clients, if it does
	Err        error     // a perch.Error with its cause; nil: a login could begin
}

// Probe looks at every target of the upstream at once, as a login does: name lookup, TCP, TLS,
// features. It has no credential and sends none.
func (d *Dialer) Probe(ctx context.Context) []Probe {
	ctx, cancel := context.WithTimeout(ctx, d.up.SignInTimeout)
	defer cancel()
	targets, err := d.up.targets(ctx)
	if err != nil {
		return []Probe{{Err: diagnosis.Of(d.server(), err)}}
	}
	found := make([]Probe, len(targets))
	var all sync.WaitGroup
	for i, t := range targets {
		all.Go(func() { found[i] = d.probe(ctx, t) })
	}
	all.Wait()
	return found
}

func (d *Dialer) probe(ctx context.Context, t target) Probe {
	p := Probe{Target: t.String(), Direct: t.direct}
	raw, err := d.connect(ctx, t)
	if err != nil {
		p.Err = diagnosis.Of(d.server(), err)
		return p
	}
	defer raw.Close()
	defer context.AfterFunc(ctx, func() { _ = raw.Close() })()
	l := newLogin(ctx, d, perch.Account{}, t, raw)
	features, err := l.secure()
	if tc, ok := l.c.nc.(*tls.Conn); ok {
		s := tc.ConnectionState()
		p.TLS, p.Expires = tls.VersionName(s.Version), s.PeerCertificates[0].NotAfter
	}
	if re, ok := errors.AsType[*RedirectError](err); ok && perch.KindOf(err) != perch.KindRedirectRefused {
		p.Redirect = d.up.redirectTarget(re).String()
		return p
	}
	if err != nil {
		p.Err = diagnosis.Of(d.server(), err)
		return p
	}
	offered := negotiate.OfferOf(features).Mechanisms
	for _, name := range d.up.Mechanisms {
		if slices.Contains(offered, name) {
			p.Mechanisms = append(p.Mechanisms, name)
		}
	}
	if len(p.Mechanisms) == 0 {
		p.Err = diagnosis.NoMechanism(false, false, offered)
	}
	_ = l.write("</stream:stream>") // a courtesy
	return p
}

// server is whose logins these are, for the words about a failure.
func (d *Dialer) server() diagnosis.Server {
	return diagnosis.Server{Domain: d.up.Domain, ServerName: d.up.ServerName}
}
