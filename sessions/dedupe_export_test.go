package sessions

// Identities is how many messages a session remembers.
func Identities(s *Session) (n int) {
	s.query(func() { n = len(s.catchup.known.list) })
	return n
}
