package sessions

import (
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

// warnEvery is how often a client is notified that a budget is used up: an event for each thing
// that is left out would push everything else out of the log.
const warnEvery = perch.Time(time.Minute / time.Millisecond)

// leftOut counts something that found no room, and tells the client and the log now and then.
func (s *Session) leftOut(what string, from perch.JID) {
	now := s.now()
	if now < s.budgetWarned+warnEvery && s.budgetWarned != 0 {
		s.m.o.Observer.Dropped(DroppedOverBudget, 1)
		return
	}
	s.budgetWarned = now
	s.m.log.Warn("session budget exhausted, leaving out the rest", "session", s.short(), "budget", what)
	s.dropped(perch.Dropped{Reason: DroppedOverBudget, From: from})
}

func messageCost(m *perch.MessageIn) int {
	if m == nil {
		return 0
	}
	return 512 + len(m.From) + len(m.To) + len(m.ID) + len(m.StanzaID) + len(m.Thread) + len(m.Subject) + len(m.Body)
}

func outCost(m *perch.MessageOut) int {
	return 512 + len(m.ID) + len(m.To) + len(m.Thread) + len(m.Subject) + len(m.Body)
}
