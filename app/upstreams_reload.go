package app

import (
	"crypto/sha256"
	"fmt"
	"reflect"
	"slices"

	"github.com/perch-im/perch/xmppconn"
)

// upstreamTable are the upstreams by name. A table never changes.
type upstreamTable map[string]*upstream

// upstreamChange is another table, and what is other in it.
type upstreamChange struct {
	table          upstreamTable
	changed, fixed []string // for Reloaded
}

// nextUpstreams makes the table of o. One that is configured as before stays the same, with what its
// dialler has learned. The domain and the profile of one are those of the accounts that are signed in
// there: they stay, and o is corrected.
func (a *App) nextUpstreams(o *Options) (upstreamChange, error) {
	next := upstreamChange{table: upstreamTable{}}
	var was upstreamTable
	if p := a.live.upstreams.Load(); p != nil {
		was = *p
	}
	if len(a.embedded) > 0 {
		next.table = was
		return next, nil
	}
	for i, u := range o.Upstreams {
		old := was[u.Name]
		if old != nil && (u.Domain != old.config.Domain || u.Profile != old.config.Profile) {
			next.fixed = append(next.fixed, fmt.Sprintf("upstream %s (domain or profile)", u.Name))
			o.Upstreams[i], next.table[u.Name] = old.config, old
			continue
		}
		made, err := a.upstreamLike(u, old)
		if err != nil {
			return next, err
		}
		next.table[u.Name] = made
		switch {
		case old == nil:
			next.changed = append(next.changed, "upstream "+u.Name+" (added)")
		case made != old:
			next.changed = append(next.changed, "upstream "+u.Name)
		}
	}
	for name := range was {
		if next.table[name] == nil {
			next.changed = append(next.changed, "upstream "+name+" (removed)")
		}
	}
	slices.Sort(next.changed)
	a.countUpstreams(next.table)
	return next, nil
}

// upstreamLike is old when it was made of the same, and else another one.
func (a *App) upstreamLike(u Upstream, old *upstream) (*upstream, error) {
	read := sha256.New()
	x, err := u.connection(read)
	if err != nil {
		return nil, fmt.Errorf("upstream %q: %w", u.Name, err)
	}
	files := [sha256.Size]byte(read.Sum(nil))
	if old != nil && files == old.files && reflect.DeepEqual(u.place(), old.config.place()) {
		if reflect.DeepEqual(u, old.config) {
			return old, nil
		}
		same := *old // with its dialler, and what that has learned
		same.config = u
		return &same, nil
	}
	made, err := a.newUpstream(x, u.TokenMechanism)
	if err != nil {
		return nil, err
	}
	made.config, made.files = u, files
	return made, nil
}

// place is an upstream without what its dialler has no part in.
func (u Upstream) place() Upstream {
	u.UpstreamLimits, u.Labels, u.TokenPrefix, u.Rooms = UpstreamLimits{}, nil, "", ""
	return u
}

// countUpstreams shows the counters of upstreams that were not there before. Those of one that is removed
// stay: sessions of it may live on, and it may come back.
func (a *App) countUpstreams(table upstreamTable) {
	for name, u := range table {
		if a.live.counters[name] != nil {
			continue
		}
		if a.live.counters == nil {
			a.live.counters = map[string]*xmppconn.Counters{}
		}
		a.live.counters[name] = u.dialer.Counters()
		a.metrics.watchUpstream(name, u.dialer.Counters())
	}
}
