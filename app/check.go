package app

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/cache"
	"github.com/perch-im/perch/sessions"
	"github.com/perch-im/perch/xmppconn"
)

// Finding is one thing that Check has looked at.
type Finding struct {
	Name   string `json:"name"`             // such as "redis" or "upstream work"
	Result string `json:"result"`           // one of the Finding words
	Detail string `json:"detail"`           // what was found
	Cause  string `json:"cause,omitempty"`  // of a login that would fail: one of perch.Causes
	Advice string `json:"advice,omitempty"` // what to do; "" when it is well
}

// The results of a Finding.
const (
	FindingOK      = "ok"
	FindingWarning = "warning" // it works, but not for long, or not everywhere
	FindingFailed  = "failed"
)

// expirySoon is when a certificate that ends is worth a word.
const expirySoon = 14 * 24 * time.Hour

// CheckConfig validates the settings and reads the files that they name. It binds no address and
// connects to nothing.
func CheckConfig(o Options) error {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return err
	}
	if o.TLSCert != "" {
		if _, err := newCertificate(o.TLSCert, o.TLSKey); err != nil {
			return err
		}
	}
	if _, err := o.webhookRoots(); err != nil {
		return err
	}
	for _, u := range o.Upstreams {
		if _, err := u.dialer(); err != nil {
			return err
		}
	}
	return nil
}

// dialer is how Check reaches an upstream: as the app does, without what only logins need.
func (u Upstream) dialer() (*xmppconn.Dialer, error) {
	x, err := u.connection(io.Discard)
	if err == nil {
		var d *xmppconn.Dialer
		if d, err = xmppconn.NewDialer(x, xmppconn.Options{}); err == nil {
			return d, nil
		}
	}
	return nil, fmt.Errorf("upstream %q: %w", u.Name, err)
}

// Check looks at everything that the settings name, as the gateway would use it: files, upstreams up
// to the credential, Redis. It signs in nowhere and stays within ctx.
func Check(ctx context.Context, o Options) []Finding {
	if err := CheckConfig(o); err != nil {
		return []Finding{{Name: "configuration", Result: FindingFailed, Detail: err.Error(), Advice: "see perch --help, and docs/operations.md"}}
	}
	o = o.withDefaults()
	found := []Finding{{Name: "configuration", Result: FindingOK, Detail: "valid"}}
	if o.TLSCert != "" {
		found = append(found, checkCertificate(o))
	}
	if len(o.Upstreams) == 0 {
		found = append(found, Finding{Name: "upstream", Result: FindingWarning, Detail: "none is configured: the embedded demo services run", Advice: "give --upstream for an XMPP server of your own"})
	}
	for _, u := range o.Upstreams {
		if u.ClientCert != "" {
			found = append(append(found, checkClientCertificate(u)), checkClientFiles(u)...)
		}
		found = append(found, checkUpstream(ctx, u)...)
	}
	found = append(found, checkTokens(o)...)
	if o.PushVAPIDKey != "" {
		found = append(found, checkPushKey(o))
	}
	if o.RedisURL != "" {
		found = append(found, checkRedis(ctx, o))
	}
	return found
}

// checkCertificate looks at that of the gateway; CheckConfig has read it.
func checkCertificate(o Options) Finding {
	f := Finding{Name: "certificate", Result: FindingOK}
	c, err := newCertificate(o.TLSCert, o.TLSKey)
	var leaf *x509.Certificate
	if err == nil {
		leaf, err = x509.ParseCertificate(c.cert.Certificate[0])
	}
	if err != nil {
		f.Result, f.Detail, f.Advice = FindingFailed, err.Error(), "give a PEM certificate chain and its key"
		return f
	}
	f.Detail = "valid until " + leaf.NotAfter.UTC().Format(time.DateOnly) + ", for " + strings.Join(leaf.DNSNames, ", ")
	switch left := time.Until(leaf.NotAfter); {
	case left <= 0:
		f.Result, f.Advice = FindingFailed, "renew it: clients refuse it"
	case left < expirySoon:
		f.Result, f.Advice = FindingWarning, "renew it; Perch reads the new one by itself"
	}
	return f
}

