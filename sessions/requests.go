package sessions

import (
	"context"
	"slices"

	"github.com/perch-im/perch"
)

func unsupported(what string) error {
	return perch.Errorf(perch.KindFeatureUnsupported, "this upstream cannot %s", what)
}

// online returns the connection for a request to the upstream that needs a capability.
// What the upstream cannot do is refused before anything is sent, also while offline.
func (s *Session) request(ctx context.Context, what string, can func(perch.Capabilities) bool) (conn Conn, err error) {
	err = s.callErr(ctx, func() error {
		switch {
		case can != nil && !can(s.caps):
			return unsupported(what)
		case s.link == nil || !s.link.live:
			return s.supervisor.errOffline()
		}
		conn = s.link.conn
		return nil
	})
	return conn, err
}

// send writes to the live connection. Only the owner calls it.
func (s *Session) send(out ...perch.Outbound) error {
	if s.link == nil || !s.link.live {
		return s.supervisor.errOffline()
	}
	for _, o := range out {
		if _, err := s.link.conn.Send(o); err != nil {
			return err
		}
	}
	return nil
}

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

// AddBuddy sets the roster item and asks for a subscription (RFC 6121, 3.1); it waits for
// the upstream. An Account is looked up first: a buddy is always added by JID. Created is
// false when the JID was in the roster; then only a missing subscription is asked for. Unless
// OneSided, an invitation of theirs that waits is accepted with it.
func (s *Session) AddBuddy(ctx context.Context, b NewBuddy) (buddy perch.Buddy, created bool, err error) {
	if b.JID == "" {
		if b.JID, err = s.LookupJID(ctx, b.Account); err != nil {
			return perch.Buddy{}, false, err
		}
	}
	b.JID = b.JID.Bare()
	conn, err := s.request(ctx, "", nil)
	if err != nil {
		return perch.Buddy{}, false, err
	}
	created, ask, err := s.wantBuddy(ctx, b)
	if err != nil {
		return perch.Buddy{}, false, err
	}
	if created {
		if err := conn.SetRosterItem(ctx, b.JID, b.Name, b.Groups); err != nil {
			s.post(func() { s.roster.unwantMutual(b.JID) })
			return perch.Buddy{}, false, err
		}
	}
	err = s.callErr(ctx, func() error {
		if err := s.askBuddy(b, ask); err != nil {
			return err
		}
		buddy = s.added(b, ask)
		return nil
	})
	return buddy, created, err
}

// askBuddy sends our request, and accepts theirs when it waits already.
func (s *Session) askBuddy(b NewBuddy, ask bool) error {
	to := b.JID
	if k := s.roster.contacts.get(b.JID); k != nil {
		to = k.buddy.JID
	}
	if ask {
		if err := s.send(&perch.SubscriptionOut{To: to, Type: "subscribe", Nick: b.Nick, Message: b.Message}); err != nil {
			return err
		}
	}
	i, invited := s.roster.invitation(b.JID)
	if !invited || b.OneSided {
		return nil
	}
	if err := s.send(&perch.SubscriptionOut{To: s.roster.invites[i].JID, Type: "subscribed"}); err != nil {
		return err
	}
	s.roster.closeInvitation(b.JID, perch.EventInvitationAccepted)
	return nil
}

// wantBuddy says what is to be done to have b, and notes whether it is mutual: their request
// may come as soon as ours is sent.
func (s *Session) wantBuddy(ctx context.Context, b NewBuddy) (create, ask bool, err error) {
	err = s.callErr(ctx, func() error {
		if b.JID.Equal(s.rec.JID.Bare()) {
			return perch.Invalid("/jid", "is the account itself")
		}
		k := s.roster.contacts.get(b.JID)
		create = k == nil
		ask = create || k.buddy.Ask == perch.AskNone && !seenByUs(k.buddy.Subscription)
		if b.OneSided {
			s.roster.endMutual(b.JID)
		} else if create || !seesUs(k.buddy.Subscription) {
			s.roster.wantMutual(b.JID)
		}
		return nil
	})
	return create, ask, err
}

