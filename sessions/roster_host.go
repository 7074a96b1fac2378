package sessions

// What the session does for its roster.

// record implements rosterHost.
func (s *Session) record() *Record { return &s.rec }

// rosterMissing implements rosterHost.
func (s *Session) rosterMissing(reason string) {
	s.m.log.Warn("failed to fetch the roster", "session", s.short(), "reason", reason)
}
