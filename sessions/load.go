package sessions

import (
	"context"

	"github.com/perch-im/perch"
)

const loadTail = 100 // events that are looked at for messages which may come again

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
	s.roster.load(v)
	if s.rec.RosterKnown {
		s.supervisor.state.state = perch.StateReconnecting
		s.m.count(s)
	}
	if err := s.out.load(ctx, v.Outbox); err != nil {
		return err
	}
	s.roster.loadNames(ctx, s.m.o.Store, s.id)
	s.roster.recount()
	if v.Stale {
		s.writeAll() // until then the next owner has to distrust it too
	} else {
		s.roster.respell(v)
	}
	return s.loadTail(ctx, v.Tip)
}

// loadTail remembers the last messages of the log: a server whose stream is resumed after
// a crash may send them again. It also finds how long the session was offline when the
// process could not record that.
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
	s.catchup.known.merge(read)
	return nil
}
