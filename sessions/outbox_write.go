package sessions

import (
	"slices"

	"github.com/perch-im/perch"
)

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
		case e.link != nil || o.misses(e) || o.waitsForRoom(e):
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
	row := e.OutboxEntry
	put(&o.journal.Change().Outbox, outboxKey, &row)
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
	if o.inPrivate(&e.MessageOut) {
		o.rooms.wrotePrivate(e.To, e.Occupant)
	}
	inRoom := o.toRoom(&e.MessageOut)
	if inRoom {
		e.writtenAt = o.host.now()
		o.rooms.wrote(e.To)
	}
	if e.record.Status != perch.StatusAccepted {
		o.host.saveStream()
		return true // written before, on a stream that is gone
	}
	o.sent(e, inRoom)
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

// cost is the memory of the messages that wait.
func (o *outbox) cost() int {
	n := o.accepting
	for _, e := range o.entries {
		n += outCost(&e.MessageOut)
	}
	return n
}

// quarantine looks for the stanza that made the upstream end the stream: the oldest one
// that it has not acknowledged. The first time it is sent once more, the second time it
// has failed. False: there is none to quarantine.
func (o *outbox) quarantine() bool {
	for _, e := range o.entries {
		if e.link == nil || e.received {
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
