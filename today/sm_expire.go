package today

import (
	"slices"

	"github.com/perch-im/perch/internal/xmppserver"
)

// returnUnacked does with what a session that has ended never acknowledged what is done with stanzas for a
// resource that is not there (RFC 6121, 8.5.3.2): messages go to where they have not been yet, or are stored;
// requests are answered.
func (s *Service) returnUnacked(x *session) {
	if x.sm == nil {
		return
	}
	waiting := x.sm.waiting
	x.sm.waiting, x.sm.bytes = nil, 0
	for _, u := range waiting {
		e, err := xmppserver.Parse(u.stanza)
		if err != nil {
			s.log.Debug("unacknowledged stanza cannot be read", "error", err)
			continue
		}
		switch {
		case e.Name.Local == "message" && lasting(e):
			s.redeliver(x, e, u)
		case e.Name.Local == "iq" && (e.Get("type") == "get" || e.Get("type") == "set"):
			s.returnTo(x, e)
		}
	}
}

// lasting reports whether a message is of use later: what a person has written to this account. A copy is
// not (XEP-0280), nor what an archive or a room has sent: both can be asked again.
func lasting(e *xmppserver.Element) bool {
	room := e.Child(nsMUCUser, "x")
	return worthKeeping(e) && hasContent(e) && (room == nil || room.Child(nsMUCUser, "invite") != nil)
}

// redeliver hands a message to the resources of the account that have not had it, or stores it.
func (s *Service) redeliver(x *session, e *xmppserver.Element, u unacked) {
	forked := e.Get("to") == x.acct.Bare // then others of the same priority have it, too
	stanza := u.late(s.o.Domain)
	targets := x.acct.Targets("")
	for _, y := range x.acct.sessions {
		if !y.carbons && slices.Contains(targets, y.Resource) && !(forked && y.Priority == x.Priority) {
			y.Send(stanza)
		}
	}
	if len(targets) > 0 {
		return
	}
	n := len(u.stanza) - len("</message>")
	if !s.dir.StoreAt(x.acct.Account, u.stanza[:n:n], u.at) && !x.acct.hasArchived(u.stanza) { // which has the same bytes
		s.returnTo(x, e)
	}
}

// returnTo tells the sender of a stanza that nobody has it.
func (s *Service) returnTo(x *session, e *xmppserver.Element) {
	from, ok := s.dir.Resolve(e.Get("from"))
	if !ok {
		return
	}
	if sender := s.session(from); sender != nil && sender != x {
		sender.Send(xmppserver.StanzaError(e, x.Full, sender.Full, "service-unavailable"))
	}
}
