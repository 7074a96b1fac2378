package sessions

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/perch-im/perch"
)

// maxInvitations bounds what strangers can make us keep. Servers repeat a request at the
// next login, so one that finds no room is not lost.
const maxInvitations = 1000

func (s *Session) invitation(jid perch.JID) (int, bool) {
	return slices.BinarySearchFunc(s.invites, jid.Key(), func(i *perch.Invitation, j perch.JID) int { return cmp.Compare(i.JID.Key(), j) })
}

// applySubscription keeps requests and their end (RFC 6121, 3). What becomes of our own
// requests is said by roster pushes.
func (s *Session) applySubscription(in *perch.SubscriptionIn) {
	switch in.Type {
	case "subscribe":
		s.invited(in)
	case "unsubscribe":
		s.closeInvitation(in.From.Bare(), perch.EventInvitationCancelled)
	}
}

// invited keeps a request. A server repeats it at every login until it is answered, some
// without the nickname: a repetition that adds nothing is no event. The request of a buddy
// whom we asked ourselves is accepted without one.
func (s *Session) invited(in *perch.SubscriptionIn) {
	jid := in.From.Bare()
	if s.acceptMutual(jid) {
		return
	}
	i, ok := s.invitation(jid)
	next := &perch.Invitation{JID: jid, Nick: clipTo(in.Nick, maxName), Message: clip(in.Message), ReceivedAt: s.now()}
	switch {
	case ok:
		old := s.invites[i]
		next.Nick, next.Message = cmp.Or(next.Nick, old.Nick), cmp.Or(next.Message, old.Message)
		next.JID, next.ReceivedAt = old.JID, old.ReceivedAt
		more := invitationCost(next) - invitationCost(old)
		if *next == *old || !s.fitInvitation(jid, more) {
			return
		}
		s.invites[i] = next
	case !s.fitInvitation(jid, invitationCost(next)):
		return
	default:
		s.invites = slices.Insert(s.invites, i, next)
	}
	put(&s.log.Change().Invitations, invitationKey, next)
	s.log.Durable(perch.EventInvitationReceived, next)
}

// fitInvitation reports whether there is room for one, or for a longer one, and counts it then.
func (s *Session) fitInvitation(jid perch.JID, more int) bool {
	_, known := s.invitation(jid)
	if !known && len(s.invites) >= maxInvitations || more > 0 && s.use.invited+more > invitedBytes {
		s.leftOut("invitations", jid)
		return false
	}
	s.use.invited += more
	return true
}

// closeInvitation ends a pending request, if there is one, with an event of this type.
func (s *Session) closeInvitation(jid perch.JID, typ perch.EventType) {
	i, ok := s.invitation(jid)
	if !ok {
		return
	}
	inv := s.invites[i]
	s.use.invited -= invitationCost(inv)
	s.invites = slices.Delete(s.invites, i, i+1)
	del(&s.log.Change().Invitations, invitationKey, invitationKey(inv))
	s.rememberAddress(inv.JID)
	s.log.Durable(typ, inv)
}

// Invitations returns the pending requests, sorted by the key of the JID.
func (s *Session) Invitations() ([]perch.Invitation, error) {
	list := []perch.Invitation{}
	if err := s.turn(s.ctx, func() {
		for _, i := range s.invites {
			list = append(list, *i)
		}
	}); err != nil {
		return nil, err
	}
	return list, nil
}

// AcceptOptions of an invitation.
type AcceptOptions struct {
	Name        string   // of the new roster item; "" = the nickname that came with the request
	Groups      []string // of the new roster item
	Reciprocate bool     // ask for the buddy's presence as well
}

// Accepted is an invitation that was accepted, with what the roster then says of who sent it.
type Accepted struct {
	perch.Invitation
	Subscription perch.Subscription
	Ask          perch.Ask
}

// acceptTime is how long the answer to an invitation waits for the roster to show it.
const acceptTime = 2 * time.Second

