package contacts

import (
	"cmp"
	"strings"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/packed"
)

// chunk is some contacts that follow each other: a head, and then the contacts, each with its
// length before it. It is never empty.
type chunk string

// maxChunk bounds a chunk of more than one contact: a change of one contact copies as much.
const maxChunk = 1024

// entry is a contact in a chunk, as it is encoded.
type entry struct {
	packed.Reader
	first, second byte
	local         string // the key, without the domain where that is shared
}

func (c chunk) open() (h head, rest packed.Reader) {
	rest = packed.Read(string(c))
	h.domain, h.groups = rest.Text(), rest.Text()
	return h, rest
}

// next cuts the first contact off.
func next(r *packed.Reader) entry {
	e := entry{Reader: packed.Read(r.Text())}
	e.first, e.second, e.local = e.Octet(), e.Octet(), e.Text()
	return e
}

// compare compares the key of a contact with another one.
func (e *entry) compare(h *head, key perch.JID) int {
	n := min(len(e.local), len(key))
	if c := strings.Compare(e.local[:n], string(key[:n])); c != 0 {
		return c
	}
	if n < len(e.local) {
		return +1
	}
	if e.first&sharedDomain == 0 {
		return cmp.Compare(n, len(key))
	}
	return strings.Compare(h.domain, string(key[n:]))
}

// compareFirst compares the first key of a chunk with another one.
func (c chunk) compareFirst(key perch.JID) int {
	h, r := c.open()
	e := next(&r)
	return e.compare(&h, key)
}

// find returns the contact and where it lies, or where it would lie.
func (c chunk) find(key perch.JID) (h head, e entry, from, to int, ok bool) {
	h, r := c.open()
	for len(r.Rest()) > 0 {
		from = len(c) - len(r.Rest())
		e = next(&r)
		switch e.compare(&h, key) {
		case 0:
			return h, e, from, len(c) - len(r.Rest()), true
		case +1:
			return h, entry{}, from, from, false
		}
	}
	return h, entry{}, len(c), len(c), false
}

// decode reads the rest of an entry. Nothing but this package makes chunks, so one that cannot
// be read is a mistake here, and the fault of one session.
func (m *maker) decode(e entry, h *head, c *Contact) {
	domain := ""
	if e.first&sharedDomain != 0 {
		domain = h.domain
	}
	if e.second&spelled != 0 {
		c.Buddy.JID = m.jid(e.Text(), "")
	} else {
		c.Buddy.JID = m.jid(e.local, domain)
	}
	m.decodeBody(&e.Reader, c, e.first, e.second, h)
	if e.Bad() || len(e.Rest()) > 0 {
		panic("contacts: a chunk is damaged")
	}
}

// contacts decodes all of a chunk.
func (c chunk) contacts() []*Contact {
	m := maker{many: true}
	h, r := c.open()
	var list []*Contact
	for len(r.Rest()) > 0 {
		k := new(Contact)
		m.decode(next(&r), &h, k)
		list = append(list, k)
	}
	return list
}
