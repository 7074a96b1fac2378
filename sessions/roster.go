package sessions

import (
	"cmp"
	"slices"

	"github.com/perch-im/perch"
)

// rosterHost is what the roster needs of the session that it belongs to.
type rosterHost interface {
	owner
	sender
	// errOffline is why the stream cannot be used.
	errOffline() error
	// stream is the connection in use; nil: there is none.
	stream() *link
	// record is the stored state of the session; saveRecord commits it as it is then.
	record() *Record
	saveRecord()
	// rememberAddress notes an address that the server gave.
	rememberAddress(jid perch.JID)
	// leftOut counts what found no room in a budget, and says so to the client now and then.
	leftOut(budget string, from perch.JID)
	// dropped makes an event of what is left out, and counts it; countDropped only counts.
	dropped(d perch.Dropped)
	countDropped(reason string, n int)
	// rosterMissing says in the log why the roster could not be fetched.
	rosterMissing(reason string)
}

// roster is the part of a session that keeps its contacts: roster items (RFC 6121, 2), the
// presence of buddies (4), and the requests of strangers (3).
type roster struct {
	host    rosterHost
	journal journal
	words   *interner
	cards   cardStore
	id      ID // of the session

	contacts contacts
	invites  []*perch.Invitation // sorted by the key of the JID
	settling *settling           // nil: the presence is settled
	mutual   []perch.JID         // see wantMutual
	waits    []*rosterWait
	served   bool // a client was shown the state before the first roster
	use      usage
}

// applyRoster takes the roster of a login over: what differs from the cached one is
// emitted, and nothing else. The first roster of a session is no news, unless a client has
// been shown the empty one.
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
	quiet := !ro.host.record().RosterKnown && !ro.served
	ro.contacts = slices.Grow(ro.contacts, max(0, len(r.Items)-len(ro.contacts)))
	// In order, a large roster is appended and not inserted item by item.
	slices.SortStableFunc(r.Items, func(a, b perch.Buddy) int { return cmp.Compare(a.JID, b.JID) })
	ro.use.short = false
	have := make(map[perch.JID]struct{}, len(r.Items))
	for _, b := range r.Items {
		have[b.JID.Key()] = struct{}{}
		ro.putBuddy(b, quiet)
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

// putBuddy keeps an item; a change is an event unless quiet. An invitation from a contact
// who may see us now was accepted on another device. While there is an item its JID keeps
// the spelling in which it first came: clients know the buddy by it.
func (ro *roster) putBuddy(b perch.Buddy, quiet bool) {
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
	if !quiet {
		ro.journal.Durable(perch.EventRosterItem, k.shown())
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

// apply implements part.
func (ro *roster) apply(in perch.Inbound, _ *link) bool {
	switch in := in.(type) {
	case *perch.PresenceIn:
		ro.applyPresence(in)
	case *perch.PresenceError:
		ro.applyPresenceError(in)
	case *perch.SubscriptionIn:
		ro.applySubscription(in)
	case *perch.RosterPush:
		ro.applyPush(in)
	default:
		return false
	}
	return true
}

// seesUs reports whether a contact may see our presence.
func (ro *roster) seesUs(jid perch.JID) bool {
	k := ro.contacts.get(jid.Bare())
	return k != nil && seesUs(k.buddy.Subscription)
}

// snapshot is the roster and the pending invitations, as clients see them.
func (ro *roster) snapshot() ([]*perch.Buddy, []*perch.Invitation) {
	ro.served = true
	list := make([]*perch.Buddy, len(ro.contacts))
	for i := range ro.contacts {
		list[i] = ro.contacts[i].shown()
	}
	return list, append([]*perch.Invitation{}, ro.invites...)
}

// presences is what is known of every buddy.
func (ro *roster) presences() []*perch.Presence {
	list := make([]*perch.Presence, len(ro.contacts))
	for i := range ro.contacts {
		list[i] = ro.presenceOf(&ro.contacts[i])
	}
	return list
}

// writeAll puts everything into a commit that begins the tables anew.
func (ro *roster) writeAll(c *Commit) {
	for i := range ro.contacts {
		k := &ro.contacts[i]
		c.Roster.Put = append(c.Roster.Put, k.buddy)
		if k.presence != nil {
			c.Presence.Put = append(c.Presence.Put, k.presence)
		}
	}
	c.Invitations.Put = append(c.Invitations.Put, ro.invites...)
}