// AcceptInvitation lets the one who asked see our presence (RFC 6121, 3.1.5). With
// Reciprocate it waits for the upstream to take the roster item. It returns when the roster
// shows what was accepted and asked for, or after a while with what the roster shows then.
// KindNotFound: there is no such request; KindSessionOffline: there is no stream.
func (s *Session) AcceptInvitation(ctx context.Context, jid perch.JID, o AcceptOptions) (Accepted, error) {
	inv, asked, err := s.acceptInvitation(ctx, jid, o)
	a := Accepted{Invitation: inv}
	if err != nil {
		return a, err
	}
	ctx, cancel := context.WithTimeout(ctx, acceptTime)
	defer cancel()
	err = s.awaitRoster(ctx, inv.JID, func(k *contact) bool {
		a.Subscription, a.Ask = perch.SubscriptionNone, perch.AskNone
		if k != nil {
			a.Subscription, a.Ask = k.buddy.Subscription, k.buddy.Ask
		}
		return seesUs(a.Subscription) && (!asked || a.Ask == perch.AskSubscribe || seenByUs(a.Subscription))
	})
	return a, err
}

// acceptInvitation is AcceptInvitation without the wait for the roster. Asked says that a
// request of our own was sent with it.
func (s *Session) acceptInvitation(ctx context.Context, jid perch.JID, o AcceptOptions) (inv perch.Invitation, ask bool, err error) {
	var set bool
	conn, err := s.invitedBy(ctx, jid, &inv, func() {
		k := s.contacts.get(jid)
		ask = o.Reciprocate && !(k != nil && seenByUs(k.buddy.Subscription)) && (k == nil || k.buddy.Ask == perch.AskNone)
		set = o.Reciprocate && (k == nil || s.caps.EditRoster && o.Name != "")
	})
	if err != nil {
		return inv, false, err
	}
	if set {
		if err := conn.SetRosterItem(ctx, inv.JID, cmp.Or(o.Name, inv.Nick), o.Groups); err != nil {
			return inv, false, err
		}
	}
	out := []perch.Outbound{&perch.SubscriptionOut{To: inv.JID, Type: "subscribed"}}
	if ask {
		out = append(out, &perch.SubscriptionOut{To: inv.JID, Type: "subscribe"})
	}
	return inv, ask, s.answer(ctx, inv.JID, perch.EventInvitationAccepted, out)
}

// DeclineInvitation refuses (RFC 6121, 3.2). Errors as of AcceptInvitation.
func (s *Session) DeclineInvitation(ctx context.Context, jid perch.JID) (perch.Invitation, error) {
	var inv perch.Invitation
	if _, err := s.invitedBy(ctx, jid, &inv, func() {}); err != nil {
		return inv, err
	}
	out := []perch.Outbound{&perch.SubscriptionOut{To: inv.JID, Type: "unsubscribed"}}
	return inv, s.answer(ctx, inv.JID, perch.EventInvitationDeclined, out)
}

// invitedBy finds the request and the connection to answer it on, in one turn with more.
func (s *Session) invitedBy(ctx context.Context, jid perch.JID, inv *perch.Invitation, more func()) (conn Conn, err error) {
	terr := s.turn(ctx, func() {
		i, ok := s.invitation(jid)
		switch {
		case !ok:
			err = perch.Errorf(perch.KindNotFound, "there is no pending invitation from this JID")
		case s.link == nil || !s.link.live:
			err = s.errOffline()
		default:
			*inv, conn = *s.invites[i], s.link.conn
			more()
		}
	})
	if terr != nil {
		return nil, terr
	}
	return conn, err
}

// answer sends and closes the request in one turn.
func (s *Session) answer(ctx context.Context, jid perch.JID, typ perch.EventType, out []perch.Outbound) error {
	return s.change(ctx, func() error {
		if err := s.send(out...); err != nil {
			return err
		}
		s.closeInvitation(jid, typ)
		return nil
	})
}
