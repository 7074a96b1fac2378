package sessions

import "github.com/perch-im/perch"

// What the session does for catching up.

// stateSince implements catchupHost.
func (s *Session) stateSince() perch.Time { return s.supervisor.state.since }

// resumesPartly implements catchupHost.
func (s *Session) resumesPartly() bool { return s.partialResume != nil }

// archiveMissing implements catchupHost.
func (s *Session) archiveMissing(reason string) {
	s.m.log.Warn("failed to read the archive", "session", s.short(), "reason", reason)
}
