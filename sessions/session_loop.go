package sessions

import (
	"time"

	"github.com/perch-im/perch"
)

// step implements worker: it does one thing that waits for the owner. While the log is
// full, nothing is taken from the connection: its reader waits, and with it the server.
//
// A fault of ours ends this session and no other; the next request opens it again from
// what is stored.
func (s *Session) step() (did bool) {
	defer func() {
		if fault := recover(); fault != nil {
			s.report.panicked(fault)
			s.end(endDropped)
		}
	}()
	if did = s.doNext(); !did {
		return false
	}
	s.log.flush()
	waits := pendingCounts{outbox: int64(len(s.outbox.entries))}
	if s.log.down {
		waits.held = 1
	}
	s.m.backlog.update(&s.waits, waits)
	return true
}

// doNext does the next thing, if there is one. A connection that has ended is not used any more, and
// what is asked of the owner, the answers of the Store among it, comes before what has arrived.
func (s *Session) doNext() bool {
	if l := s.conn.link; l != nil && isClosed(l.conn.Done()) {
		s.drainIn()
		s.lost(l.conn.Err())
		return true
	}
	if t, ok := s.queue.next(); ok {
		s.perform(t)
		return true
	}
	if !s.takesNothing() {
		if d, ok := s.queue.receive(); ok {
			s.take(d)
			return true
		}
	}
	if s.ctx.Err() != nil {
		s.end(endDropped)
		return true
	}
	return false
}

// perform runs a task. A caller that waited for an answer of the upstream sees everything that
// came before it.
func (s *Session) perform(t task) {
	if t.call != nil {
		defer close(t.call.done)
		s.drainIn()
	}
	t.f()
}

// takesNothing reports whether what has arrived has to wait.
func (s *Session) takesNothing() bool { return s.log.full() || s.closing }

// drainIn applies what the reader has queued.
func (s *Session) drainIn() {
	for !s.takesNothing() {
		d, ok := s.queue.receive()
		if !ok {
			return
		}
		s.take(d)
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// take applies what the reader delivered, in stream order.
func (s *Session) take(d delivery) {
	if d.link != s.conn.link {
		s.takeLate(d)
		return
	}
	d.link.lastSeq = d.seq
	s.log.applied()
	taken := false
	if d.in, taken = s.rooms.takes(d.in, d.link, s.state.JID); taken {
		s.conn.covered(d.link)
		return
	}
	if d.in == nil {
		s.report.countDropped(DroppedOtherRoom, 1)
		s.conn.covered(d.link)
		return
	}
	if m, ok := d.in.(*perch.MessageIn); ok && d.link.buffering {
		s.catchup.hold(d, m)
		return
	}
	s.report.guarded(func() { s.apply(d.in, d.link) })
	s.conn.covered(d.link)
}

// takeLate is for what the reader of a lost connection still had queued. A message that the
// server will not send again is logged, or reported as dropped; all else is state that the next
// login brings.
func (s *Session) takeLate(d delivery) {
	if s.state.Stream != nil || s.conn.caps.Archive == archivePaged {
		return
	}
	if in, taken := s.rooms.takes(d.in, d.link, s.state.JID); !taken && in != nil {
		s.report.guarded(func() { s.catchup.apply(in, d.link) })
	}
}

// apply lets the parts change the state by one thing that arrived.
func (s *Session) apply(in perch.Inbound, l *link) {
	for _, p := range s.parts {
		if p.apply(in, l) {
			return
		}
	}
}

// online says that the login sequence is over.
func (s *Session) online(resumed bool) {
	s.state.RosterKnown = true
	s.state.OfflineSince, s.state.Stream = 0, nil
	s.supervisor.setState(perch.StateOnline, "", 0, resumed)
	for _, p := range s.parts {
		p.online(resumed)
	}
	s.conn.saveStream()              // after the outbox: a state must not be ahead of it
	s.conn.askOwnership(s.conn.link) // the process may have been stopped while it signed in
	s.supervisor.answer(nil)
	// A caller that waited for the login sees its event in the log, and never as news.
	s.log.AfterCommit(func(Result) { s.openingDone(nil) })
	s.idle.attended()
}

// lost is the end of the connection that was in use.
func (s *Session) lost(err error) {
	l := s.conn.lost()
	if err == nil {
		err = perch.Errorf(perch.KindLinkLost, "the stream ended")
	}
	s.supervisor.lasted(time.Since(l.since))
	for _, p := range s.parts {
		p.offline(l)
	}
	s.supervisor.failed(err)
}
