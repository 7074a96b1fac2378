package sessions

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/perch-im/perch/internal/copies"
	"github.com/perch-im/perch/internal/occupants"
)

// Manager holds the sessions of this node. Its mutex guards the maps and is never held
// across I/O or a call of a session.
type Manager struct {
	o        Options
	log      *slog.Logger
	current  atomic.Pointer[settings]
	changing chan struct{} // has room for one: who changes the settings
	secrets  atomic.Pointer[secretRing]
	rejected *rejections
	routes   *routes
	nodes    *nodes        // nil: alone with the Store
	replaced chan struct{} // see Replaced
	backlog  backlog
	adopting adopting
	rotation atomic.Pointer[rotation]
	caps     caps
	uploads  uploadTable
	made     madeTokens
	roomTables
	readerServices

	ctx    context.Context // of every session; cancelled when Close has run out of time
	cancel context.CancelFunc
	wg     sync.WaitGroup // every owner goroutine

	mu       sync.Mutex
	sessions map[ID]*Session
	tokens   tokenIndex
	states   stateCounts
	draining bool
}

// roomTables are what the sessions of a node have of rooms together.
type roomTables struct {
	occupants *occupants.Tables
	sayings   *copies.Of[saying]
}

// adopting counts the sessions that are opened for no client.
type adopting struct {
	places     chan struct{} // has room for maxAdoptions: those that are being read
	recovering atomic.Int64
}

// NewManager makes a Manager; it starts nothing. The error names the wrong option.
func NewManager(o Options) (*Manager, error) {
	x, err := newSettings(o, nil)
	if err != nil {
		return nil, err
	}
	o = x.Options
	m := &Manager{
		o: o, log: o.Logger, roomTables: roomTables{occupants.New(occupants.Options{}), newSayings()}, rejected: newRejections(), routes: newRoutes(),
		replaced: make(chan struct{}), changing: make(chan struct{}, 1), adopting: adopting{places: make(chan struct{}, maxAdoptions)},
		caps:     caps{accounts: map[string]int{}, addresses: map[string]int{}},
		made:     madeTokens{uses: &tokenUses{store: o.Store.NoteUses}},
		sessions: map[ID]*Session{}, tokens: tokenIndex{}, states: stateCounts{}, readerServices: newReaderServices(o),
	}
	m.current.Store(x)
	m.secrets.Store(&x.ring)
	m.ctx, m.cancel = context.WithCancel(context.Background())
	return m, nil
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

// byID returns the live session with this id, or nil.
func (m *Manager) byID(id ID) *Session {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.sessions[id]
}

// maxAdoptions is how many sessions are read from the Store at once for no client. All at once,
// each would wait for all, and be given up for it (Options.OpenTimeout).
const maxAdoptions = 48
