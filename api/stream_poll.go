package api

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/perch-im/perch"
)

// Poll is the answer of a long poll. Next is the cursor for the next one; with Reset, the
// events begin with the snapshots of the state.
type Poll struct {
	Events []json.RawMessage `json:"events" swaggertype:"object"`
	Next   string            `json:"next"`
	Reset  *PollReset        `json:"reset"`
}

// PollReset means that a poll could not resume from its cursor, and why: first, expired,
// epoch or unknown.
type PollReset struct {
	Reason string `json:"reason"`
}

// pollEncoder collects a stream until there is something to answer with.
type pollEncoder struct {
	reset        bool // the answer begins with snapshots, and is due at once
	wait         bool // for a first event
	limit        int  // of events; snapshots are whole and do not count
	count        int  // of events against limit
	preambleDone bool // everything before the first live event was collected
	events       []*perch.Event
}

func (e *pollEncoder) event(ev *perch.Event) error {
	switch ev.Type {
	case perch.EventHello, perch.EventHeartbeat, perch.EventLive:
		return nil
	case perch.EventReconnect:
		return errStreamComplete // the node is stopping: answer with what was collected
	case perch.EventRosterSnapshot, perch.EventInvitationsSnapshot, perch.EventRoomsSnapshot, perch.EventPresenceSnapshot:
		e.events = append(e.events, ev)
		return nil
	}
	e.events = append(e.events, ev)
	if e.count++; e.count == e.limit {
		return errStreamComplete
	}
	return nil
}

func (e *pollEncoder) flush() error {
	e.preambleDone = true
	if len(e.events) > 0 || e.reset || !e.wait {
		return errStreamComplete
	}
	return nil
}

func (a *API) servePoll(w http.ResponseWriter, r *http.Request, st *stream, q eventQuery) {
	l, restore := a.lineStream(w, r)
	defer restore()
	enc := &pollEncoder{reset: !st.sub.Resumed, limit: q.limit, wait: q.wait > 0}
	st.enc, st.heartbeatEvery, st.closeReason = enc, 0, clientGone
	if q.wait > 0 {
		st.closeAt = a.now() + q.wait
	}
	e := st.run(l.ctx)
	st.log(e)
	// A part of a snapshot would be taken for the whole state; a part of a replay is valid up to
	// its own cursor, and a poll that could not keep up resumes from there.
	valid := enc.preambleDone || st.sub.Resumed && len(enc.events) > 0
	if e.err != nil && e.code != closeSlow && !(valid && len(enc.events) > 0) {
		a.writeProblem(w, r, e.err)
		return
	}
	body := enc.answer(st)
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	_ = l.frame(body) // a client that has left, or was cut, polls again from the same cursor
}

// answer puts the envelopes together as they are.
func (e *pollEncoder) answer(st *stream) []byte {
	var b bytes.Buffer
	b.WriteString(`{"events":[`)
	for i, ev := range e.events {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(ev.Wire)
	}
	var reset *PollReset
	if !st.sub.Resumed {
		reset = &PollReset{st.sub.ResetReason}
	}
	tail, _ := json.Marshal(Poll{Next: st.delivered.String(), Reset: reset}) // of plain fields: cannot fail
	b.WriteByte(']')
	b.Write(bytes.TrimPrefix(tail, []byte(`{"events":null`)))
	b.WriteByte('\n')
	return b.Bytes()
}
