package sessions

import (
	"context"
	"sync"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/ttlmap"
)

const (
	routeFor  = 2 * time.Second  // that a node is asked without looking again
	routeLast = 10 * time.Minute // that it is asked while the Store is unavailable
	routesMax = 50_000
)

// routes remember for a moment which node has the session of a token, so that a request
// which is passed on costs no look into the Store. A wrong one does no harm: the other node
// says so, and LookAgain drops it.
type routes struct {
	mu sync.Mutex
	to ttlmap.Map[digest, route]

	// What else is known of sessions that this node has not.
	stored *storedIndex
	later  *laterSessions
}

type route struct {
	node Node
	at   time.Time
}

func newRoutes() *routes {
	return &routes{to: ttlmap.Map[digest, route]{Max: routesMax}, stored: newStoredIndex(), later: &laterSessions{}}
}

// get returns where the session of key was found not longer ago than this, as an error, or
// nil.
func (r *routes) get(key digest, within time.Duration) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if x, ok := r.to.Get(key, now); ok && now.Sub(x.at) < within {
		return &NotOwnerError{Node: x.node}
	}
	return nil
}

// whenDown is the answer while the Store cannot be asked: the node that had the session is
// most likely the one that has it now, and reads still work there.
func (r *routes) whenDown(key digest, err error) error {
	if at := r.get(key, routeLast); at != nil {
		return at
	}
	return storeError(err)
}

func (r *routes) put(key digest, n Node) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	r.to.Put(key, route{n, now}, now, routeLast)
}

func (r *routes) drop(key digest) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.to.Delete(key, time.Now())
}

// LookAgain forgets where the session of a token was found, because it was not there.
func (m *Manager) LookAgain(ctx context.Context, token perch.Secret) {
	for b := range m.bearers(ctx, token) {
		for _, h := range m.ring() {
			m.routes.drop(b.of(h))
		}
	}
}

// Owned returns the session with this id, if it lives here or can be brought here without
// its token, as with a ticket; *NotOwnerError says that another node owns it, ErrEnded that there
// is no such session. It waits for the first login, like Authenticate.
func (m *Manager) Owned(ctx context.Context, id ID) (*Session, error) {
	if s := m.byID(id); s != nil {
		return s, s.await(ctx)
	}
	if err := m.whereabouts(ctx, id, nil); err != nil {
		return nil, err
	}
	if err := m.evictedElsewhere(ctx, id); err != nil {
		return nil, err
	}
	all, err := m.o.Store.BindingsOf(ctx, id)
	if err != nil {
		return nil, storeError(err)
	}
	if len(all) == 0 {
		return nil, ErrEnded // no token leads to it any more
	}
	for _, e := range m.recoverableSessions(all) {
		if _, err := m.adopt(ctx, e); err != nil {
			return nil, err
		}
	}
	if s := m.byID(id); s != nil {
		return s, s.await(ctx)
	}
	return nil, errNoCredential
}

var errNoCredential error = &perch.Error{Kind: perch.KindSessionOffline, RetryAfter: time.Second,
	Detail: "the node of this session is dead; a request with the token opens the session again"}

// PutTicket stores a ticket for the node that will be given it; TakeTicket ends it.
func (m *Manager) PutTicket(ctx context.Context, hash string, t Ticket, life time.Duration) error {
	return storeError(m.o.Store.PutTicket(ctx, hash, t, life))
}

// TakeTicket gives a ticket, once; KindNotFound: there is none.
func (m *Manager) TakeTicket(ctx context.Context, hash string) (Ticket, error) {
	t, err := m.o.Store.TakeTicket(ctx, hash)
	return t, storeError(err)
}
