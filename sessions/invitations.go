package sessions

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/contacts"
)

// Invitations returns the pending requests, sorted by the key of the JID.
func (s *Session) Invitations() ([]perch.Invitation, error) {
	list := []perch.Invitation{}
	if err := s.call(s.ctx, func() {
		for _, i := range s.roster.invites {
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
	err = s.awaitRoster(ctx, inv.JID, func(k *contacts.Contact) bool {
		a.Subscription, a.Ask = perch.SubscriptionNone, perch.AskNone
		if k != nil {
			a.Subscription, a.Ask = k.Buddy.Subscription, k.Buddy.Ask
		}
		return seesUs(a.Subscription) && (!asked || a.Ask == perch.AskSubscribe || seenByUs(a.Subscription))
	})
	return a, err
}

// acceptInvitation is AcceptInvitation without the wait for the roster. Asked says that a
// request of our own was sent with it.
func (s *Session) acceptInvitation(ctx context.Context, jid perch.JID, o AcceptOptions) (inv perch.Invitation, ask bool, err error) {
	var set bool
	var conn Conn
	err = s.callErr(ctx, func() (err error) {
		if inv, err = s.roster.pending(jid); err != nil {
			return err
		}
		conn = s.conn.link.conn
		k := s.roster.contacts.Get(jid)
		ask = o.Reciprocate && !(k != nil && seenByUs(k.Buddy.Subscription)) && (k == nil || k.Buddy.Ask == perch.AskNone)
		set = o.Reciprocate && (k == nil || s.conn.caps.EditRoster && o.Name != "")
		return nil
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
	return inv, ask, s.callErr(ctx, func() error {
		return s.roster.respond(inv.JID, perch.EventInvitationAccepted, out...)
	})
}

// DeclineInvitation refuses (RFC 6121, 3.2). Errors as of AcceptInvitation.
func (s *Session) DeclineInvitation(ctx context.Context, jid perch.JID) (inv perch.Invitation, err error) {
	err = s.callErr(ctx, func() (err error) {
		if inv, err = s.roster.pending(jid); err != nil {
			return err
		}
		return s.roster.respond(inv.JID, perch.EventInvitationDeclined, &perch.SubscriptionOut{To: inv.JID, Type: "unsubscribed"})
	})
	return inv, err
}

// awaitRoster waits until done is true of an item. It asks at once, after each change of
// the item, and a last time when ctx ends, which is no error. Done runs in the owner.
func (s *Session) awaitRoster(ctx context.Context, jid perch.JID, done func(*contacts.Contact) bool) error {
	w := &rosterWait{jid, done, make(chan struct{})}
	met := false
	lasting := context.WithoutCancel(ctx)
	if err := s.call(lasting, func() {
		if met = done(s.roster.contacts.Get(jid)); !met {
			s.roster.waits = append(s.roster.waits, w)
		}
	}); err != nil || met {
		return err
	}
	select {
	case <-w.met:
		return nil
	case <-ctx.Done():
	case <-s.ctx.Done():
	}
	return s.call(lasting, func() {
		s.roster.waits = slices.DeleteFunc(s.roster.waits, func(x *rosterWait) bool { return x == w })
		done(s.roster.contacts.Get(jid))
	})
}
