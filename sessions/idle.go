package sessions

import (
	"time"

	"github.com/perch-im/perch"
)

// suspendedFor is how long a suspended session without subscribers stays in memory. Its record
// stays in the Store.
const suspendedFor = time.Hour

// idleRooms is in how many rooms the account may be for the policy to tell them, too.
const idleRooms = 5

// idleHost is what the policy may do to the session.
type idleHost interface {
	over() bool
	signedOut()
	shutdown(release bool)
}

// idlePolicy is what happens while no event stream is attached.
type idlePolicy struct {
	*services
	host       idleHost
	policy     IdlePolicy
	subs       *subscribers
	supervisor *supervisor
	hasReaders func() bool // whether something is brought to a reader outside
	rooms      interface {
		// ownPresenceChanged repeats the own presence to the rooms, unless there are more than most.
		ownPresenceChanged(own perch.OwnPresence, most int)
	}

	timer   *time.Timer
	release *time.Timer // of a suspended session
	away    bool        // the policy has made the account away, and takes that back
}

// stop ends what waits.
func (p *idlePolicy) stop() {
	stop(p.timer)
	stop(p.release)
}

// attended is called whenever the number of subscribers may have changed.
func (p *idlePolicy) attended() {
	p.sendClientState()
	if p.subs.watched() {
		stop(p.timer)
		p.timer = nil
		if p.away {
			p.away = false
			p.sendPresence()
		}
		return
	}
	if p.timer != nil || p.policy.Action == "" || p.policy.Action == IdleKeep {
		return
	}
	p.timer = p.after(p.policy.After, p.unattended)
}

// change applies another policy from now on. A time that was running begins again.
func (p *idlePolicy) change(policy IdlePolicy) {
	if policy == p.policy {
		return
	}
	p.policy = policy
	stop(p.timer)
	p.timer = nil
	if p.host.over() || p.away && policy.Action == IdleAway {
		return
	}
	if p.away {
		p.away = false
		p.sendPresence()
	}
	p.attended()
}

// sendClientState lets the server know whether a client is attached (XEP-0352), once for each
// change and each connection. A stream that is resumed is told in any case: Prosody takes its
// state along, and writes nothing more to one that it believes to be inactive.
func (p *idlePolicy) sendClientState() {
	l, state := p.stream(), toldInactive
	if p.subs.watched() {
		state = toldActive
	}
	if l == nil || !l.live || !p.caps.ClientState || l.told == state {
		return
	}
	if p.Send(&perch.ClientStateOut{Active: state == toldActive}) == nil {
		l.told = state
	}
}

// unattended applies the policy.
func (p *idlePolicy) unattended() {
	p.timer = nil
	if p.subs.watched() || p.host.over() {
		return
	}
	switch p.policy.Action {
	case IdleAway:
		// A user who chose to be away, or not to be seen, is left so.
		if own := p.record().Own; own.Available && (own.Show == perch.ShowNone || own.Show == perch.ShowChat) {
			p.away = true
			p.sendPresence()
		}
	case IdleSignOut:
		if p.hasReaders() { // somebody reads the log all the same
			p.attended()
			return
		}
		p.unattendedEnd()
		p.host.signedOut()
	}
}

// releaseLater drops a suspended session from memory after a while, so that credentials which
// expired do not fill it. Its record stays: a token leads to it again.
func (p *idlePolicy) releaseLater() {
	stop(p.release)
	p.release = p.after(suspendedFor, func() {
		switch {
		case p.supervisor.state.state != perch.StateSuspended || p.host.over():
		case p.subs.watched() || p.hasReaders():
			p.releaseLater()
		default:
			p.host.shutdown(false) // the other nodes have no more use for it
		}
	})
}

// presence is the own presence as the upstream gets it.
func (p *idlePolicy) presence() perch.OwnPresence {
	own := p.record().Own
	if p.away {
		own.Show = perch.ShowAway
	}
	return own
}

func (p *idlePolicy) sendPresence() {
	_ = p.Send(&perch.PresenceOut{OwnPresence: p.presence()}) // the next login sends it too
	if p.rooms != nil {
		p.rooms.ownPresenceChanged(p.presence(), idleRooms)
	}
}
