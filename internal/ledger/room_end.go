package ledger

import (
	"slices"
	"sync"
	"time"
)

// roomOps are the entries that say what became of messages in rooms.
var roomOps = []Op{OpWorld, OpRoom, OpSay, OpPost, OpStatus, OpHear, OpRoomRecv, OpRoomRead, OpRoomGap, OpRoomIs, OpLeave, OpEnter, OpFault, OpState}

// roomTally keeps the entries of rooms while the history is written.
type roomTally struct {
	mu   sync.Mutex
	list []Entry
}

func (t *roomTally) watch(e Entry) {
	if slices.Contains(roomOps, e.Op) {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.list = append(t.list, e)
	}
}

// missing is how many messages of the rooms' archives are not with the clients.
func (t *roomTally) missing(archives []Entry) int {
	t.mu.Lock()
	list := slices.Concat(t.list, archives)
	t.mu.Unlock()
	r := &Report{Statuses: map[string]int{}}
	checkRooms(r, list, faultsIn(list))
	return len(r.Rooms.Lost)
}

// settleRooms reads the archives of the rooms, past the gateways, until every client has what they have or
// nothing comes any more, and has the last reading written down.
func (w *world) settleRooms() {
	w.t.Helper()
	if len(w.load.rooms.list) == 0 {
		return
	}
	w.until(arriving, func() bool { return w.load.rooms.waiting() == 0 })
	least, moved := -1, time.Now()
	for begun := time.Now(); w.ctx.Err() == nil; w.wait(time.Second) {
		w.readRooms()
		n := w.load.rooms.tally.missing(w.load.rooms.said)
		if least < 0 || n < least {
			least, moved = n, time.Now()
		}
		if n == 0 || time.Since(moved) > w.o.Patience || time.Since(begun) > longest {
			break
		}
	}
	for _, e := range w.load.rooms.said {
		w.history.add(e)
	}
}

// readRooms reads the archives of the rooms as an account of the server does.
func (w *world) readRooms() {
	w.t.Helper()
	w.load.rooms.said = nil
	for _, r := range w.load.rooms.list {
		if !r.archive {
			continue
		}
		w.python.auditRoom(w.receivers[0], r)
		if reason := w.awaitAudit(r.name); reason != "" {
			w.t.Fatalf("ledger: the archive of %s could not be read: %s", r.name, reason)
		}
		w.load.rooms.said = append(w.load.rooms.said, Entry{Op: OpAudited, Who: r.name})
	}
}

// auditRoom asks for all that is in the archive of a room.
func (f *foreign) auditRoom(as person, r *room) {
	f.command(map[string]string{"cmd": "audit", "who": r.name, "jid": as.JID, "password": as.Password, "room": r.jid})
}
