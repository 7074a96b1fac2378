package sessions

import (
	"cmp"

	"github.com/perch-im/perch"
)

// settings are the Options as they are now, with what is made of those that Reconfigure may change.
// They are replaced as a whole: a caller that needs two of them reads them once.
type settings struct {
	Options
	upstreams map[string]*Upstream
	logins    map[string]*loginQueue // by upstream
	sealer    *sealer
	tokens    tokenRoutes
	ring      secretRing // as they are given: which one is in use the nodes decide
}

// settings returns those in use.
func (m *Manager) settings() *settings { return m.current.Load() }

// newSettings checks o, and takes over from those before what is in use.
func newSettings(o Options, before *settings) (*settings, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	tokens := newTokenRoutes(o.Upstreams)
	if err := tokens.check(); err != nil {
		return nil, err
	}
	seal, err := newSealer(o.SealKeys)
	if err != nil {
		return nil, err
	}
	x := &settings{Options: o, sealer: seal, tokens: tokens, ring: newRing(o.Secret, o.PreviousSecrets), upstreams: map[string]*Upstream{}, logins: map[string]*loginQueue{}}
	for name, upstream := range o.Upstreams {
		x.upstreams[name] = &upstream
		if before != nil && before.logins[name] != nil {
			x.logins[name] = before.logins[name] // who is in it stays
			continue
		}
		x.logins[name] = newLoginQueue(x.loginLimits(upstream))
	}
	return x, nil
}

// Reconfigure changes the Options while sessions live, and ends none of them. Upstreams,
// DefaultUpstream, OpenTimeout, MaxSessions, SessionsPerAccount, SessionsPerAddress, Secret,
// PreviousSecrets, SealKeys, RoomDeliveryLimit, Uploads and Idle may change; what is changed of the others has no effect. The error names the wrong option, and
// nothing has changed then.
//
// Of an upstream that is left out no session is opened any more, and those that live continue until
// their stream ends; then they try again, slowly, for as long as it is not there. More sessions than a
// limit allows stay.
func (m *Manager) Reconfigure(change func(*Options)) error {
	m.changing <- struct{}{}
	defer func() { <-m.changing }()
	was := m.settings()
	o := was.Options
	change(&o)
	o.Dial, o.Verify, o.EndToken, o.Store = was.Dial, was.Verify, was.EndToken, was.Store
	o.Logins, o.Logger, o.Observer = was.Logins, was.Logger, was.Observer
	o.Webhooks, o.Push = was.Webhooks, was.Push
	now, err := newSettings(o, was)
	if err != nil {
		return err
	}
	if err := m.changeSecrets(was, now); err != nil {
		return err
	}
	m.current.Store(now)
	for name, q := range now.logins {
		q.limit(now.loginLimits(now.Upstreams[name]))
	}
	for _, s := range m.all() {
		name := s.cred.upstream.Name
		if now.upstreams[name] == nil {
			continue // it keeps the policy that it has, for as long as it lives
		}
		if policy := now.idleOf(name); policy != was.idleOf(name) || was.upstreams[name] == nil {
			s.post(func() { s.idle.change(policy) })
		}
	}
	return nil
}

// idleOf is what happens to a session of an upstream that no event stream is attached to.
func (x *settings) idleOf(upstream string) IdlePolicy {
	if u := x.upstreams[upstream]; u != nil && u.Idle.Action != "" {
		return u.Idle
	}
	return x.Idle
}

// loginLimits are those of an upstream.
func (x *settings) loginLimits(u Upstream) loginLimits {
	return loginLimits{most: cmp.Or(u.Logins, x.Logins), rate: u.LoginRate}
}

// accountLimit is how many sessions an account of an upstream may have; 0: no limit.
func (x *settings) accountLimit(upstream string) int {
	if u := x.upstreams[upstream]; u != nil && u.SessionsPerAccount > 0 {
		return u.SessionsPerAccount
	}
	return x.SessionsPerAccount
}

var errUpstreamGone error = perch.Errorf(perch.KindUnauthorized, "the upstream of this token is not configured any more")
