package messenger

import "slices"

// subscription handles the four subscription stanzas (RFC 6121, 3); s.mu is held. Asking,
// accepting, declining and taking one's own question back are all there is: what would
// end a subscription that exists changes the roster, and is refused (M6).
func (s *Service) subscription(c *client, e *element, kind string) {
	at, ok := s.resolve(e.get("to"))
	if !ok || at.domain || at.bare == c.acct.bare {
		c.bounce(e, "bad-request")
		return
	}
	switch kind {
	case "subscribe":
		s.subscribe(c.acct, at, e.child(nsNick, "nick").text(), e.child(nsClient, "status").text())
	case "subscribed":
		if at.acct != nil {
			s.accept(c.acct, at.acct)
		}
	case "unsubscribed":
		if at.acct != nil && s.decline(c.acct, at.acct) {
			return
		}
		if k := c.acct.contact(at.bare); k != nil && k.from {
			c.bounce(e, "not-allowed")
		}
	case "unsubscribe":
		k := c.acct.contact(at.bare)
		switch {
		case k == nil:
		case k.to:
			c.bounce(e, "not-allowed")
		case k.ask:
			s.takeBack(c.acct, k)
		}
	}
}

// subscribe is a's request to see the presence of another address (3.1). An address
// outside of the service, such as an account id, goes into the roster too but never
// answers: that is why contacts have to be added by JID (M14).
func (s *Service) subscribe(a *account, to address, nick, message string) {
	if to.acct == nil && !to.foreign {
		return // RFC 6121, 8.5.1: looks like an account that does not answer
	}
	k := a.ensure(to.bare, to.acct)
	if k.to || k.ask {
		return
	}
	k.ask = true
	s.push(a, k)
	b := to.acct
	if b == nil {
		return
	}
	// b already lets a see it, or accepts every request
	if back := b.contact(a.bare); (back != nil && back.from) || b.bot != nil {
		s.grant(b, a)
		return
	}
	p := pending{a, defaultTo(nick, a.nick), message}
	if i := b.pendingFrom(a); i >= 0 {
		b.pending[i] = p
	} else {
		b.pending = append(b.pending, p)
	}
	b.toAvailable(func() []byte { return p.stanza(b) })
}

// stanza is the request as its receiver gets it, with the nickname (M11).
func (p pending) stanza(to *account) []byte {
	b := appendAttr([]byte("<presence type='subscribe'"), "from", p.from.bare)
	b = append(appendAttr(b, "to", to.bare), '>')
	b = appendTag(b, "status", p.message)
	if p.nick != "" {
		b = append(b, "<nick xmlns='"+nsNick+"'>"...)
		b = append(appendText(b, p.nick), "</nick>"...)
	}
	return append(b, "</presence>"...)
}

// accept answers a's pending request from b (3.1.5). Without a request it has no effect.
func (s *Service) accept(a, b *account) {
	i := a.pendingFrom(b)
	if i < 0 {
		return
	}
	a.pending = slices.Delete(a.pending, i, i+1)
	s.grant(a, b)
}

// grant lets b see the presence of a: both rosters change, and b gets the news and then
// the presence.
func (s *Service) grant(a, b *account) {
	k := a.ensure(b.bare, b)
	if !k.from {
		k.from = true
		s.push(a, k)
	}
	back := b.ensure(a.bare, a)
	back.ask, back.to = false, true
	b.toInterested(func() []byte { return subscriptionStanza("subscribed", a, b) })
	s.push(b, back)
	a.eachPresence(func(full string, inner []byte) {
		b.toAvailable(func() []byte { return a.presenceStanza(s, full, b.bare, "", inner) })
	})
}

// decline refuses a's pending request from b, and reports whether there was one (3.2).
func (s *Service) decline(a, b *account) bool {
	i := a.pendingFrom(b)
	if i < 0 {
		return false
	}
	a.pending = slices.Delete(a.pending, i, i+1)
	if back := b.contact(a.bare); back != nil && back.ask {
		back.ask = false
		b.toInterested(func() []byte { return subscriptionStanza("unsubscribed", a, b) })
		s.push(b, back)
	}
	return true
}

// takeBack ends a's own unanswered request (3.3). The contact stays in the roster.
func (s *Service) takeBack(a *account, k *contact) {
	k.ask = false
	s.push(a, k)
	if b := k.acct; b != nil {
		if i := b.pendingFrom(a); i >= 0 {
			b.pending = slices.Delete(b.pending, i, i+1)
			b.toInterested(func() []byte { return subscriptionStanza("unsubscribe", a, b) })
		}
	}
}

func subscriptionStanza(kind string, from, to *account) []byte {
	b := appendAttr([]byte("<presence"), "type", kind)
	b = appendAttr(b, "from", from.bare)
	return append(appendAttr(b, "to", to.bare), "/>"...)
}
