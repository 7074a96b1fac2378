package sessions

import (
	"runtime/debug"
	"slices"

	"github.com/perch-im/perch"
)

const (
	maxOutbox  = 1000 // accepted messages that are not yet with the server
	maxRecords = 32   // records of later ones that are at hand for receipts
)

// outbox is what the owner knows of the messages that we send. An entry is in the Store
// before anybody hears that it was accepted, and leaves when the server has it.
type outbox struct {
	entries   []*outEntry // by Seq
	seq       uint64
	running   map[string]string // keys whose commit is under way, with their fingerprints
	records   []*perch.MessageRecord
	awaited   map[string][]chan struct{} // who waits for a message to be decided, by its id
	queries   []*recordQuery             // for records that are not at hand; the first one is under way
	accepting int                        // bytes of messages whose commit is under way
	asking    bool                       // the archive is asked about earlier messages: later ones wait
}

// outEntry is an accepted message. It is written at most once on one stream; what becomes
// of it when the stream is lost is decided by settleOutbox.
type outEntry struct {
	OutboxEntry
	record  *perch.MessageRecord // newest form, never changed
	marking bool                 // "sent" is being committed: it is written after that
	link    *link                // written there, as number num; nil: to be written
	num     uint64
	carried bool // written on the stream that this one resumes
	strikes int  // streams that ended with a policy violation while it was the head
}

// cost is the memory of the messages that wait.
func (o *outbox) cost() int {
	n := o.accepting
	for _, e := range o.entries {
		n += outCost(&e.MessageOut)
	}
	return n
}

// pump writes what waits, in order. An entry is marked as sent in the Store before it is
// written: after a crash the mark says that it may have been. When this node's lease may have
// run out since, the Store is asked first whether the session is still ours.
func (s *Session) pump() {
	if s.link == nil || !s.link.owned || s.out.asking || len(s.out.entries) == 0 {
		return
	}
	if !s.m.leaseHolds() {
		s.link.owned = false
		s.saveRecord()
		s.writeWhenOwned(s.link)
		return
	}
	wait := false
	for _, e := range slices.Clone(s.out.entries) {
		switch {
		case e.link != nil:
		case e.marking:
			wait = true
		case !e.Sent:
			s.mark(e)
			wait = true
		case wait:
			return
		case !s.write(e):
			return
		}
	}
}

// mark commits that e is about to be written.
func (s *Session) mark(e *outEntry) {
	e.Sent, e.marking = true, true
	kept := e.OutboxEntry
	put(&s.log.Change().Outbox, outboxKey, &kept)
	s.log.AfterCommit(func(Result) {
		e.marking = false
		s.pump()
	})
}

// write puts e on the stream. False: neither it nor anything behind it can be written now.
func (s *Session) write(e *outEntry) bool {
	num, err := s.sendOut(e)
	switch {
	case err == nil:
	case perch.KindOf(err) == perch.KindSessionOffline:
		return false // the connection has ended and says so itself
	case perch.KindOf(err) == perch.KindTryLater:
		return false // the server is behind: an acknowledgement comes before there is room
	default:
		s.fail(e, &perch.XMPPError{Condition: "not-acceptable", Type: "modify", Text: err.Error()})
		return true
	}
	e.link, e.num = s.link, num
	if e.record.Status != perch.StatusAccepted {
		s.saveStream()
		return true // written before, on a stream that is gone
	}
	e.record = s.advance(e.record, perch.StatusSent, nil)
	m := perch.Message{ID: e.ID, From: s.rec.JID, To: e.To, Kind: e.Kind, Body: e.Body,
		Thread: e.Thread, Subject: e.Subject, Source: perch.SourceLive}
	c := identityOf(&m, pathOwn, s.now())
	c.link = s.link.number
	s.logMessage(perch.EventMessageSent, &m, c)
	s.saveStream() // with the message in it
	return true
}

// sendOut is Send for a message that may be more than we can cope with: it fails, and not the
// session, which would come upon it again whenever it is opened.
func (s *Session) sendOut(e *outEntry) (num uint64, err error) {
	defer func() {
		if r := recover(); r != nil {
			s.m.log.Error("a message could not be sent", "session", s.short(), "panic", r, "stack", string(debug.Stack()))
			s.dropped(perch.Dropped{Reason: "quarantined", StanzaID: e.ID})
			err = perch.Errorf(perch.KindInternal, "something went wrong on our side")
		}
	}()
	return s.link.conn.Send(&e.MessageOut)
}

// advance adds a step to a message's history, and says so by an event; that it was sent is
// said by message.sent.
func (s *Session) advance(r *perch.MessageRecord, st perch.MessageStatus, xe *perch.XMPPError) *perch.MessageRecord {
	now := s.now()
	next := &perch.MessageRecord{ID: r.ID, To: r.To, Status: st,
		History: append(slices.Clip(r.History), perch.StatusChange{Status: st, Time: now, Error: xe})}
	if n := len(next.History); n > maxHistory {
		next.History = slices.Concat(next.History[:1], next.History[n-maxHistory+1:])
	}
	putMessage(s.log.Change(), next)
	if st != perch.StatusSent {
		s.log.Durable(perch.EventMessageStatus, perch.StatusChange{ID: r.ID, Status: st, Error: xe})
	}
	s.decidedNow(next)
	return next
}

// done takes e out of the outbox with its last step in it.
func (s *Session) done(e *outEntry, st perch.MessageStatus, xe *perch.XMPPError) {
	e.record = s.advance(e.record, st, xe)
	s.out.entries = slices.DeleteFunc(s.out.entries, func(x *outEntry) bool { return x == e })
	del(&s.log.Change().Outbox, outboxKey, e.ID)
	s.remember(e.record)
}

func (s *Session) fail(e *outEntry, xe *perch.XMPPError) { s.done(e, perch.StatusFailed, xe) }

// remember keeps a record at hand for the receipts that will come.
func (s *Session) remember(r *perch.MessageRecord) {
	s.out.records = slices.DeleteFunc(s.out.records, func(x *perch.MessageRecord) bool { return x.ID == r.ID })
	if len(s.out.records) >= maxRecords {
		s.out.records = slices.Delete(s.out.records, 0, 1)
	}
	s.out.records = append(s.out.records, r)
}

// quarantine looks for the stanza that made the upstream end the stream: the oldest one
// that it has not acknowledged. The first time it is sent once more, the second time it
// has failed. False: there is none to blame.
func (s *Session) quarantine() bool {
	for _, e := range s.out.entries {
		if e.link == nil {
			continue
		}
		if e.strikes++; e.strikes < 2 {
			e.link, e.carried = nil, false
			return true
		}
		s.fail(e, &perch.XMPPError{Condition: "policy-violation", Type: "modify", Text: "the upstream ended the stream twice because of this message"})
		s.dropped(perch.Dropped{Reason: "quarantined", StanzaID: e.ID})
		return true
	}
	return false
}
