package sessions

import (
	"context"
	"slices"

	"github.com/perch-im/perch"
)

const (
	loadNames = 500 // vCards that are looked at for names, at most
	loadTail  = 100 // events that are looked at for messages which may come again
)

// load takes over what the Store has. It runs before the owner, and may wait.
func (s *Session) load(ctx context.Context, v *Saved) error {
	s.log.reset(v)
	s.rec = v.Record
	if v.Stale {
		s.distrust(v)
	}
	if s.rec.JID == "" && !s.rec.RosterKnown {
		s.rec.Own.Available = true
	}
	if s.rec.JID != "" {
		s.m.admit(s, s.rec.JID, true)
	}
	for _, b := range v.Roster {
		s.contacts.put(s.m.compact(*b))
	}
	for _, p := range v.Presence {
		if k := s.contacts.get(p.JID); k != nil {
			k.presence = s.m.compactPresence(*p)
		}
	}
	for _, i := range v.Invitations {
		n, ok := s.invitation(i.JID)
		if ok {
			continue
		}
		s.invites = append(s.invites[:n:n], append([]*perch.Invitation{i}, s.invites[n:]...)...)
	}
	if s.rec.RosterKnown {
		s.state.state = perch.StateReconnecting
		s.m.count(s)
	}
	if err := s.out.load(ctx, v.Outbox); err != nil {
		return err
	}
	s.loadNames(ctx)
	s.recount()
	if v.Stale {
		s.writeAll() // until then the next owner has to distrust it too
	} else {
		s.respell(v)
	}
	return s.loadTail(ctx, v.Tip)
}

// respell moves rows that an earlier version kept under the text of a JID to their place
// under its key.
func (s *Session) respell(v *Saved) {
	c := s.log.Change()
	respellRows(&c.Roster, v.Roster, func(b *perch.Buddy) perch.JID { return b.JID })
	respellRows(&c.Presence, v.Presence, func(p *perch.Presence) perch.JID { return p.JID })
	respellRows(&c.Invitations, v.Invitations, func(i *perch.Invitation) perch.JID { return i.JID })
}

func respellRows[T any](d *Delta[T], rows []*T, jid func(*T) perch.JID) {
	for _, row := range rows {
		if j := jid(row); j.Key() != j {
			d.Del, d.Put = append(d.Del, string(j)), append(d.Put, row)
		}
	}
}

// loadNames reads the vCards of buddies without a name. They are a courtesy: an error only
// leaves the names out.
func (s *Session) loadNames(ctx context.Context) {
	n := 0
	for i := range s.contacts {
		if k := &s.contacts[i]; k.buddy.Name == "" && n < loadNames {
			n++
			if card, err := s.m.o.Store.VCard(ctx, s.id, k.buddy.JID); err == nil {
				k.name = wordOf(cardName(card))
			}
		}
	}
}

// loadTail remembers the last messages of the log: a server whose stream is resumed after
// a crash may send them again. It also tells how long we were away when nobody could
// write it down.
func (s *Session) loadTail(ctx context.Context, tip uint64) error {
	if tip == 0 {
		return nil
	}
	page, err := s.m.o.Store.Log(ctx, s.id, tip-min(tip, loadTail), loadTail)
	if err != nil {
		return err
	}
	if n := len(page.Events); n > 0 && s.rec.RosterKnown && s.rec.OfflineSince == 0 {
		s.rec.OfflineSince = page.Events[n-1].Time // it was online until the process died
	}
	read, _ := identitiesOf(page.Events, s.rec.JID, tip)
	s.known.merge(read)
	return nil
}

// compactPresence shares the strings of a kept presence; until the next login it is stale.
func (m *Manager) compactPresence(p perch.Presence) *perch.Presence {
	p.JID, p.Status = perch.JID(m.words.one(string(p.JID))), m.words.one(p.Status)
	rs := make([]perch.Resource, len(p.Resources))
	for i, r := range p.Resources {
		r.Resource, r.Status = m.words.one(r.Resource), m.words.one(r.Status)
		rs[i] = r
	}
	slices.SortFunc(rs, compareResources)
	p.Resources, p.Stale = rs, true
	return &p
}
