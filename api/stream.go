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
	// stream: errStreamComplete because the encoder has all it needs, any other because the
	// client cannot be reached.
	event(ev *perch.Event) error
	// flush sends what event has left in buffers.
	flush() error
}

// errStreamComplete is what an encoder returns when it has all that it needs.
var errStreamComplete = errors.New("api: the stream is complete")

// stream is one client's event stream, whatever its encoding.
type stream struct {
	api   *API
	id    string // connection_id
	entry *entry
	sess  *sessions.Session
	sub   *sessions.Subscription
	enc   encoder

	inbox          chan outFrame // from the reader of a socket; nil elsewhere
	ended          chan ending   // from the reader and the pinger of a socket; nil elsewhere
	closeAfter     *time.Timer   // of a drain, or of a poll that waits; nil: neither
	closeReason    ending        // of the stream when closeAfter fires
	handingOver    bool          // the session is handed off to another node; see handOver
	heartbeatEvery time.Duration // silence before a heartbeat; 0: no heartbeats
	beat           *time.Timer

	// delivered is the last durable position that the client has, or that was filtered for it.
	delivered perch.Position
}

// outFrame is what the reader of a socket posts to its stream: a frame to write and, with
// filter, a new list of types.
type outFrame struct {
	frame  *perch.Event
	filter bool
	types  []string
}

// openStream registers and subscribes; close must follow when there is no error.
func (a *API) openStream(ctx context.Context, sess *sessions.Session, transport string, o sessions.SubscribeOptions) (*stream, error) {
	e, err := a.streams.open(sess.ID(), transport)
	if perch.KindOf(err) == perch.KindDraining {
		sess.HandOver() // the client finds it on another node
	}
	if err != nil {
		return nil, err
	}
	sub, err := sess.Subscribe(ctx, o)
	if err != nil {
		a.streams.close(e)
		return nil, err
	}
	st := &stream{api: a, id: "c_" + rand.Text()[:16], entry: e, sess: sess, sub: sub, heartbeatEvery: a.o.Heartbeat}
	if sub.Resumed {
		st.delivered = sub.TipNow() // the cursor itself: nothing was replayed yet
	}
	return st, nil
}

func (st *stream) close() {
	st.sub.Close()
	st.api.streams.close(st.entry)
}

// run is the loop of a stream: hello, replay or snapshots, live, then events, until the client,
// the session or the node ends. It waits for nothing but the encoder and its channels, and only
// its goroutine uses the subscription.
func (st *stream) run(ctx context.Context) ending {
	if err := st.begin(ctx); err != nil {
		return st.failed(ctx, err)
	}
	if st.closeAfter == nil {
		st.closeAfter = time.NewTimer(0)
		st.closeAfter.Stop()
	}
	defer st.closeAfter.Stop()
	if st.heartbeatEvery > 0 {
		st.beat = time.NewTimer(st.heartbeatEvery)
		defer st.beat.Stop()
	}
	for {
		e, err := st.step(ctx)
		if err != nil {
			return st.failed(ctx, err)
		}
		if e != nil {
			return *e
		}
	}
}

// step waits for one thing and handles it. An ending that is not nil ends the stream.
func (st *stream) step(ctx context.Context) (*ending, error) {
	select {
	case <-ctx.Done():
		return &clientGone, nil
	case e := <-st.ended:
		return &e, st.writePending()
	case <-st.closeAfter.C:
		if st.handOver() {
			return nil, nil
		}
		_, err := st.writeQueued()
		return &st.closeReason, err
	case <-st.sub.Ready():
		_, err := st.writeQueued()
		return nil, err
	case n := <-st.inbox:
		return nil, st.writeOut(n)
	case <-st.beatC():
		return nil, st.heartbeat()
	case after := <-st.entry.closeAfter:
		st.closeReason = ending{closeDraining, nil}
		st.closeAfter.Reset(after)
		return nil, st.write(reconnect(after))
	}
}

// handOverTime is how long a stream waits for its session to be ready for another node.
const handOverTime = 5 * time.Second

// handOver begins the hand-off of the session to another node, when this node stops and the
// stream is to be closed. Until the subscription is cut, which ends the stream, what was
// accepted is still published. So a client that reconnects at once finds the session on the
// other node.
func (st *stream) handOver() bool {
	if st.closeReason.code != closeDraining || st.handingOver || !st.sess.HandOver() {
		return false
	}
	st.handingOver = true
	st.closeAfter.Reset(handOverTime)
	return true
}

func (st *stream) writeOut(n outFrame) error {
	if n.filter {
		st.sub.SetTypes(n.types)
	}
	if n.frame == nil {
		return nil
	}
	return st.write(n.frame)
}

// writePending writes what the reader has posted before it ended the stream.
func (st *stream) writePending() error {
	for {
		select {
		case n := <-st.inbox:
			if err := st.writeOut(n); err != nil {
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
	if err := st.sub.Preamble(ctx, st.writeOne); err != nil {
		return err
	}
	st.advance(st.sub.Tip)
	return st.enc.flush()
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

// writeQueued writes what the subscription has queued. What was published before Take is in its
// result or was filtered out, so the client has come to the tip that was read before it.
func (st *stream) writeQueued() (n int, err error) {
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
		st.advance(tip)
	}
	return len(evs), err
}

// write writes and flushes events, and postpones the next heartbeat.
func (st *stream) write(evs ...*perch.Event) error {
	for _, ev := range evs {
		if err := st.writeOne(ev); err != nil {
			return err
		}
	}
	if err := st.enc.flush(); err != nil {
		return err
	}
	if st.beat != nil && len(evs) > 0 {
		st.beat.Reset(st.heartbeatEvery)
	}
	return nil
}

// heartbeat is for a stream without events. Its tip is a cursor: every durable event up to it
// was written, or is of a type that the client did not ask for.
func (st *stream) heartbeat() error {
	if n, err := st.writeQueued(); n > 0 || err != nil {
		return err
	}
	return st.write(heartbeat(st.delivered))
}

// cutError is an error of the subscription, as opposed to one of the connection.
type cutError struct{ error }

func (e cutError) Unwrap() error { return e.error }

// failed is the ending of a stream that an error has stopped.
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
	return clientGone // errStreamComplete, or the client has left
}

// moved is the ending of a stream whose session was handed off while this node stops: it may
// not have received its own closeAfter yet, when another stream of the session was closed first.
func (st *stream) moved() ending {
	select {
	case <-st.entry.closeAfter:
		if st.write(reconnect(0)) != nil {
			return clientGone
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
