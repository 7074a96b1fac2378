package today

import (
	"slices"

	"github.com/perch-im/perch/internal/xmppserver"
)

// message routes a message; s.mu is held.
func (s *Service) message(x *session, e *xmppserver.Element) {
	to := e.Get("to")
	if to == "" {
		to = x.acct.Bare
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
		// Who held a message back is the service's to say (XEP-0203, 5).
		e.Kids = slices.DeleteFunc(e.Kids, func(k xmppserver.Node) bool { return k.El != nil && k.El.Name.Space == xmppserver.NSDelay })
		if !s.deliver(at, e, x.stamped(e, to)) {
			x.bounce(e, "service-unavailable")
		}
	}
}

// deliver hands a message to the resources that get it, or to the offline store (RFC 6121, 8.5). It
// reports whether there was a place for it.
func (s *Service) deliver(at xmppserver.Address, e *xmppserver.Element, stanza []byte) bool {
	targets := at.Account.Targets(at.Resource)
	for _, r := range targets {
		r.Send(stanza)
	}
	if len(targets) > 0 {
		return true
	}
	kind := e.Get("type")
	if kind == "error" || kind == "headline" || e.Child(xmppserver.NSClient, "body") == nil {
		return true // a chat state is of no use later
	}
	return s.dir.Store(at.Account, stanza[:len(stanza)-len("</message>")])
}
