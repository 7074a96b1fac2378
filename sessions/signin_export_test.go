package sessions

// Leading is how many tokens lead to a session in this process, in both tables.
func (m *Manager) Leading(s *Session) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for _, to := range m.tokens {
		if to == s {
			n++
		}
	}
	return max(n, len(s.entry.tokens))
}
