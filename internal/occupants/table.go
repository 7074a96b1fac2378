package occupants

import (
	"sync"
	"time"

	"github.com/perch-im/perch"
)

// table has the occupants of a room as its members say. That of a room which is not shared has one
// member.
type table struct {
	tables  *Tables
	id      uint64 // of this table alone, also among those of other nodes
	private bool

	mu sync.RWMutex // of all that follows
	attendance
	split    bool // it is not shared any more, and has nothing
	rows     rows
	public   int    // rows that every member sees
	bytes    int64  // of the rows
	tick     uint32 // lists that have begun
	births   uint32 // occupants that came
	version  uint64 // changes
	leftOut  uint64 // reports for which there was no place
	over     bool   // somebody is not in it for that reason
	asOf     perch.Time
	refresh  time.Time // when a member last took it upon itself to ask for the list
	lost     []lostRow // a moment ago
	disputes map[string]*dispute
}

// put changes the row of an occupant, or adds it.
func (t *table) put(h *Handle, o *perch.Occupant, key string, digest uint64) (joined bool) {
	if o.Own {
		t.enter(h, key)
	}
	r := t.rows.find(key)
	if r != nil && r.says(o, digest) {
		if !o.Own && !r.public() {
			r.flags |= flagPublic
			t.public++
			t.version++
		}
		return t.reported(h, r)
	}
	if t.version++; !o.Own { // who is gone is removed by the others
		t.wrote(h)
	}
	address := t.addressOf(o, key, r)
	next := row{born: t.births + 1}
	if r != nil {
		next = *r
		if contradict(identityOf(o), r.identity()) {
			t.lose(key, r)
		}
	}
	next.set(o, key, digest, address)
	grows := next.cost()
	if r != nil {
		grows -= r.cost()
	}
	if !t.reserve(grows, r == nil) {
		if r != nil { // better not there than wrong
			t.remove(key, r)
		}
		return false
	}
	if !next.public() && (!o.Own || t.told(key)) {
		next.flags |= flagPublic
		t.public++
	}
	if r != nil {
		*r = next
	} else {
		t.births++
		t.tables.occupants.Add(1)
		r = t.rows.add(key, next)
	}
	return t.reported(h, r)
}

// reserve takes the memory of a row, unless there is no place for it.
func (t *table) reserve(bytes int64, more bool) bool {
	o := &t.tables.o
	full := more && t.rows.len() >= o.MaxRoom || bytes > 0 && t.bytes+bytes > o.MaxRoomBytes
	if !full {
		if t.tables.bytes.Add(bytes) <= o.MaxBytes || bytes <= 0 {
			t.bytes += bytes
			return true
		}
		t.tables.bytes.Add(-bytes)
	}
	t.leftOut++
	t.over = true
	t.tables.leftOut.Add(1)
	return false
}

func (t *table) remove(key string, r *row) {
	t.version++
	t.lose(key, r)
	t.account(r)
	t.rows.remove(key)
}

// account gives back what a row takes.
func (t *table) account(r *row) {
	t.bytes -= r.cost()
	t.tables.bytes.Add(-r.cost())
	t.tables.occupants.Add(-1)
	if r.public() {
		t.public--
	}
}

// clear removes all rows: nobody has the list then.
func (t *table) clear() {
	t.version++
	t.tables.bytes.Add(-t.bytes)
	t.tables.occupants.Add(-int64(t.rows.len()))
	t.rows, t.bytes, t.public, t.over, t.disputes = rows{}, 0, 0, false, nil
	t.ready, t.doubt, t.lost = 0, 0, nil
	t.epoch++
}

// enter notes the nick of a member, which is in the room by that.
func (t *table) enter(h *Handle, key string) {
	t.become(h, h.live, true)
	if h.own == key {
		return
	}
	t.version++
	t.withdraw(h)
	h.own = key
}

// withdraw removes the own row of a member if nobody else was told of it.
func (t *table) withdraw(h *Handle) {
	if h.own == "" {
		return
	}
	own := h.own
	h.own = ""
	if r := t.rows.find(own); r != nil && !r.public() && !t.owned(own) {
		t.remove(own, r)
	}
}

// sweep removes whom nobody has reported since a list began. A row that is the own one of another
// member is its own again, and of nobody else.
func (t *table) sweep(since uint32) {
	var gone []string
	for _, place := range t.rows.order {
		if r := &t.rows.list[place]; r.seen < since && r.public() {
			gone = append(gone, r.key())
		}
	}
	if len(gone) == 0 {
		return
	}
	own := map[string]bool{}
	for _, h := range t.members {
		own[h.own] = own[h.own] || h.live
	}
	for _, key := range gone {
		r := t.rows.find(key)
		if !own[key] {
			t.remove(key, r)
			continue
		}
		r.flags &^= flagPublic
		t.public--
		t.version++
	}
	t.rows.compact()
}
