package api

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// encoder writes a stream in one encoding. Its methods are called by the turn of the stream, one at
// a time; each is bounded by Options.FrameTime.
type encoder interface {
	// event writes one event. The bytes of ev.Wire are shared: they are written
	// as they are, never changed and never encoded a second time. An error ends the
	// stream: errStreamComplete because the encoder has all it needs, any other because the
	// client cannot be reached. With errWouldWait nothing ends, and the event is not taken.
	event(ev *perch.Event) error
	// flush sends what event has left in buffers. With errWouldWait it must be called again.
	flush() error
}

// errStreamComplete is what an encoder returns when it has all that it needs.
var errStreamComplete = errors.New("api: the stream is complete")

// errWouldWait is what an encoder returns when the client does not take bytes at once, in a turn
// that must not wait.
var errWouldWait = errors.New("api: the client is slow")

// stream is one client's event stream, whatever its encoding. What it does happens in turns, one at
// a time, which begin when something is due: in the goroutine of the request, see run, or without one
// that waits for it, see detached. The mailbox is for everybody, the rest belongs to the turn.
type stream struct {
	api       *API
	id        string // connection_id
	requestID string
	entry     *entry
	by        sessions.Access
	unwatch   func() // the token of the stream
	sess      *sessions.Session
	sub       *sessions.Subscription
	enc       encoder
	ctx       context.Context // of what the preamble reads
	mail      mailbox
	woken     chan struct{} // begins a turn in the goroutine of the request
	detached  *detached     // nil: there is a request

	moments
	heartbeatEvery time.Duration // silence before a heartbeat; 0: no heartbeats
	closeReason    ending        // of the stream when its moment to close has come
	handingOver    bool          // the session is handed off to another node; see handOver
	last           ending        // of the stream, once over is set or a turn has ended it
	over           bool          // the stream ends when what is to be written is written

	todo    []*perch.Event // to be written before anything else is done
	todoTip perch.Position // where the client is after it

	// delivered is the last durable position that the client has, or that was filtered for it.
	delivered perch.Position
}

// openStream registers and subscribes; close must follow when there is no error.
func (a *API) openStream(r *http.Request, by sessions.Access, transport string, o sessions.SubscribeOptions) (*stream, error) {
	sess := by.Session
	st := &stream{
		by:  by,
		api: a, id: "c_" + rand.Text()[:16], requestID: requestID(r.Context()),
		sess: sess, heartbeatEvery: a.o.Heartbeat, mail: mailbox{busy: true},
	}
	o.Notify, o.Bound = st.notify, boundOf(by)
	var err error
	st.entry, err = a.streams.open(sess.ID(), transport, st)
	if perch.KindOf(err) == perch.KindDraining {
		sess.HandOver() // the client finds it on another node
	}
	if err != nil {
		return nil, err
	}
	// Before anything else: whoever ends the token from here on ends the stream.
	if st.unwatch, err = a.o.Sessions.Watch(by, func() { st.end(endingOf(errTokenEnded)) }); err != nil {
		a.streams.close(st.entry)
		return nil, err
	}
	if st.sub, err = sess.Subscribe(r.Context(), o); err != nil {
		st.unwatch()
		a.streams.close(st.entry)
		return nil, err
	}
	if st.sub.Resumed {
		st.delivered = st.sub.TipNow() // the cursor itself: nothing was replayed yet
	}
	return st, nil
}

var errTokenEnded error = perch.Errorf(perch.KindUnauthorized, "the token of this stream was revoked, or has expired")

func (st *stream) close() {
	st.unwatch()
	st.sub.Close()
	st.api.streams.close(st.entry)
}

// post says that something is due.
func (st *stream) post(d due) { st.beginTurn(st.mail.post(d)) }

// notify implements SubscribeOptions.Notify.
func (st *stream) notify() { st.post(dueEvents) }

// end says that the stream must end. The first ending counts.
func (st *stream) end(e ending) { st.beginTurn(st.mail.postEnding(e)) }

// drain is called once, when the node stops: the stream is to be closed after a while.
func (st *stream) drain(after time.Duration) { st.beginTurn(st.mail.postLeave(after)) }

// beginTurn begins a turn if one is needed.
func (st *stream) beginTurn(needed bool) {
	switch {
	case !needed:
	case st.woken != nil:
		st.woken <- struct{}{} // there is room: no other turn is under way
	default:
		st.api.runner.add(st)
	}
}

// run runs the turns of a stream in the goroutine of its request, until the client, the session or
// the node ends it.
func (st *stream) run(ctx context.Context) ending {
	st.ctx, st.woken = ctx, make(chan struct{}, 1)
	defer st.disarm()
	defer st.mail.close()
	st.mail.post(dueBegin)
	for o := st.turn(true); o != turnEnded; o = st.turn(true) {
		select {
		case <-ctx.Done():
			return clientGone
		case <-st.woken:
		}
	}
	return st.last
}

// writeOne writes one event and advances the position of the client.
func (st *stream) writeOne(ev *perch.Event) error {
	err := st.enc.event(ev)
	if err == nil || errors.Is(err, errStreamComplete) {
		st.advance(ev.Position)
	}
	return err
}

func (st *stream) advance(p perch.Position) {
	if !p.IsZero() && (p.Epoch != st.delivered.Epoch || p.Offset > st.delivered.Offset) {
		st.delivered = p
	}
}

// cutError is an error of the subscription, as opposed to one of the connection.
type cutError struct{ error }

func (e cutError) Unwrap() error { return e.error }

// failed is the ending of a stream that an error has stopped.
func (st *stream) failed(err error) ending {
	if errors.Is(err, errEnding) {
		return st.mail.found()
	}
	if cut, ok := errors.AsType[cutError](err); ok {
		if errors.Is(err, sessions.ErrMoved) && st.api.draining.Load() {
			return st.moved()
		}
		return endingOf(cut.error)
	}
	if _, ok := errors.AsType[*perch.Error](err); ok && st.ctx.Err() == nil {
		return endingOf(err) // of the preamble: the log could not be read
	}
	return clientGone // errStreamComplete, or the client has left
}

// problem is what the client of the stream sees of an error.
func (st *stream) problem(err error) Problem {
	path := "/v1/events"
	if st.entry.transport == "ws" {
		path += "/ws"
	}
	return problemAt(path, st.requestID, err)
}

// log reports the end of a stream, for debugging.
func (st *stream) log(e ending) {
	st.api.log.LogAttrs(context.Background(), slog.LevelDebug, "stream ended",
		slog.String("encoding", st.entry.transport), slog.String("connection_id", st.id),
		slog.Int("code", int(e.code)), slog.String("request_id", st.requestID))
}
