package sessions

import (
	"context"
	"slices"

	"github.com/perch-im/perch"
)

const (
	maxOutbox  = 1000 // accepted messages that are not yet with the server
	maxRecords = 32   // records of later ones that stay in memory for receipts
)

// outboxHost is what the outbox needs of the session that it belongs to.
type outboxHost interface {
	owner
	// stream is the connection in use; nil: there is none.
	stream() *link
	// chatOnly reports whether the server takes chat messages only, without receipts.
	chatOnly() bool
	// accepts says why no message can be accepted now; nil: it can.
	accepts() error
	// ownJID is the own address, with the resource once there was a login.
	ownJID() perch.JID
	// leaseHolds reports whether the session is sure to be ours; askOwnership finds out, and
	// lets the outbox flush when it is.
	leaseHolds(l *link) bool
	askOwnership(l *link)
	// logSent logs a message that was written; saveStream saves the state of its stream.
	logSent(e *outEntry)
	saveStream()
	// dropped makes an event of what is left out, and counts it; countDropped only counts.
	dropped(d perch.Dropped)
	countDropped(reason string, n int)
	// crashed says that a message could not be written because of a fault of ours.
	crashed(id string, fault any)
}

// recordStore is the part of a Store that the records of messages are read from.
type recordStore interface {
	Message(ctx context.Context, id ID, messageID string) (*perch.MessageRecord, error)
}

// outbox is the part of a session that sends messages and follows them. An entry is in the
// Store before acceptance is reported to the client, and leaves when the server has it.
type outbox struct {
	host    outboxHost
	journal journal
	store   recordStore
	id      ID // of the session

	entries   []*outEntry // by Seq
	seq       uint64
	running   map[string]string // keys whose commit is under way, with their fingerprints
	records   []*perch.MessageRecord
	awaited   map[string][]chan struct{} // who waits for a message to be decided, by its id
	queries   []*recordQuery             // for records not in memory; the first one is under way
	accepting int                        // bytes of messages whose commit is under way
	asking    bool                       // the archive is asked about earlier messages: later ones wait
}

// outEntry is an accepted message. It is written at most once on one stream; what becomes
// of it when the stream is lost is decided by reconcile.
type outEntry struct {
	OutboxEntry
	record   *perch.MessageRecord // newest form, never changed
	marking  bool                 // "sent" is being committed: it is written after that
	link     *link                // written there, as number num; nil: to be written
	num      uint64
	carried  bool // written on the stream that this one resumes
	refusals int  // streams that ended with a policy violation while it was the head
}

// load makes the entries that are kept ready to be decided about at the next login. It runs
// before the owner, and may wait.
func (o *outbox) load(ctx context.Context, list []*OutboxEntry) error {
	for _, e := range list {
		r, err := o.store.Message(ctx, o.id, e.ID)
		switch {
		case perch.KindOf(err) == perch.KindNotFound:
			r = &perch.MessageRecord{ID: e.ID, To: e.To, Status: perch.StatusAccepted}
		case err != nil:
			return err
		}
		o.entries = append(o.entries, &outEntry{OutboxEntry: *e, record: r, carried: e.Sent})
		o.seq = max(o.seq, e.Seq)
	}
	return nil
}

// cost is the memory of the messages that wait.
func (o *outbox) cost() int {
	n := o.accepting
	for _, e := range o.entries {
		n += outCost(&e.MessageOut)
	}
	return n
}

// flush writes what waits, in order. An entry is marked as sent in the Store before it is
// written: after a crash the mark says that it may have been. When this node's lease may have
// run out since, the Store is asked first whether the session is still ours.
func (o *outbox) flush() {
	l := o.host.stream()
	if l == nil || !l.owned || o.asking || len(o.entries) == 0 {
		return
	}
	if !o.host.leaseHolds(l) {
		o.host.askOwnership(l)
		return
	}
	wait := false
	for _, e := range slices.Clone(o.entries) {
		switch {
		case e.link != nil:
		case e.marking:
			wait = true
		case !e.Sent:
			o.mark(e)
			wait = true
		case wait:
			return
		case !o.write(e):
			return
		}
	}
}

// mark commits that e is about to be written.
func (o *outbox) mark(e *outEntry) {
	e.Sent, e.marking = true, true
	kept := e.OutboxEntry
	put(&o.journal.Change().Outbox, outboxKey, &kept)
	o.journal.AfterCommit(func(Result) {
		e.marking = false
		o.flush()
	})
}

