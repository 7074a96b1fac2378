package sessions

import (
	"context"

	"github.com/perch-im/perch"
)

// Presence returns what is known of a buddy, from the cache only; KindItemNotFound for a JID
// that is not in the roster.
func (s *Session) Presence(jid perch.JID) (perch.Presence, error) {
	var p perch.Presence
	err := s.callErr(s.ctx, func() error {
		k := s.roster.contacts.Get(jid)
		if k == nil {
			return errNoBuddy
		}
		p = s.roster.view().presence(k)
		return nil
	})
	return p, err
}

// Presences returns the presence of every buddy as it is now.
func (s *Session) Presences() (*PresenceList, error) {
	l := &PresenceList{}
	return l, s.call(s.ctx, func() { l.view = s.roster.view() })
}

// OwnPresence is the availability that the account wants to have.
func (s *Session) OwnPresence() (p perch.OwnPresence, err error) {
	err = s.call(s.ctx, func() { p = s.state.Own })
	return p, err
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
		var err error
		if s.conn.Online() {
			err = s.conn.Send(&perch.PresenceOut{OwnPresence: p})
		}
		if x := roomsOf(s); x != nil {
			x.ownPresenceChanged(p, 0)
		}
		return err
	})
}
