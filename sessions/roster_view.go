package sessions

import "github.com/perch-im/perch"

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
