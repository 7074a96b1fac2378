package sessions

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/perch-im/perch"
)

// action is what a session does about the end of a connection, or of an attempt at one.
type action int

const (
	again  action = iota // back off and try again
	slowly               // the same, at the longest back-off: somebody has to repair something
	fight                // somebody took our resource: again, but not for ever
	blame                // the upstream refused what we sent: quarantine it, then again
	giveUp               // suspended until a client acts
)

// verdict is a row of decide.
type verdict struct {
	do     action
	reason string
}

// decide is the one table from the kind of an error to what the session does (RFC 6120,
// 4.9.3 and 6.5). A kind that is not here is weather.
var decide = map[perch.Kind]verdict{
	perch.KindUnauthorized:    {giveUp, perch.ReasonCredentials},
	perch.KindForbidden:       {giveUp, perch.ReasonCredentials},
	perch.KindValidation:      {giveUp, perch.ReasonConfig}, // the account does not fit the upstream
	perch.KindUpstreamConfig:  {giveUp, perch.ReasonConfig},
	perch.KindRedirectRefused: {giveUp, perch.ReasonRedirect},
	perch.KindUpstreamTLS:     {slowly, perch.ReasonTLS},
	perch.KindStreamConflict:  {fight, perch.ReasonConflict},
	perch.KindPolicy:          {blame, perch.ReasonPolicy},
	perch.KindTryLater:        {again, perch.ReasonTryLater},
}

func verdictOf(err error) verdict {
	if v, ok := decide[perch.KindOf(err)]; ok {
		return v
	}
	return verdict{again, perch.ReasonLinkLost}
}

const (
	backoffMin = time.Second
	backoffMax = time.Minute
	// steady is how long a connection must have lasted to begin with a short back-off again.
	steady = time.Minute

	conflictMax    = 3
	conflictWindow = 10 * time.Minute
	policyMax      = 3 // ends in a row with nothing left to blame
)

// backoff is the full-jitter delay before attempt n, counted from 0.
func backoff(n int) time.Duration {
	top := min(backoffMin<<min(n, 10), backoffMax)
	return time.Duration(rand.Int64N(int64(top) + 1))
}

// retry is what the owner remembers of failures.
type retry struct {
	attempt   int
	timer     *time.Timer // the next attempt; nil: none is planned
	dialling  bool        // a goroutine is signing in
	last      error       // why the last connection, or attempt, ended
	conflicts []perch.Time
	policies  int
	waiting   []chan<- error // who wants to know how the next attempt ends; each has room
}

// tell answers those who wait for the end of an attempt.
func (r *retry) tell(err error) {
	for _, c := range r.waiting {
		c <- err
	}
	r.waiting = nil
}

// why is the last error in the words of a client.
func (r *retry) why() error { return signInError(r.last) }

// failed decides what comes after a connection, or an attempt, has ended with err.
func (s *Session) failed(err error) {
	s.retry.last = err
	s.retry.tell(signInError(err))
	if s.ended || s.closing {
		return
	}
	v := verdictOf(err)
	if v.do == fight && s.conflicted() || v.do == blame && s.blamed() {
		v.do = giveUp
	}
	s.logDebug("connection ended", "reason", v.reason, "error", err)
	if v.do == giveUp || (v.do == slowly && !s.rec.RosterKnown) {
		s.suspend(v.reason)
		return
	}
	d := backoff(s.retry.attempt)
	if v.do == slowly {
		d = backoffMax/2 + d/2
	}
	if after := retryAfter(err); after > d {
		d = min(after, 10*time.Minute)
	}
	s.retry.attempt++
	s.m.o.Observer.Reconnecting(v.reason)
	s.setState(perch.StateReconnecting, v.reason, perch.At(time.Now().Add(d)), false)
	s.retry.timer = s.after(d, s.connectNow)
	if s.rec.RosterKnown {
		s.openingDone(nil) // whoever waits is answered from what is kept, at once
	}
}

func retryAfter(err error) time.Duration {
	if e, ok := errors.AsType[*perch.Error](err); ok {
		return e.RetryAfter
	}
	return 0
}

// conflicted counts, and says whether that was once too often.
func (s *Session) conflicted() bool {
	now := s.now()
	since := now - perch.Time(conflictWindow.Milliseconds())
	var recent []perch.Time
	for _, t := range s.retry.conflicts {
		if t > since {
			recent = append(recent, t)
		}
	}
	s.retry.conflicts = append(recent, now)
	return len(s.retry.conflicts) >= conflictMax
}

// blamed lets the outbox look for the stanza that the upstream objects to, and says
// whether there is no use in going on.
func (s *Session) blamed() bool {
	if s.out.quarantine() {
		s.retry.policies = 0
		return false
	}
	s.retry.policies++
	return s.retry.policies >= policyMax
}

// suspend stops trying. Only ReplaceCredentials, a sign-in or Reconnect goes on from here.
func (s *Session) suspend(reason string) {
	if reason == perch.ReasonCredentials {
		s.m.rejected.add(s.m.accountKey(s.acc), errRefused)
	}
	s.setState(perch.StateSuspended, reason, 0, false)
	s.releaseLater()
	s.openingOver()
}

// setState changes the state, and emits the change. A session that has never been online
// stays connecting while it tries: nobody has seen it yet.
func (s *Session) setState(state perch.State, reason string, retryAt perch.Time, resumed bool) {
	if state == perch.StateReconnecting && s.state.state == perch.StateConnecting && !s.rec.RosterKnown {
		state = perch.StateConnecting
	}
	old := s.state
	s.state = status{state: state, reason: reason, since: old.since, retryAt: retryAt}
	if old.state == state && (old.reason == reason || state == perch.StateConnecting) {
		return // another attempt is no change of state
	}
	s.state.since = s.now()
	if old.state != state {
		s.m.count(s)
	}
	s.log.Durable(perch.EventSessionState, perch.StateChange{State: state, Previous: old.state, Reason: reason, RetryAt: retryAt, Resumed: resumed})
}

// lost is the end of the connection that was in use.
func (s *Session) lost(err error) {
	l := s.link
	s.link = nil
	s.out.lost()
	if err == nil {
		err = perch.Errorf(perch.KindLinkLost, "the stream ended")
	}
	if time.Since(l.since) >= steady {
		s.retry.attempt, s.retry.policies = 0, 0
	}
	s.rec.Stream = nil
	if l.live {
		s.rec.Stream = l.state()
	} else {
		s.halfway = l.state()
	}
	if l.live || s.rec.OfflineSince == 0 { // else the outage before goes on
		s.rec.OfflineSince = s.now()
		if at := l.conn.Stats().LastStanzaAt; at != 0 {
			s.rec.OfflineSince = at
		}
	}
	s.saveRecord()
	s.catchup.releaseHeld(l)
	s.roster.lost()
	s.failed(err)
}

// Reconnect tries again at once, also when the session is suspended. It does not wait.
func (s *Session) Reconnect() {
	s.tell(func() {
		if s.link == nil && !s.retry.dialling {
			s.retry.attempt = 0
			s.connectNow()
		}
	})
}
