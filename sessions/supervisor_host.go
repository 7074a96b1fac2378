package sessions

import (
	"context"
	"time"

	"github.com/perch-im/perch"
)

// What the session does for its supervisor.

// over implements supervisorHost.
func (s *Session) over() bool { return s.ended || s.closing }

// known implements supervisorHost.
func (s *Session) known() bool { return s.rec.RosterKnown }

// ready implements supervisorHost.
func (s *Session) ready(again func()) bool {
	if s.link != nil {
		return false
	}
	if (s.rec.Stream != nil || s.partialResume != nil || s.m.nodes != nil) && !s.log.empty() {
		// To resume is to acknowledge: not before everything is kept. And a node that has lost
		// the session learns so by its write; its login would drive the new owner out.
		s.log.afterDrain(again)
		return false
	}
	return true
}

// dialSoon implements supervisorHost.
func (s *Session) dialSoon() {
	req := s.dialRequest(s.acc)
	s.background(func(ctx context.Context) { s.connect(ctx, req) })
}

// quarantine implements supervisorHost.
func (s *Session) quarantine() bool { return s.out.quarantine() }

// suspended implements supervisorHost.
func (s *Session) suspended(reason string) {
	if reason == perch.ReasonCredentials {
		s.m.rejected.add(s.m.accountKey(s.acc), errRefused)
	}
	s.releaseLater()
	s.openingOver()
}

// reconnecting implements supervisorHost.
func (s *Session) reconnecting(reason string) { s.m.o.Observer.Reconnecting(reason) }

// stateChanged implements supervisorHost.
func (s *Session) stateChanged() { s.m.count(s) }

// lost is the end of the connection that was in use.
func (s *Session) lost(err error) {
	l := s.link
	s.link = nil
	s.out.lost()
	if err == nil {
		err = perch.Errorf(perch.KindLinkLost, "the stream ended")
	}
	s.supervisor.lasted(time.Since(l.since))
	s.rec.Stream = nil
	if l.live {
		s.rec.Stream = l.state()
	} else {
		s.partialResume = l.state()
	}
	if l.live || s.rec.OfflineSince == 0 { // else it is still the outage before
		s.rec.OfflineSince = s.now()
		if at := l.conn.Stats().LastStanzaAt; at != 0 {
			s.rec.OfflineSince = at
		}
	}
	s.saveRecord()
	s.catchup.releaseBuffered(l)
	s.roster.lost()
	s.supervisor.failed(err)
}

// Reconnect tries again at once, also when the session is suspended. It does not wait.
func (s *Session) Reconnect() {
	s.post(func() {
		if s.link == nil {
			s.supervisor.reconnect()
		}
	})
}
