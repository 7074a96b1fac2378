package sessions

// What the session does for its roster.

// record implements rosterHost.
func (s *Session) record() *Record { return &s.rec }

// rosterMissing implements rosterHost.
func (s *Session) rosterMissing(reason string) {
	s.m.log.Warn("the roster could not be fetched", "session", s.short(), "reason", reason)
}
