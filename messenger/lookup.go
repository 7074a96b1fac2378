package messenger

import "strings"

// lookup answers getjid: the JID of an account id, in the namespace that was asked (M14).
func (s *Service) lookup(c *client, e, p *element) {
	a := s.ids[strings.ToLower(e.get("to"))]
	switch {
	case e.get("type") != "get":
		c.fail(e, "not-allowed")
		return
	case a == nil:
		c.fail(e, "item-not-found")
		return
	}
	b := s.resultHead(c, e, 256)
	b = append(appendAttr(append(b, "<getjid"...), "xmlns", p.name.Space), '>')
	c.send(append(appendTag(b, "jid", a.bare), "</getjid></iq>"...))
}
