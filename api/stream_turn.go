package api

import (
	"errors"
	"runtime/debug"
	"time"

	"github.com/perch-im/perch"
)

// outcome is how a turn has ended.
type outcome int

const (
	turnIdle  outcome = iota // nothing is due any more
	turnWaits                // it must go on where it may wait
	turnEnded                // the stream has an ending: stream.last
)

// turn does what is due until nothing is. It is the whole life of a stream, in steps: hello, replay or
// snapshots, live, then events. Without wait it does not wait for anything.
func (st *stream) turn(wait bool) outcome {
	if st.detached != nil {
		st.detached.wait = wait
	}
	for {
		switch err := st.writeTodo(); {
		case errors.Is(err, errWouldWait):
			return turnWaits
		case err != nil:
			st.last = st.failed(err)
			return turnEnded
		case st.over:
			return turnEnded
		}
		st.arm()
		w := st.mail.take(wait)
		switch {
		case w.due == 0:
			return turnIdle
		case !wait && w.due&dueWaits != 0:
			return turnWaits
		}
		if err := st.do(w); err != nil {
			st.last = st.failed(err)
			return turnEnded
		}
	}
}

// turnGuarded is turn for a goroutine that no request belongs to. A fault of ours is an ending of this
// stream alone.
func (st *stream) turnGuarded(wait bool) (o outcome) {
	defer func() {
		if v := recover(); v != nil {
			st.api.log.Error("stream panicked", "panic", v, "connection_id", st.id, "stack", string(debug.Stack()))
			st.last = ending{closeInternal, perch.Errorf(perch.KindInternal, "")}
			o = turnEnded
		}
	}()
	return st.turn(wait)
}

// endAfter ends the stream when what is to be written is written.
func (st *stream) endAfter(e ending) { st.last, st.over = e, true }

// do does one portion of work. What it has to write that may be put off is in st.todo afterwards.
func (st *stream) do(w work) error {
	gone := w.due&dueEnd != 0 && w.ending == clientGone // nothing is begun for it
	if w.due&dueBegin != 0 && !gone {
		if err := st.begin(); err != nil {
			return err
		}
	}
	if len(w.control) > 0 {
		st.detached.control(w.control)
	}
	for _, f := range w.frames {
		if f.filter != nil {
			st.sub.SetTypes(f.filter.types)
			st.sub.SetConversations(f.filter.conversations)
		}
		if f.frame != nil {
			st.todo = append(st.todo, f.frame)
		}
	}
	if w.due&dueEnd != 0 {
		st.endAfter(w.ending)
		return nil
	}
	if w.due&dueLeave != 0 {
		st.closeReason = ending{closeDraining, nil}
		st.closeAt = max(1, st.api.now()+w.leave)
		st.todo = append(st.todo, reconnect(w.leave))
	}
	if w.due&dueEvents != 0 {
		if _, err := st.takeEvents(); err != nil {
			return err
		}
	}
	if w.due&dueTimer != 0 {
		return st.onTimer()
	}
	return nil
}

// begin writes what comes before the first live event.
func (st *stream) begin() error {
	if err := st.enc.event(st.hello()); err != nil {
		return err
	}
	err := st.sub.Preamble(st.ctx, func(ev *perch.Event) error {
		if st.detached != nil {
			if err := st.detached.between(&st.mail); err != nil {
				return err
			}
		}
		return st.writeOne(ev)
	})
	if err != nil {
		return err
	}
	st.advance(st.sub.Tip)
	if st.heartbeatEvery > 0 {
		st.beatAt = st.api.now() + st.heartbeatEvery
	}
	return st.enc.flush()
}

// takeEvents takes over what the subscription has queued. What was published before Take is in its
// result or was filtered out, so the client has come to the tip that was read before it.
func (st *stream) takeEvents() (n int, err error) {
	tip := st.sub.TipNow()
	evs, err := st.sub.Take()
	if err != nil {
		return 0, cutError{err}
	}
	if len(evs) > 0 {
		st.api.o.Observer.Queue(len(evs))
		if st.todo == nil {
			st.todo = evs
		} else {
			st.todo = append(st.todo, evs...)
		}
	}
	if len(st.todo) == 0 {
		st.advance(tip)
	} else {
		st.todoTip = tip
	}
	return len(evs), nil
}

// writeTodo writes and flushes what is to be written, and puts off the next heartbeat.
func (st *stream) writeTodo() error {
	if len(st.todo) == 0 && (st.detached == nil || st.detached.out == nil) {
		return nil
	}
	if len(st.todo) > 0 && st.heartbeatEvery > 0 && st.beatAt != 0 {
		st.beatAt = st.api.now() + st.heartbeatEvery
	}
	for len(st.todo) > 0 {
		if err := st.writeOne(st.todo[0]); err != nil {
			return err
		}
		st.todo[0] = nil
		st.todo = st.todo[1:]
	}
	st.todo = nil
	if err := st.enc.flush(); err != nil {
		return err
	}
	st.advance(st.todoTip)
	st.todoTip = perch.Position{}
	return nil
}

// onTimer does what moments have come for.
func (st *stream) onTimer() error {
	st.armed = 0
	if st.come(&st.closeAt) {
		if st.handOver() {
			return nil
		}
		st.endAfter(st.closeReason)
		_, err := st.takeEvents()
		return err
	}
	if st.detached != nil && st.detached.pings != nil {
		st.detached.pings.onTimer(st)
	}
	if st.over || !st.come(&st.beatAt) {
		return nil
	}
	// A heartbeat is for a stream without events. Its tip is a cursor: every durable event up to it
	// was written, or is of a type that the client did not ask for.
	n, err := st.takeEvents()
	if n == 0 && err == nil {
		st.todo = append(st.todo, heartbeat(st.delivered))
	}
	st.beatAt = st.api.now() + st.heartbeatEvery
	return err
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
	st.closeAt = st.api.now() + handOverTime
	return true
}

// moved is the ending of a stream whose session was handed off while this node stops: it may
// not have received its own moment yet, when another stream of the session was closed first.
func (st *stream) moved() ending {
	if st.mail.takeLeave() {
		err := st.enc.event(reconnect(0))
		if err == nil {
			err = st.enc.flush()
		}
		if err != nil && !errors.Is(err, errWouldWait) {
			return clientGone
		}
	}
	return ending{closeDraining, nil}
}
