package sessions

import (
	"time"
)

// saveStream puts the state of the stream into the record, for the case that this process is
// killed. Only a stream that is online is worth it, and only a Store that outlives us.
func (c *connection) saveStream() {
	l := c.link
	if l == nil || !l.live || !c.durable {
		return
	}
	if c.state.Stream = l.state(); c.state.Stream == nil {
		return
	}
	l.savedSeq = l.lastSeq
	c.state.Handled = l.lastSeq
	c.state.saveRecord()
	if len(l.buffered) == 0 {
		c.log.cover(l, l.lastSeq)
	}
}

// saveEvery is after how many things that leave no trace in the log the state of the stream
// is saved all the same: what is not committed is not acknowledged, and servers keep only so
// much.
const saveEvery = 32

// covered notes that everything delivered until now is in the batch that gathers, or
// before it: when that is committed, it may be acknowledged. What is held is not covered, nor
// is anything after it.
func (c *connection) covered(l *link) {
	if len(l.buffered) > 0 || l.lastSeq == 0 {
		return
	}
	b := c.log.cover(l, l.lastSeq)
	if b.empty() && l.lastSeq < l.savedSeq+saveEvery {
		return // nothing was committed that a repetition would double
	}
	if _, ok := l.conn.(ResumeCheckpointer); ok {
		c.saveStream()
	}
}

// acknowledge says that the stanzas of a link up to seq are committed (XEP-0198, 4).
func (c *connection) acknowledge(l *link, seq uint64) {
	if l == c.link {
		l.conn.Handled(seq)
	}
}

// leaseHolds reports whether the session is sure to be ours.
func (c *connection) leaseHolds(l *link) bool { return c.nodes.leaseHolds(l.ownedAt) }

// askOwnership finds out whether the session is ours, and lets the outbox flush when it is.
// What is queued now, and the record, is refused by the Store when a new owner has the session:
// nothing leaves then. The process may have been stopped for longer than its lease: what waits
// was marked as sent long ago, and the new owner may have sent it since.
func (c *connection) askOwnership(l *link) {
	l.owned = false
	asked := time.Now()
	c.state.saveRecord()
	c.log.AfterCommit(func(Result) {
		l.owned, l.ownedAt = true, asked
		c.outbox.flush()
	})
}
