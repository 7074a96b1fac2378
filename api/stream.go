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

// encoder writes a stream in one encoding. Its methods are called by the goroutine of the
// stream, one at a time; each is bounded by Options.FrameTime.
type encoder interface {
	// event writes one event. The bytes of ev.Wire are shared: they are written
	// as they are, never changed and never encoded a second time. An error ends the
	// stream: errDone silently, any other because the client cannot be reached.
	event(ev *perch.Event) error
	// flush sends what event has left in buffers.
	flush() error
}

// errDone is what an encoder returns when it has all it wants.
var errDone = errors.New("api: the stream is complete")

// stream is one client's event stream, whatever its encoding.
type stream struct {
	api   *API
	id    string // connection_id
	entry *entry
	sess  *sessions.Session
	sub   *sessions.Subscription
	enc   encoder

	inbox chan note     // from the reader of a socket; nil elsewhere
	ended chan ending   // from the reader and the pinger of a socket; nil elsewhere
	leave *time.Timer   // when it is time to go; nil: no such time
	goal  ending        // what leave brings
	over  bool          // the session goes to another node; see handOver
	quiet time.Duration // silence before a heartbeat; 0: no heartbeats
	beat  *time.Timer

	// passed is the last durable position that the client has, or need not have.
	passed perch.Position
}

// note is what the reader of a socket hands to its stream: a frame to write and, with
// filter, a new list of types.
type note struct {
	frame  *perch.Event
	filter bool
	types  []string
}

// openStream registers and subscribes; close must follow when there is no error.
func (a *API) openStream(ctx context.Context, sess *sessions.Session, transport string, o sessions.SubscribeOptions) (*stream, error) {
	e, err := a.stream.enter(sess.ID(), transport)
	if perch.KindOf(err) == perch.KindDraining {
		sess.HandOver() // the client finds it on another node
	}
	if err != nil {
		return nil, err
	}
	sub, err := sess.Subscribe(ctx, o)
	if err != nil {
		a.stream.leave(e)
		return nil, err
	}
	st := &stream{api: a, id: "c_" + rand.Text()[:16], entry: e, sess: sess, sub: sub, quiet: a.o.Heartbeat}
	if sub.Resumed {
		st.passed = sub.TipNow() // the cursor itself: nothing was replayed yet
	}
	return st, nil
}

func (st *stream) close() {
	st.sub.Close()
	st.api.stream.leave(st.entry)
}

// run is the one loop: hello, replay or snapshots, live, live events, until the client,
// the session or the node ends. It never waits for anything but the encoder and its
// channels, and only its goroutine touches the subscription.
func (st *stream) run(ctx context.Context) ending {
	if err := st.begin(ctx); err != nil {
		return st.failed(ctx, err)
	}
	if st.leave == nil {
		st.leave = time.NewTimer(0)
		st.leave.Stop()
	}
	defer st.leave.Stop()
	if st.quiet > 0 {
		st.beat = time.NewTimer(st.quiet)
		defer st.beat.Stop()
	}
	for {
		e, err := st.turn(ctx)
		if err != nil {
			return st.failed(ctx, err)
		}
		if e != nil {
			return *e
		}
	}
}

// turn waits for one thing and does it.
func (st *stream) turn(ctx context.Context) (*ending, error) {
	select {
	case <-ctx.Done():
		return &gone, nil
	case e := <-st.ended:
		return &e, st.answerRest()
	case <-st.leave.C:
		if st.handOver() {
			return nil, nil
		}
		_, err := st.forward()
		return &st.goal, err
	case <-st.sub.Ready():
		_, err := st.forward()
		return nil, err
	case n := <-st.inbox:
		return nil, st.answer(n)
	case <-st.beatC():
		return nil, st.heartbeat()
	case after := <-st.entry.plan:
		st.goal = ending{closeDraining, nil}
		st.leave.Reset(after)
		return nil, st.write(reconnect(after))
	}
}

// handOverTime is how long a stream waits for its session to be ready for another node.
const handOverTime = 5 * time.Second

