package sessions

import (
	"time"

	"github.com/perch-im/perch"
)

// run is the owner goroutine: the loop, and the end.
func (s *Session) run() {
	defer s.m.wg.Done()
	for !s.ended {
		s.step()
	}
	s.finish()
}

// step waits for one thing and does it. While the log is full, nothing is taken from the
// connection: its reader waits, and with it the server.
//
// A fault of ours ends this session and no other; the next request opens it again from
// what is stored.
func (s *Session) step() {
	defer func() {
		if fault := recover(); fault != nil {
			s.report.panicked(fault)
			s.end(endDropped)
		}
	}()
	s.wait()
	s.log.flush()
	waits := pendingCounts{outbox: int64(len(s.outbox.entries))}
	if s.log.down {
		waits.held = 1
	}
	s.m.backlog.update(&s.waits, waits)
}

func (s *Session) wait() {
	in := s.in
	if s.log.full() || s.closing {
		in = nil
	}
	var lost <-chan struct{}
	if s.conn.link != nil {
		lost = s.conn.link.conn.Done()
	}
	select {
	case d := <-in:
		s.take(d)
	case f := <-s.mail:
		s.drainIn()
		f()
	case <-s.mailbox.wake:
		for _, f := range s.mailbox.take() {
			f()
		}
	case <-lost:
		s.drainIn()
		s.lost(s.conn.link.conn.Err())
	case <-s.ctx.Done():
		s.end(endDropped)
	}
}

// drainIn applies what the reader has queued: a caller that waited for an answer of the
// upstream then sees everything that came before it.
func (s *Session) drainIn() {
	for !s.log.full() && !s.closing {
		select {
		case d := <-s.in:
			s.take(d)
		default:
			return
		}
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
	s.report.guarded(func() { s.catchup.apply(d.in, d.link) })
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
