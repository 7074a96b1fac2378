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

// usage is what a session keeps, by the budgets above.
type usage struct {
	roster, presence, status, names, invited int

	short bool // an item of the roster found no room

	warned perch.Time // when the client was last told that something was left out
}

// warnEvery is how often a client is told that a budget is used up: an event for each thing
// that is left out would push everything else out of the log.
const warnEvery = perch.Time(time.Minute / time.Millisecond)

// leftOut counts something that found no room, and tells the client and the log now and then.
func (s *Session) leftOut(what string, from perch.JID) {
	now := s.now()
	if now < s.use.warned+warnEvery && s.use.warned != 0 {
		s.m.o.Observer.Dropped(DroppedOverBudget, 1)
		return
	}
	s.use.warned = now
	s.m.log.Warn("a budget of a session is used up; what goes beyond is left out", "session", s.short(), "budget", what)
	s.dropped(perch.Dropped{Reason: DroppedOverBudget, From: from})
}

// recount finds out what is kept, after it was loaded.
func (s *Session) recount() {
	s.use = usage{warned: s.use.warned}
	for i := range s.contacts {
		k := &s.contacts[i]
		s.use.roster += buddyCost(k.buddy)
		s.use.names += k.wordCost()
		shape, texts := presenceCost(k.presence)
		s.use.presence += shape
		s.use.status += texts
	}
	for _, i := range s.invites {
		s.use.invited += invitationCost(i)
	}
}

func buddyCost(b *perch.Buddy) int {
	if b == nil {
		return 0
	}
	n := 192 + len(b.JID) + len(b.Name)
	for _, g := range b.Groups {
		n += 16 + len(g)
	}
	return n
}

// presenceCost is the memory of a presence, and of the texts in it.
func presenceCost(p *perch.Presence) (shape, texts int) {
	if p == nil {
		return 0, 0
	}
	shape = 128
	for i := range p.Resources {
		shape += 80 + len(p.Resources[i].Resource)
		texts += len(p.Resources[i].Status)
	}
	if len(p.Resources) == 0 {
		texts = len(p.Status)
	}
	return shape, texts
}

func (c *contact) wordCost() int { return len(c.name.String()) + len(c.photo.String()) }

func invitationCost(i *perch.Invitation) int {
	return 128 + len(i.JID) + len(i.Nick) + len(i.Message)
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

// fitPresence is next as far as the budgets let it be kept: without its texts, or not at all
// (false).
func (s *Session) fitPresence(old, next *perch.Presence) (*perch.Presence, bool) {
	shape, texts := presenceCost(next)
	wasShape, wasTexts := presenceCost(old)
	if shape > wasShape && s.use.presence+shape-wasShape > presenceBytes {
		s.leftOut("presence", next.JID)
		return nil, false
	}
	if texts > wasTexts && s.use.status+texts-wasTexts > statusBytes {
		s.leftOut("status", next.JID)
		bare := *next
		bare.Status, bare.Resources = "", make([]perch.Resource, len(next.Resources))
		for i, r := range next.Resources {
			r.Status = ""
			bare.Resources[i] = r
		}
		next, texts = &bare, 0
	}
	s.use.presence += shape - wasShape
	s.use.status += texts - wasTexts
	return next, true
}

// fitBuddy reports whether an item, in place of old (nil: none), is within the budgets, and
// counts it then.
func (s *Session) fitBuddy(old, next *perch.Buddy) bool {
	more := buddyCost(next) - buddyCost(old)
	if old == nil && len(s.contacts) >= maxRoster || more > 0 && s.use.roster+more > rosterBytes {
		s.use.short = true
		s.leftOut("roster", next.JID)
		return false
	}
	s.use.roster += more
	return true
}

// forgetUse gives back what a contact has used.
func (s *Session) forgetUse(k *contact) {
	shape, texts := presenceCost(k.presence)
	s.use.roster -= buddyCost(k.buddy)
	s.use.presence -= shape
	s.use.status -= texts
	s.use.names -= k.wordCost()
}

// setWord replaces one of the words of a contact, if there is room.
func (s *Session) setWord(k *contact, w *word, text string, most int) bool {
	if more := len(text) - len(w.String()); len(text) > most || more > 0 && s.use.names+more > nameBytes {
		s.leftOut("names", k.buddy.JID)
		return false
	} else {
		s.use.names += more
	}
	*w = wordOf(text)
	return true
}
