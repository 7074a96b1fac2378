package sessions

import (
	"time"

	"github.com/perch-im/perch"
)

// suspendedFor is how long a suspended session without subscribers stays in memory. Its record
// stays in the Store.
const suspendedFor = time.Hour

// idling is what happens while no event stream is attached.
type idling struct {
	timer   *time.Timer
	release *time.Timer // of a suspended session
	away    bool        // the policy has made the account away, and takes that back
}

// attended is called whenever the number of subscribers may have changed.
func (s *Session) attended() {
	s.tellAttended()
	if len(s.subs) > 0 {
		stop(s.idle.timer)
		s.idle.timer = nil
		if s.idle.away {
			s.idle.away = false
			s.showPresence()
		}
		return
	}
	p := s.m.o.Idle
	if s.idle.timer != nil || p.Action == "" || p.Action == IdleKeep {
		return
	}
	s.idle.timer = s.after(p.After, s.unattended)
}

// tellAttended lets the server know whether a client is attached (XEP-0352), once for each
// change and each connection.
func (s *Session) tellAttended() {
	l, active := s.link, len(s.subs) > 0
	if l == nil || !l.live || !s.caps.ClientState || l.inactive == !active {
		return
	}
	if _, err := l.conn.Send(&perch.ClientStateOut{Active: active}); err == nil {
		l.inactive = !active
	}
}

// unattended applies the policy.
func (s *Session) unattended() {
	s.idle.timer = nil
	if len(s.subs) > 0 || s.closing || s.ended {
		return
	}
	switch s.m.o.Idle.Action {
	case IdleAway:
		// A user who chose to be away, or not to be seen, is left so.
		if s.rec.Own.Available && (s.rec.Own.Show == perch.ShowNone || s.rec.Own.Show == perch.ShowChat) {
			s.idle.away = true
			s.showPresence()
		}
	case IdleSignOut:
		s.signedOut()
	}
}

// releaseLater drops a suspended session from memory after a while, so that credentials which
// expired do not fill it. Its record stays: a token leads to it again.
func (s *Session) releaseLater() {
	stop(s.idle.release)
	s.idle.release = s.after(suspendedFor, func() {
		switch {
		case s.supervisor.state.state != perch.StateSuspended || s.closing:
		case len(s.subs) > 0:
			s.releaseLater()
		default:
			s.shutdown(false) // the other nodes have no more use for it
		}
	})
}

// shownPresence is the own presence as the upstream gets it.
func (s *Session) shownPresence() perch.OwnPresence {
	p := s.rec.Own
	if s.idle.away {
		p.Show = perch.ShowAway
	}
	return p
}

func (s *Session) showPresence() {
	if s.link != nil && s.link.live {
		_ = s.send(&perch.PresenceOut{OwnPresence: s.shownPresence()}) // a connection that has ended says so itself
	}
}
