package api

import (
	"net/http"
	"sync/atomic"
)

// settings are the Options as they are now, with what is made of those that Reconfigure may change.
// They are replaced as a whole: who needs two of them reads them once.
type settings struct {
	Options
	limits limits
}

// settings returns those in use.
func (a *API) settings() *settings { return a.current.Load() }

// newSettings keeps the counts of each limit that stays as it was.
func newSettings(o Options, before *settings) *settings {
	x := &settings{Options: o, limits: newLimits(o)}
	if before == nil {
		return x
	}
	if o.TokenRate == before.TokenRate {
		x.limits.token = before.limits.token
	}
	if o.IPRate == before.IPRate {
		x.limits.ip = before.limits.ip
	}
	if o.SignInRate == before.SignInRate {
		x.limits.signIn = before.limits.signIn
	}
	if o.AccountRate == before.AccountRate {
		x.limits.account = before.limits.account
	}
	for upstream, rate := range o.AccountRates {
		if rate == before.AccountRates[upstream] {
			x.limits.accounts[upstream] = before.limits.accounts[upstream]
		}
	}
	return x
}

// Reconfigure changes the Options while requests and streams are served, and ends none of them. Origins,
// TrustedProxies, AdminHosts, StreamsPerToken, RateLimits,
// NoRequestLines, MCP, Admin.Token, Uploads.Bytes and Uploads.Allow may change; what is changed of the others has no effect. A rate that changes begins to
// count anew on this node; what all nodes count together in the store stays. More streams than a
// limit allows stay open. The error names the wrong option, and nothing has changed then.
func (a *API) Reconfigure(change func(*Options)) error {
	a.changing.Lock()
	defer a.changing.Unlock()
	was := a.settings()
	next := was.Options
	change(&next)
	o := was.Options
	o.Origins, o.TrustedProxies, o.AdminHosts, o.NoRequestLines = next.Origins, next.TrustedProxies, next.AdminHosts, next.NoRequestLines
	o.Admin.Token, o.Uploads.Bytes, o.Uploads.Allow = next.Admin.Token, next.Uploads.Bytes, next.Uploads.Allow
	o.StreamsPerToken, o.RateLimits, o.MCP = next.StreamsPerToken, next.RateLimits, next.MCP
	o, err := o.withDefaults()
	if err != nil {
		return err
	}
	a.streams.setLimit(o.StreamsPerToken)
	a.current.Store(newSettings(o, was))
	return nil
}

// rebuilt is a handler that is made of the settings, and made again for the first request after they
// have changed.
func (a *API) rebuilt(build func(*settings) http.Handler) http.Handler {
	type built struct {
		of *settings
		http.Handler
	}
	var last atomic.Pointer[built]
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x, h := a.settings(), last.Load()
		if h == nil || h.of != x {
			h = &built{x, build(x)}
			last.Store(h)
		}
		h.ServeHTTP(w, r)
	})
}
