package occupants

import (
	"cmp"
	"math/rand/v2"
	"sync"
	"sync/atomic"

	"github.com/perch-im/perch"
)

// Options of the tables of a node. A zero field is its default.
type Options struct {
	MaxRoom      int   // occupants of one room; 20,000
	MaxRoomBytes int64 // what they may take, by estimate; 16 MiB
	MaxBytes     int64 // what all may take; 128 MiB
	// Unshared is told of each room that contradicts itself, by a goroutine that feeds, which holds no
	// lock. nil: nobody is told.
	Unshared func(upstream string, room perch.JID)
}

// Tables are the occupants of all rooms of a node. Any goroutine may use them.
type Tables struct {
	o      Options
	nextID atomic.Uint32

	mu    sync.Mutex // of rooms and their references
	rooms map[place]*room

	occupants, bytes, unshared atomic.Int64
	leftOut, contradictions    atomic.Uint64
}

// place names a room by the key of its JID; that of two upstreams are two.
type place struct {
	upstream string
	room     perch.JID
}

// room is what its sessions share.
type room struct {
	place
	refs   int // sessions that are in it
	shared *table
}

// Stats are the figures of all tables.
type Stats struct {
	Rooms          int
	Unshared       int    // of them, those that are not shared
	Occupants      int    // rows
	Bytes          int64  // by estimate
	LeftOut        uint64 // reports of occupants for which there was no place
	Contradictions uint64 // rooms that were found to contradict themselves
}

// New returns tables without a room.
func New(o Options) *Tables {
	o.MaxRoom = cmp.Or(o.MaxRoom, 20_000)
	o.MaxRoomBytes = cmp.Or(o.MaxRoomBytes, 16<<20)
	o.MaxBytes = cmp.Or(o.MaxBytes, 128<<20)
	return &Tables{o: o, rooms: map[place]*room{}}
}

// Join gives a session its part of a room, which it must leave. Member names the session: two handles
// of one member never contradict each other. The handle is of no use before Begin or Resume.
func (ts *Tables) Join(upstream string, jid perch.JID, member string) *Handle {
	at := place{upstream, jid.Bare().Key()}
	ts.mu.Lock()
	r := ts.rooms[at]
	if r == nil {
		r = &room{place: at, shared: newTable(ts, false)}
		ts.rooms[at] = r
	}
	r.refs++
	ts.mu.Unlock()
	h := &Handle{tables: ts, room: r, id: ts.nextID.Add(1), member: member}
	t := r.shared
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.split {
		t = newTable(ts, true) // nobody else knows it
	}
	t.members[h.id] = h
	h.table.Store(t)
	return h
}

// drop ends a reference; the last one frees the room.
func (ts *Tables) drop(r *room) {
	ts.mu.Lock()
	r.refs--
	last := r.refs == 0
	if last {
		delete(ts.rooms, r.place)
	}
	ts.mu.Unlock()
	if !last {
		return
	}
	r.shared.mu.Lock()
	defer r.shared.mu.Unlock()
	r.shared.clear()
	if r.shared.split {
		ts.unshared.Add(-1)
	}
}

// Stats returns the figures as they are now.
func (ts *Tables) Stats() Stats {
	ts.mu.Lock()
	n := len(ts.rooms)
	ts.mu.Unlock()
	return Stats{
		Rooms: n, Unshared: int(ts.unshared.Load()), Occupants: int(ts.occupants.Load()), Bytes: ts.bytes.Load(),
		LeftOut: ts.leftOut.Load(), Contradictions: ts.contradictions.Load(),
	}
}

func newTable(ts *Tables, private bool) *table {
	return &table{tables: ts, id: rand.Uint64(), private: private, attendance: attendance{members: map[uint32]*Handle{}}}
}
