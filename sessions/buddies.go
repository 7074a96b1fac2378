package sessions

import (
	"context"
	"slices"

	"github.com/perch-im/perch"
)

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
		if s.blocking.blocks(b.JID) {
			return errBlocked
		}
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
		k := s.roster.contacts.Get(jid)
		if k == nil {
			return errNoBuddy
		}
		want = k.Buddy
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

// Buddies returns the roster, sorted by the key of the JID. A buddy without a name in the roster
// has that of its cached vCard. Like every read of a session, it gives an error once the session
// has ended or moved, and never an empty answer.
func (s *Session) Buddies() ([]perch.Buddy, error) {
	items, _, err := s.BuddyPage(BuddyQuery{})
	if err != nil {
		return nil, err
	}
	buddies := make([]perch.Buddy, len(items))
	for i := range items {
		buddies[i] = items[i].Buddy
	}
	return buddies, nil
}

// defaultPage is how many buddies there is room for, at first, in a page without a limit.
const defaultPage = 64

// BuddyPage is Buddies for a part of the roster, and reports whether there are more behind it.
func (s *Session) BuddyPage(q BuddyQuery) (items []BuddyItem, more bool, err error) {
	var v *rosterView
	if err := s.call(s.ctx, func() {
		s.roster.snapshotServed = true
		v = s.roster.view()
	}); err != nil {
		return nil, false, err
	}
	items, more = v.page(q, make([]BuddyItem, 0, min(v.Len(), max(q.Limit, defaultPage))))
	return items, more, nil
}

// Buddy returns one roster item; KindItemNotFound if there is none.
func (s *Session) Buddy(jid perch.JID) (perch.Buddy, error) {
	var b perch.Buddy
	err := s.callErr(s.ctx, func() error {
		k := s.roster.contacts.Get(jid)
		if k == nil {
			return errNoBuddy
		}
		b = k.View()
		return nil
	})
	return b, err
}
