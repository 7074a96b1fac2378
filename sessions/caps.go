package sessions

import (
	"context"
	"time"

	"github.com/perch-im/perch"
)

// caps counts the sessions of this node by account and by the client address that opened
// them, so that none of either takes all of them. It is guarded by the Manager's mutex.
type caps struct {
	accounts  map[string]int // by accountName
	addresses map[string]int
}

type addressKey struct{}

// FromAddress notes the client address (or what stands for it) on whose behalf sessions are
// opened. Without one a session counts for no address.
func FromAddress(ctx context.Context, address string) context.Context {
	return context.WithValue(ctx, addressKey{}, address)
}

func addressFrom(ctx context.Context) string {
	address, _ := ctx.Value(addressKey{}).(string)
	return address
}

const tooManyWait = 30 * time.Second

var (
	errAccountFull error = &perch.Error{Kind: perch.KindQuotaExceeded, RetryAfter: tooManyWait,
		Detail: "this account has as many sessions as it may; sign one of them out, or use one of them"}
	errAddressFull error = &perch.Error{Kind: perch.KindQuotaExceeded, RetryAfter: tooManyWait,
		Detail: "as many sessions as one client address may have were opened from this one; sign one of them out"}
)

// accountName is what the sessions of one account have in common.
func accountName(upstream string, jid perch.JID) string {
	return upstream + "\x00" + string(normalized(jid.Bare()))
}

// room refuses a new session that would be one too many, before the upstream is asked. Only
// sessions whose login has succeeded count for an account: who guesses at it takes nothing
// from its owner. The caller has the mutex.
func (m *Manager) room(acc perch.Account, address string) error {
	if most := m.o.SessionsPerAccount; most > 0 && acc.JID != "" && m.caps.accounts[accountName(acc.Upstream, acc.JID)] >= most {
		return errAccountFull
	}
	if most := m.o.SessionsPerAddress; most > 0 && address != "" && m.caps.addresses[address] >= most {
		return errAddressFull
	}
	return nil
}

// countAddress counts a new session for its address. The caller has the mutex.
func (m *Manager) countAddress(s *Session, address string) {
	if address != "" {
		s.entry.address = address
		m.caps.addresses[address]++
	}
}

// admit counts a session for its account, once, and reports whether there was room. A session
// that was kept is always let in: another node had it.
func (m *Manager) admit(s *Session, jid perch.JID, kept bool) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s.entry.account != "" || m.sessions[s.id] != s {
		return true
	}
	name := accountName(s.cred.upstream.Name, jid)
	if most := m.o.SessionsPerAccount; most > 0 && !kept && m.caps.accounts[name] >= most {
		return false
	}
	s.entry.account = name
	m.caps.accounts[name]++
	return true
}

// uncount ends what countAddress and admit did. The caller has the mutex.
func (m *Manager) uncount(s *Session) {
	drop(m.caps.addresses, s.entry.address)
	drop(m.caps.accounts, s.entry.account)
	s.entry.address, s.entry.account = "", ""
}

func drop(counts map[string]int, name string) {
	if counts[name]--; counts[name] <= 0 {
		delete(counts, name)
	}
}
