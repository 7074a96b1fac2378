package sessions

import (
	"cmp"
	"slices"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/contacts"
)

// applyRoster takes the roster of a login over: what differs from the cached one is
// made an event, and nothing else. The first roster of a session is none, unless a client has
// been given the empty one.
func (ro *roster) applyRoster(r perch.RosterResult) {
	state := ""
	if r.LeftOut > 0 {
		ro.host.countDropped(DroppedOverBudget, r.LeftOut)
		state = RosterPartial
	}
	if r.Unchanged {
		state = ro.host.record().RosterState // as it was: a partial one is stored without a version
	}
	if r.Unchanged {
		ro.rosterIs(state)
		return
	}
	silent := !ro.host.record().RosterKnown && !ro.snapshotServed
	slices.SortStableFunc(r.Items, func(a, b perch.Buddy) int { return cmp.Compare(a.JID, b.JID) })
	ro.use.short = false
	if silent && ro.contacts.Len() == 0 {
		ro.fill(r.Items)
	} else {
		for _, b := range r.Items {
			ro.putBuddy(b, silent)
		}
	}
	if ro.use.short {
		state = RosterPartial
	}
	if ro.rosterIs(state); state != "" {
		return // who is not here may be among those that were left out
	}
	if r.Version != ro.host.record().RosterVersion {
		ro.host.record().RosterVersion = r.Version
		ro.host.saveRecord()
	}
	have := make(map[perch.JID]struct{}, len(r.Items))
	for _, b := range r.Items {
		have[b.JID.Key()] = struct{}{}
	}
	for k := range ro.contacts.All() {
		if !has(have, k.Key()) {
			ro.removeBuddy(k.Buddy.JID)
		}
	}
}

// fill takes the items of a first roster into the empty table, all at once.
func (ro *roster) fill(items []perch.Buddy) {
	list := make(map[perch.JID]*contacts.Contact, len(items))
	var order []*contacts.Contact
	for _, b := range items {
		k := list[b.JID.Key()]
		item, ok := ro.accept(k, len(order), b)
		switch {
		case !ok:
		case k == nil:
			k = &contacts.Contact{Buddy: item}
			list[k.Key()], order = k, append(order, k)
		default:
			k.Buddy = item
		}
	}
	ro.setContacts(contacts.Of(order))
	ro.journal.Change().Contacts.Replace(ro.contacts)
	for _, k := range order {
		ro.itemChanged(&k.Buddy)
	}
}

// applyPush is one changed item (RFC 6121, 2.1.6).
func (ro *roster) applyPush(in *perch.RosterPush) {
	if in.Version != "" && in.Version != ro.host.record().RosterVersion && ro.host.record().RosterState == "" {
		ro.host.record().RosterVersion = in.Version
		ro.host.saveRecord()
	}
	if in.Item.Subscription == perch.SubscriptionRemove {
		ro.removeBuddy(in.Item.JID)
		return
	}
	ro.use.short = false
	if ro.putBuddy(in.Item, false); ro.use.short {
		ro.rosterIs(RosterPartial)
	}
}

// putBuddy keeps an item; a change is an event unless silent.
func (ro *roster) putBuddy(b perch.Buddy, silent bool) {
	k := ro.contacts.Get(b.JID)
	item, ok := ro.accept(k, ro.contacts.Len(), b)
	if !ok {
		return
	}
	if k == nil {
		k = &contacts.Contact{}
	}
	k.Buddy = item
	ro.keep(k)
	if !silent {
		ro.journal.Durable(perch.EventRosterItem, k.View())
	}
	ro.itemChanged(&item)
}

// accept makes of an item what is stored in place of that of k (nil: there is none), beside n in
// all; false: nothing is. While there is an item its JID keeps the spelling in which it first
// came: clients know the buddy by it.
func (ro *roster) accept(k *contacts.Contact, n int, b perch.Buddy) (perch.Buddy, bool) {
	var old *perch.Buddy
	if k != nil {
		old, b.JID = &k.Buddy, k.Buddy.JID
	}
	b.Mutual = ro.staysMutual(old, &b)
	normalize(&b)
	if old != nil && sameBuddy(old, &b) {
		return b, false
	}
	return b, ro.fitBuddy(old, &b, n)
}

// itemChanged tells who waits for it. An invitation from a contact who may see us now was
// accepted on another device.
func (ro *roster) itemChanged(item *perch.Buddy) {
	ro.rosterChanged(item.JID)
	if seesUs(item.Subscription) {
		ro.closeInvitation(item.JID, perch.EventInvitationAccepted)
	}
}

// removeBuddy ends an item, and with it what is known of its presence.
func (ro *roster) removeBuddy(jid perch.JID) {
	k := ro.contacts.Get(jid)
	if k == nil {
		return
	}
	ro.forgetUse(k)
	jid = k.Buddy.JID
	ro.drop(jid)
	ro.host.rememberAddress(jid) // it may be added again
	ro.journal.Durable(perch.EventRosterRemoved, perch.Removed{JID: jid})
	ro.rosterChanged(jid)
}

// normalize makes items alike that say the same: groups have no order (RFC 6121, 2.1.2.6).
func normalize(b *perch.Buddy) {
	groups := append([]string{}, b.Groups...) // for JSON no null
	slices.Sort(groups)
	b.Groups = slices.Compact(groups)
	b.Subscription = max(b.Subscription, perch.SubscriptionNone)
}
