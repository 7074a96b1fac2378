package sessions

import (
	"slices"

	"github.com/perch-im/perch"
)

// NewBuddy is what POST /v1/buddies asks for; JID or Account is set.
type NewBuddy struct {
	JID     perch.JID
	Account string
	Name    string
	Groups  []string
	Message string
	Nick    string
	// OneSided keeps their own request, when it comes, among the invitations. Without it
	// adding is mutual: the request is accepted by itself.
	OneSided bool
}

// want returns what is to be done to have b, and notes whether it is mutual: their request
// may come as soon as ours is sent.
func (ro *roster) want(b NewBuddy) (create, ask bool, err error) {
	if b.JID.Equal(ro.host.record().JID.Bare()) {
		return false, false, perch.Invalid("/jid", "is the account itself")
	}
	k := ro.contacts.Get(b.JID)
	create = k == nil
	ask = create || k.Buddy.Ask == perch.AskNone && !seenByUs(k.Buddy.Subscription)
	if b.OneSided {
		ro.endMutual(b.JID)
	} else if create || !seesUs(k.Buddy.Subscription) {
		ro.wantMutual(b.JID)
	}
	return create, ask, nil
}

// subscribe sends our request, and accepts theirs when it waits already.
func (ro *roster) subscribe(b NewBuddy, ask bool) error {
	to := b.JID
	if k := ro.contacts.Get(b.JID); k != nil {
		to = k.Buddy.JID
	}
	if ask {
		if err := ro.host.Send(&perch.SubscriptionOut{To: to, Type: "subscribe", Nick: b.Nick, Message: b.Message}); err != nil {
			return err
		}
	}
	i, invited := ro.invitation(b.JID)
	if !invited || b.OneSided {
		return nil
	}
	return ro.respond(ro.invites[i].JID, perch.EventInvitationAccepted, &perch.SubscriptionOut{To: ro.invites[i].JID, Type: "subscribed"})
}

// added is the answer to who adds b: the item as the server has pushed it, or as it will be.
func (ro *roster) added(b NewBuddy, asked bool) perch.Buddy {
	if k := ro.contacts.Get(b.JID); k != nil {
		out := k.View()
		if asked && !seenByUs(out.Subscription) {
			out.Ask = perch.AskSubscribe
		}
		return out
	}
	return perch.Buddy{JID: b.JID, Name: b.Name, Groups: slices.Concat([]string{}, b.Groups),
		Subscription: perch.SubscriptionNone, Ask: perch.AskSubscribe, Mutual: !b.OneSided}
}

// respond sends the answer to an invitation, and closes it.
func (ro *roster) respond(jid perch.JID, typ perch.EventType, out ...perch.Outbound) error {
	if err := ro.host.Send(out...); err != nil {
		return err
	}
	ro.closeInvitation(jid, typ)
	return nil
}

// pending finds an invitation that can be answered now.
func (ro *roster) pending(jid perch.JID) (perch.Invitation, error) {
	i, ok := ro.invitation(jid)
	switch {
	case !ok:
		return perch.Invitation{}, perch.Errorf(perch.KindNotFound, "there is no pending invitation from this JID")
	case !ro.host.Online():
		return perch.Invitation{}, ro.host.errOffline()
	}
	return *ro.invites[i], nil
}
