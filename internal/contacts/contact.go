package contacts

import (
	"cmp"
	"slices"

	"github.com/perch-im/perch"
)

// Contact is an item of a roster (RFC 6121, 2) with what is known of its owner. One that a Table
// gave belongs to the caller; its texts, but for the JID, are parts of a chunk and keep that in
// memory: what lives longer than a call clones them.
type Contact struct {
	Buddy    perch.Buddy
	Presence *perch.Presence // nil: never received
	Photo    string          // hash of the photo that a presence named last (XEP-0153); "" = none
	CardName string          // name in the cached vCard (XEP-0054); "" = none
	Nick     string          // nickname that they give themselves (XEP-0172); "" = none
}

// Key is the key of the JID, by which a Table is sorted.
func (c *Contact) Key() perch.JID { return c.Buddy.JID.Key() }

// View is the item as clients see it: without a name in the roster it has the nickname, or else the name of the
// vCard.
func (c *Contact) View() perch.Buddy {
	b := c.Buddy
	b.Name, b.Nick = cmp.Or(b.Name, c.Nick, c.CardName), c.Nick
	return b
}

// Aggregate makes the presence of a contact from those of its resources: the one with the highest
// priority speaks, the latest one among equals (RFC 6121, 4.7.2.3). Gone is the status of a
// contact that has no resource any more, at is when this was said.
func Aggregate(jid perch.JID, list []perch.Resource, gone string, at perch.Time) *perch.Presence {
	p := &perch.Presence{JID: jid, Resources: list, UpdatedAt: at}
	if p.Resources == nil {
		p.Resources = []perch.Resource{}
	}
	p.Available, p.Show, p.Status, p.Priority = speaks(list, gone)
	return p
}

func speaks(list []perch.Resource, gone string) (available bool, show perch.Show, status string, priority int8) {
	if len(list) == 0 {
		return false, perch.ShowNone, gone, 0
	}
	best := &list[0]
	for i := range list[1:] {
		if r := &list[i+1]; r.Priority > best.Priority || r.Priority == best.Priority && r.UpdatedAt > best.UpdatedAt {
			best = r
		}
	}
	return true, best.Show, best.Status, best.Priority
}

// equal reports whether two contacts say the same.
func (c *Contact) equal(d *Contact) bool {
	a, b := &c.Buddy, &d.Buddy
	return a.JID == b.JID && a.Name == b.Name && a.Subscription == b.Subscription && a.Ask == b.Ask &&
		a.Approved == b.Approved && a.Mutual == b.Mutual && slices.Equal(a.Groups, b.Groups) &&
		c.Photo == d.Photo && c.CardName == d.CardName && c.Nick == d.Nick && samePresence(c.Presence, d.Presence)
}

func samePresence(p, q *perch.Presence) bool {
	if p == nil || q == nil {
		return p == q
	}
	return p.JID == q.JID && p.Available == q.Available && p.Show == q.Show && p.Priority == q.Priority && p.Stale == q.Stale &&
		p.Status == q.Status && p.UpdatedAt == q.UpdatedAt && slices.Equal(p.Resources, q.Resources)
}
