package messenger

import (
	"strconv"
	"strings"

	"github.com/perch-im/perch"
)

// presence handles a presence stanza; s.mu is held.
func (s *Service) presence(c *client, e *element) {
	switch t := e.get("type"); t {
	case "", "unavailable":
		switch {
		case e.get("to") != "": // directed presence: no source speaks of it
			c.bounce(e, "feature-not-implemented")
		case t == "":
			s.availability(c, e)
		case c.available:
			s.unavailable(c, e)
		}
	case "subscribe", "subscribed", "unsubscribe", "unsubscribed":
		s.subscription(c, e, t)
	case "error":
	default: // probe (M8), and what RFC 6121 does not know
		c.bounce(e, "feature-not-implemented")
	}
}

// availability takes a client's own presence (RFC 6121, 4.2 and 4.4).
func (s *Service) availability(c *client, e *element) {
	priority := 0
	if p := strings.TrimSpace(e.child(nsClient, "priority").text()); p != "" {
		var err error
		if priority, err = strconv.Atoi(p); err != nil || priority < -128 || priority > 127 {
			c.bounce(e, "bad-request")
			return
		}
	}
	if _, ok := perch.ParseShow(strings.TrimSpace(e.child(nsClient, "show").text())); !ok {
		c.bounce(e, "bad-request")
		return
	}
	first := !c.available
	c.available, c.priority = true, int8(priority)
	c.presence = e.appendKids(nil)
	s.broadcast(c.acct, c.full, "", c.presence)
	if first {
		s.sendMissed(c)
	}
	if c.priority >= 0 {
		c.flushOffline()
	}
	if first {
		if target, ok := s.redirect.at(RedirectOnline, c.raw.RemoteAddr(), c.raw.LocalAddr()); ok {
			s.stats.redirects.Add(1)
			s.signOut(c)
			c.end("see-other-host", target)
		}
	}
}

// sendMissed sends a client that has come online what it missed: the presence of its contacts
// (M8: the one time that it gets them), of its own other resources, and the requests that
// wait for an answer (M11).
func (s *Service) sendMissed(c *client) {
	for i := range c.acct.roster {
		if k := &c.acct.roster[i]; k.to && k.acct != nil {
			k.acct.eachPresence(func(full string, inner []byte) {
				c.send(k.acct.presenceStanza(s, full, c.acct.bare, "", inner))
			})
		}
	}
	for _, other := range c.acct.clients {
		if other != c && other.available {
			c.send(c.acct.presenceStanza(s, other.full, c.full, "", other.presence))
		}
	}
	for _, p := range c.acct.pending {
		c.send(p.stanza(c.acct))
	}
}

// unavailable ends a resource's presence. e is nil when the stream just ended.
func (s *Service) unavailable(c *client, e *element) {
	c.available, c.presence = false, nil
	var inner []byte
	if e != nil {
		inner = e.appendKids(nil)
		c.send(c.acct.presenceStanza(s, c.full, c.full, "unavailable", inner))
	}
	s.broadcast(c.acct, c.full, "unavailable", inner)
}

// broadcast sends the presence of one resource to all who may see it, the account's own
// resources included (RFC 6121, 4.2.2).
func (s *Service) broadcast(a *account, full, kind string, inner []byte) {
	for i := range a.roster {
		if k := &a.roster[i]; k.from && k.acct != nil {
			k.acct.toAvailable(func() []byte { return a.presenceStanza(s, full, k.jid, kind, inner) })
		}
	}
	a.toAvailable(func() []byte { return a.presenceStanza(s, full, a.bare, kind, inner) })
}

// toAvailable sends to every available resource; the stanza is made only if there is one.
func (a *account) toAvailable(stanza func() []byte) {
	var b []byte
	for _, c := range a.clients {
		if !c.available {
			continue
		}
		if b == nil {
			b = stanza()
		}
		c.send(b)
	}
}

// eachPresence visits the available resources of an account.
func (a *account) eachPresence(f func(full string, inner []byte)) {
	for _, c := range a.clients {
		if c.available {
			f(c.full, c.presence)
		}
	}
	if a.bot != nil && a.bot.available {
		f(a.bot.full, a.bot.inner)
	}
}

// presenceStanza makes a presence of a. The photo hash (XEP-0153) is added when the
// service is set to and the client did not say one itself.
func (a *account) presenceStanza(s *Service, from, to, kind string, inner []byte) []byte {
	b := make([]byte, 0, 64+len(from)+len(to)+len(inner))
	b = appendAttr(append(b, "<presence"...), "from", from)
	b = appendAttr(b, "to", to)
	if kind != "" {
		b = appendAttr(b, "type", kind)
	}
	b = append(append(b, '>'), inner...)
	if kind == "" && s.o.PhotoHashes && !strings.Contains(string(inner), nsPhoto) {
		b = append(b, "<x xmlns='"+nsPhoto+"'><photo>"...)
		b = append(append(b, a.photoHash...), "</photo></x>"...)
	}
	return append(b, "</presence>"...)
}

// presenceInner writes what the service itself shows for a bot.
func presenceInner(p perch.OwnPresence) []byte {
	b := appendTag(nil, "show", p.Show.String())
	b = appendTag(b, "status", p.Status)
	if p.Priority != 0 {
		b = appendTag(b, "priority", strconv.Itoa(int(p.Priority)))
	}
	return b
}
