package today

import "github.com/perch-im/perch/internal/xmppserver"

// presence handles a presence stanza; s.mu is held.
func (s *Service) presence(x *session, e *xmppserver.Element) {
	to, kind := e.Get("to"), e.Get("type")
	if to != "" && s.refuses(x, e, to) {
		return
	}
	if c := s.components[hostOf(to)]; c != nil && to != "" {
		c.stanza(x, e)
		return
	}
	switch kind {
	case "", "unavailable":
		switch {
		case to != "":
			s.directed(x, e, to)
		case kind == "":
			s.available(x, e)
		default:
			s.unavailable(x, e)
		}
	case "subscribe", "subscribed", "unsubscribe", "unsubscribed":
		s.subscription(x, e, kind)
	case "probe":
		s.probe(x, to)
	case "error":
	default:
		x.bounce(e, "bad-request")
	}
}

// available takes the presence of a session.
func (s *Service) available(x *session, e *xmppserver.Element) {
	withoutPhoto(e)
	first, condition := s.dir.Available(x.Resource, e)
	if condition != "" {
		x.bounce(e, condition)
		return
	}
	s.learnCaps(x, e, first)
}

// unavailable ends the presence of a session: in rooms, too (RFC 6121, 4.6.6).
func (s *Service) unavailable(x *session, e *xmppserver.Element) {
	for _, c := range s.components {
		c.leave(x)
	}
	s.endDirected(x, e.AppendKids(nil))
	if x.Available {
		s.dir.Unavailable(x.Resource, e)
	}
}

// probe answers with the presence of an account that the session may see (RFC 6121, 4.3.2).
func (s *Service) probe(x *session, to string) {
	at, ok := s.dir.Resolve(to)
	if !ok || at.Account == nil {
		return
	}
	k := x.acct.Contact(at.Bare)
	if at.Account != x.acct.Account && (k == nil || !k.To) {
		return
	}
	for _, r := range at.Account.Resources {
		if r.Available && !s.hidden(at.Account, x.acct.Account) {
			x.Send(s.dir.PresenceStanza(at.Account, r.Full, x.Full, "", r.Presence))
		}
	}
}

// subscription handles the four subscription stanzas (RFC 6121, 3).
func (s *Service) subscription(x *session, e *xmppserver.Element, kind string) {
	at, ok := s.dir.Resolve(e.Get("to"))
	if !ok || at.Domain || at.Bare == x.acct.Bare {
		x.bounce(e, "bad-request")
		return
	}
	a := x.acct.Account
	switch kind {
	case "subscribe":
		if a.Contact(at.Bare) == nil && len(a.Roster) >= maxRoster {
			x.bounce(e, "resource-constraint")
			return
		}
		nick, status := e.Child(xmppserver.NSNick, "nick").Text(), e.Child(xmppserver.NSClient, "status").Text()
		if len(nick) > maxText || len(status) > maxText {
			x.bounce(e, "not-acceptable")
			return
		}
		s.dir.Subscribe(a, at, nick, status)
	case "subscribed":
		if at.Account != nil {
			s.dir.Accept(a, at.Account)
			for _, other := range s.of(at).sessions {
				s.sendLastOf(x.acct, other)
			}
		}
	case "unsubscribed":
		if at.Account != nil {
			s.dir.Unsubscribed(a, at.Account)
		}
	case "unsubscribe":
		s.dir.Unsubscribe(a, at)
	}
}
