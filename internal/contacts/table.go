package contacts

import (
	"iter"
	"slices"
	"sort"

	"github.com/perch-im/perch"
)

// Table is a list of contacts, sorted by the keys of their JIDs. The zero value is empty. A Table
// never changes and may be used by several goroutines: what changes a contact returns another
// Table.
type Table struct {
	groups [][]chunk // none is empty
	n      int
}

// maxGroup bounds the chunks of a group. A change copies one group of pointers to chunks and the
// list of groups: for 40,000 contacts that is less than a chunk.
const maxGroup = 64

// Len is the number of contacts.
func (t Table) Len() int { return t.n }

// Get returns the contact in whatever spelling of its JID, or nil.
func (t Table) Get(jid perch.JID) *Contact {
	key := jid.Key()
	g, i := t.locate(key)
	if t.n == 0 {
		return nil
	}
	h, e, _, _, ok := t.groups[g][i].find(key)
	if !ok {
		return nil
	}
	one := new(struct { // one piece of memory is enough for nearly all
		Contact
		presence perch.Presence
		resource [1]perch.Resource
		group    [1]string
	})
	m := maker{shared: &one.presence, rs: one.resource[:0], lists: one.group[:0]}
	m.decode(e, &h, &one.Contact)
	return &one.Contact
}

// Put is the table with c, in place of the contact with that key if there is one.
func (t Table) Put(c *Contact) Table {
	if t.n == 0 {
		return Of([]*Contact{c})
	}
	key := c.Key()
	g, i := t.locate(key)
	old := t.groups[g][i]
	h, _, from, to, existed := old.find(key)
	next, _ := old.splice(from, to, &h, c)
	list := []chunk{next}
	if len(next) > maxChunk {
		list = next.split()
	}
	n := t.n
	if !existed {
		n++
	}
	return t.with(g, i, list, n)
}

// Remove is the table without the contact in whatever spelling of its JID.
func (t Table) Remove(jid perch.JID) Table {
	if t.n == 0 {
		return t
	}
	key := jid.Key()
	g, i := t.locate(key)
	old := t.groups[g][i]
	h, _, from, to, existed := old.find(key)
	if !existed {
		return t
	}
	next, gone := old.splice(from, to, &h, nil)
	if gone {
		return t.with(g, i, nil, t.n-1)
	}
	return t.with(g, i, []chunk{next}, t.n-1)
}

// locate returns the group and the chunk in it that the key belongs to.
func (t Table) locate(key perch.JID) (g, i int) {
	g = sort.Search(len(t.groups), func(g int) bool { return t.groups[g][0].compareFirst(key) > 0 })
	if g = max(g-1, 0); g == len(t.groups) {
		return g, 0
	}
	group := t.groups[g]
	i = sort.Search(len(group), func(i int) bool { return group[i].compareFirst(key) > 0 })
	return g, max(i-1, 0)
}

// with is the table with other chunks in place of one, and n contacts.
func (t Table) with(g, i int, list []chunk, n int) Table {
	old, end := t.groups[g], i+1
	if len(list) == 1 {
		i, end, list = join(old, i, list)
	}
	group := slices.Concat(old[:i], list, old[end:])
	with := [][]chunk{group}
	switch half := len(group) / 2; {
	case len(group) == 0:
		with = nil
	case len(group) > maxGroup:
		with = [][]chunk{exact(group[:half]), exact(group[half:])}
	}
	return Table{groups: slices.Concat(t.groups[:g], with, t.groups[g+1:]), n: n}
}

// join puts a chunk that has become small together with one beside it that has room. It returns
// which chunks of the group are replaced, and by what.
func join(group []chunk, i int, list []chunk) (from, to int, with []chunk) {
	const small, room = maxChunk / 4, maxChunk * 3 / 4
	size := len(list[0])
	switch {
	case size >= small:
	case i+1 < len(group) && size+len(group[i+1]) <= room:
		return i, i + 2, pack(append(list[0].contacts(), group[i+1].contacts()...), maxChunk)
	case i > 0 && size+len(group[i-1]) <= room:
		return i - 1, i + 1, pack(append(group[i-1].contacts(), list[0].contacts()...), maxChunk)
	}
	return i, i + 1, list
}

// All gives all contacts in order. The contact, and its presence, are used again for the next
// one: what is kept of them is copied. Their lists and texts are not changed.
func (t Table) All() iter.Seq[*Contact] { return t.After("") }

// After is All for the contacts whose keys come after one, whether or not it is in the table.
func (t Table) After(key perch.JID) iter.Seq[*Contact] {
	return func(yield func(*Contact) bool) {
		if t.n == 0 {
			return
		}
		var p perch.Presence
		var c Contact
		m := maker{many: true, shared: &p}
		g, i := t.locate(key)
		behind := key == "" // all that follow are
		for _, group := range t.groups[g:] {
			for _, chunk := range group[i:] {
				h, r := chunk.open()
				for len(r.Rest()) > 0 {
					e := next(&r)
					if behind = behind || e.compare(&h, key) > 0; !behind {
						continue
					}
					m.decode(e, &h, &c)
					if !yield(&c) {
						return
					}
				}
			}
			i = 0
		}
	}
}

// Equal reports whether two tables have the same contacts.
func (t Table) Equal(u Table) bool {
	if t.n != u.n {
		return false
	}
	next, stop := iter.Pull(u.All())
	defer stop()
	for c := range t.All() {
		if d, ok := next(); !ok || !c.equal(d) {
			return false
		}
	}
	return true
}
