package sessions

import (
	"context"
	"slices"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/contacts"
)

// load takes over what the Store has. It runs before the owner. Until the next login all presence
// is stale.
func (ro *roster) load(ctx context.Context, v *Saved) {
	if ro.setContacts(v.Contacts); v.OldRows {
		ro.setContacts(resorted(v.Contacts))
		ro.loadNames(ctx)
	}
	ro.fresh.lost()
	for _, i := range v.Invitations {
		n, ok := ro.invitation(i.JID)
		if ok {
			continue
		}
		ro.invites = append(ro.invites[:n:n], append([]*perch.Invitation{i}, ro.invites[n:]...)...)
	}
}

// resorted is a table of what an earlier version has written, in the order of this one.
func resorted(t contacts.Table) contacts.Table {
	list := make([]*contacts.Contact, 0, t.Len())
	for c := range t.All() {
		k := *c
		normalize(&k.Buddy)
		if k.Presence != nil {
			p := *k.Presence
			p.Resources = slices.SortedFunc(slices.Values(p.Resources), compareResources)
			k.Presence = &p
		}
		list = append(list, &k)
	}
	return contacts.Of(list)
}

// respell writes rows of an earlier version anew: those that it stored in another form, and those
// under the text of a JID instead of its key.
func (ro *roster) respell(v *Saved) {
	c := ro.journal.Change()
	if v.OldRows {
		c.Contacts.Replace(ro.contacts)
	}
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

// loadNames reads the vCards of buddies without a name, whose rows of an earlier version do not
// have that of the card. They are a courtesy: an error only leaves the names out.
func (ro *roster) loadNames(ctx context.Context) {
	n := 0
	for k := range ro.contacts.All() {
		if k.Buddy.Name == "" && n < loadNames {
			n++
			if card, err := ro.cards.VCard(ctx, ro.id, k.Buddy.JID); err == nil {
				k.CardName = cardName(card)
				ro.setContacts(ro.contacts.Put(k))
			}
		}
	}
}
