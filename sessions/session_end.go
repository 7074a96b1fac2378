package sessions

import (
	"context"
	"time"
)

// ending is how a session goes.
type ending struct {
	signOut bool // </stream:stream>; else the connection is dropped
	forget  bool // the Store forgets it
}

// endState is how far the end of a session is.
type endState struct {
	closing bool // shutdown: the end comes when the log is written
	ended   bool
	ending  ending

	forgetErr error // what SignOut could not forget; set before the loop is done
}

var (
	endDropped   = ending{}
	endSignedOut = ending{signOut: true, forget: true}
)

// end makes what the owner does now the last thing.
func (s *Session) end(e ending) {
	if !s.ended {
		s.ended, s.ending = true, e
		s.forgotten.Store(e.forget)
	}
}

// over reports whether the session ends: nothing is begun any more.
func (s *Session) over() bool { return s.ended || s.closing }

// hasEnded implements worker.
func (s *Session) hasEnded() bool { return s.ended }

// finish implements worker. It runs after the last step, in a goroutine of its own that may wait.
func (s *Session) finish() {
	defer s.m.wg.Done()
	s.queue.close(s.endedError())
	s.m.backlog.update(&s.waits, pendingCounts{})
	stop(s.touch)
	s.supervisor.stop()
	s.idle.stop()
	s.log.stop()
	for _, p := range s.parts {
		p.stop()
	}
	s.opening.finish(ErrEnded)
	why := ErrEnded
	if !s.forgotten.Load() {
		why = ErrMoved
	}
	s.subs.cut(why)
	s.cancel() // releases a reader that waits for the owner: Close may wait for the reader
	if l := s.conn.link; l != nil && s.ending.signOut {
		closeStream(l.conn)
	} else if l != nil {
		l.conn.Abort()
	}
	s.wg.Wait()
	if s.ending.forget {
		last := s.conn.dialRequest(s.cred.acc, false).Account
		s.m.wg.Go(func() { s.m.endToken(s.m.ctx, last) })
		ctx, cancel := context.WithTimeout(context.Background(), forgetTime)
		if s.forgetErr = s.m.o.Store.Forget(ctx, s.id); s.forgetErr != nil {
			s.report.deleteFailed(s.forgetErr)
		}
		cancel()
	}
	s.m.remove(s)
	close(s.done)
}

const (
	forgetTime = 10 * time.Second
	hangUpTime = 5 * time.Second
)

// closeStream closes a stream for good (RFC 6120, 4.4).
func closeStream(conn Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), hangUpTime)
	defer cancel()
	if err := conn.Close(ctx); err != nil {
		conn.Abort()
	}
}

// shutdown ends the session without forgetting anything: when everything is written, the
// state of the stream and the end of the lease are, in one commit after which no other
// comes. A session that is released is looked for by the other nodes.
func (s *Session) shutdown(release bool) {
	if s.over() {
		return
	}
	s.closing = true
	s.opening.finish(errDraining)
	s.supervisor.stop()
	s.readers.release()
	s.log.afterDrain(func() {
		if s.ended {
			return
		}
		e := s.lastWrite(release)
		s.log.afterDrain(func() {
			if release && s.m.Self().ID != "" && !s.ended {
				s.m.o.Observer.Owner(OwnerReleased)
			}
			s.end(e)
		})
	})
}

// lastWrite queues the last commit, and returns how the connection is to end.
func (s *Session) lastWrite(release bool) ending {
	e := ending{signOut: true}
	if l := s.conn.link; l != nil {
		s.state.Stream = nil
		if state := l.state(); state != nil && l.live && s.conn.durable {
			s.state.Stream = state
			e.signOut = false
		}
		s.state.OfflineSince = s.now()
		s.state.saveRecord()
	}
	if release && s.m.Self().ID != "" {
		s.log.Change().Release = true
	}
	return e
}

// fenced ends the session because another owner has it.
func (s *Session) fenced() {
	if s.ended {
		return
	}
	s.report.lostOwnership()
	s.end(endDropped)
}

// superseded ends a session that no token leads to: they were given to another one while it
// signed in. Callers that wait for it look again and find that one.
func (s *Session) superseded() {
	s.end(endSignedOut)
	s.forgotten.Store(false)
	s.openingDone(errGone)
}

// signedOut is the end by the client's wish. Its last event is published and not committed: the log
// goes as well.
func (s *Session) signedOut() {
	if s.ended {
		return
	}
	e := s.supervisor.closed()
	s.stateChanged()
	s.subs.offer(e)
	s.end(endSignedOut)
}

// openingDone answers those who wait in await, once.
func (s *Session) openingDone(err error) {
	if s.opening.finish(err) && err != nil {
		// No login ever succeeded: keep neither a connection nor a record that a guess made.
		s.end(ending{forget: true})
	}
}

// openingOver ends the wait because there is no login, in time or for good.
func (s *Session) openingOver() {
	if s.state.RosterKnown {
		s.openingDone(nil)
		return
	}
	if s.opening.queued.Load() && s.supervisor.last == nil {
		s.openingDone(errTurn(s.cred.upstream.Name))
		return
	}
	s.openingDone(s.supervisor.why())
}
