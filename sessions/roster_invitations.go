package sessions

import (
	"cmp"
	"slices"

	"github.com/perch-im/perch"
)

// maxInvitations bounds what strangers can make us keep. Servers repeat a request at the
// next login, so one that finds no room is not lost.
const maxInvitations = 1000

func (ro *roster) invitation(jid perch.JID) (int, bool) {
	return slices.BinarySearchFunc(ro.invites, jid.Key(), func(i *perch.Invitation, j perch.JID) int { return cmp.Compare(i.JID.Key(), j) })
}

// applySubscription keeps requests and their end (RFC 6121, 3). What becomes of our own
// requests is said by roster pushes.
func (ro *roster) applySubscription(in *perch.SubscriptionIn) {
	switch in.Type {
	case "subscribe":
		ro.invited(in)
	case "unsubscribe":
		ro.closeInvitation(in.From.Bare(), perch.EventInvitationCancelled)
	}
}

// invited keeps a request. A server repeats it at every login until it is answered, some
// without the nickname: a repetition that adds nothing is no event. The request of a buddy
// whom we asked ourselves is accepted without one.
func (ro *roster) invited(in *perch.SubscriptionIn) {
	jid := in.From.Bare()
	if ro.acceptMutual(jid) {
		return
	}
	i, ok := ro.invitation(jid)
	next := &perch.Invitation{JID: jid, Nick: clipTo(in.Nick, maxName), Message: clip(in.Message), ReceivedAt: ro.host.now()}
	switch {
	case ok:
		old := ro.invites[i]
		next.Nick, next.Message = cmp.Or(next.Nick, old.Nick), cmp.Or(next.Message, old.Message)
		next.JID, next.ReceivedAt = old.JID, old.ReceivedAt
		more := invitationCost(next) - invitationCost(old)
		if *next == *old || !ro.fitInvitation(jid, more) {
			return
		}
		ro.invites[i] = next
	case !ro.fitInvitation(jid, invitationCost(next)):
		return
	default:
		ro.invites = slices.Insert(ro.invites, i, next)
	}
	put(&ro.journal.Change().Invitations, invitationKey, next)
	ro.journal.Durable(perch.EventInvitationReceived, next)
}

// fitInvitation reports whether there is room for one, or for a longer one, and counts it then.
func (ro *roster) fitInvitation(jid perch.JID, more int) bool {
	_, known := ro.invitation(jid)
	if !known && len(ro.invites) >= maxInvitations || more > 0 && ro.use.invited+more > invitedBytes {
		ro.host.overBudget("invitations", jid)
		return false
	}
	ro.use.invited += more
	return true
}

// closeInvitation ends a pending request, if there is one, with an event of this type.
func (ro *roster) closeInvitation(jid perch.JID, typ perch.EventType) {
	i, ok := ro.invitation(jid)
	if !ok {
		return
	}
	inv := ro.invites[i]
	ro.use.invited -= invitationCost(inv)
	ro.invites = slices.Delete(ro.invites, i, i+1)
	del(&ro.journal.Change().Invitations, invitationKey, invitationKey(inv))
	ro.host.rememberAddress(inv.JID)
	ro.journal.Durable(typ, inv)
}
