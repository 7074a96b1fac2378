package sessions

import "github.com/perch-im/perch"

// distrust takes out of what is kept what must not be used when it may be older than what was
// committed last (Saved.Stale): the upstream has seen more. It runs before the outbox is
// loaded.
//
// A stream must not be resumed: the server has dropped stanzas that a later commit acknowledged,
// so only the archive has them, and that is read after a new bind alone. Every entry of the
// outbox may have been sent since, and is decided about by outbox.reconcile. The place in the
// archive is older, which costs nothing but time. Roster, presence and invitations come again
// with the bind.
func (s *Session) distrust(v *Saved) {
	s.rec.Stream, s.rec.Handled = nil, 0
	if s.rec.RosterKnown && v.StaleSince != 0 && (s.rec.OfflineSince == 0 || v.StaleSince < s.rec.OfflineSince) {
		s.rec.OfflineSince = v.StaleSince
	}
	outbox := make([]*OutboxEntry, len(v.Outbox))
	for i, o := range v.Outbox {
		entry := *o
		entry.Sent = true
		outbox[i] = &entry
	}
	v.Outbox = outbox
}

// tellStale lets operators know that clients of this session will have to start over.
func (s *Session) tellStale(since perch.Time) {
	s.m.o.Observer.Owner(OwnerStale)
	s.m.log.Warn("store may have lost the end of the session log, beginning a new log",
		"session", s.short(), "last_event", since.String())
}
