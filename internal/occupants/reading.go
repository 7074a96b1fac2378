package occupants

import (
	"fmt"
	"strings"
	"time"

	"github.com/perch-im/perch"
)

// pageStep is how many rows are looked at before the lock is given back.
const pageStep = 128

// Query says which occupants a page has.
type Query struct {
	Text  string     // in the nick, whatever its case; "": any
	Role  perch.Role // "": any
	Limit int        // of items; at least 1
	After string     // Next of the page before; "": from the beginning
}

// Page is a part of the occupants, by the key of the nick. It is no picture of one moment: who comes
// and goes while it is read is in it or not, and everybody else once.
type Page struct {
	Items    []perch.Occupant
	Next     string // "": there is nothing more
	Count    int    // of all in the room
	Complete bool   // the list is whole, and kept so
	AsOf     perch.Time
	Version  string // as Handle.Version, before the first item was read
}

// reads reports whether the session may read the table.
func (h *Handle) reads() bool { return h.in && h.live && !h.left }

// Count is how many are in the room, as far as the session sees them, and whether these are all. A
// session that is not in it sees nobody.
func (h *Handle) Count() (n int, complete bool) {
	t := h.rlock()
	defer t.mu.RUnlock()
	return h.count(t)
}

func (h *Handle) count(t *table) (n int, complete bool) {
	if !h.reads() {
		return 0, false
	}
	n = t.public
	if h.own != "" {
		if r := t.rows.find(h.own); r != nil && !r.public() {
			n++
		}
	}
	return n, t.whole()
}

// AsOf is until when the list is known to be right: now, while it is whole and kept so, else when it was
// last.
func (h *Handle) AsOf() perch.Time {
	t := h.rlock()
	defer t.mu.RUnlock()
	return t.until()
}

func (t *table) until() perch.Time {
	if t.ready > 0 || t.asOf == 0 {
		return perch.At(time.Now())
	}
	return t.asOf
}

// Version changes with everything that this session can read. Versions of two tables differ, also of
// two nodes; so it can be an ETag.
func (h *Handle) Version() string {
	t := h.rlock()
	defer t.mu.RUnlock()
	return h.version(t)
}

func (h *Handle) version(t *table) string {
	rights := 0
	for i, yes := range []bool{h.reads(), h.sees, t.whole()} {
		if yes {
			rights |= 1 << i
		}
	}
	return fmt.Sprintf("%x-%x-%x-%x", t.id, t.version, h.id, rights)
}

// Find returns one who is in the room.
func (h *Handle) Find(nick string) (perch.Occupant, bool) {
	key := perch.ResourceKey(nick)
	t := h.rlock()
	defer t.mu.RUnlock()
	if !h.reads() {
		return perch.Occupant{}, false
	}
	r := t.rows.find(key)
	if r == nil || !r.public() && key != h.own {
		return perch.Occupant{}, false
	}
	return h.shown(r, key), true
}

// shown is a row as the session may see it.
func (h *Handle) shown(r *row, key string) perch.Occupant {
	o := r.occupant()
	o.Own = key == h.own
	if !h.sees && !o.Own {
		o.JID = ""
	}
	return o
}

// Page reads a part of the occupants.
func (h *Handle) Page(q Query) Page {
	q.Text, q.Limit = strings.ToLower(q.Text), max(q.Limit, 1)
	t := h.rlock()
	p := Page{AsOf: t.until(), Version: h.version(t)}
	p.Count, p.Complete = h.count(t)
	t.mu.RUnlock()
	for at, more := perch.ResourceKey(q.After), true; more && p.Next == ""; {
		at, more = h.read(&p, &q, at)
	}
	return p
}

// read looks at some rows after a key, and returns the last of them. It ends with one item more than
// the page has, which says that there is another page.
func (h *Handle) read(p *Page, q *Query, after string) (last string, more bool) {
	t := h.rlock()
	defer t.mu.RUnlock()
	if !h.reads() {
		return "", false
	}
	order := t.rows.order[t.rows.after(after, false):]
	if more = len(order) > pageStep; more {
		order = order[:pageStep]
	}
	for _, place := range order {
		r := &t.rows.list[place]
		last = r.key()
		if !r.public() && last != h.own || q.Role != "" && roles[r.role] != q.Role || !r.named(q.Text) {
			continue
		}
		if len(p.Items) == q.Limit {
			p.Next = perch.ResourceKey(p.Items[q.Limit-1].Nick)
			return last, false
		}
		p.Items = append(p.Items, h.shown(r, last))
	}
	return last, more
}

// named reports whether a text in lower case is in the nick.
func (r *row) named(lower string) bool {
	if lower == "" {
		return true
	}
	nick, _ := text(r.texts)
	return strings.Contains(strings.ToLower(nick), lower)
}
