package sessions

import (
	"github.com/perch-im/perch"
)

// published is called for each durable event, once it is committed and published. A reader that has had all
// before it, and that it is not for, has nothing to do.
func (x *readerList) published(e *perch.Event) {
	x.tip.Store(e.Position.Offset)
	if x.absence.open {
		x.absence.mark(x.host.now(), e.Position.Offset)
	}
	for _, r := range x.list {
		if r.turn != nil || r.row.Disabled != "" {
			continue
		}
		if r.row.Sending == 0 && r.at+1 == e.Position.Offset && r.row.Reset == "" && !r.filter.passes(e, x.host.ownJID().Bare()) {
			r.at = e.Position.Offset
			x.saveLater(r)
			continue
		}
		x.wake(r)
	}
}

// saveLater has a cursor that has moved over what is not for its reader written, some time.
func (x *readerList) saveLater(r *reader) {
	switch {
	case r.at-r.row.Cursor.Offset >= saveCursorsMany:
		x.put(r)
	case x.saving == nil:
		x.saving = x.host.after(saveCursors, x.save)
	}
}

// save writes the cursors that have moved.
func (x *readerList) save() {
	stop(x.saving)
	x.saving = nil
	for _, r := range x.list {
		if r.at != r.row.Cursor.Offset {
			x.put(r)
		}
	}
}

// wakeAll lets every reader look whether there is something for it.
func (x *readerList) wakeAll() {
	for _, r := range x.list {
		x.wake(r)
	}
}

// wake queues a reader for its turn if something is due.
func (x *readerList) wake(r *reader) {
	if r.turn != nil || !x.mayRead(r) || r.row.Sending == 0 && r.at >= x.log.published {
		return
	}
	now := x.host.now()
	if wait := r.row.Next.Time().Sub(now.Time()); r.row.Next != 0 && wait > 0 {
		stop(r.retry)
		r.retry = x.host.after(min(wait, maxRetryAfter), func() { x.wake(r) })
		return
	}
	x.enqueue(r)
}

// mayRead reports whether something may be sent to a reader now.
func (x *readerList) mayRead(r *reader) bool {
	switch {
	case x.host.over() || r.row.Disabled != "" || x.senders[r.row.Kind] == nil:
		return false
	case r.detached() && (x.absence.open || x.absence.grace != nil):
		return false
	}
	return !r.removed && !r.resting
}

// rest keeps a reader from another turn for a while, because the Store did not answer.
func (x *readerList) rest(r *reader) {
	r.resting = true
	x.host.after(storeRetryMax, func() {
		r.resting = false
		x.wake(r)
	})
}

// cancel ends the turn of a reader, whatever it has come to: what it has sent is not noted. Its place is
// taken by the next turn once it has ended.
func (x *readerList) cancel(r *reader) {
	if r.turn != nil && r.turn.cancel() {
		r.turn = nil
	}
}

// withdraw ends the turn of a reader if it still waits.
func (x *readerList) withdraw(r *reader) {
	if r.turn != nil && r.turn.ticket.withdraw() {
		r.turn.cancel()
		r.turn = nil
	}
}
