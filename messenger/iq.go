package messenger

import (
	"mellium.im/xmpp/stream"

	"github.com/perch-im/perch/internal/xmppserver"
)

// iq answers a request; s.mu is held. Whatever is not listed here is
// service-unavailable, and nothing is relayed between clients.
func (s *Service) iq(c *client, e *xmppserver.Element) error {
	kind := e.Get("type")
	if kind == "result" || kind == "error" {
		return nil // answers to pushes
	}
	p := e.Payload()
	if (kind != "get" && kind != "set") || e.Get("id") == "" || p == nil || len(e.Elements()) != 1 {
		c.fail(e, "bad-request")
		return nil
	}
	if p.Name.Space == xmppserver.NSStream {
		return stream.InvalidXML
	}
	if p.Name.Local == "getjid" && (p.Name.Space == nsLookup || p.Name.Space == nsLookupV1) {
		s.lookup(c, e, p) // its `to` is an account id, which need not be a JID
		return nil
	}
	at := xmppserver.Address{Account: c.acct.Account, Bare: c.acct.Bare}
	if to := e.Get("to"); to != "" {
		var ok bool
		if at, ok = s.dir.Resolve(to); !ok {
			c.fail(e, "jid-malformed")
			return nil
		}
	}
	s.answerIQ(c, e, p, at, kind == "set")
	return nil
}

// answerIQ chooses by payload and address.
func (s *Service) answerIQ(c *client, e, p *xmppserver.Element, at xmppserver.Address, set bool) {
	own := at.Domain || (at.Account == c.acct.Account && at.Resource == "")
	switch {
	case p.Name.Space == nsVCard && p.Name.Local == "vCard":
		s.vcard(c, e, at, set)
	case !own:
		c.fail(e, "service-unavailable")
	case p.Name.Space == xmppserver.NSRoster && p.Name.Local == "query" && set:
		s.rosterSet(c, e, p)
	case p.Name.Space == xmppserver.NSRoster && p.Name.Local == "query":
		s.rosterGet(c, e)
	case p.Name.Space == nsArchive && p.Name.Local == "retrieve" && !set:
		s.retrieve(c, e, p)
	case p.Name.Space == xmppserver.NSPing && !set, p.Name.Space == xmppserver.NSSession && set:
		c.send(append(s.resultHead(c, e, 128), "</iq>"...))
	case p.Name.Space == xmppserver.NSInfo && !set && at.Domain:
		s.info(c, e, p)
	case p.Name.Space == xmppserver.NSBind:
		c.fail(e, "not-allowed")
	default:
		c.fail(e, "service-unavailable")
	}
}

// info is a minimal service discovery (XEP-0030) of the service itself.
func (s *Service) info(c *client, e, query *xmppserver.Element) {
	if query.Get("node") != "" {
		c.fail(e, "item-not-found")
		return
	}
	b := append(s.resultHead(c, e, 512), "<query xmlns='"+xmppserver.NSInfo+"'><identity category='server' type='im' name='Messenger'/>"...)
	for _, ns := range []string{xmppserver.NSInfo, xmppserver.NSRoster, nsVCard, xmppserver.NSStates, nsArchive, xmppserver.NSNick, xmppserver.NSPing, nsLookup, nsLookupV1} {
		b = append(xmppserver.AppendAttr(append(b, "<feature"...), "var", ns), "/>"...)
	}
	c.send(append(b, "</query></iq>"...))
}

// resultHead begins an answer: `from` is the address asked or, without one, what
// Options.IQFrom says (M15).
func (s *Service) resultHead(c *client, iq *xmppserver.Element, size int) []byte {
	b := append(make([]byte, 0, size), "<iq type='result'"...)
	b = xmppserver.AppendAttr(b, "id", iq.Get("id"))
	if from := c.answerFrom(iq); from != "" {
		b = xmppserver.AppendAttr(b, "from", from)
	}
	return append(xmppserver.AppendAttr(b, "to", c.res.Full), '>')
}

func (c *client) answerFrom(iq *xmppserver.Element) string {
	if to := iq.Get("to"); to != "" {
		return to
	}
	switch c.s.o.IQFrom {
	case IQFromBare:
		return c.acct.Bare
	case IQFromFull:
		return c.res.Full
	case IQFromDomain:
		return c.s.o.Domain
	}
	return ""
}

// fail answers an IQ with an error.
func (c *client) fail(iq *xmppserver.Element, condition string) {
	c.send(xmppserver.StanzaError(iq, c.answerFrom(iq), c.res.Full, condition))
}
