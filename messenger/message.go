package messenger

import (
	"slices"

	"github.com/perch-im/perch/internal/xmppserver"
)

// message routes a message; s.mu is held. Only type chat is supported (M7).
func (s *Service) message(c *client, e *xmppserver.Element) {
	switch e.Get("type") {
	case "chat":
	case "error": // RFC 6120, 8.3.1: an error is never answered
		return
	default:
		c.bounce(e, "feature-not-implemented")
		return
	}
	to := e.Get("to")
	if to == "" {
		to = c.acct.Bare
	}
	at, ok := s.dir.Resolve(to)
	switch {
	case !ok:
		c.bounce(e, "jid-malformed")
	case at.Foreign: // there was no server-to-server link
		c.bounce(e, "remote-server-not-found")
	case at.Domain:
		c.bounce(e, "service-unavailable")
	case at.Account == nil:
		c.bounce(e, "item-not-found")
	default:
		other := s.of(at)
		// Who held a message back is the service's to say (XEP-0203, 5).
		e.Kids = slices.DeleteFunc(e.Kids, func(k xmppserver.Node) bool { return k.El != nil && k.El.Name.Space == xmppserver.NSDelay })
		body := e.Child(xmppserver.NSClient, "body").Text()
		if !s.route(at, c.res.Full, to, e, body) {
			c.bounce(e, "service-unavailable")
			return
		}
		if body != "" {
			s.keep(c.acct, other, body)
		}
		if other.bot != nil {
			s.answer(other, c.acct, c.res.Full, body)
		}
	}
}

// route delivers to the resource named, else to the available resources of the highest
// priority, else, with a body, to the offline store (RFC 6121, 8.5). It reports whether
// there was a place for it.
func (s *Service) route(at xmppserver.Address, from, to string, e *xmppserver.Element, body string) bool {
	if s.of(at).bot != nil { // it reads by itself: see answer
		return true
	}
	head := xmppserver.AppendAttr([]byte("<message type='chat'"), "from", from)
	for _, a := range e.Attr {
		if a.Name.Space == "" && a.Name.Local == "id" {
			head = xmppserver.AppendAttr(head, "id", a.Value)
		}
		if a.Name.Space == xmppserver.NSXML && a.Name.Local == "lang" {
			head = xmppserver.AppendAttr(head, "xml:lang", a.Value)
		}
	}
	head = append(xmppserver.AppendAttr(head, "to", to), '>')
	head = e.AppendKids(head)
	targets := at.Account.Targets(at.Resource)
	if len(targets) > 0 {
		msg := append(head, "</message>"...)
		for _, t := range targets {
			t.Send(msg)
		}
		return true
	}
	if body == "" { // a chat state is of no use later
		return true
	}
	return s.dir.Store(at.Account, head)
}
