package messenger

import (
	"crypto/rand"
	"encoding/hex"
	"slices"
	"strings"
)

// rosterGet answers with the whole roster (RFC 6121, 2.1.3). From then on the client gets
// pushes.
func (s *Service) rosterGet(c *client, iq *element) {
	c.interested = true
	b := s.resultHead(c, iq, 128+96*len(c.acct.roster))
	b = append(b, "<query xmlns='"+nsRoster+"'>"...)
	for i := range c.acct.roster {
		b = c.acct.roster[i].append(b)
	}
	c.send(append(b, "</query></iq>"...))
}

// rosterSet adds a contact; every other change is refused (M6). A contact that came into
// the roster by accepting its invitation can still be added, which names it.
func (s *Service) rosterSet(c *client, iq, query *element) {
	item := query.child(nsRoster, "item")
	if item == nil {
		c.fail(iq, "bad-request")
		return
	}
	at, ok := s.resolve(item.get("jid"))
	name, groups := item.get("name"), item.groups()
	switch {
	case !ok:
		c.fail(iq, "jid-malformed")
		return
	case len(query.elements()) != 1 || at.resource != "" || at.domain || at.bare == c.acct.bare || len(name) > 1023 || slices.Contains(groups, ""):
		c.fail(iq, "bad-request")
		return
	case item.get("subscription") == "remove":
		c.fail(iq, "not-allowed")
		return
	case at.acct == nil && !at.foreign:
		c.fail(iq, "item-not-found")
		return
	}
	if k := c.acct.contact(at.bare); k != nil && k.added {
		if k.name != name || !slices.Equal(k.groups, groups) {
			c.fail(iq, "not-allowed")
			return
		}
	} else {
		k = c.acct.ensure(at.bare, at.acct)
		k.name, k.groups, k.added = name, groups, true
		s.push(c.acct, k)
	}
	c.send(append(s.resultHead(c, iq, 128), "</iq>"...))
}

// groups of a roster item, sorted, each once.
func (e *element) groups() []string {
	var g []string
	for _, k := range e.elements() {
		if k.name.Local == "group" && k.name.Space == nsRoster {
			g = append(g, strings.TrimSpace(k.text()))
		}
	}
	slices.Sort(g)
	return slices.Compact(g)
}

// elements returns the child elements.
func (e *element) elements() []*element {
	var list []*element
	for _, k := range e.kids {
		if k.el != nil {
			list = append(list, k.el)
		}
	}
	return list
}

func (k *contact) append(b []byte) []byte {
	b = appendAttr(append(b, "<item"...), "jid", k.jid)
	b = appendAttr(b, "subscription", k.subscription().String())
	if k.name != "" {
		b = appendAttr(b, "name", k.name)
	}
	if k.ask {
		b = append(b, " ask='subscribe'"...)
	}
	b = append(b, '>')
	for _, g := range k.groups {
		b = appendTag(b, "group", g)
	}
	return append(b, "</item>"...)
}

// push notifies the account's clients of a changed item (RFC 6121, 2.1.6).
func (s *Service) push(a *account, k *contact) {
	for _, c := range a.clients {
		if !c.interested {
			continue
		}
		id := make([]byte, 8)
		rand.Read(id) // never fails
		b := appendAttr([]byte("<iq type='set'"), "id", "push-"+hex.EncodeToString(id))
		b = append(appendAttr(b, "to", c.full), "><query xmlns='"+nsRoster+"'>"...)
		c.send(append(k.append(b), "</query></iq>"...))
	}
}

// toInterested sends to the clients that have fetched the roster (RFC 6121, 3.1.6).
func (a *account) toInterested(stanza func() []byte) {
	for _, c := range a.clients {
		if c.interested {
			c.send(stanza())
		}
	}
}
