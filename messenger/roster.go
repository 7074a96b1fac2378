package messenger

import (
	"slices"

	"github.com/perch-im/perch/internal/xmppserver"
)

// rosterGet answers with the whole roster (RFC 6121, 2.1.3). From then on the client gets
// pushes.
func (s *Service) rosterGet(c *client, iq *xmppserver.Element) {
	c.res.Interested = true
	b := c.acct.AppendRoster(s.resultHead(c, iq, 128+96*len(c.acct.Roster)))
	c.send(append(b, "</iq>"...))
}

// rosterSet adds a contact; every other change is refused (M6). A contact that came into
// the roster by accepting its invitation can still be added, which names it.
func (s *Service) rosterSet(c *client, iq, query *xmppserver.Element) {
	item := query.Child(xmppserver.NSRoster, "item")
	if item == nil {
		c.fail(iq, "bad-request")
		return
	}
	at, ok := s.dir.Resolve(item.Get("jid"))
	name, groups := item.Get("name"), item.Groups()
	switch {
	case !ok:
		c.fail(iq, "jid-malformed")
		return
	case len(query.Elements()) != 1 || at.Resource != "" || at.Domain || at.Bare == c.acct.Bare || len(name) > 1023 || slices.Contains(groups, ""):
		c.fail(iq, "bad-request")
		return
	case item.Get("subscription") == "remove":
		c.fail(iq, "not-allowed")
		return
	case at.Account == nil && !at.Foreign:
		c.fail(iq, "item-not-found")
		return
	}
	if k := c.acct.Contact(at.Bare); k != nil && k.Added {
		if k.Name != name || !slices.Equal(k.Groups, groups) {
			c.fail(iq, "not-allowed")
			return
		}
	} else {
		s.dir.SetContact(c.acct.Account, at, name, groups)
	}
	c.send(append(s.resultHead(c, iq, 128), "</iq>"...))
}
