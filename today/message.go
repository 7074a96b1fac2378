package today

import "github.com/perch-im/perch/internal/xmppserver"

// message routes a message; s.mu is held.
func (s *Service) message(x *session, e *xmppserver.Element) {
	to := e.Get("to")
	if to == "" {
		to = x.acct.Bare
	}
	if s.refuses(x, e, to) {
		return
	}
	if c := s.components[hostOf(to)]; c != nil {
		c.stanza(x, e)
		return
	}
	at, ok := s.dir.Resolve(to)
	switch {
	case !ok:
		x.bounce(e, "jid-malformed")
	case at.Foreign:
		x.bounce(e, "remote-server-not-found")
	case at.Domain, at.Account == nil, e.Get("type") == "groupchat":
		x.bounce(e, "service-unavailable") // RFC 6121, 8.5.1: as of accounts that do not exist
	default:
		s.dropForged(e)
		stanza := x.stamped(e, to)
		copies := s.archiveBoth(x, at, e, stanza)
		if !s.deliver(at, e, copies.received) {
			x.bounce(e, "service-unavailable")
			return
		}
		if at.Account != x.acct.Account { // what is for oneself has been copied as it was received
			s.copySent(x, e, copies.sent)
		}
	}
}

// deliver hands a message to the resources that get it, or to the offline store (RFC 6121, 8.5). It
// reports whether there was a place for it: that of the archive is enough.
func (s *Service) deliver(at xmppserver.Address, e *xmppserver.Element, stanza []byte) bool {
	targets := at.Account.Targets(at.Resource)
	for _, r := range targets {
		r.Send(stanza)
	}
	s.copyReceived(at, e, stanza)
	if len(targets) > 0 {
		return true
	}
	if !worthKeeping(e) || !hasContent(e) {
		return true // a chat state, or a receipt, is of no use later
	}
	n := len(stanza) - len("</message>")
	return s.dir.Store(at.Account, stanza[:n:n]) || s.of(at).hasArchived(stanza) // which has the same bytes
}