// write puts e on the stream. False: neither it nor anything after it can be written now.
func (o *outbox) write(e *outEntry) bool {
	num, err := o.sendOut(e)
	switch {
	case err == nil:
	case perch.KindOf(err) == perch.KindSessionOffline:
		return false // the connection has ended and says so itself
	case perch.KindOf(err) == perch.KindTryLater:
		return false // the server is slow: an acknowledgement comes before there is room
	default:
		o.fail(e, &perch.XMPPError{Condition: "not-acceptable", Type: "modify", Text: err.Error()})
		return true
	}
	e.link, e.num = o.host.stream(), num
	if e.record.Status != perch.StatusAccepted {
		o.host.saveStream()
		return true // written before, on a stream that is gone
	}
	e.record = o.advance(e.record, perch.StatusSent, nil)
	o.host.logSent(e)
	o.host.saveStream() // with the message in it
	return true
}

// sendOut is Send for a message that may be more than we can cope with: it fails, and not the
// session, which would come upon it again whenever it is opened.
func (o *outbox) sendOut(e *outEntry) (num uint64, err error) {
	defer func() {
		if r := recover(); r != nil {
			o.host.crashed(e.ID, r)
			err = perch.Errorf(perch.KindInternal, "something went wrong on our side")
		}
	}()
	return o.host.stream().conn.Send(&e.MessageOut)
}

// advance adds a step to a message's history, and says so by an event; that it was sent is
// said by message.sent.
func (o *outbox) advance(r *perch.MessageRecord, st perch.MessageStatus, xe *perch.XMPPError) *perch.MessageRecord {
	now := o.host.now()
	next := &perch.MessageRecord{ID: r.ID, To: r.To, Status: st,
		History: append(slices.Clip(r.History), perch.StatusChange{Status: st, Time: now, Error: xe})}
	if n := len(next.History); n > maxHistory {
		next.History = slices.Concat(next.History[:1], next.History[n-maxHistory+1:])
	}
	putMessage(o.journal.Change(), next)
	if st != perch.StatusSent {
		o.journal.Durable(perch.EventMessageStatus, perch.StatusChange{ID: r.ID, Status: st, Error: xe})
	}
	o.notifyDecided(next)
	return next
}

// done takes e out of the outbox with its last step in it.
func (o *outbox) done(e *outEntry, st perch.MessageStatus, xe *perch.XMPPError) {
	e.record = o.advance(e.record, st, xe)
	o.entries = slices.DeleteFunc(o.entries, func(x *outEntry) bool { return x == e })
	del(&o.journal.Change().Outbox, outboxKey, e.ID)
	o.remember(e.record)
}

func (o *outbox) fail(e *outEntry, xe *perch.XMPPError) { o.done(e, perch.StatusFailed, xe) }

// remember keeps a record in memory for the receipts that will come.
func (o *outbox) remember(r *perch.MessageRecord) {
	o.records = slices.DeleteFunc(o.records, func(x *perch.MessageRecord) bool { return x.ID == r.ID })
	if len(o.records) >= maxRecords {
		o.records = slices.Delete(o.records, 0, 1)
	}
	o.records = append(o.records, r)
}

// quarantine looks for the stanza that made the upstream end the stream: the oldest one
// that it has not acknowledged. The first time it is sent once more, the second time it
// has failed. False: there is none to blame.
func (o *outbox) quarantine() bool {
	for _, e := range o.entries {
		if e.link == nil {
			continue
		}
		if e.refusals++; e.refusals < 2 {
			e.link, e.carried = nil, false
			return true
		}
		o.fail(e, &perch.XMPPError{Condition: "policy-violation", Type: "modify", Text: "the upstream ended the stream twice because of this message"})
		o.host.dropped(perch.Dropped{Reason: "quarantined", StanzaID: e.ID})
		return true
	}
	return false
}

// restore implements part.
func (o *outbox) restore(ctx context.Context, v *Saved) error { return o.load(ctx, v.Outbox) }

// apply implements part.
func (o *outbox) apply(in perch.Inbound, _ *link) bool {
	switch in := in.(type) {
	case *perch.AckIn:
		o.applyAck(in)
	case *perch.ReceiptIn:
		o.applyReceipt(in)
	case *perch.MessageError:
		o.applyMessageError(in)
	default:
		return false
	}
	return true
}

// online implements part.
func (o *outbox) online(bool) { o.reconcile(o.host.stream().login.Resumed) }

// offline implements part: what was asked on the link is not answered.
func (o *outbox) offline(*link) { o.asking = false }

func (*outbox) stop() {}
