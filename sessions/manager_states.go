package sessions

import "github.com/perch-im/perch"

// stateCounts says how many sessions are in each state, by upstream. The Manager's mutex guards it.
type stateCounts map[upstreamState]int

type upstreamState struct {
	upstream string
	state    perch.State
}

// add changes the count of the state that s is in.
func (c stateCounts) add(s *Session, n int) {
	at := upstreamState{s.cred.upstream.Name, s.entry.state}
	if c[at] += n; c[at] == 0 {
		delete(c, at)
	}
}

// of is how many sessions an upstream has.
func (c stateCounts) of(upstream string) (all int) {
	for at, n := range c {
		if at.upstream == upstream {
			all += n
		}
	}
	return all
}

// count enters the state of s into the table of States.
func (m *Manager) count(s *Session, state perch.State) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.sessions[s.id] == s {
		m.states.add(s, -1)
		s.entry.state = state
		m.states.add(s, 1)
	}
}

// States says how many sessions of this node are in each state.
func (m *Manager) States() map[perch.State]int {
	all := map[perch.State]int{}
	m.mu.Lock()
	defer m.mu.Unlock()
	for at, n := range m.states {
		all[at.state] += n
	}
	return all
}

// StatesOf says how many sessions of this node are in each state, for each upstream that has any.
func (m *Manager) StatesOf() map[string]map[perch.State]int {
	all := map[string]map[perch.State]int{}
	m.mu.Lock()
	defer m.mu.Unlock()
	for at, n := range m.states {
		if all[at.upstream] == nil {
			all[at.upstream] = map[perch.State]int{}
		}
		all[at.upstream][at.state] = n
	}
	return all
}
