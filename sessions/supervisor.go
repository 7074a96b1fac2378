package sessions

import (
	"errors"
	"time"

	"github.com/perch-im/perch"
)

// status is what GET /v1/session says of the connection.
type status struct {
	state   perch.State
	reason  string
	since   perch.Time
	retryAt perch.Time
}

// supervisorHost is what supervision needs of the session that it belongs to.
type supervisorHost interface {
	owner
	// over reports whether the session ends: nothing is tried any more.
	over() bool
	// known reports whether the session was online before, in this process or another one.
	known() bool
	// ready reports whether a login may begin: there is no connection, and everything that a
	// login would acknowledge is committed. When only that is missing it calls again later.
	ready(again func()) bool
	// dialSoon begins a login.
	dialSoon()
	// quarantine looks for a message that the server ends the stream for.
	quarantine() bool
	// openingDone answers those who wait for the first login.
	openingDone(err error)
	// suspended says that nothing is tried until a client acts.
	suspended(reason string)
	// reconnecting counts an attempt; stateChanged counts the session under its new state.
	reconnecting(reason string)
	stateChanged()
	logDebug(msg string, args ...any)
}

// supervisor is the part of a session that keeps it connected: what it does about the end of a
// connection, or of an attempt at one, and what is reported to clients.
type supervisor struct {
	host    supervisorHost
	journal journal

	state     status
	attempt   int
	timer     *time.Timer // the next attempt; nil: none is planned
	dialling  bool        // a goroutine is signing in
	outdated  bool        // and the credential that it signs in with was replaced meanwhile
	last      error       // why the last connection, or attempt, ended
	conflicts []perch.Time
	policies  int
	waiting   []chan<- error // who wants to know how the next attempt ends; each has room
}

// stateSince is when the session came to its state.
func (su *supervisor) stateSince() perch.Time { return su.state.since }

// closed ends the session by the client's wish, and returns the event that says so.
func (su *supervisor) closed() *perch.Event {
	old := su.state.state
	su.state = status{state: perch.StateClosed, reason: perch.ReasonSignedOut, since: su.host.now()}
	return perch.NewEvent(perch.Position{}, perch.EventSessionState, su.host.now(),
		perch.StateChange{State: perch.StateClosed, Previous: old, Reason: perch.ReasonSignedOut})
}

// connectNow starts a login, unless one is under way or there is a connection.
func (su *supervisor) connectNow() {
	su.stop()
	if su.host.over() || su.dialling || !su.host.ready(su.connectNow) {
		return
	}
	su.dialling = true
	if su.state.state == perch.StateSuspended {
		su.setState(perch.StateReconnecting, su.state.reason, 0, false)
	}
	su.host.dialSoon()
}

// stop ends the wait for the next attempt.
func (su *supervisor) stop() {
	stop(su.timer)
	su.timer = nil
}

// reconnect forgets earlier failures and tries now.
func (su *supervisor) reconnect() {
	if !su.dialling {
		su.attempt = 0
		su.connectNow()
	}
}

// credentialReplaced says that the session has another credential from now on. One that is suspended signs in
// with it; an attempt that is under way does so with the one before.
func (su *supervisor) credentialReplaced() {
	switch {
	case su.dialling:
		su.outdated = true
	case su.state.state == perch.StateSuspended:
		su.reconnect()
	}
}

// refusedOutdated reports whether err is a refusal of a credential that was replaced meanwhile: it says nothing
// of the session's.
func (su *supervisor) refusedOutdated(err error) bool {
	outdated, kind := su.outdated, perch.KindOf(err)
	su.outdated = false
	return outdated && (kind == perch.KindUnauthorized || kind == perch.KindForbidden)
}

// lasted says how long a connection was there, at its end.
func (su *supervisor) lasted(d time.Duration) {
	if d >= steady {
		su.attempt, su.policies = 0, 0
	}
}

