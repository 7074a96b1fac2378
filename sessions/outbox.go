package sessions

import (
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
	// peerRead makes the event of a displayed marker, and reports whether it is of a message that
	// the account has sent; sent is its record, nil when there is none.
	peerRead(in *perch.ReceiptIn, sent *perch.MessageRecord) bool
	// dropped makes an event of what is left out, and counts it; countDropped only counts.
	dropped(d perch.Dropped)
	countDropped(reason string, n int)
	// crashed says that a message could not be written because of a fault of ours.
	crashed(id string, fault any)
}

// outbox is the part of a session that sends messages and follows them. An entry is in the
// Store before acceptance is reported to the client, and leaves when the server has it.
type outbox struct {
	host    outboxHost
	journal journal
	store   recordStore
	id      ID // of the session

	rooms     roomSender // nil: none is used
	blocked   blockChecker
	entries   []*outEntry // by Seq
	seq       uint64
	running   map[string]string // keys whose commit is under way, with their fingerprints
	records   []*perch.MessageRecord
	awaited   map[string][]chan struct{} // who waits for a message to be decided, by its id
	queries   []*recordQuery             // for records not in memory; the first one is under way
	accepting int                        // bytes of messages whose commit is under way
	asking    bool                       // the archive is asked about earlier messages: later ones wait
}

// blockChecker knows whom the account blocks.
type blockChecker interface{ blocks(address perch.JID) bool }

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
	received bool // the server has it, and the room has not sent it to all yet
	repeated bool // sent to a room a second time, because that had not got it
	// writtenAt is when it was written to a room that reflects it.
	writtenAt perch.Time
}
