package sessions

import (
	"fmt"
	"sync"
	"time"
)

// LaterVersionError says that the Store has records of a later version than this program reads, of a
// session or of all. It comes as the cause of an error of a kind. What is stored is as it was: a node of
// that version reads it.
type LaterVersionError struct {
	Key    string // where the Store says so
	Record string // the kind of the records
	Stored int    // their version
	Reads  []int  // the versions that this program reads, ascending
	By     string // the version of Perch that was the first to write them; "" is not known
}

// Error implements error.
func (e *LaterVersionError) Error() string {
	by := ""
	if e.By != "" {
		by = " (perch " + e.By + ")"
	}
	return fmt.Sprintf("%s: version %d of %s%s, and this program reads %v", e.Key, e.Stored, e.Record, by, e.Reads)
}

// laterEvery is how often a line is written about sessions of a later version.
const laterEvery = time.Minute

// laterSessions counts the sessions that this node could not read.
type laterSessions struct {
	mu    sync.Mutex
	count int
	next  time.Time // of the next line
}

// add counts one, and reports whether a line about it is due.
func (l *laterSessions) add(now time.Time) (count int, due bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.count++
	if due = !now.Before(l.next); due {
		l.next = now.Add(laterEvery)
	}
	return l.count, due
}

// leaveLater leaves a session that this node cannot read to one that can: requests for it are passed on,
// and it is not adopted here for a while.
func (m *Manager) leaveLater(id ID, e *LaterVersionError) {
	if m.nodes != nil {
		m.nodes.leaveToOthers(id)
	}
	if count, due := m.routes.later.add(time.Now()); due {
		m.log.Warn("session is of a later version, leaving it to other nodes", "session", shortID(id), "key", e.Key,
			"record", e.Record, "version", e.Stored, "reads", e.Reads, "refused", count)
	}
}
