package sessions

import (
	"context"
	"slices"

	"github.com/perch-im/perch"
)

// restore implements part.
func (x *readerList) restore(ctx context.Context, v *Saved) error {
	if len(v.Readers) == 0 {
		return nil
	}
	x.tip.Store(v.Tip)
	live, err := x.liveTokens(ctx, v.Readers)
	if err != nil {
		return err
	}
	for _, row := range v.Readers {
		if row.By != "" && !live[row.By] || row.Grant.Expired(x.host.now()) {
			del(&x.journal.Change().Readers, readerKey, row.Key())
			x.host.readerEnded(row.Kind, row.ID, "token")
			continue
		}
		x.load(row, v)
	}
	x.awaitStream()
	x.expireLater()
	x.host.post(x.wakeAll)
	return nil
}

// load takes over one row. What it changes is written before anything is sent.
func (x *readerList) load(row *StoredReader, v *Saved) {
	r, current, ok := x.newReader(row)
	x.list = append(x.list, r) // in the order of the rows
	if !ok && row.Disabled != perch.ReaderSecretLost {
		x.host.post(func() { x.disable(r, perch.ReaderSecretLost) }) // by an event
		return
	}
	found := ok && row.Disabled == perch.ReaderSecretLost // the key is back
	if found {
		r.row.Disabled = ""
		r.forgive()
	}
	if ok && !current {
		x.sealRow(r)
	}
	switch {
	case r.detached() && row.Attached:
		r.row.Cursor.Epoch, r.row.Attached = v.Epoch, false
		x.rewind(r, v.Tip)
	case row.Cursor.Epoch != v.Epoch:
		x.otherLog(r, v.Epoch)
	case row.Cursor.Offset > v.Tip || row.Sending > v.Tip: // nothing that an owner has written
		x.rewind(r, min(row.Cursor.Offset, v.Tip))
	case current && !found || !ok:
		return
	}
	x.put(r)
}

// liveTokens are the ids of the tokens that lead to the session, if a reader depends on one.
func (x *readerList) liveTokens(ctx context.Context, rows []*StoredReader) (map[string]bool, error) {
	if !slices.ContainsFunc(rows, func(r *StoredReader) bool { return r.By != "" }) {
		return nil, nil
	}
	return x.tokens.tokenIDs(ctx, x.id)
}

// otherLog begins with the oldest event of another log, of which the reader is told.
func (x *readerList) otherLog(r *reader, epoch string) {
	x.rewind(r, 0)
	r.row.Cursor.Epoch, r.row.Reset = epoch, ResetEpoch
}

// rewind sets the cursor of a reader, of which nothing is under way then.
func (x *readerList) rewind(r *reader, to uint64) {
	x.cancel(r)
	r.at, r.row.Sending, r.row.Reset = to, 0, ""
}

// rebuilt continues with a log that the Store has begun anew. The rows are written with all else.
func (x *readerList) rebuilt(v *Saved) {
	if x == nil {
		return
	}
	x.tip.Store(v.Tip)
	x.absence.marks = nil
	for _, r := range x.list {
		if r.row.Cursor.Epoch != v.Epoch {
			x.otherLog(r, v.Epoch)
		} else if r.at > v.Tip || r.row.Sending > v.Tip {
			x.rewind(r, min(r.at, v.Tip))
		}
	}
	x.attended()
	x.host.post(x.wakeAll)
}

// writeAll writes every row.
func (x *readerList) writeAll(c *Commit) {
	if x == nil {
		return
	}
	c.Readers = Delta[StoredReader]{Reset: true}
	for _, r := range x.list {
		x.put(r)
	}
}

// apply implements part.
func (x *readerList) apply(perch.Inbound, *link) bool { return false }

// online implements part.
func (x *readerList) online(bool) {}

// offline implements part.
func (x *readerList) offline(*link) {}

// release stops what is under way, because this node gives the session up: the next owner sends it again. What
// has moved is written.
func (x *readerList) release() {
	if x == nil {
		return
	}
	for _, r := range x.list {
		x.cancel(r)
	}
	x.save()
}

// stop implements part.
func (x *readerList) stop() {
	for _, r := range x.list {
		x.cancel(r)
		stop(r.retry)
	}
	stop(x.saving)
	stop(x.expiry)
	stop(x.absence.grace)
}

// sealAgain seals every row with the key that seals now.
func (x *readerList) sealAgain() {
	if x == nil {
		return
	}
	for _, r := range x.list {
		if _, current, ok := x.keys.openReader(x.id, r.row.Key(), r.row.Sealed); ok && !current {
			x.sealRow(r)
			x.put(r)
		}
	}
}

// sealRow seals the secrets of a reader. Where that fails the row has what it had.
func (x *readerList) sealRow(r *reader) {
	if sealed, err := x.keys.sealReader(x.id, r.row.Key(), r.secrets); err == nil {
		r.row.Sealed = sealed
	}
}

// tokenEnded ends the readers that a token has put.
func (x *readerList) tokenEnded(id string) {
	if x == nil {
		return
	}
	for _, r := range slices.Clone(x.list) {
		if r.row.By == id {
			x.remove(r)
			x.host.readerEnded(r.row.Kind, r.row.ID, "token")
		}
	}
}

// expireLater ends readers whose tokens have had their time, now and when the next one has.
func (x *readerList) expireLater() {
	stop(x.expiry)
	x.expiry = nil
	now, first := x.host.now(), perch.Time(0)
	for _, r := range slices.Clone(x.list) {
		at := r.row.Grant.Expires
		switch {
		case at == 0:
		case at <= now:
			x.remove(r)
			x.host.readerEnded(r.row.Kind, r.row.ID, "token")
		case first == 0 || at < first:
			first = at
		}
	}
	if first != 0 {
		x.expiry = x.host.after(first.Time().Sub(now.Time()), x.expireLater)
	}
}

// enabled reports whether the session has a reader that is not disabled.
func (x *readerList) enabled() bool {
	return x != nil && slices.ContainsFunc(x.list, func(r *reader) bool { return r.row.Disabled == "" })
}
