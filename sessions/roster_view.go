package sessions

import (
	"cmp"
	"slices"

	"github.com/perch-im/perch"
)

// seesUs reports whether a contact may see our presence.
func (ro *roster) seesUs(jid perch.JID) bool {
	k := ro.contacts.get(jid.Bare())
	return k != nil && seesUs(k.buddy.Subscription)
}

// snapshot is the roster and the pending invitations, as clients see them.
func (ro *roster) snapshot() ([]*perch.Buddy, []*perch.Invitation) {
	ro.snapshotServed = true
	list := make([]*perch.Buddy, len(ro.contacts))
	for i := range ro.contacts {
		list[i] = ro.contacts[i].view()
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

// presenceOf is never nil: a buddy that has never sent one is not there.
func (ro *roster) presenceOf(k *contact) *perch.Presence {
	if k.presence != nil {
		return k.presence
	}
	p := absent(k.buddy.JID)
	p.Stale = ro.host.stream() == nil
	return p
}

// page appends the buddies of a page to items, and reports whether there are more behind it.
func (ro *roster) page(q BuddyQuery, items []perch.Buddy) ([]perch.Buddy, bool) {
	from := 0
	if q.After != "" {
		i, found := slices.BinarySearchFunc(ro.contacts, perch.JID(q.After), func(k contact, key perch.JID) int { return cmp.Compare(k.key(), key) })
		if from = i; found {
			from++
		}
	}
	for i := range ro.contacts[from:] {
		b := ro.contacts[from+i].view()
		if q.Match != nil && !q.Match(b) {
			continue
		}
		if q.Limit > 0 && len(items) == q.Limit {
			return items, true
		}
		items = append(items, *b)
	}
	return items, false
}

// BuddyQuery says which buddies a page has.
type BuddyQuery struct {
	After string                  // key of the last buddy of the page before (perch.JID.Key); "" = from the beginning
	Limit int                     // 0 = all
	Match func(*perch.Buddy) bool // nil = all; the owner calls it, so it must not wait
}
