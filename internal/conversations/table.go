package conversations

import (
	"encoding/binary"
	"iter"
	"slices"
	"sort"
	"strings"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/packed"
)

// maxChunk bounds a chunk of more than one state: a change of one state copies as much.
const maxChunk = 1024

// Table is the conversations of one session. Its zero value is empty, and no value changes.
type Table struct {
	chunks []chunk // sorted, none of them empty
	n      int
}

// chunk is some states that follow each other, each with its length before it.
type chunk string

// entry is a state in a chunk, as it is encoded.
type entry struct {
	key      string
	body     string // the rest
	from, to int    // where it lies in the chunk
}

// next cuts the first entry off; at is where it lies. Nothing but this package makes chunks, so one
// that cannot be read is a mistake here.
func (c chunk) next(at int) entry {
	r := packed.Read(string(c[at:]))
	whole := packed.Read(r.Text())
	e := entry{key: whole.Text(), from: at, to: len(c) - len(r.Rest())}
	if e.body = whole.Rest(); r.Bad() || whole.Bad() {
		panic("conversations: a chunk is damaged")
	}
	return e
}

// find returns the entry of a key, or where it would lie.
func (c chunk) find(key string) (e entry, ok bool) {
	for at := 0; at < len(c); at = e.to {
		if e = c.next(at); e.key >= key {
			if e.key == key {
				return e, true
			}
			return entry{from: e.from, to: e.from}, false
		}
	}
	return entry{from: len(c), to: len(c)}, false
}

// state decodes an entry. The JID does not keep the chunk in memory.
func (e *entry) state() State {
	r := packed.Read(e.body)
	s := decodeBody(&r, perch.JID(e.key))
	if r.Bad() || len(r.Rest()) > 0 {
		panic("conversations: a chunk is damaged")
	}
	s.JID = perch.JID(strings.Clone(string(s.JID)))
	return s
}

// Of makes a table of some states. Of several with one key the last one counts.
func Of(list []State) Table {
	var t Table
	for i := range list {
		t = t.Put(&list[i])
	}
	return t
}

// Len is the number of conversations.
func (t Table) Len() int { return t.n }

// place is the chunk that a key lies in, or would lie in.
func (t Table) place(key string) int {
	return max(0, sort.Search(len(t.chunks), func(i int) bool { return t.chunks[i].next(0).key > key })-1)
}

// Get returns the state of a conversation.
func (t Table) Get(jid perch.JID) (s State, ok bool) {
	if t.n == 0 {
		return State{}, false
	}
	key := string(jid.Key())
	e, ok := t.chunks[t.place(key)].find(key)
	if !ok {
		return State{}, false
	}
	return e.state(), true
}

// All are the states, in the order of their keys.
func (t Table) All() iter.Seq[State] {
	return func(yield func(State) bool) {
		for _, c := range t.chunks {
			for at := 0; at < len(c); {
				e := c.next(at)
				if at = e.to; !yield(e.state()) {
					return
				}
			}
		}
	}
}

// Equal reports whether two tables have the same states.
func (t Table) Equal(u Table) bool {
	if t.n != u.n {
		return false
	}
	for s := range t.All() {
		if other, ok := u.Get(s.JID); !ok || other != s {
			return false
		}
	}
	return true
}

// Put is the table with s in place of the state with its key.
func (t Table) Put(s *State) Table {
	key := s.Key()
	body := appendBody(packed.AppendText(make([]byte, 0, 96+len(key)), key), s, key)
	framed := append(binary.AppendUvarint(make([]byte, 0, len(body)+2), uint64(len(body))), body...)
	if t.n == 0 {
		return Table{[]chunk{chunk(framed)}, 1}
	}
	i := t.place(string(key))
	c := t.chunks[i]
	e, ok := c.find(string(key))
	n := t.n
	if !ok {
		n++
	}
	return Table{slices.Concat(t.chunks[:i], split(c[:e.from]+chunk(framed)+c[e.to:]), t.chunks[i+1:]), n}
}

// Remove is the table without a conversation.
func (t Table) Remove(jid perch.JID) Table {
	if t.n == 0 {
		return t
	}
	key := string(jid.Key())
	i := t.place(key)
	c := t.chunks[i]
	e, ok := c.find(key)
	if !ok {
		return t
	}
	var rest []chunk
	if c = c[:e.from] + c[e.to:]; c != "" {
		rest = []chunk{c}
	}
	return Table{slices.Concat(t.chunks[:i], rest, t.chunks[i+1:]), t.n - 1}
}

// split cuts a chunk that is too large in two. A concatenation is a string of its own, and so are
// its halves: none keeps the other in memory.
func split(c chunk) []chunk {
	if len(c) <= maxChunk {
		return []chunk{c}
	}
	at := 0
	for at < len(c)/2 {
		e := c.next(at)
		if e.to == len(c) {
			break
		}
		at = e.to
	}
	if at == 0 {
		return []chunk{c}
	}
	return []chunk{chunk(strings.Clone(string(c[:at]))), chunk(strings.Clone(string(c[at:])))}
}
