package sessions

import (
	"runtime/debug"
	"time"

	"github.com/perch-im/perch"
)

// What the session does for its outbox.

// stream implements outboxHost.
func (s *Session) stream() *link { return s.link }

// ownJID implements outboxHost.
func (s *Session) ownJID() perch.JID { return s.rec.JID }

// chatOnly implements outboxHost.
func (s *Session) chatOnly() bool { return s.caps.ChatOnly }

// accepts implements outboxHost.
func (s *Session) accepts() error {
	switch {
	case s.closing:
		return errDraining
	case s.supervisor.state.state == perch.StateSuspended:
		return s.supervisor.errOffline()
	case s.log.down:
		return &perch.Error{Kind: perch.KindStorageUnavailable, RetryAfter: time.Second,
			Detail: "the store rejects writes just now; the message was not accepted"}
	}
	return nil
}

// leaseHolds implements outboxHost.
func (s *Session) leaseHolds(l *link) bool { return s.m.leaseHolds(l.ownedAt) }

// askOwnership implements outboxHost. What is queued now, and the record, is refused by the
// Store when a new owner has the session: nothing leaves then. The process may have been
// stopped for longer than its lease: what waits was marked as sent long ago, and the new owner
// may have sent it since.
func (s *Session) askOwnership(l *link) {
	l.owned = false
	asked := time.Now()
	s.saveRecord()
	s.log.AfterCommit(func(Result) {
		l.owned, l.ownedAt = true, asked
		s.out.flush()
	})
}

// logSent implements outboxHost.
func (s *Session) logSent(e *outEntry) {
	m := perch.Message{ID: e.ID, From: s.rec.JID, To: e.To, Kind: e.Kind, Body: e.Body,
		Thread: e.Thread, Subject: e.Subject, Source: perch.SourceLive}
	c := identityOf(&m, pathOwn, s.now())
	c.link = s.link.number
	s.catchup.logMessage(perch.EventMessageSent, &m, c)
	s.saveStream() // with the message in it
}

// crashed implements outboxHost.
func (s *Session) crashed(id string, fault any) {
	s.m.log.Error("panic while sending message, failed it", "session", s.short(), "panic", fault, "stack", string(debug.Stack()))
	s.dropped(perch.Dropped{Reason: "quarantined", StanzaID: id})
}

// countDropped implements outboxHost.
func (s *Session) countDropped(reason string, n int) { s.m.o.Observer.Dropped(reason, n) }
