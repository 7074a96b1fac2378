package sessions

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/perch-im/perch"
)

// readersHost is what the readers need of the session that they belong to.
type readersHost interface {
	owner
	// call lets the owner run f, and waits until it has run.
	call(ctx context.Context, f func()) error
	// life ends with the session.
	life() context.Context
	// ownJID is the own address.
	ownJID() perch.JID
	// watched reports whether there is a subscriber.
	watched() bool
	// over reports whether the session ends.
	over() bool
	readerEnded(kind perch.ReaderKind, id, why string)
	readerPanicked(fault any)
	aboutConversation(jid perch.JID) AboutConversation
	delivered(kind perch.ReaderKind, result string)
}

// readerTokens knows which tokens lead to a session.
type readerTokens interface {
	tokenIDs(ctx context.Context, id ID) (map[string]bool, error)
}

// readerKeys seals what nobody may read who has the Store alone.
type readerKeys interface {
	sealReader(id ID, key string, x readerSecrets) ([]byte, error)
	// openReader also reports whether it was sealed with the key that seals now.
	openReader(id ID, key string, sealed []byte) (x readerSecrets, current, ok bool)
}

// readerList is the part of a session that brings the log to readers outside: webhooks and push messages.
// A session has one once it has a reader.
//
// Each reader has a cursor: everything up to it was delivered, or is not for this reader. What comes after
// it is delivered in parts, one at a time, in these steps, each of which is stored before the next one:
//
//	idle      cursor = c, sending = 0   nothing after c is due
//	sending   cursor = c, sending = s   the part (c, s] is under way: it is sent, and sent again after each
//	                                    failure, by whatever owner
//	idle      cursor = s, sending = 0   it was answered by 2xx; or sending is the end of the next part already
//
// So that:
//
//   - A part is sent only after a commit that the Store has taken from this owner: one that was replaced
//     begins none.
//   - What a part has follows from the row and the log: a repeat has the same ID and the same events.
//   - The cursor is moved after the answer alone: what was not delivered comes again, and after a crash that
//     is the one part that was under way.
//   - When the log has lost what follows the cursor, the next part says so (Reset), and begins with the
//     oldest event that there is.
//
// Readers for what comes while no stream is open (perch.ReadDetached) have all that, and besides:
//
//	attached   a stream is open: nothing is sent, and the rows say so
//	leaving    the last one has ended, less than readerGrace ago: nothing is sent yet
//	detached   what follows the cursor is sent
//
// When the last stream ends, the cursor is moved to where the log was readerGrace before that, if it is
// behind: what came later may not have arrived at the client, whose network may have been gone for a
// while. When a session is opened whose rows say that a stream was open, the cursor is moved to the tip:
// the clients of these streams come back with their own cursors.
type readerList struct {
	host       readersHost
	tokens     readerTokens
	journal    journal
	log        *eventLog
	store      logStore
	id         ID // of the session
	senders    map[perch.ReaderKind]Sender
	dispatcher *dispatcher
	keys       readerKeys

	list    []*reader     // sorted by key
	tip     atomic.Uint64 // the last event that was published; any goroutine may read it
	absence absence
	saving  *time.Timer // writes the cursors that have moved over events which are not for their readers
	expiry  *time.Timer // of the token that ends first
}

// readerGrace is how long after the end of the last event stream readers for what comes while none is open
// wait for it to come back.
const readerGrace = 5 * time.Second

// saveCursors is how long a cursor that has moved over events which are not for its reader waits to be written,
// unless they are many.
const (
	saveCursors     = 5 * time.Minute
	saveCursorsMany = 1000
)

// reader is one reader. The owner of the session has it.
type reader struct {
	row     StoredReader // as it is stored, or will be with the next commit
	secrets readerSecrets
	filter  eventFilter
	at      uint64      // the cursor; that of the row may be behind, by events that are not for this reader, while nothing is under way
	turn    *turn       // that waits, or is under way; nil: none
	retry   *time.Timer // nil: none is planned
	resting bool        // the Store did not answer a moment ago
	removed bool
}

// newReader is a reader by its row; false: no key opens its secrets.
func (x *readerList) newReader(row *StoredReader) (r *reader, current, ok bool) {
	r = &reader{row: *row, at: row.Cursor.Offset}
	r.secrets, current, ok = x.keys.openReader(x.id, row.Key(), row.Sealed)
	r.filter = filterOf(row)
	return r, current, ok
}

// filterOf is what a reader is shown: what its client wants of what the token may see.
func filterOf(row *StoredReader) eventFilter {
	f := eventFilter{types: row.Spec.Types, only: keysOf(row.Spec.Conversations)}
	if f.types == nil && row.Kind == perch.PushReader {
		f.types = []string{string(perch.EventMessageReceived)}
	}
	if !row.Grant.Full() {
		f.bound = boundOf(&Bound{Types: row.Grant.Shows, Conversations: row.Grant.Conversations})
	}
	return f
}

func (r *reader) detached() bool { return r.row.Spec.When == perch.ReadDetached }

// shown is the reader as its owner sees it.
func (r *reader) shown() perch.Reader {
	row := &r.row
	v := perch.Reader{
		Kind: row.Kind, ID: row.ID, Target: r.secrets.target(), Spec: row.Spec, Created: row.Created, By: row.By,
		State: perch.ReaderActive, Why: row.Disabled, Cursor: perch.Position{Epoch: row.Cursor.Epoch, Offset: r.at},
		Failures: row.Failures, Since: row.Since, Next: row.Next, Last: row.Last,
	}
	switch {
	case row.Disabled != "":
		v.State = perch.ReaderDisabled
	case row.Failures > 0:
		v.State = perch.ReaderRetrying
	}
	return v
}

func (x *readerList) find(kind perch.ReaderKind, id string) *reader {
	i, ok := x.place(readerName(kind, id))
	if !ok {
		return nil
	}
	return x.list[i]
}

func (x *readerList) place(key string) (int, bool) {
	return slices.BinarySearchFunc(x.list, key, func(r *reader, key string) int { return strings.Compare(r.row.Key(), key) })
}

// put writes the row of a reader with the commit that gathers.
func (x *readerList) put(r *reader) {
	r.row.Cursor.Offset = r.at
	row := r.row
	put(&x.journal.Change().Readers, readerKey, &row)
}

// remove ends a reader.
func (x *readerList) remove(r *reader) {
	r.removed = true
	x.cancel(r)
	stop(r.retry)
	if i, ok := x.place(r.row.Key()); ok {
		x.list = slices.Delete(x.list, i, i+1)
	}
	del(&x.journal.Change().Readers, readerKey, r.row.Key())
}

// useReaders are the readers of a session, which has the part from now on.
func useReaders(s *Session) *readerList {
	if s.readers != nil {
		return s.readers
	}
	x := &readerList{
		host: readersServices{&services{s.loop, &s.state, &s.report, &s.conn}, &s.subs, s, conversationsKnown{s}}, journal: &s.log, log: &s.log, store: s.m.o.Store,
		id: s.id, senders: s.m.senders, dispatcher: s.m.dispatcher, keys: s.m, tokens: s.m,
	}
	x.tip.Store(s.log.published)
	s.log.read = append(s.log.read, x.published)
	s.readers, s.parts = x, append(slices.Clip(s.parts), x)
	return x
}

// readersServices is the host of the part, put together as those of the others.
type readersServices struct {
	*services
	audience
	ender
	conversationsKnown
}

type ender interface{ over() bool }
