package occupants

import (
	"sync/atomic"
	"time"

	"github.com/perch-im/perch"
)

// How long after a member has asked for the list of a room no other one does.
const (
	refreshEvery = 30 * time.Second
	refreshFull  = 10 * time.Minute // of a room that has more than there is place for
)

// Handle is the part that one session has in a room. The methods that feed it, which are all but those
// of reading.go, are for the owner of the session alone; any goroutine may read.
type Handle struct {
	tables *Tables
	room   *room
	id     uint32
	member string
	table  atomic.Pointer[table] // changes under the lock of the one before

	// The rest is guarded by the lock of the table.

	own   string // key of the own nick; "": none is known
	in    bool   // the room has let the session in
	live  bool   // its stream brings what happens in the room
	left  bool
	lists uint32    // table.lists when it was live and in the room; less by one if it had the list before
	whole bool      // it had the whole list when it was last live, in this epoch of the table
	epoch uint32    // table.epoch then
	sees  bool      // it may see real addresses
	since uint32    // table.tick of the list that is read
	out   uint64    // table.leftOut then
	heard time.Time // of the last report while there was a dispute
	kept  bool      // it has reported a row while somebody else read a list, which keeps the row then
	wrote time.Time // of the last report that has changed what others have said
	born  uint32    // of the occupant that came last, as far as the session was told
}

// lock returns the table of the handle, locked.
func (h *Handle) lock() *table {
	for {
		t := h.table.Load()
		t.mu.Lock()
		if h.table.Load() == t {
			return t
		}
		t.mu.Unlock()
	}
}

func (h *Handle) rlock() *table {
	for {
		t := h.table.Load()
		t.mu.RLock()
		if h.table.Load() == t {
			return t
		}
		t.mu.RUnlock()
	}
}

// learns notes that the session was told of an occupant, and reports whether it came since. Occupants
// come in the order of the room, to the table as to each session.
func (h *Handle) learns(born uint32) bool {
	if born <= h.born {
		return false
	}
	h.born = born
	return true
}

// Begin says that a join is sent, and that the session is in no room until its own presence comes.
func (h *Handle) Begin() {
	t := h.lock()
	defer t.mu.Unlock()
	if h.left {
		return
	}
	if h.live {
		t.goes(h)
	}
	t.withdraw(h)
	t.become(h, true, false)
	if h.whole = false; len(t.members) == 1 {
		t.clear() // nobody has heard what happened since, nor will when a stream is resumed
	}
	t.begin(h)
}

// Refresh says that the list of a room that the session is in is asked for once more.
func (h *Handle) Refresh() {
	t := h.lock()
	defer t.mu.Unlock()
	if !h.left && h.live {
		t.begin(h)
	}
}

// Listed says that the list is over: the subject has come.
func (h *Handle) Listed() {
	t := h.lock()
	defer t.mu.Unlock()
	if h.left || !h.live || !h.in || h.since == 0 {
		return
	}
	t.hear(h)
	t.sweep(h.since)
	if h.since > t.doubt-1 {
		t.doubt = 0
	}
	t.ends(h)
	t.read = time.Now()
	if t.leftOut == h.out {
		t.over = false
	}
	t.version++
	t.lists++
	t.ready = t.present
}

// Suspend says that the stream is lost, and may be resumed. The session does not read meanwhile: the
// room may have removed it.
func (h *Handle) Suspend() {
	t := h.lock()
	defer t.mu.Unlock()
	if h.left || !h.live {
		return
	}
	t.goes(h)
	t.become(h, false, h.in)
	if t.live == 0 {
		t.asOf = perch.At(time.Now())
	}
	t.version++
}

// Resume says that a stream goes on in which the session is in the room with this nick, by this process
// or another one; "" while it has only sent the join. Of a list that was read when the stream was lost
// the rest comes now.
func (h *Handle) Resume(nick string) {
	t := h.lock()
	defer t.mu.Unlock()
	if h.left {
		return
	}
	t.version++
	t.become(h, true, h.in)
	if nick != "" {
		t.enter(h, perch.ResourceKey(nick))
	}
}

// ClaimRefresh reports whether this session should ask for the list again, because none of the room has
// it whole. Of all sessions one is told so, once in 30 seconds.
func (h *Handle) ClaimRefresh() bool {
	now := time.Now()
	t := h.lock()
	defer t.mu.Unlock()
	every := refreshEvery
	if t.ready > 0 && t.doubt == 0 { // a list was whole but for those who were too many
		every = refreshFull
	}
	if !h.reads() || h.since != 0 || t.whole() || !t.refresh.IsZero() && now.Sub(t.refresh) < every {
		return false
	}
	t.refresh = now
	return true
}

// SeeAddresses says whether the room shows the session the real addresses of all: it is not anonymous,
// or the session is a moderator.
func (h *Handle) SeeAddresses(yes bool) {
	t := h.lock()
	defer t.mu.Unlock()
	h.sees = yes
}

// Leave says that the session is not in the room any more, for whatever reason. The last one that leaves
// a room frees its table. The handle has nothing then.
func (h *Handle) Leave() {
	t := h.lock()
	if h.left {
		t.mu.Unlock()
		return
	}
	if h.live {
		t.goes(h)
	}
	t.ends(h)
	t.withdraw(h)
	t.become(h, false, false)
	h.left = true
	delete(t.members, h.id)
	if t.private {
		t.clear()
	} else if t.live == 0 {
		t.asOf = perch.At(time.Now())
	}
	t.mu.Unlock()
	h.tables.drop(h.room)
}
