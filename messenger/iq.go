package messenger

import "mellium.im/xmpp/stream"

// iq answers a request; s.mu is held. Whatever is not listed here is
// service-unavailable, and nothing is relayed between clients.
func (s *Service) iq(c *client, e *element) error {
	kind := e.get("type")
	if kind == "result" || kind == "error" {
		return nil // answers to pushes
	}
	p := e.payload()
	if (kind != "get" && kind != "set") || e.get("id") == "" || p == nil || len(e.elements()) != 1 {
		c.fail(e, "bad-request")
		return nil
	}
	if p.name.Space == nsStream {
		return stream.InvalidXML
	}
	if p.name.Local == "getjid" && (p.name.Space == nsLookup || p.name.Space == nsLookupV1) {
		s.lookup(c, e, p) // its `to` is an account id, which need not be a JID
		return nil
	}
	at := address{acct: c.acct, bare: c.acct.bare}
	if to := e.get("to"); to != "" {
		var ok bool
		if at, ok = s.resolve(to); !ok {
			c.fail(e, "jid-malformed")
			return nil
		}
	}
	s.answerIQ(c, e, p, at, kind == "set")
	return nil
}

// answerIQ chooses by payload and address.
func (s *Service) answerIQ(c *client, e, p *element, at address, set bool) {
	own := at.domain || (at.acct == c.acct && at.resource == "")
	switch {
	case p.name.Space == nsVCard && p.name.Local == "vCard":
		s.vcard(c, e, at, set)
	case !own:
		c.fail(e, "service-unavailable")
	case p.name.Space == nsRoster && p.name.Local == "query" && set:
		s.rosterSet(c, e, p)
	case p.name.Space == nsRoster && p.name.Local == "query":
		s.rosterGet(c, e)
	case p.name.Space == nsArchive && p.name.Local == "retrieve" && !set:
		s.retrieve(c, e, p)
	case p.name.Space == nsPing && !set, p.name.Space == nsSession && set:
		c.send(append(s.resultHead(c, e, 128), "</iq>"...))
	case p.name.Space == nsInfo && !set && at.domain:
		s.info(c, e, p)
	case p.name.Space == nsBind:
		c.fail(e, "not-allowed")
	default:
		c.fail(e, "service-unavailable")
	}
}

// info is a minimal service discovery (XEP-0030) of the service itself.
func (s *Service) info(c *client, e, query *element) {
	if query.get("node") != "" {
		c.fail(e, "item-not-found")
		return
	}
	b := append(s.resultHead(c, e, 512), "<query xmlns='"+nsInfo+"'><identity category='server' type='im' name='Messenger'/>"...)
	for _, ns := range []string{nsInfo, nsRoster, nsVCard, nsStates, nsArchive, nsNick, nsPing, nsLookup, nsLookupV1} {
		b = append(appendAttr(append(b, "<feature"...), "var", ns), "/>"...)
	}
	c.send(append(b, "</query></iq>"...))
}

// resultHead begins an answer: `from` is the address asked or, without one, what
// Options.IQFrom says (M15).
func (s *Service) resultHead(c *client, iq *element, size int) []byte {
	b := append(make([]byte, 0, size), "<iq type='result'"...)
	b = appendAttr(b, "id", iq.get("id"))
	if from := c.answerFrom(iq); from != "" {
		b = appendAttr(b, "from", from)
	}
	return append(appendAttr(b, "to", c.full), '>')
}

func (c *client) answerFrom(iq *element) string {
	if to := iq.get("to"); to != "" {
		return to
	}
	switch c.s.o.IQFrom {
	case IQFromBare:
		return c.acct.bare
	case IQFromFull:
		return c.full
	case IQFromDomain:
		return c.s.o.Domain
	}
	return ""
}

// fail answers an IQ with an error.
func (c *client) fail(iq *element, condition string) {
	c.send(stanzaError(iq, c.answerFrom(iq), c.full, condition))
}
