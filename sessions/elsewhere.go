package sessions

import (
	"context"

	"github.com/perch-im/perch"
)

// Elsewhere is the error of finding a session that another node owns: ask that one.
type Elsewhere struct{ Node Node }

// Error implements error.
func (e *Elsewhere) Error() string { return "sessions: the session is on node " + string(e.Node.ID) }

// Unwrap gives it the kind that a client sees when nobody can ask the other node for it.
func (e *Elsewhere) Unwrap() error { return errElsewhere }

var errElsewhere error = perch.Errorf(perch.KindSessionOffline, "the session is on another node")

// Self is this process as the other nodes know it; the zero value when it is alone.
func (m *Manager) Self() Node { return Node{} }

// LookAgain forgets where the session of a token was found, because it was not there.
func (m *Manager) LookAgain(_ perch.Secret) {}

// Owned returns the session with this id, if it lives here or can be brought here without
// its token; *Elsewhere says that another node owns it.
func (m *Manager) Owned(_ context.Context, id ID) (*Session, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s := m.sessions[id]; s != nil {
		return s, nil
	}
	return nil, errElsewhere
}

// HopMAC authenticates what one node tells another: HMAC-SHA256 under the common secret.
func (m *Manager) HopMAC(parts ...string) []byte {
	d := m.hash("hop", parts...)
	return d[:]
}

// PutTicket keeps a ticket for whatever node will be shown it; TakeTicket ends it.
func (m *Manager) PutTicket(ctx context.Context, hash string, t Ticket) error {
	return storeError(m.o.Store.PutTicket(ctx, hash, t))
}

// TakeTicket gives a ticket, once; KindNotFound: there is none.
func (m *Manager) TakeTicket(ctx context.Context, hash string) (Ticket, error) {
	t, err := m.o.Store.TakeTicket(ctx, hash)
	return t, storeError(err)
}

// HandOver lets another node go on with the session: what is accepted is written, the state
// of the stream is kept, the lease is given up and the connection is dropped as it is. Every
// subscription is cut with ErrMoved when that is done. It does not wait. False: the Store
// cannot hand anything over, and the session goes on.
func (s *Session) HandOver() bool {
	if !s.m.o.Store.Durable() {
		return false
	}
	s.tell(s.shutdown)
	return true
}

// AwaitMessage waits until the server has a message that we sent, or it is known that this
// cannot be known: its record is acked, delivered, displayed, failed or unknown. When ctx
// ends first it returns the record as it is, and no error. KindNotFound: there is no such
// message.
func (s *Session) AwaitMessage(ctx context.Context, id string) (*perch.MessageRecord, error) {
	return s.Message(ctx, id)
}
