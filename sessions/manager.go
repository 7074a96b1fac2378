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
	rejected *rejections
	routes   *routes
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
		o: o, log: o.Logger, sealer: seal, rejected: newRejections(), routes: newRoutes(),
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
// callers at once get the same one: that is what makes opening happen once. By leads to
// the session from then on. Bound says that the Store has led from it to this id; if it
// has not, and the session is live, then it was replaced by a newer one.
func (m *Manager) open(id ID, acc perch.Account, by leading, bound bool, address string) (s *Session, created bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s = m.sessions[id]
	switch {
	case s != nil && !bound && m.tokens[by.key] != s:
		return nil, false, errReplaced
	case s != nil:
		m.lead(by, s)
		return s, false, nil
	case m.draining:
		return nil, false, errDraining
	case m.o.MaxSessions > 0 && len(m.sessions) >= m.o.MaxSessions:
		return nil, false, &perch.Error{Kind: perch.KindSessionOffline, RetryAfter: 30 * time.Second,
			Detail: "session limit of this node reached; try again later"}
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
	m.lead(by, s)
	m.wg.Add(1)
	go s.open()
	return s, true, nil
}

// leading is what leads to a session: a token that was minted for it, or else the credential
// of its account.
type leading struct {
	key    digest
	minted bool
}

// lead lets by lead to s. The caller has the mutex.
func (m *Manager) lead(by leading, s *Session) {
	if old := m.tokens[by.key]; old == s {
		return
	} else if old != nil {
		old.dropKey(by.key)
	}
	m.tokens[by.key] = s
	s.keys = append(s.keys, by)
}

// dropKey forgets that key leads here. The caller has the Manager's mutex.
func (s *Session) dropKey(key digest) {
	s.keys = slices.DeleteFunc(s.keys, func(l leading) bool { return l.key == key })
}

// unlead ends what lead did.
func (m *Manager) unlead(key digest, s *Session) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.tokens[key] == s {
		delete(m.tokens, key)
	}
	s.dropKey(key)
}

// evict ends tokens that the Store has evicted: each sign-in gets one, and those of the oldest
// go when there are too many.
func (m *Manager) evict(tokens []string, s *Session) {
	for _, t := range tokens {
		if key, ok := keyOf(t); ok {
			m.unlead(key, s)
		}
	}
}

// leads reports whether key leads to s.
func (m *Manager) leads(key digest, s *Session) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.tokens[key] == s
}

// remove drops a session that has ended.
func (m *Manager) remove(s *Session) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.sessions[s.id] == s {
		delete(m.sessions, s.id)
		m.uncount(s)
		m.states[s.counted]--
	}
	for _, l := range s.keys {
		if m.tokens[l.key] == s {
			delete(m.tokens, l.key)
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
