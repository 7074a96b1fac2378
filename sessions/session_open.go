package sessions

import (
	"context"
	"errors"
	"time"

	"github.com/perch-im/perch"
)

// open loads what is stored and starts the owner. It runs in a goroutine of its own.
func (s *Session) open() {
	ctx, cancel := context.WithTimeout(s.ctx, s.m.settings().OpenTimeout)
	defer cancel()
	saved, adopted, err := s.m.acquire(ctx, s.id)
	if err == nil {
		s.report.acquired(saved, adopted, s.m.Self().ID)
		err = s.load(ctx, saved)
	}
	if s.opening.loaded != nil {
		s.opening.loaded()
	}
	if err != nil {
		if later, ok := errors.AsType[*LaterVersionError](err); ok {
			s.m.leaveLater(s.id, later)
		} else if s.m.nodes != nil && perch.KindOf(storeError(err)) == perch.KindStorageUnavailable {
			s.m.nodes.tryAgain()
		}
		s.cancel()
		s.m.remove(s) // first: who waits for it must not find it again
		s.opening.finish(storeError(err))
		close(s.done)
		s.m.wg.Done()
		return
	}
	wait := s.m.settings().OpenTimeout
	if s.state.RosterKnown {
		wait = min(wait, knownWait)
	}
	s.opening.timer = s.after(wait, s.openingOver)
	s.post(s.supervisor.connectNow)
	s.post(s.keepRecord)
	s.runner.start()
}

// load takes over what the Store has. It runs before the owner, and may wait.
func (s *Session) load(ctx context.Context, v *Saved) error {
	s.log.reset(v)
	s.state.Record = v.Record
	if v.Stale {
		s.state.distrust(v)
	}
	s.conn.fast.restore()
	if s.state.JID == "" && !s.state.RosterKnown {
		s.state.Own.Available = true
		s.state.Unstreamed = true
		if !s.state.UsesRooms { // no client has said anything of rooms
			s.state.Rooms = s.cred.upstream.Rooms
		}
	}
	if s.state.JID != "" {
		s.m.admit(s, s.state.JID, true)
	}
	if s.state.RosterKnown {
		s.supervisor.state.state = perch.StateReconnecting
		s.stateChanged()
	}
	if v.Record.Conversations != nil {
		listConversations(s)
	}
	if len(v.Rooms) > 0 || s.state.Rooms != RoomsManual || s.state.UsesRooms {
		useRooms(s)
	}
	if len(v.Readers) > 0 {
		useReaders(s)
	}
	for _, p := range s.parts {
		if err := p.restore(ctx, v); err != nil {
			return err
		}
	}
	if v.Stale {
		s.writeAll() // until then the next owner has to distrust it too
	}
	return nil
}

// touchEvery is well below the time after which a Store may drop a record.
const touchEvery = 12 * time.Hour

// keepRecord writes the record now and then, so that a session in which nothing happens does
// not expire in the Store.
func (s *Session) keepRecord() {
	s.touch = s.after(touchEvery, func() {
		s.state.saveRecord()
		s.keepRecord()
	})
}
