package sessions

import (
	"encoding/json"
	"sync"

	"github.com/perch-im/perch"
)

func (b *batch) empty() bool {
	c := &b.commit
	return len(c.Events) == 0 && c.Record == nil && c.Once == nil && !c.Release && len(c.Messages) == 0 && c.Contacts.Empty() &&
		c.Invitations.Empty() && c.VCards.Empty() && c.Outbox.Empty() && c.Conversations.Empty() && c.Rooms.Empty() && c.Readers.Empty()
}

// gathering is the batch that changes are added to.
func (l *eventLog) gathering() *batch {
	if n := len(l.queue); n > 0 {
		if b := l.queue[n-1]; !b.exclusive && !b.closed && len(b.publish) < batchEvents {
			return b
		}
	}
	b := batches.Get().(*batch) //nolint:forcetypeassert // it has no other
	l.queue = append(l.queue, b)
	return b
}

// batches are those that no log has. A session commits one for each stanza, or for a few.
var batches = sync.Pool{New: func() any { return &batch{} }}

// release gives back a batch that is committed, and that the Store has nothing of. Only its two
// lists of events are used again; a long one is not kept.
func (b *batch) release() {
	events, publish := b.commit.Events, b.publish
	if b.exclusive || cap(events) > batchEvents || cap(publish) > batchEvents {
		return
	}
	clear(events)
	clear(publish)
	*b = batch{publish: publish[:0]}
	b.commit.Events = events[:0]
	batches.Put(b)
}

// requeue queues a batch of the lost log again, with new positions. Rows of tables are not in
// it: they are all written when the log is reset. But those of conversations belong to its events,
// and nothing else has their details.
func (l *eventLog) requeue(old *batch) {
	b := l.gathering()
	for _, e := range old.publish {
		if !e.Position.IsZero() {
			l.next++
			e = moved(e, perch.Position{Epoch: l.epoch, Offset: l.next})
			b.commit.Events = append(b.commit.Events, e)
		}
		l.append(b, e)
	}
	b.commit.Messages = append(b.commit.Messages, old.commit.Messages...)
	b.commit.VCards, b.commit.Conversations = old.commit.VCards, old.commit.Conversations
	b.after = append(b.after, old.after...)
	b.link, b.seq = old.link, old.seq
	b.closed = true
}

// moved is e at another position.
func moved(e *perch.Event, pos perch.Position) *perch.Event {
	var data json.RawMessage
	if err := e.Decode(&data); err != nil {
		panic("sessions: an event of the log cannot be moved: " + err.Error())
	}
	again := perch.NewEvent(pos, e.Type, e.Time, data)
	again.Common = e.Common
	return again
}