// added is the answer: the item as the server has pushed it, or as it will be.
func (s *Session) added(b NewBuddy, asked bool) perch.Buddy {
	if k := s.roster.contacts.get(b.JID); k != nil {
		out := *k.shown()
		if asked && !seenByUs(out.Subscription) {
			out.Ask = perch.AskSubscribe
		}
		return out
	}
	return perch.Buddy{JID: b.JID, Name: b.Name, Groups: slices.Concat([]string{}, b.Groups),
		Subscription: perch.SubscriptionNone, Ask: perch.AskSubscribe, Mutual: !b.OneSided}
}

// UpdateBuddy renames; nil leaves a field as it is. It waits for the upstream.
func (s *Session) UpdateBuddy(ctx context.Context, jid perch.JID, name *string, groups *[]string) (perch.Buddy, error) {
	conn, err := s.request(ctx, "change a roster item", func(c perch.Capabilities) bool { return c.EditRoster })
	if err != nil {
		return perch.Buddy{}, err
	}
	var want perch.Buddy
	if err := s.callErr(ctx, func() error {
		k := s.roster.contacts.get(jid)
		if k == nil {
			return errNoBuddy
		}
		want = *k.buddy
		return nil
	}); err != nil {
		return perch.Buddy{}, err
	}
	if name != nil {
		want.Name = *name
	}
	if groups != nil {
		want.Groups = slices.Concat([]string{}, *groups)
	}
	if err := conn.SetRosterItem(ctx, want.JID, want.Name, want.Groups); err != nil {
		return perch.Buddy{}, err
	}
	return want, nil
}

// RemoveBuddy removes the item and both subscriptions (RFC 6121, 2.5). It waits for the
// upstream.
func (s *Session) RemoveBuddy(ctx context.Context, jid perch.JID) error {
	conn, err := s.request(ctx, "remove a roster item", func(c perch.Capabilities) bool { return c.EditRoster })
	if err != nil {
		return err
	}
	b, err := s.Buddy(jid)
	if err != nil {
		return err
	}
	return conn.RemoveRosterItem(ctx, b.JID)
}

// SetOwnPresence changes the availability of the account on this session. It is kept, and
// sent again at every login; while the link is lost it is sent at the next one.
func (s *Session) SetOwnPresence(ctx context.Context, p perch.OwnPresence) error {
	if !p.Show.Valid() {
		return perch.Invalid("/show", "must be away, chat, dnd, xa or null")
	}
	return s.callErr(ctx, func() error {
		if s.supervisor.state.state == perch.StateSuspended || s.closing {
			return s.supervisor.errOffline()
		}
		s.rec.Own = p
		s.idle.away = false
		s.saveRecord()
		if s.link != nil && s.link.live {
			return s.send(&perch.PresenceOut{OwnPresence: p})
		}
		return nil
	})
}

// SetChatState sends a chat state alone (XEP-0085); it is not kept for later.
func (s *Session) SetChatState(ctx context.Context, to perch.JID, state perch.ChatState) error {
	if !state.Valid() {
		return perch.Invalid("/state", "must be active, composing, paused, inactive or gone")
	}
	return s.callErr(ctx, func() error { return s.send(&perch.ChatStateOut{To: to, State: state}) })
}

// Archive asks the upstream for messages exchanged with one account. It waits for it.
func (s *Session) Archive(ctx context.Context, q perch.ArchiveQuery) (perch.ArchivePage, error) {
	conn, err := s.request(ctx, "keep an archive", func(c perch.Capabilities) bool { return c.Archive != "" })
	if err != nil {
		return perch.ArchivePage{}, err
	}
	page, err := conn.Archive(ctx, q)
	for _, it := range page.Items {
		s.rememberAddresses(it.From, it.To)
	}
	return page, err
}

// LookupJID asks the upstream for the JID of an account id. It waits for it.
func (s *Session) LookupJID(ctx context.Context, account string) (perch.JID, error) {
	conn, err := s.request(ctx, "look up a JID", func(c perch.Capabilities) bool { return c.LookupJID })
	if err != nil {
		return "", err
	}
	jid, err := conn.LookupJID(ctx, account)
	s.rememberAddresses(jid)
	return jid, aboutAccount(err, perch.JID(account), "the upstream has no such account")
}
