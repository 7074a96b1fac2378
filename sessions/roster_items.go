package sessions

import (
	"cmp"
	"slices"

	"github.com/perch-im/perch"
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
	ro.contacts = slices.Grow(ro.contacts, max(0, len(r.Items)-len(ro.contacts)))
	// In order, a large roster is appended and not inserted item by item.
	slices.SortStableFunc(r.Items, func(a, b perch.Buddy) int { return cmp.Compare(a.JID, b.JID) })
	ro.use.short = false
	have := make(map[perch.JID]struct{}, len(r.Items))
	for _, b := range r.Items {
		have[b.JID.Key()] = struct{}{}
		ro.putBuddy(b, silent)
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
	for _, k := range slices.Clone(ro.contacts) {
		if _, ok := have[k.key()]; !ok {
			ro.removeBuddy(k.buddy.JID)
		}
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

// putBuddy keeps an item; a change is an event unless silent. An invitation from a contact
// who may see us now was accepted on another device. While there is an item its JID keeps
// the spelling in which it first came: clients know the buddy by it.
func (ro *roster) putBuddy(b perch.Buddy, silent bool) {
	var old *perch.Buddy
	if k := ro.contacts.get(b.JID); k != nil {
		old, b.JID = k.buddy, k.buddy.JID
	}
	b.Mutual = ro.staysMutual(old, &b)
	item := ro.compact(b)
	if old != nil && sameBuddy(old, item) {
		return
	}
	if !ro.fitBuddy(old, item) {
		return
	}
	k, _ := ro.contacts.put(item)
	put(&ro.journal.Change().Roster, buddyKey, item)
	if !silent {
		ro.journal.Durable(perch.EventRosterItem, k.view())
	}
	ro.rosterChanged(item.JID)
	if item.Subscription == perch.SubscriptionFrom || item.Subscription == perch.SubscriptionBoth {
		ro.closeInvitation(item.JID, perch.EventInvitationAccepted)
	}
}

// removeBuddy ends an item, and with it what is known of its presence.
func (ro *roster) removeBuddy(jid perch.JID) {
	k := ro.contacts.get(jid)
	if k == nil {
		return
	}
	ro.forgetUse(k)
	key := string(k.key())
	jid = k.buddy.JID
	ro.contacts.remove(jid)
	c := ro.journal.Change()
	del(&c.Roster, buddyKey, key)
	del(&c.Presence, presenceKey, key)
	ro.host.rememberAddress(jid) // it may be added again
	ro.journal.Durable(perch.EventRosterRemoved, perch.Removed{JID: jid})
	ro.rosterChanged(jid)
}

// compact shares the strings of a buddy with other sessions.
func (ro *roster) compact(b perch.Buddy) *perch.Buddy {
	b.JID = perch.JID(ro.words.one(string(b.JID)))
	groups := slices.Sorted(slices.Values(b.Groups))
	b.Groups = ro.words.list(slices.Compact(groups))
	b.Subscription = max(b.Subscription, perch.SubscriptionNone)
	return &b
}
