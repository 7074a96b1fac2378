package sessions

import (
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/contacts"
)

// recount counts what is in memory, after it was loaded.
func (ro *roster) recount() {
	ro.use = usage{}
	for k := range ro.contacts.All() {
		ro.use.roster += buddyCost(&k.Buddy)
		ro.use.names += nameCost(k)
		shape, texts := presenceCost(k.Presence)
		ro.use.presence += shape
		ro.use.status += texts
	}
	for _, i := range ro.invites {
		ro.use.invited += invitationCost(i)
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

func nameCost(k *contacts.Contact) int { return len(k.CardName) + len(k.Photo) + len(k.Nick) }

func invitationCost(i *perch.Invitation) int {
	return 128 + len(i.JID) + len(i.Nick) + len(i.Message)
}

// fitPresence is next as far as the budgets let it be stored: without its texts, or not at all
// (false).
func (ro *roster) fitPresence(old, next *perch.Presence) (*perch.Presence, bool) {
	shape, texts := presenceCost(next)
	wasShape, wasTexts := presenceCost(old)
	if shape > wasShape && ro.use.presence+shape-wasShape > presenceBytes {
		ro.host.overBudget("presence", next.JID)
		return nil, false
	}
	if texts > wasTexts && ro.use.status+texts-wasTexts > statusBytes {
		ro.host.overBudget("status", next.JID)
		bare := *next
		bare.Status, bare.Resources = "", make([]perch.Resource, len(next.Resources))
		for i, r := range next.Resources {
			r.Status = ""
			bare.Resources[i] = r
		}
		next, texts = &bare, 0
	}
	ro.use.presence += shape - wasShape
	ro.use.status += texts - wasTexts
	return next, true
}

// fitBuddy reports whether an item, in place of old (nil: none) and beside n in all, is within
// the budgets, and counts it then.
func (ro *roster) fitBuddy(old, next *perch.Buddy, n int) bool {
	more := buddyCost(next) - buddyCost(old)
	if old == nil && n >= maxRoster || more > 0 && ro.use.roster+more > rosterBytes {
		ro.use.short = true
		ro.host.overBudget("roster", next.JID)
		return false
	}
	ro.use.roster += more
	return true
}

// forgetUse gives back what a contact has used.
func (ro *roster) forgetUse(k *contacts.Contact) {
	shape, texts := presenceCost(k.Presence)
	ro.use.roster -= buddyCost(&k.Buddy)
	ro.use.presence -= shape
	ro.use.status -= texts
	ro.use.names -= nameCost(k)
}

// setText replaces the photo hash, the card's name or the nickname of a contact, if there is room, and reports
// whether that is another one then.
func (ro *roster) setText(k *contacts.Contact, old *string, text string, most int) bool {
	more := len(text) - len(*old)
	if len(text) > most || more > 0 && ro.use.names+more > nameBytes {
		ro.host.overBudget("names", k.Buddy.JID)
		return false
	}
	if *old == text {
		return false
	}
	ro.use.names += more
	*old = text
	return true
}
