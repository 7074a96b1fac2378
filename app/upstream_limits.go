package app

import (
	"cmp"
	"fmt"
	"math"
	"time"

	"github.com/perch-im/perch/api"
	"github.com/perch-im/perch/sessions"
)

// UpstreamLimits are what an upstream has of its own, as it stands in the configuration file. What is left out
// is as for all upstreams.
type UpstreamLimits struct {
	Idle               IdleAction    `yaml:"idle"`                 // of a session without an event stream; default that of Options.Idle
	IdleAfter          time.Duration `yaml:"idle-after"`           // when that happens; default likewise
	MaxSessions        int           `yaml:"max-sessions"`         // on this node; default none but Limits.MaxSessions
	SessionsPerAccount int           `yaml:"sessions-per-account"` // on this node; default Limits.SessionsPerAccount
	AccountRate        float64       `yaml:"account-rate"`         // refused credentials of one account a minute, twice as many at once; default Limits.AccountRate
	Logins             int           `yaml:"logins"`               // under way at once on this node; default 64
	LoginRate          float64       `yaml:"login-rate"`           // that begin in a second on this node, and as many at once; default no limit
}

// leastIdle is the shortest idle-after.
const leastIdle = time.Second

// check names the wrong setting.
func (l UpstreamLimits) check() error {
	switch l.Idle {
	case "", sessions.IdleKeep, sessions.IdleAway, sessions.IdleSignOut:
	default:
		return fmt.Errorf("idle %q is none of keep, away, sign-out", l.Idle)
	}
	if l.IdleAfter != 0 && l.IdleAfter < leastIdle {
		return fmt.Errorf("idle-after must be a time of at least %v, such as 10m", leastIdle)
	}
	for name, n := range map[string]float64{
		"max-sessions": float64(l.MaxSessions), "sessions-per-account": float64(l.SessionsPerAccount), "account-rate": l.AccountRate,
		"logins": float64(l.Logins), "login-rate": l.LoginRate,
	} {
		if !(n >= 0) || math.IsInf(n, 0) {
			return fmt.Errorf("%s must be more than 0, or left out", name)
		}
	}
	return nil
}

// inherited is what the sessions get: what is left out is as for all.
func (l UpstreamLimits) inherited(o *Options) sessions.UpstreamLimits {
	x := sessions.UpstreamLimits{MaxSessions: l.MaxSessions, SessionsPerAccount: l.SessionsPerAccount, Logins: l.Logins, LoginRate: l.LoginRate}
	if l.Idle != "" || l.IdleAfter != 0 {
		x.Idle = IdlePolicy{Action: cmp.Or(l.Idle, o.Idle.Action, sessions.IdleKeep), After: cmp.Or(l.IdleAfter, o.Idle.After)}
	}
	return x
}

// effective is what operators see: what is left out is shown as it is for all.
func (l UpstreamLimits) effective(o *Options) api.UpstreamLimits {
	idle := l.inherited(o).Idle
	if idle.Action == "" {
		idle = o.Idle
	}
	if idle.Action = cmp.Or(idle.Action, sessions.IdleKeep); idle.Action == sessions.IdleKeep {
		idle.After = 0
	}
	return api.UpstreamLimits{
		MaxSessions: l.MaxSessions, SessionsPerAccount: cmp.Or(l.SessionsPerAccount, o.SessionsPerAccount),
		AccountRate: cmp.Or(l.AccountRate, math.Round(60e3*o.AccountRate.PerSecond)/1e3, defaultAccountRate), Logins: cmp.Or(l.Logins, sessions.DefaultLogins), LoginRate: l.LoginRate,
		Idle: string(idle.Action), IdleAfter: idle.After.Milliseconds(),
	}
}

// defaultAccountRate is that of the API, a minute.
const defaultAccountRate = 10

// PerMinute is a rate of so many in a minute, so many minutes' worth at once.
func PerMinute(n float64, minutes int) Rate {
	return Rate{PerSecond: n / 60, Burst: max(1, minutes*int(n))}
}

// accountRates are those of upstreams that have one of their own.
func (o Options) accountRates() map[string]Rate {
	rates := map[string]Rate{}
	for _, u := range o.Upstreams {
		if u.AccountRate > 0 {
			rates[u.Name] = PerMinute(u.AccountRate, 2)
		}
	}
	return rates
}
