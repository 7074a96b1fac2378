package sessions

import (
	"context"
	"slices"

	"github.com/perch-im/perch"
)

// request returns the connection for a request to the upstream; see connection.requestConn.
func (s *Session) request(ctx context.Context, what string, can func(perch.Capabilities) bool) (conn Conn, err error) {
	err = s.callErr(ctx, func() (err error) {
		conn, err = s.conn.requestConn(what, can)
		return err
	})
	return conn, err
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
	ask := false
	if err := s.callErr(ctx, func() (err error) {
		created, ask, err = s.roster.want(b)
		return err
	}); err != nil {
		return perch.Buddy{}, false, err
	}
	if created {
		if err := conn.SetRosterItem(ctx, b.JID, b.Name, b.Groups); err != nil {
			s.post(func() { s.roster.unwantMutual(b.JID) })
			return perch.Buddy{}, false, err
		}
	}
	err = s.callErr(ctx, func() error {
		if err := s.roster.subscribe(b, ask); err != nil {
			return err
		}
		buddy = s.roster.added(b, ask)
		return nil
	})
	return buddy, created, err
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

// SetOwnPresence changes the availability of the account on this session. It is stored, and
// sent again at every login; while the link is lost it is sent at the next one.
func (s *Session) SetOwnPresence(ctx context.Context, p perch.OwnPresence) error {
	if !p.Show.Valid() {
		return perch.Invalid("/show", "must be away, chat, dnd, xa or null")
	}
	return s.callErr(ctx, func() error {
		if s.supervisor.state.state == perch.StateSuspended || s.closing {
			return s.supervisor.errOffline()
		}
		s.state.Own = p
		s.idle.away = false
		s.state.saveRecord()
		if s.conn.Online() {
			return s.conn.Send(&perch.PresenceOut{OwnPresence: p})
		}
		return nil
	})
}

// SetChatState sends a chat state alone (XEP-0085); it is not stored for later.
func (s *Session) SetChatState(ctx context.Context, to perch.JID, state perch.ChatState) error {
	if !state.Valid() {
		return perch.Invalid("/state", "must be active, composing, paused, inactive or gone")
	}
	return s.callErr(ctx, func() error { return s.conn.Send(&perch.ChatStateOut{To: to, State: state}) })
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
