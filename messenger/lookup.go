package messenger

import (
	"strings"

	"github.com/perch-im/perch/internal/xmppserver"
)

// lookup answers getjid: the JID of an account id, in the namespace that was asked (M14).
func (s *Service) lookup(c *client, e, p *xmppserver.Element) {
	a := s.ids[strings.ToLower(e.Get("to"))]
	switch {
	case e.Get("type") != "get":
		c.fail(e, "not-allowed")
		return
	case a == nil:
		c.fail(e, "item-not-found")
		return
	}
	b := s.resultHead(c, e, 256)
	b = append(xmppserver.AppendAttr(append(b, "<getjid"...), "xmlns", p.Name.Space), '>')
	c.send(append(xmppserver.AppendTag(b, "jid", a.Bare), "</getjid></iq>"...))
}
