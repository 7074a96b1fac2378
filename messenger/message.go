package messenger

import (
	"slices"
	"time"
)

// stampLayout is XEP-0082 with milliseconds.
const stampLayout = "2006-01-02T15:04:05.000Z"

// message routes a message; s.mu is held. Only type chat is supported (M7).
func (s *Service) message(c *client, e *element) {
	switch e.get("type") {
	case "chat":
	case "error": // RFC 6120, 8.3.1: an error is never answered
		return
	default:
		c.bounce(e, "feature-not-implemented")
		return
	}
	to := e.get("to")
	if to == "" {
		to = c.acct.bare
	}
	at, ok := s.resolve(to)
	switch {
	case !ok:
		c.bounce(e, "jid-malformed")
	case at.foreign: // there was no server-to-server link
		c.bounce(e, "remote-server-not-found")
	case at.domain:
		c.bounce(e, "service-unavailable")
	case at.acct == nil:
		c.bounce(e, "item-not-found")
	default:
		// Who held a message back is the service's to say (XEP-0203, 5).
		e.kids = slices.DeleteFunc(e.kids, func(k node) bool { return k.el != nil && k.el.name.Space == nsDelay })
		body := e.child(nsClient, "body").text()
		if !s.route(at, c.full, to, e, body) {
			c.bounce(e, "service-unavailable")
			return
		}
		if body != "" {
			s.keep(c.acct, at.acct, body)
		}
		if at.acct.bot != nil {
			s.answer(at.acct, c.acct, c.full, body)
		}
	}
}

// route delivers to the resource named, else to the available resources of the highest
// priority, else, with a body, to the offline store (RFC 6121, 8.5). It reports whether
// there was a place for it.
func (s *Service) route(at address, from, to string, e *element, body string) bool {
	if at.acct.bot != nil { // it reads by itself: see answer
		return true
	}
	head := appendAttr([]byte("<message type='chat'"), "from", from)
	for _, a := range e.attr {
		if a.Name.Space == "" && a.Name.Local == "id" {
			head = appendAttr(head, "id", a.Value)
		}
		if a.Name.Space == nsXML && a.Name.Local == "lang" {
			head = appendAttr(head, "xml:lang", a.Value)
		}
	}
	head = append(appendAttr(head, "to", to), '>')
	head = e.appendKids(head)
	targets := at.acct.targets(at.resource)
	if len(targets) > 0 {
		msg := append(head, "</message>"...)
		for _, t := range targets {
			t.send(msg)
		}
		return true
	}
	if body == "" { // a chat state is of no use later
		return true
	}
	if len(at.acct.offline) >= s.o.OfflineMax {
		return false
	}
	head = append(head, "<delay xmlns='"+nsDelay+"'"...)
	head = appendAttr(head, "from", s.o.Domain)
	head = appendAttr(head, "stamp", time.Now().UTC().Format(stampLayout))
	at.acct.offline = append(at.acct.offline, append(head, ">Offline storage</delay></message>"...))
	return true
}

// targets returns the clients that get a message for a resource, or for none.
func (a *account) targets(resource string) []*client {
	var best []*client
	for _, c := range a.clients {
		if resource != "" && c.resource == resource {
			return []*client{c}
		}
		switch {
		case !c.available || c.priority < 0:
		case len(best) == 0 || c.priority > best[0].priority:
			best = []*client{c}
		case c.priority == best[0].priority:
			best = append(best, c)
		}
	}
	return best
}

// flushOffline hands the stored messages, in order, to a client that can now take them.
func (c *client) flushOffline() {
	for _, m := range c.acct.offline {
		c.send(m)
	}
	c.acct.offline = nil
}
