package sessions

import "github.com/perch-im/perch"

// room refuses a new session that would be one too many, before the upstream is asked. Only
// sessions whose login has succeeded count for an account: who guesses at it takes nothing
// from its owner. The caller has the mutex.
func (m *Manager) room(x *settings, acc perch.Account, address string) error {
	if most := x.upstreams[acc.Upstream].MaxSessions; most > 0 && m.states.of(acc.Upstream) >= most {
		return errUpstreamFull(acc.Upstream)
	}
	if most := x.accountLimit(acc.Upstream); most > 0 && acc.JID != "" && m.caps.accounts[accountName(acc.Upstream, acc.JID)] >= most {
		return errAccountFull(acc.Upstream)
	}
	if most := x.SessionsPerAddress; most > 0 && address != "" && m.caps.addresses[address] >= most {
		return errAddressFull(acc.Upstream)
	}
	if _, wait := x.logins[acc.Upstream].load(); wait > x.OpenTimeout {
		return errLoginsWait(acc.Upstream, wait-x.OpenTimeout)
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
// that is opened again is always let in: another node had it.
func (m *Manager) admit(s *Session, jid perch.JID, again bool) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s.entry.account != "" || m.sessions[s.id] != s {
		return true
	}
	name := accountName(s.cred.upstream.Name, jid)
	if most := m.settings().accountLimit(s.cred.upstream.Name); most > 0 && !again && m.caps.accounts[name] >= most {
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
