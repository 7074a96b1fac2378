package api

import (
	"context"
	"sync"
	"time"

	"github.com/perch-im/perch"
)

// due is a set of things that a stream has to do.
type due uint8

const (
	dueBegin  due = 1 << iota // write what comes before the live events
	dueEvents                 // the subscription has something
	dueFrames                 // the reader of a socket has posted something
	dueTimer                  // a moment has come
	dueLeave                  // the node is stopping
	dueEnd                    // the reader has found an ending
)

// dueWaits are what cannot be done without waiting: for the log, the owner or the client.
const dueWaits = dueBegin | dueLeave | dueEnd

// outFrame is what the reader of a socket posts to its stream: a frame to write, a new filter, or both.
type outFrame struct {
	frame  *perch.Event
	filter *streamFilter // nil: it stays
}

// Bounds of what a reader may have posted that is not written yet: then it reads no further.
const (
	maxFrames  = 4
	maxControl = 512 // bytes of control frames
)

// mailbox is how the others tell a stream what it has to do: the owner of the session, the reader of
// a socket, a timer, a drain. None of them waits, except for a reader whose client does not take the
// replies. While a turn is under way the stream looks into it again before the turn ends; otherwise
// who posts begins one.
type mailbox struct {
	mu      sync.Mutex
	due     due
	busy    bool // a turn is under way, or the stream is being opened
	closed  bool // the stream ends: nothing is taken any more
	frames  []outFrame
	control []byte             // control frames of a WebSocket, as they are sent
	room    chan struct{}      // closed when frames and control were taken; nil: no reader waits
	ending  ending             // with dueEnd
	leave   time.Duration      // with dueLeave: after how long the stream is closed
	command context.CancelFunc // of the command that runs
	conn    *frameConn         // of a stream that no request belongs to
	isCut   bool               // it was told to close the connection
}

// post adds to what is due. True: the caller must begin a turn.
func (m *mailbox) post(d due) (begin bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.postLocked(d)
}

func (m *mailbox) postLocked(d due) (begin bool) {
	if m.closed {
		return false
	}
	m.due |= d
	begin = !m.busy
	m.busy = true
	return begin
}

// postEnding is post of an ending. The first one counts.
func (m *mailbox) postEnding(e ending) (begin bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.due&dueEnd != 0 {
		return false
	}
	m.ending = e
	return m.postLocked(dueEnd)
}

// postLeave is post of a drain.
func (m *mailbox) postLeave(after time.Duration) (begin bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.leave = after
	return m.postLocked(dueLeave)
}

// postFrames is post of what a reader has. It waits while there is no room.
func (m *mailbox) postFrames(frames ...outFrame) (begin bool) {
	m.awaitRoomLocked()
	defer m.mu.Unlock()
	if m.closed {
		return false
	}
	m.frames = append(m.frames, frames...)
	return m.postLocked(dueFrames)
}

// postControl is post of control frames. It does not wait: who makes them has waited for room.
func (m *mailbox) postControl(p []byte) (begin bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return false
	}
	m.control = append(m.control, p...)
	return m.postLocked(dueFrames)
}

// awaitRoom waits until the client has taken what was posted before, or until the stream ends.
func (m *mailbox) awaitRoom() {
	m.awaitRoomLocked()
	m.mu.Unlock()
}

// awaitRoomLocked is awaitRoom, and returns with mu held.
func (m *mailbox) awaitRoomLocked() {
	for {
		m.mu.Lock()
		if m.closed || len(m.frames) < maxFrames && len(m.control) < maxControl {
			return
		}
		if m.room == nil {
			m.room = make(chan struct{})
		}
		room := m.room
		m.mu.Unlock()
		<-room
	}
}

// work is what a turn does next.
type work struct {
	due     due
	frames  []outFrame
	control []byte
	ending  ending
	leave   time.Duration
}

// take returns what is due. With nothing the turn is over. What is due may need to wait: then,
// unless the turn may, it stays and the turn must go on where it may.
func (m *mailbox) take(wait bool) work {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !wait && m.due&dueWaits != 0 {
		return work{due: m.due}
	}
	if m.due&dueBegin != 0 { // the rest is looked at meanwhile, see detached.between
		m.due &^= dueBegin
		return work{due: dueBegin}
	}
	w := work{m.due, m.frames, m.control, m.ending, m.leave}
	m.due, m.frames, m.control = 0, nil, nil
	m.busy = w.due != 0
	m.makeRoom()
	return w
}

// takeLeave reports whether a drain has told the stream to leave, in a turn that ends it.
func (m *mailbox) takeLeave() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	due := m.due
	m.due &^= dueLeave
	return due&dueLeave != 0
}

// found is the ending that the reader has found, in a turn that ends the stream with it.
func (m *mailbox) found() ending {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.ending
}

// takeControl returns the control frames that are due, during something that takes long; ended
// reports whether the reader has found an ending meanwhile.
func (m *mailbox) takeControl() (control []byte, ended bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	control, m.control = m.control, nil
	if control != nil {
		m.makeRoom()
	}
	return control, m.due&dueEnd != 0
}

func (m *mailbox) makeRoom() {
	if m.room != nil {
		close(m.room)
		m.room = nil
	}
}

// runs notes how to end the command that runs; nil: none does. A stream that ends ends it.
func (m *mailbox) runs(cancel context.CancelFunc) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.command = cancel; cancel != nil && m.closed {
		cancel()
	}
}

// attach says which connection cut closes.
func (m *mailbox) attach(c *frameConn) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.conn = c; m.isCut {
		c.abort()
	}
}

// cut closes the connection as it is: a drain waits no longer.
func (m *mailbox) cut() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.isCut = true; m.conn != nil {
		m.conn.abort()
	}
}

// running reports whether a command runs.
func (m *mailbox) running() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.command != nil
}

// close lets everybody who posts go on: nothing is taken any more.
func (m *mailbox) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed, m.frames = true, nil
	m.makeRoom()
	if m.command != nil {
		m.command()
	}
}

func (m *mailbox) isClosed() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.closed
}
