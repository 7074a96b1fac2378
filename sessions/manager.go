package sessions

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/perch-im/perch"
)

// Manager holds the sessions of this node. Its mutex guards the maps and is never held
// across I/O or a turn of a session.
type Manager struct {
	o        Options
	log      *slog.Logger
	sealer   *sealer
	rejected rejections
	routes   routes
	nodes    *nodes        // nil: alone with the Store
	replaced chan struct{} // see Replaced
	words    interner
	backlog  backlog
	caps     caps
	logins   map[string]chan struct{} // slots, by upstream

	ctx    context.Context // of every session; cancelled when Close has run out of time
	cancel context.CancelFunc
	wg     sync.WaitGroup // every owner goroutine

	mu       sync.Mutex
	sessions map[ID]*Session
	tokens   map[digest]*Session // what leads to a live session
	states   map[perch.State]int // how many sessions are in each
	draining bool
}

// NewManager makes a Manager; it starts nothing. The error names the wrong option.
func NewManager(o Options) (*Manager, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	seal, err := newSealer(o.SealKeys)
	if err != nil {
		return nil, err
	}
	m := &Manager{
		o: o, log: o.Logger, sealer: seal,
		logins: map[string]chan struct{}{}, replaced: make(chan struct{}),
		caps:     caps{accounts: map[string]int{}, addresses: map[string]int{}},
		sessions: map[ID]*Session{}, tokens: map[digest]*Session{}, states: map[perch.State]int{},
	}
	for name := range o.Upstreams {
		m.logins[name] = make(chan struct{}, o.Logins)
	}
	m.ctx, m.cancel = context.WithCancel(context.Background())
	return m, nil
}

// byKey returns the live session that key leads to, or nil.
func (m *Manager) byKey(key digest) *Session {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.tokens[key]
}

// open returns the session with this id, and makes and starts it when there is none. Many
// callers at once get the same one: that is what makes opening happen once. Key leads to
// the session from then on. Bound says that the Store has led from key to this id; if it
// has not, and the session is live, then key was replaced by a newer one.
func (m *Manager) open(id ID, acc perch.Account, key digest, bound bool, address string) (s *Session, created bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s = m.sessions[id]
	switch {
	case s != nil && !bound && m.tokens[key] != s:
		return nil, false, errReplaced
	case s != nil:
		m.lead(key, s)
		return s, false, nil
	case m.draining:
		return nil, false, errDraining
	case m.o.MaxSessions > 0 && len(m.sessions) >= m.o.MaxSessions:
		return nil, false, &perch.Error{Kind: perch.KindSessionOffline, RetryAfter: 30 * time.Second,
			Detail: "this node holds as many sessions as it may; try again later"}
	}
	if !bound {
		if err := m.room(acc, address); err != nil {
			return nil, false, err
		}
	}
	s = newSession(m, id, acc)
	m.countAddress(s, address)
	m.sessions[id] = s
	m.states[s.counted]++
	m.lead(key, s)
	m.wg.Add(1)
	go s.open()
	return s, true, nil
}

// lead lets key lead to s. The caller has the mutex.
func (m *Manager) lead(key digest, s *Session) {
	if old := m.tokens[key]; old == s {
		return
	} else if old != nil {
		old.keys = slices.DeleteFunc(old.keys, func(k digest) bool { return k == key })
	}
	m.tokens[key] = s
	s.keys = append(s.keys, key)
}

// unlead ends what lead did.
func (m *Manager) unlead(key digest, s *Session) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.tokens[key] == s {
		delete(m.tokens, key)
	}
	s.keys = slices.DeleteFunc(s.keys, func(k digest) bool { return k == key })
}

// remove lets go of a session that has ended.
func (m *Manager) remove(s *Session) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.sessions[s.id] == s {
		delete(m.sessions, s.id)
		m.uncount(s)
		m.states[s.counted]--
	}
	for _, k := range s.keys {
		if m.tokens[k] == s {
			delete(m.tokens, k)
		}
	}
	s.keys = nil
}

// all returns the sessions as they are now.
func (m *Manager) all() []*Session {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := make([]*Session, 0, len(m.sessions))
	for _, s := range m.sessions {
		list = append(list, s)
	}
	return list
}

// Len says how many sessions this node holds.
func (m *Manager) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.sessions)
}
