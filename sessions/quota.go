package sessions

import (
	"time"

	"github.com/perch-im/perch"
)

// Quota bounds attempts: Burst at once, and one more after each Every.
type Quota struct {
	Burst int
	Every time.Duration
}

// Allowance is the answer to a reservation.
type Allowance struct {
	OK   bool
	Left int           // attempts that remain
	Wait time.Duration // until there is one again; 0 when OK
}

// Take takes one attempt. Used is how long it takes until all attempts are there again, and
// next is that afterwards (the generic cell rate algorithm).
func (q Quota) Take(used time.Duration) (next time.Duration, a Allowance) {
	if q.Every <= 0 {
		return 0, Allowance{OK: true, Left: q.Burst} // no limit
	}
	full := time.Duration(q.Burst) * q.Every
	used = min(max(used, 0), full)
	if used+q.Every > full {
		return used, Allowance{Wait: used + q.Every - full}
	}
	next = used + q.Every
	return next, Allowance{OK: true, Left: int((full - next) / q.Every)}
}

// GiveBack is Used after one attempt was given back. Used may be negative, however large: of a
// counter that has expired since the attempt was taken, nothing is used.
func (q Quota) GiveBack(used time.Duration) time.Duration { return max(max(used, 0)-q.Every, 0) }

// attemptTime is what the Store may take to count an attempt; without an answer only the
// limits of this node hold.
const attemptTime = time.Second

// AttemptKey names a counter of attempts, such as those of an address, without telling what
// it counts.
func (m *Manager) AttemptKey(kind string, parts ...string) string {
	return m.hash("attempts "+kind, parts...).String()
}

// UpstreamFor is the upstream that SignIn takes for an account: the one that its client has named, or else the
// one that its token begins as those of, or that serves its domain.
func (m *Manager) UpstreamFor(acc perch.Account) string {
	if acc.Upstream != "" {
		return acc.Upstream
	}
	if owner := m.settings().tokens.owner(acc.Token); owner != "" {
		return owner
	}
	return m.upstreamOf(acc.JID)
}

// AccountKey is AttemptKey for an account on an upstream; "" is the one that SignIn chooses.
func (m *Manager) AccountKey(upstream string, account perch.JID) string {
	upstream = m.UpstreamFor(perch.Account{Upstream: upstream, JID: account})
	return m.AttemptKey("account", upstream, string(account.Bare()))
}
