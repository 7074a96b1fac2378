package cache

import (
	"slices"

	"github.com/perch-im/perch/sessions"
)

// memRooms are the rooms of one session in memory; a session without rooms has none.
type memRooms struct{ table[sessions.StoredRoom] }

// list is a copy of the rows, which the caller may change; nil has none.
func (m *memRooms) list() []*sessions.StoredRoom {
	if m == nil {
		return nil
	}
	return slices.Clone(m.rows)
}

// applyRooms changes the rooms. Of too many those that are new are left out.
func (r *record) applyRooms(d sessions.Delta[sessions.StoredRoom]) {
	if d.Empty() {
		return
	}
	if r.rooms == nil {
		r.rooms = &memRooms{}
	}
	puts := d.Put
	d.Put = nil
	r.rooms.apply(d, roomKey)
	for _, row := range puts {
		if len(r.rooms.rows) < sessions.MaxRooms || r.rooms.get(roomKey(row), roomKey) != nil {
			r.rooms.put(row, roomKey)
		}
	}
	if len(r.rooms.rows) == 0 {
		r.rooms = nil
	}
}
