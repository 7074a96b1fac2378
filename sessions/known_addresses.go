package sessions

import "github.com/perch-im/perch"

// rememberAddresses is rememberAddress for what an answer of the upstream named.
func (s *Session) rememberAddresses(jids ...perch.JID) {
	if !notable(jids) {
		return
	}
	s.query(func() {
		for _, j := range jids {
			s.state.rememberAddress(j)
		}
	})
}

// Known returns the address of an account as the upstream spelled it, when it has given it
// to this session: in the roster, with an invitation, or as the sender of a message. Such
// an address can be used everywhere, whether or not it is a valid JID. The JID is bare.
func (s *Session) Known(jid perch.JID) (as perch.JID, ok bool) {
	s.query(func() {
		if k := s.roster.contacts.Get(jid); k != nil {
			as, ok = k.Buddy.JID, true
		} else if i, found := s.roster.invitation(jid); found {
			as, ok = s.roster.invites[i].JID, true
		} else if i := foreignAddresses(s.state.Foreign).find(jid); i >= 0 {
			as, ok = s.state.Foreign[i], true
		} else if own := s.state.JID.Bare(); own != "" && own.Equal(jid) {
			as, ok = own, true
		}
	})
	return as, ok
}
