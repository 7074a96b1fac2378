package sessions

import (
	"context"

	"github.com/perch-im/perch"
)

// settings are the Options as they are now, with what is made of those that Reconfigure may change.
// They are replaced as a whole: a caller that needs two of them reads them once.
type settings struct {
	Options
	upstreams map[string]*Upstream
	logins    map[string]chan struct{} // slots, by upstream
	sealer    *sealer
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
	seal, err := newSealer(o.SealKeys)
	if err != nil {
		return nil, err
	}
	x := &settings{Options: o, sealer: seal, ring: newRing(o.Secret, o.PreviousSecrets), upstreams: map[string]*Upstream{}, logins: map[string]chan struct{}{}}
	for name, upstream := range o.Upstreams {
		x.upstreams[name] = &upstream
		if before != nil && before.logins[name] != nil {
			x.logins[name] = before.logins[name] // who has a slot gives it back
			continue
		}
		x.logins[name] = make(chan struct{}, o.Logins)
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
	now, err := newSettings(o, was)
	if err != nil {
		return err
	}
	if err := m.changeSecrets(was, now); err != nil {
		return err
	}
	m.current.Store(now)
	for _, s := range m.all() {
		if policy := now.idleOf(s.cred.upstream.Name); policy != was.idleOf(s.cred.upstream.Name) {
			s.post(func() { s.idle.change(policy) })
		}
	}
	return nil
}

// idleOf is what happens to a session of an upstream that no event stream is attached to.
func (x *settings) idleOf(string) IdlePolicy { return x.Idle }

// slots are the places for logins of an upstream.
func (x *settings) slots(upstream string) (chan struct{}, error) {
	slots := x.logins[upstream]
	if slots == nil {
		return nil, perch.Errorf(perch.KindUpstreamConfig, "the upstream %q is not configured any more", upstream)
	}
	return slots, nil
}

var errUpstreamGone error = perch.Errorf(perch.KindUnauthorized, "the upstream of this token is not configured any more")

// loginSlot waits for a turn among the logins of an upstream; free ends it.
func (m *Manager) loginSlot(ctx context.Context, upstream string) (free func(), err error) {
	slots, err := m.settings().slots(upstream)
	if err != nil {
		return nil, err
	}
	select {
	case slots <- struct{}{}:
		return func() { <-slots }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
