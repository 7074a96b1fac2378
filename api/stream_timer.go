package api

import "time"

// moments are when a stream has something to do by itself, since the API was made; 0 is never. They
// belong to the turn. One timer serves all of them. It is not moved when a moment is put off, which
// every event does with the heartbeat: it finds out when it fires.
type moments struct {
	timer *time.Timer
	armed time.Duration // when it fires; 0: it does not

	beatAt  time.Duration // of the next heartbeat
	closeAt time.Duration // of a stream that a drain ends, or of a poll that has waited
	pingAt  time.Duration // of the next ping
	pongBy  time.Duration // until which the last ping must be answered
}

// now is the time since the API was made.
func (a *API) now() time.Duration { return time.Since(a.made) }

// arm lets the timer fire at the next moment.
func (st *stream) arm() {
	m := &st.moments
	next := time.Duration(0)
	for _, at := range [...]time.Duration{m.beatAt, m.closeAt, m.pingAt, m.pongBy} {
		if at != 0 && (next == 0 || at < next) {
			next = at
		}
	}
	if next == 0 || m.armed != 0 && m.armed <= next {
		return
	}
	m.armed = next
	if d := next - st.api.now(); m.timer == nil {
		m.timer = time.AfterFunc(d, func() { st.post(dueTimer) })
	} else {
		m.timer.Reset(d)
	}
}

// come reports whether a moment has come, and strikes it out then.
func (st *stream) come(at *time.Duration) bool {
	if *at == 0 || *at > st.api.now() {
		return false
	}
	*at = 0
	return true
}

// disarm stops the timer for good. What it has posted already is not taken any more.
func (m *moments) disarm() {
	if m.timer != nil {
		m.timer.Stop()
	}
}