// handOver lets another node take the session over, when this one stops and the moment of
// the stream has come. What is still accepted meanwhile is published; the end comes when the
// subscription is cut. So a client that reconnects at once finds the session elsewhere.
func (st *stream) handOver() bool {
	if st.goal.code != closeDraining || st.over || !st.sess.HandOver() {
		return false
	}
	st.over = true
	st.leave.Reset(handOverTime)
	return true
}

func (st *stream) answer(n note) error {
	if n.filter {
		st.sub.SetTypes(n.types)
	}
	if n.frame == nil {
		return nil
	}
	return st.write(n.frame)
}

// answerRest writes what the reader handed over before it ended the stream.
func (st *stream) answerRest() error {
	for {
		select {
		case n := <-st.inbox:
			if err := st.answer(n); err != nil {
				return err
			}
		default:
			return nil
		}
	}
}

func (st *stream) beatC() <-chan time.Time {
	if st.beat == nil {
		return nil
	}
	return st.beat.C
}

// begin writes what comes before the first live event.
func (st *stream) begin(ctx context.Context) error {
	if err := st.enc.event(st.hello()); err != nil {
		return err
	}
	if err := st.sub.Preamble(ctx, st.emit); err != nil {
		return err
	}
	st.pass(st.sub.Tip)
	return st.enc.flush()
}

// emit writes one event and remembers how far the client has come.
func (st *stream) emit(ev *perch.Event) error {
	err := st.enc.event(ev)
	if err == nil || errors.Is(err, errDone) {
		st.pass(ev.Position)
	}
	return err
}

func (st *stream) pass(p perch.Position) {
	if !p.IsZero() && (p.Epoch != st.passed.Epoch || p.Offset > st.passed.Offset) {
		st.passed = p
	}
}

// forward writes what the subscription has queued. What was offered before Take is in its
// answer or was filtered out, so the tip that was read first is passed afterwards.
func (st *stream) forward() (n int, err error) {
	tip := st.sub.TipNow()
	evs, err := st.sub.Take()
	if err != nil {
		return 0, cutError{err}
	}
	if len(evs) > 0 {
		st.api.o.Observer.Queue(len(evs))
		err = st.write(evs...)
	}
	if err == nil {
		st.pass(tip)
	}
	return len(evs), err
}

// write writes and sends events, and puts the next heartbeat off.
func (st *stream) write(evs ...*perch.Event) error {
	for _, ev := range evs {
		if err := st.emit(ev); err != nil {
			return err
		}
	}
	if err := st.enc.flush(); err != nil {
		return err
	}
	if st.beat != nil && len(evs) > 0 {
		st.beat.Reset(st.quiet)
	}
	return nil
}

// heartbeat breaks the silence. Its tip is a cursor: every durable event up to it was
// written, or is of a type that the client did not ask for.
func (st *stream) heartbeat() error {
	if n, err := st.forward(); n > 0 || err != nil {
		return err
	}
	return st.write(heartbeat(st.passed))
}

// cutError is an error of the subscription, as opposed to one of the connection.
type cutError struct{ error }

func (e cutError) Unwrap() error { return e.error }

// failed is the end of a stream that an error has stopped.
func (st *stream) failed(ctx context.Context, err error) ending {
	if cut, ok := errors.AsType[cutError](err); ok {
		if errors.Is(err, sessions.ErrMoved) && st.api.draining.Load() {
			return st.moved()
		}
		return endingOf(cut.error)
	}
	if _, ok := errors.AsType[*perch.Error](err); ok && ctx.Err() == nil {
		return endingOf(err) // of the preamble: the log could not be read
	}
	return gone // errDone, or the client has left
}

// moved is the end of a stream whose session has gone while this node stops: by the moment
// of another stream of it, perhaps, before this one has got its own.
func (st *stream) moved() ending {
	select {
	case <-st.entry.plan:
		if st.write(reconnect(0)) != nil {
			return gone
		}
	default:
	}
	return ending{closeDraining, nil}
}

// log reports the end of a stream, for debugging.
func (st *stream) log(r *http.Request, encoding string, e ending) {
	st.api.log.LogAttrs(context.WithoutCancel(r.Context()), slog.LevelDebug, "stream ended",
		slog.String("encoding", encoding), slog.String("connection_id", st.id),
		slog.Int("code", int(e.code)), slog.String("request_id", requestID(r.Context())))
}
