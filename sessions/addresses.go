package sessions

import (
	"slices"

	"github.com/perch-im/perch"
)

// Bounds of foreignAddresses: it is a part of the record, which is written as a whole.
const (
	maxForeign      = 128
	maxForeignBytes = 8192
)

// foreignAddresses are the bare JIDs that the upstream gave us and that strict parsing
// (RFC 7622) would refuse or spell in another way: they must be usable all the same, as they
// were given, also after a restart. The newest are kept, oldest first; the roster and the
// invitations are known without it. A list that was handed to the Store is never changed.
type foreignAddresses []perch.JID

func (f foreignAddresses) find(jid perch.JID) int { return slices.IndexFunc(f, jid.Equal) }

// with returns the list with jid as its newest entry.
func (f foreignAddresses) with(jid perch.JID) foreignAddresses {
	bytes := len(jid)
	from := len(f)
	for from > 0 && len(f)-from < maxForeign-1 && bytes+len(f[from-1]) <= maxForeignBytes {
		from--
		bytes += len(f[from])
	}
	return append(slices.Clone(f[from:]), jid)
}

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
		if k := s.roster.contacts.get(jid); k != nil {
			as, ok = k.buddy.JID, true
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
