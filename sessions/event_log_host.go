package sessions

import "github.com/perch-im/perch"

// What the session does for its log.

// saveRecord puts the record as it is now into the batch that gathers. It is copied: what
// changes later belongs to a later batch.
func (s *Session) saveRecord() {
	rec := s.rec
	s.log.Change().Record = &rec
}

// watched implements logHost.
func (s *Session) watched() bool { return len(s.subs) > 0 }

// publish implements logHost. Subscribers that were cut are removed.
func (s *Session) publish(e *perch.Event) {
	s.m.o.Observer.Event(e.Type)
	kept := s.subs[:0]
	for _, sub := range s.subs {
		if sub.offer(e) {
			kept = append(kept, sub)
		}
	}
	if len(kept) < len(s.subs) {
		clear(s.subs[len(kept):])
		s.subs = kept
		s.attended()
	}
}

// acknowledge implements logHost.
func (s *Session) acknowledge(l *link, seq uint64) {
	if l == s.link {
		l.conn.Handled(seq)
	}
}

// storeRejects implements logHost.
func (s *Session) storeRejects(err error) {
	s.m.log.Warn("store rejects writes", "session", s.short(), "error", err)
}
