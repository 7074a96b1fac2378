package sessions

import (
	"cmp"
	"slices"

	"github.com/perch-im/perch"
)

// applyRoster takes the roster of a login over: what differs from the cached one is
// emitted, and nothing else. The first roster of a session is no news to anybody, unless
// a client has been shown the empty one.
func (s *Session) applyRoster(r perch.RosterResult) {
	state := ""
	if r.LeftOut > 0 {
		s.m.o.Observer.Dropped(DroppedOverBudget, r.LeftOut)
		state = RosterPartial
	}
	if r.Unchanged {
		state = s.rec.RosterState // as it was: no version is kept of one that is not whole
	}
	if r.Unchanged {
		s.rosterIs(state)
		return
	}
	quiet := !s.rec.RosterKnown && !s.handed
	s.contacts = slices.Grow(s.contacts, max(0, len(r.Items)-len(s.contacts)))
	// In order, a large roster is appended and not inserted item by item.
	slices.SortStableFunc(r.Items, func(a, b perch.Buddy) int { return cmp.Compare(a.JID, b.JID) })
	s.use.short = false
	have := make(map[perch.JID]struct{}, len(r.Items))
	for _, b := range r.Items {
		have[b.JID.Key()] = struct{}{}
		s.putBuddy(b, quiet)
	}
	if s.use.short {
		state = RosterPartial
	}
	if s.rosterIs(state); state != "" {
		return // who is not here may be among those that were left out
	}
	if r.Version != s.rec.RosterVersion {
		s.rec.RosterVersion = r.Version
		s.saveRecord()
	}
	for _, k := range slices.Clone(s.contacts) {
		if _, ok := have[k.key()]; !ok {
			s.removeBuddy(k.buddy.JID)
		}
	}
}

// applyPush is one changed item (RFC 6121, 2.1.6).
func (s *Session) applyPush(in *perch.RosterPush) {
	if in.Version != "" && in.Version != s.rec.RosterVersion && s.rec.RosterState == "" {
		s.rec.RosterVersion = in.Version
		s.saveRecord()
	}
	if in.Item.Subscription == perch.SubscriptionRemove {
		s.removeBuddy(in.Item.JID)
		return
	}
	s.use.short = false
	if s.putBuddy(in.Item, false); s.use.short {
		s.rosterIs(RosterPartial)
	}
}

// putBuddy keeps an item; a change is an event unless quiet. An invitation from somebody
// who may see us now was accepted on another device. While there is an item its JID keeps
// the spelling in which it first came: clients know the buddy by it.
func (s *Session) putBuddy(b perch.Buddy, quiet bool) {
	var old *perch.Buddy
	if k := s.contacts.get(b.JID); k != nil {
		old, b.JID = k.buddy, k.buddy.JID
	}
	b.Mutual = s.staysMutual(old, &b)
	item := s.m.compact(b)
	if old != nil && sameBuddy(old, item) {
		return
	}
	if !s.fitBuddy(old, item) {
		return
	}
	k, _ := s.contacts.put(item)
	put(&s.log.Change().Roster, buddyKey, item)
	if !quiet {
		s.log.Durable(perch.EventRosterItem, k.shown())
	}
	s.rosterChanged(item.JID)
	if item.Subscription == perch.SubscriptionFrom || item.Subscription == perch.SubscriptionBoth {
		s.closeInvitation(item.JID, perch.EventInvitationAccepted)
	}
}

// removeBuddy ends an item, and with it what is known of its presence.
func (s *Session) removeBuddy(jid perch.JID) {
	k := s.contacts.get(jid)
	if k == nil {
		return
	}
	s.forgetUse(k)
	key := string(k.key())
	jid = k.buddy.JID
	s.contacts.remove(jid)
	c := s.log.Change()
	del(&c.Roster, buddyKey, key)
	del(&c.Presence, presenceKey, key)
	s.rememberAddress(jid) // it may be added again
	s.log.Durable(perch.EventRosterRemoved, perch.Removed{JID: jid})
	s.rosterChanged(jid)
}
