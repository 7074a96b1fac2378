package sessions

import (
	"context"
	"log/slog"
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
	tokens   tokenIndex
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
		sessions: map[ID]*Session{}, tokens: tokenIndex{}, states: map[perch.State]int{},
	}
	for name := range o.Upstreams {
		m.logins[name] = make(chan struct{}, o.Logins)
	}
	m.ctx, m.cancel = context.WithCancel(context.Background())
	return m, nil
}

// open returns the session with this id, and makes and starts it when there is none. Many
// callers at once get the same one: that is what makes opening happen once. By is
// bound to it from then on. Bound says that the Store has bound it to this id; if it
// has not, and the session is live, then it was replaced by a newer one.
func (m *Manager) open(id ID, acc perch.Account, by boundToken, bound bool, address string) (s *Session, created bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s = m.sessions[id]
	switch {
	case s != nil && !bound && m.tokens[by.key] != s:
		return nil, false, errReplaced
	case s != nil:
		m.tokens.bind(by, s)
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
	m.states[s.entry.state]++
	m.tokens.bind(by, s)
	m.wg.Add(1)
	go s.open()
	return s, true, nil
}

// remove drops a session that has ended.
func (m *Manager) remove(s *Session) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.sessions[s.id] == s {
		delete(m.sessions, s.id)
		m.uncount(s)
		m.states[s.entry.state]--
	}
	m.tokens.unbindAll(s)
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