// errOffline is for everything that needs the stream while there is none.
func (su *supervisor) errOffline() error {
	e := &perch.Error{Kind: perch.KindSessionOffline, Detail: "there is no connection to the upstream just now"}
	if su.state.state == perch.StateSuspended {
		e.Detail = "the session is suspended (" + su.state.reason + ") and does not reconnect by itself"
	}
	if _, text := su.cause(); text != "" {
		e.Detail += ": " + text
	}
	if su.state.state == perch.StateSuspended {
		return e
	}
	if at := su.state.retryAt; at > su.host.now() {
		e.RetryAfter = time.Duration(at-su.host.now()) * time.Millisecond
	} else {
		e.RetryAfter = time.Second
	}
	return e
}

// answer answers those who wait for the end of an attempt.
func (su *supervisor) answer(err error) {
	for _, c := range su.waiting {
		c <- err
	}
	su.waiting = nil
}

// cause is why the last login failed, in a word and in a sentence for clients; "" while there is a
// connection, or when the last one ended for another reason.
func (su *supervisor) cause() (perch.Cause, string) {
	e, ok := errors.AsType[*perch.Error](su.last)
	if !ok || e.Cause == "" || su.state.state == perch.StateOnline || su.state.state == perch.StateClosed {
		return "", ""
	}
	return e.Cause, e.Detail
}

// why is the last error in the words of a client.
func (su *supervisor) why() error { return signInError(su.last) }

// failed decides what comes after a connection, or an attempt, has ended with err.
func (su *supervisor) failed(err error) {
	if su.refusedOutdated(err) {
		su.connectNow()
		return
	}
	su.last = err
	su.answer(signInError(err))
	if su.host.over() {
		return
	}
	v := verdictOf(err)
	if v.do == retryConflict && su.conflicted() || v.do == quarantineThenRetry && su.isFutile() {
		v.do = giveUp
	}
	su.host.logDebug("connection ended", "reason", v.reason, "error", err)
	if v.do == giveUp || (v.do == retrySlow || v.do == retryKnown) && !su.host.known() {
		su.suspend(v.reason)
		return
	}
	d := backoff(su.attempt)
	if v.do == retrySlow {
		d = backoffMax/2 + d/2
	}
	if after := retryAfter(err); after > d {
		d = min(after, 10*time.Minute)
	}
	su.attempt++
	su.host.reconnecting(v.reason)
	su.setState(perch.StateReconnecting, v.reason, perch.At(time.Now().Add(d)), false)
	su.timer = su.host.after(d, su.connectNow)
	if su.host.known() {
		su.host.openingDone(nil) // callers that wait are answered from the cache, at once
	}
}

// conflicted counts, and reports whether that was once too often.
func (su *supervisor) conflicted() bool {
	now := su.host.now()
	since := now - perch.Time(conflictWindow.Milliseconds())
	var recent []perch.Time
	for _, t := range su.conflicts {
		if t > since {
			recent = append(recent, t)
		}
	}
	su.conflicts = append(recent, now)
	return len(su.conflicts) >= conflictMax
}

// isFutile lets the outbox look for the stanza that the upstream objects to, and reports
// whether another attempt is of no use.
func (su *supervisor) isFutile() bool {
	if su.host.quarantine() {
		su.policies = 0
		return false
	}
	su.policies++
	return su.policies >= policyMax
}

// suspend stops trying. Only ReplaceCredentials, a sign-in or Reconnect connects again.
func (su *supervisor) suspend(reason string) {
	su.setState(perch.StateSuspended, reason, 0, false)
	su.host.suspended(reason)
}

// setState changes the state, and makes an event of the change. A session that has never been online
// stays connecting while it tries: no client has seen it yet.
func (su *supervisor) setState(state perch.State, reason string, retryAt perch.Time, resumed bool) {
	if state == perch.StateReconnecting && su.state.state == perch.StateConnecting && !su.host.known() {
		state = perch.StateConnecting
	}
	old := su.state
	su.state = status{state: state, reason: reason, since: old.since, retryAt: retryAt}
	if old.state == state && (old.reason == reason || state == perch.StateConnecting) {
		return // another attempt is no change of state
	}
	su.state.since = su.host.now()
	if old.state != state {
		su.host.stateChanged()
	}
	su.journal.Durable(perch.EventSessionState, perch.StateChange{State: state, Previous: old.state, Reason: reason, RetryAt: retryAt, Resumed: resumed})
}
