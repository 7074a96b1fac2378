package sessions

import (
	"time"

	"github.com/perch-im/perch"
)

const (
	batchEvents = 128     // then the next batch begins
	queueEvents = 256     // then nothing more is taken from the connection
	queueBytes  = 1 << 20 // the same, in bytes
)

// logHost is what the log needs of the session that it belongs to.
type logHost interface {
	owner
	// watched reports whether there is a subscriber.
	watched() bool
	// publish offers an event to the subscribers.
	publish(e *perch.Event)
	// acknowledge says that the stanzas of a link up to seq are committed.
	acknowledge(l *link, seq uint64)
	// fenced says that another owner has the session.
	fenced()
	// recordLost says that the Store has lost what it had. The host answers with reset.
	recordLost()
	// storeRejects says that the Store has begun to take no writes.
	storeRejects(err error)
}

// eventLog is the part of a session that commits and publishes, in order. One batch is with
// the Store at a time, so that a failed one can be tried again before anything that builds on
// it; the next one gathers meanwhile.
type eventLog struct {
	host  logHost
	store committer
	id    ID
	fence uint64
	epoch string

	next      uint64 // offset of the newest event that was made
	published uint64 // offset of the newest event that is committed, and was published
	queue     []*batch
	events    int // in the queue
	bytes     int
	taken     int  // stanzas that were applied and are not committed
	cards     int  // bytes of vCards in the queue
	busy      bool // queue[0] is with the Store, or waits for another try
	down      bool // the last answer was that the Store cannot take writes
	fails     int
	retry     *time.Timer
	drained   []func() // run when the queue is empty
	// noted are called for each durable event, with the commit that it is in.
	noted []func(c *Commit, typ perch.EventType, at perch.Time, data any)
	// read are called for each durable event, once it is published.
	read []func(e *perch.Event)
}

// reset begins the log anew after what the Store has of it, and returns what had gathered.
func (l *eventLog) reset(saved *Saved) []*batch {
	old := l.queue
	*l = eventLog{host: l.host, store: l.store, id: l.id, drained: l.drained, noted: l.noted, read: l.read,
		fence: saved.Fence, epoch: saved.Epoch, next: saved.Tip, published: saved.Tip}
	return old
}

// full reports whether nothing more may be taken from the connection.
func (l *eventLog) full() bool {
	return l.events >= queueEvents || l.bytes >= queueBytes || l.taken >= unkeptMost
}

// empty reports whether everything is committed.
func (l *eventLog) empty() bool { return len(l.queue) == 0 }

// tip is the last durable position that was published.
func (l *eventLog) tip() perch.Position { return perch.Position{Epoch: l.epoch, Offset: l.published} }

// batch is one commit and what follows from it.
type batch struct {
	commit    Commit
	publish   []*perch.Event // durable and ephemeral, in order
	bytes     int            // of publish
	taken     int            // stanzas whose effects are in it
	cards     int            // bytes of vCards
	after     []func(Result)
	link      *link // whose stanzas up to seq are in this batch, or before it
	seq       uint64
	exclusive bool // decided by a key that may exist: nothing else may depend on it
	closed    bool // nothing is added any more
}
