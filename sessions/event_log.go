package sessions

import (
	"errors"
	"time"

	"github.com/perch-im/perch"
)

const (
	batchEvents = 128     // then the next batch begins
	queueEvents = 256     // then nothing more is taken from the connection
	queueBytes  = 1 << 20 // the same, in bytes
)

// journal is what a part of a session may do to what is committed and published. Only the
// owner may call it.
type journal interface {
	// Durable makes an event of the log. It is published once it is committed.
	Durable(typ perch.EventType, data any)
	// Ephemeral makes an event that is published after what was made before it, and not
	// kept. Of those with the same key that wait for a slow subscriber, the last one counts.
	Ephemeral(typ perch.EventType, key string, data any)
	// Change is the commit that gathers, for rows of tables.
	Change() *Commit
	// AfterCommit runs f when everything until now is committed.
	AfterCommit(f func(Result))
	// Exclusive queues a commit that an idempotency key decides: nothing else may depend on
	// it. When the Store rejects it, it is not tried again; f gets the error.
	Exclusive(c Commit, f func(Result))
}

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
}

// committer is the part of a Store that the log writes to.
type committer interface {
	Commit(id ID, c *Commit, done func(Result))
}

// reset begins the log anew after what the Store has of it, and returns what had gathered.
func (l *eventLog) reset(saved *Saved) []*batch {
	old := l.queue
	*l = eventLog{host: l.host, store: l.store, id: l.id, drained: l.drained,
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

// Durable implements journal.
func (l *eventLog) Durable(typ perch.EventType, data any) { l.durableAt(typ, l.host.now(), data) }

func (l *eventLog) durableAt(typ perch.EventType, at perch.Time, data any) {
	e := perch.NewEvent(perch.Position{Epoch: l.epoch, Offset: l.next + 1}, typ, at, data)
	l.next++ // not before: an event that cannot be made must not leave a hole
	b := l.gathering()
	b.commit.Events = append(b.commit.Events, e)
	l.append(b, e)
}

// Ephemeral implements journal.
func (l *eventLog) Ephemeral(typ perch.EventType, key string, data any) {
	if !l.host.watched() {
		return
	}
	e := perch.NewEvent(perch.Position{}, typ, l.host.now(), data)
	e.Key = key
	l.append(l.gathering(), e)
}

// append adds an event to those that are published with b.
func (l *eventLog) append(b *batch, e *perch.Event) {
	b.publish = append(b.publish, e)
	b.bytes += len(e.Wire)
	l.events++
	l.bytes += len(e.Wire)
}

// Change implements journal.
func (l *eventLog) Change() *Commit { return &l.gathering().commit }

// AfterCommit implements journal.
func (l *eventLog) AfterCommit(f func(Result)) {
	b := l.gathering()
	b.after = append(b.after, f)
}

// afterDrain runs f when nothing is left to commit.
func (l *eventLog) afterDrain(f func()) { l.drained = append(l.drained, f) }

// applied counts a stanza whose effects are in the batch that gathers.
func (l *eventLog) applied() {
	l.gathering().taken++
	l.taken++
}

// cover says that all stanzas of a link up to seq are in the batch that gathers, or before it:
// when that is committed, they may be acknowledged.
func (l *eventLog) cover(k *link, seq uint64) *batch {
	b := l.gathering()
	b.link, b.seq = k, seq
	return b
}

// addCard puts a vCard of n bytes into the batch that gathers.
func (l *eventLog) addCard(card *perch.VCard, n int) {
	b := l.gathering()
	put(&b.commit.VCards, vcardKey, card)
	b.cards += n
	l.cards += n
}

// Exclusive implements journal.
func (l *eventLog) Exclusive(c Commit, f func(Result)) {
	l.queue = append(l.queue, &batch{commit: c, exclusive: true, after: []func(Result){f}})
}

// flush hands the next batch to the Store. The loop calls it after every turn. What runs when
// nothing is left to commit may make more.
func (l *eventLog) flush() {
	for {
		for !l.busy && len(l.queue) > 0 {
			l.commit(l.queue[0])
		}
		if len(l.queue) > 0 || l.busy {
			return
		}
		l.queue = nil
		drained := l.drained
		if l.drained = nil; len(drained) == 0 {
			return
		}
		for _, f := range drained {
			f()
		}
	}
}

// commit hands the head of the queue to the Store.
func (l *eventLog) commit(b *batch) {
	b.closed = true
	if b.empty() {
		l.onCommitted(b, Result{})
		return
	}
	l.busy = true
	b.commit.Fence, b.commit.Epoch = l.fence, l.epoch
	l.store.Commit(l.id, &b.commit, func(r Result) { l.host.post(func() { l.answered(b, r) }) })
}

// answered is the answer of the Store about a batch.
func (l *eventLog) answered(b *batch, r Result) {
	switch {
	case r.Err == nil:
		l.busy, l.down, l.fails = false, false, 0
		l.onCommitted(b, r)
	case errors.Is(r.Err, ErrFenced):
		l.refuse(r.Err)
		l.host.fenced()
	case errors.Is(r.Err, ErrLost), errors.Is(r.Err, ErrOrder):
		l.refuse(r.Err)
		l.busy, l.down = true, true // until reset
		l.host.recordLost()
	default:
		l.backOff(r.Err)
	}
}

// onCommitted publishes what a batch has brought. It is the head of the queue.
func (l *eventLog) onCommitted(b *batch, r Result) {
	l.queue = l.queue[1:]
	l.events -= len(b.publish)
	l.bytes -= b.bytes
	l.taken -= b.taken
	l.cards -= b.cards
	for _, e := range b.publish {
		if !e.Position.IsZero() {
			l.published = e.Position.Offset
		}
		l.host.publish(e)
	}
	if b.link != nil {
		l.host.acknowledge(b.link, b.seq)
	}
	for _, f := range b.after {
		f(r)
	}
}

const (
	storeRetryMin = 100 * time.Millisecond
	storeRetryMax = 5 * time.Second
)

// backOff refuses what a client waits for, and tries the rest again after a while.
func (l *eventLog) backOff(err error) {
	if !l.down {
		l.host.storeRejects(err)
	}
	l.down = true
	l.refuse(err)
	d := min(storeRetryMin<<min(l.fails, 10), storeRetryMax)
	l.fails++
	l.retry = l.host.after(d, func() {
		l.busy = false
		if len(l.queue) == 0 {
			l.down = false // nothing to try with: the next write will tell
		}
	})
}

// refuse takes the exclusive batches out of the queue, and answers those who wait for them:
// the client tries again itself.
func (l *eventLog) refuse(err error) {
	var rest []*batch
	for _, b := range l.queue {
		if !b.exclusive {
			rest = append(rest, b)
			continue
		}
		for _, f := range b.after {
			f(Result{Err: storeError(err)})
		}
	}
	l.queue = rest
}

// stop ends the wait for another try.
func (l *eventLog) stop() { stop(l.retry) }
