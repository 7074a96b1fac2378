package sessions

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strconv"

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

// Presences returns the presence of every buddy, sorted by JID, and a version: two answers with
// the same one are alike, also after a restart.
func (s *Session) Presences() (items []perch.Presence, version string, err error) {
	var v *rosterView
	if err := s.call(s.ctx, func() { v = s.roster.view() }); err != nil {
		return nil, "", err
	}
	items = make([]perch.Presence, 0, v.Len())
	for p := range v.presences() {
		items = append(items, p)
	}
	slices.SortFunc(items, func(a, b perch.Presence) int { return cmp.Compare(a.JID, b.JID) })
	return items, versionOf(items), nil
}

// versionOf is a hash of everything that the presences say.
func versionOf(items []perch.Presence) string {
	h := sha256.New()
	for i := range items {
		p := &items[i]
		text(h, string(p.JID), strconv.FormatBool(p.Available), p.Show.String(), strconv.Itoa(int(p.Priority)),
			strconv.FormatBool(p.Stale), p.Status, p.UpdatedAt.String())
		for _, r := range p.Resources {
			text(h, r.Resource, r.Show.String(), strconv.Itoa(int(r.Priority)), r.Status, r.UpdatedAt.String())
		}
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:16])
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
		if s.conn.Online() {
			return s.conn.Send(&perch.PresenceOut{OwnPresence: p})
		}
		return nil
	})
}
