package messenger

import (
	"crypto/rand"
	"encoding/hex"
	"slices"
	"strings"

	"mellium.im/xmpp/stream"
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
	b = appendAttr(b, "subscription", string(k.subscription()))
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

// push tells the account's clients of a changed item (RFC 6121, 2.1.6).
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
