package today

import (
	"slices"

	"github.com/perch-im/perch/internal/xmppserver"
)

// maxDirected bounds the addresses that one session shows its presence to.
const maxDirected = 100

// directed hands a presence to one address (RFC 6121, 4.6), and remembers who has to be told when it ends.
// Addresses that do not exist are silent.
func (s *Service) directed(x *session, e *xmppserver.Element, to string) {
	at, ok := s.dir.Resolve(to)
	if !ok {
		x.bounce(e, "jid-malformed")
		return
	}
	if at.Account == nil {
		return
	}
	address := at.Bare
	if at.Resource != "" {
		address += "/" + at.Resource
	}
	i := slices.Index(x.shownTo, address)
	switch unavailable := e.Get("type") == "unavailable"; {
	case unavailable && i >= 0:
		x.shownTo = slices.Delete(x.shownTo, i, i+1)
	case unavailable, i >= 0:
	case len(x.shownTo) >= maxDirected:
		x.bounce(e, "resource-constraint")
		return
	default:
		x.shownTo = append(x.shownTo, address)
	}
	sendTo(at, x.stamped(e, to))
}

// sendTo hands a presence to the resources behind an address.
func sendTo(at xmppserver.Address, stanza []byte) {
	for _, r := range at.Account.Resources {
		if at.Resource == r.Name || (at.Resource == "" && r.Available) {
			r.Send(stanza)
		}
	}
}

// endDirected ends the presence of a session for those whom it was shown to one by one (RFC 6121, 4.6.3).
// Who is told anyway, as a contact or as the account itself, is not told twice.
func (s *Service) endDirected(x *session, inner []byte) {
	list := x.shownTo
	x.shownTo = nil
	for _, to := range list {
		at, ok := s.dir.Resolve(to)
		if !ok || at.Account == nil || s.hidden(x.acct.Account, at.Account) {
			continue
		}
		k := x.acct.Contact(at.Bare)
		if x.Available && (at.Account == x.acct.Account || k != nil && k.From) {
			continue
		}
		sendTo(at, s.dir.PresenceStanza(x.acct.Account, x.Full, to, "unavailable", inner))
	}
}
