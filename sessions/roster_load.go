package sessions

import (
	"context"
	"slices"

	"github.com/perch-im/perch"
)

// load takes over what the Store has. It runs before the owner.
func (ro *roster) load(v *Saved) {
	for _, b := range v.Roster {
		ro.contacts.put(ro.compact(*b))
	}
	for _, p := range v.Presence {
		if k := ro.contacts.get(p.JID); k != nil {
			k.presence = ro.compactPresence(*p)
		}
	}
	for _, i := range v.Invitations {
		n, ok := ro.invitation(i.JID)
		if ok {
			continue
		}
		ro.invites = append(ro.invites[:n:n], append([]*perch.Invitation{i}, ro.invites[n:]...)...)
	}
}

// compactPresence shares the strings of a stored presence; until the next login it is stale.
func (ro *roster) compactPresence(p perch.Presence) *perch.Presence {
	p.JID, p.Status = perch.JID(ro.words.one(string(p.JID))), ro.words.one(p.Status)
	rs := make([]perch.Resource, len(p.Resources))
	for i, r := range p.Resources {
		r.Resource, r.Status = ro.words.one(r.Resource), ro.words.one(r.Status)
		rs[i] = r
	}
	slices.SortFunc(rs, compareResources)
	p.Resources, p.Stale = rs, true
	return &p
}

// respell moves rows that an earlier version stored under the text of a JID to their place
// under its key.
func (ro *roster) respell(v *Saved) {
	c := ro.journal.Change()
	respellRows(&c.Roster, v.Roster, func(b *perch.Buddy) perch.JID { return b.JID })
	respellRows(&c.Presence, v.Presence, func(p *perch.Presence) perch.JID { return p.JID })
	respellRows(&c.Invitations, v.Invitations, func(i *perch.Invitation) perch.JID { return i.JID })
}

func respellRows[T any](d *Delta[T], rows []*T, jid func(*T) perch.JID) {
	for _, row := range rows {
		if j := jid(row); j.Key() != j {
			d.Del, d.Put = append(d.Del, string(j)), append(d.Put, row)
		}
	}
}

const loadNames = 500 // vCards that are looked at for names, at most

// loadNames reads the vCards of buddies without a name. They are a courtesy: an error only
// leaves the names out.
func (ro *roster) loadNames(ctx context.Context) {
	n := 0
	for i := range ro.contacts {
		if k := &ro.contacts[i]; k.buddy.Name == "" && n < loadNames {
			n++
			if card, err := ro.cards.VCard(ctx, ro.id, k.buddy.JID); err == nil {
				k.name = wordOf(cardName(card))
			}
		}
	}
}