// checkUpstream has a line for every place where logins go. One that fails beside others that work
// is a warning: logins try the next.
func checkUpstream(ctx context.Context, u Upstream) []Finding {
	d, err := u.dialer()
	if err != nil {
		return []Finding{{Name: "upstream " + u.Name, Result: FindingFailed, Detail: err.Error()}}
	}
	probes := d.Probe(ctx)
	works := slices.ContainsFunc(probes, func(p xmppconn.Probe) bool { return p.Err == nil })
	found := make([]Finding, len(probes))
	for i, p := range probes {
		found[i] = describeProbe(p)
		found[i].Name = "upstream " + u.Name
		if p.Err != nil && works {
			found[i].Result = FindingWarning
		}
	}
	return found
}

func describeProbe(p xmppconn.Probe) Finding {
	if p.Err != nil {
		cause := perch.CauseOf(p.Err)
		return Finding{Result: FindingFailed, Detail: atTarget(p, inFull(p.Err)), Cause: string(cause), Advice: xmppconn.Advice(cause)}
	}
	if p.Redirect != "" {
		return Finding{Result: FindingOK, Detail: atTarget(p, "sends clients to "+p.Redirect)}
	}
	how := "STARTTLS"
	if p.Direct {
		how = "direct TLS"
	}
	f := Finding{Result: FindingOK, Detail: atTarget(p, fmt.Sprintf("%s, %s, certificate until %s, %s", how, p.TLS, p.Expires.UTC().Format(time.DateOnly), strings.Join(p.Mechanisms, " ")))}
	if time.Until(p.Expires) < expirySoon {
		f.Result, f.Advice = FindingWarning, "renew the certificate of the XMPP server"
	}
	return f
}

// inFull is the words for clients, and what is behind them.
func inFull(err error) string {
	e, ok := errors.AsType[*perch.Error](err)
	if !ok || e.Detail == "" {
		return err.Error()
	}
	if e.Err == nil {
		return e.Detail
	}
	return e.Detail + " (" + e.Err.Error() + ")"
}

func atTarget(p xmppconn.Probe, text string) string {
	if p.Target == "" {
		return text
	}
	return p.Target + ": " + text
}

// checkRedis opens the store as the gateway does at its start, and closes it again. It does not note what
// this version writes: that is for a node that joins.
func checkRedis(ctx context.Context, o Options) Finding {
	at := redisHost(o.RedisURL)
	ctx, cancel := context.WithTimeout(ctx, storeCheckTime)
	defer cancel()
	r, err := cache.NewRedis(ctx, cache.RedisOptions{URL: o.RedisURL, Retention: o.Retention})
	var raised []cache.Raised
	if err == nil {
		raised, err = r.Raises(ctx)
		err = errors.Join(err, r.Close(ctx))
	}
	f := Finding{Name: "redis", Result: FindingOK, Detail: at + ": answers, and keeps what is written"}
	switch later, ok := errors.AsType[*sessions.LaterVersionError](err); {
	case ok:
		f.Result, f.Detail, f.Advice = FindingFailed, at+": "+later.Error(), "start the version of Perch that has written it, or a later one; docs/upgrade.md says how to go back"
	case err != nil:
		f.Result, f.Detail, f.Advice = FindingFailed, at+": "+err.Error(), "see docs/redis.md: address, password, ACL, version 7, maxmemory-policy noeviction"
	case len(raised) > 0:
		f.Result, f.Advice = FindingWarning, "take a snapshot of Redis first: once a node of this version has started, those of the version before cannot be started any more (docs/upgrade.md)"
		for _, x := range raised {
			f.Detail += fmt.Sprintf("; this version writes %s in version %d, and what is there is of %d", x.Record, x.To, x.From)
		}
	}
	return f
}
