package sessions

import (
	"strings"
	"time"

	"github.com/perch-im/perch"
)

// The budgets of one session: what an upstream, or the client, can make it keep. They count
// estimates of memory, and hold in the Store too, which keeps the same rows.
// docs/operations.md lists them all.
const (
	maxRoster     = 50_000   // items
	rosterBytes   = 16 << 20 // items, their names and groups
	presenceBytes = 16 << 20 // presences with their resources, status texts aside
	statusBytes   = 4 << 20  // status texts
	nameBytes     = 4 << 20  // names and photo hashes that do not come from the roster
	invitedBytes  = 2 << 20  // invitations
	heldBytes     = 4 << 20  // messages that wait while the archive is read
	outboxBytes   = 8 << 20  // messages that wait to be sent
	cardsWaiting  = 8 << 20  // vCards that wait to be written
	unkeptMost    = 4096     // stanzas whose effects are not written yet: then no more are taken

	maxName    = 1 << 10 // bytes of a name or nickname
	maxHash    = 128     // bytes of a photo hash; SHA-1 in hex has 40
	maxHistory = 32      // steps in the history of a message
)

func messageCost(m *perch.MessageIn) int {
	if m == nil {
		return 0
	}
	return 512 + len(m.From) + len(m.To) + len(m.ID) + len(m.StanzaID) + len(m.Thread) + len(m.Subject) + len(m.Body) +
		m.MessageDetails.Size() + m.Relation.Size() + m.Room.Size()
}

func outCost(m *perch.MessageOut) int {
	return 512 + len(m.ID) + len(m.To) + len(m.Thread) + len(m.Subject) + len(m.Body) + m.Details.Size() + m.Relation.Size()
}

const (
	catchUpPage  = 50
	catchUpPages = 2000 // 100,000 messages; more than that is a gap

	archiveSlack = 600_000 // ms that the server's clock may be late

	loadTail    = 100  // events that are looked at for messages which may come again
	relatedTail = 2048 // events that are looked at, at most, for what was said of messages

	maxHeld = 1000 // live messages that wait while the archive is read
)

const (
	recallPage   = 256    // events that are read of the log at a time, backwards
	recallEvents = 10_000 // events that are read at most: as many as a log keeps by default

	// overlapEvents is how far back in the log the archive is compared with it in any case.
	overlapEvents = 100

	trimEvery = 5 * time.Minute // also how long, in the least, all is remembered after the archive was read
	trimSoon  = time.Minute     // while the table is large

	// flapTime is how long, in ms, all is remembered of a session whose streams never last as long as
	// trimEvery; of one that goes on like that it is what came within that time.
	flapTime = 60 * 60_000

	// freshTime is how long, in ms, after the archive was read a message may come live that was
	// in it.
	freshTime = 10_000
)

// cloned is a text that does not keep the stanza which it was read from.
func cloned[T ~string](s T) T { return T(strings.Clone(string(s))) }
