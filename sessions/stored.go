package sessions

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/perch-im/perch"
)

// StoredSession is what the Store has of a session, whoever owns it. The Store itself knows no Upstream.
type StoredSession struct {
	ID           ID
	Upstream     string     // its name
	JID          perch.JID  // of the last login: full; as given at sign-in before one succeeded; "" is not known
	Owner        NodeID     // "": none
	Epoch        string     // of the log
	First, Tip   uint64     // offsets of the log; First is Tip+1 when it is empty
	Outbox       int        // accepted messages that are not yet known to be with the upstream
	Rooms        int        // in whatever state
	OfflineSince perch.Time // when the connection was lost or given up; 0 is not known
	Ends         perch.Time // when the Store drops it, unless it is opened before
}

// storedFor is how long the list of what is stored is used for the next question: operators ask every
// other second.
const storedFor = 5 * time.Second

// storedIndex is the list of all sessions that tokens lead to, sorted by id.
type storedIndex struct {
	asking chan struct{} // has room for one: who reads it anew
	mu     sync.Mutex
	rows   []storedRow
	at     time.Time
	timer  *time.Timer // calls drop once the rows are too old
}

// storedRow is a session as its tokens say.
type storedRow struct {
	id       ID
	upstream string
	jid      perch.JID
}

func newStoredIndex() *storedIndex { return &storedIndex{asking: make(chan struct{}, 1)} }

// fresh returns the rows, if they are young enough.
func (x *storedIndex) fresh() ([]storedRow, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.rows, !x.at.IsZero() && time.Since(x.at) < storedFor
}

// drop forgets the rows when nobody asks for them any more.
func (x *storedIndex) drop() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if time.Since(x.at) > storedFor {
		x.rows, x.at = nil, time.Time{}
	}
}

// invalidate has the next question ask the Store.
func (x *storedIndex) invalidate() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.at = time.Time{}
}

// storedRows asks the Store for all tokens, at most once in storedFor, for as many callers as there are.
func (m *Manager) storedRows(ctx context.Context) ([]storedRow, error) {
	x := m.routes.stored
	select {
	case x.asking <- struct{}{}:
		defer func() { <-x.asking }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if rows, ok := x.fresh(); ok {
		return rows, nil
	}
	all, err := m.o.Store.Bindings(ctx)
	if err != nil {
		return nil, storeError(err)
	}
	rows := rowsOf(all)
	x.mu.Lock()
	defer x.mu.Unlock()
	x.rows, x.at = rows, time.Now()
	stop(x.timer)
	x.timer = time.AfterFunc(2*storedFor, x.drop) // also where no beat of the nodes does
	return rows, nil
}

func rowsOf(all map[string]Binding) []storedRow {
	rows := make([]storedRow, 0, len(all))
	for _, b := range all {
		rows = append(rows, storedRow{b.ID, b.Upstream, b.JID})
	}
	// Of several tokens of a session one may know its JID.
	slices.SortFunc(rows, func(a, b storedRow) int {
		if a.id != b.id {
			return strings.Compare(string(a.id), string(b.id))
		}
		return strings.Compare(string(b.jid), string(a.jid))
	})
	return slices.CompactFunc(rows, func(a, b storedRow) bool { return a.id == b.id })
}

// passes reports whether a session may be among those that are asked for, by what its tokens say.
func (f Filter) passesRow(r storedRow) bool {
	return r.id > f.After && strings.HasPrefix(string(r.id), string(f.Prefix)) &&
		(f.Upstream == "" || r.upstream == f.Upstream) &&
		(f.JID == "" || r.jid == "" || r.jid.Bare().Equal(f.JID.Bare()))
}

// ListStored returns the sessions that are only stored: no node that is alive has them. They are sorted by
// id: at most limit, and whether there are more. What has just gone to a node may still be among them.
func (m *Manager) ListStored(ctx context.Context, f Filter, limit int) (list []StoredSession, more bool, err error) {
	rows, err := m.storedRows(ctx)
	if err != nil {
		return nil, false, err
	}
	rows = slices.DeleteFunc(slices.Clone(rows), func(r storedRow) bool { return !f.passesRow(r) || m.byID(r.id) != nil })
	for page := range slices.Chunk(rows, adoptPage) {
		ids := make([]ID, len(page))
		for i, r := range page {
			ids[i] = r.id
		}
		owners, err := m.o.Store.Owners(ctx, ids)
		if err != nil {
			return nil, false, storeError(err)
		}
		for _, r := range page {
			if m.hasNode(owners[r.id]) {
				continue
			}
			s, err := m.describe(ctx, r)
			switch {
			case perch.KindOf(err) == perch.KindNotFound:
				continue // its record has ended, or it was signed out
			case err != nil:
				return nil, false, err
			case m.hasNode(s.Owner) || f.JID != "" && !s.JID.Bare().Equal(f.JID.Bare()):
				continue
			case len(list) == limit:
				return list, true, nil
			}
			list = append(list, s)
		}
	}
	return list, false, nil
}

// hasNode reports whether an owner is a node that is there, as far as this one can judge: it lists its
// sessions itself.
func (m *Manager) hasNode(owner NodeID) bool {
	if owner == "" || m.nodes == nil || owner == m.Self().ID {
		return false
	}
	_, st, _ := m.nodes.look(owner)
	return st != isDead
}

func (m *Manager) describe(ctx context.Context, r storedRow) (StoredSession, error) {
	s, err := m.o.Store.Stored(ctx, r.id)
	if err != nil {
		return s, storeError(err)
	}
	s.Upstream = r.upstream
	if s.JID == "" {
		s.JID = r.jid
	}
	return s, nil
}

// FindStored returns the only stored session whose id begins with a text. KindNotFound: there is none;
// KindConflict: there are several.
func (m *Manager) FindStored(ctx context.Context, prefix ID) (StoredSession, error) {
	list, _, err := m.ListStored(ctx, Filter{Prefix: prefix}, 2)
	switch {
	case err != nil:
		return StoredSession{}, err
	case len(list) == 0:
		return StoredSession{}, errNotHere
	case len(list) > 1:
		return StoredSession{}, errAmbiguous
	}
	return list[0], nil
}

// TokensOfStored lists the tokens that lead to a stored session.
func (m *Manager) TokensOfStored(ctx context.Context, id ID) ([]TokenInfo, error) {
	all, err := m.o.Store.BindingsOf(ctx, id)
	if err != nil {
		return nil, storeError(err)
	}
	var list []TokenInfo
	for token, b := range all {
		if !b.Replaced {
			list = append(list, tokenInfoOf(token, b.Minted, b.Token))
		}
	}
	slices.SortFunc(list, func(a, b TokenInfo) int { return strings.Compare(a.ID, b.ID) })
	return list, nil
}

// SignOutStored ends a session that no node has, with its log and its tokens. This node becomes its owner
// first, so that no other one opens it meanwhile; the XMPP server ends what it keeps of the stream by
// itself. *NotOwnerError: a node has it by now.
func (m *Manager) SignOutStored(ctx context.Context, id ID) error {
	if s := m.byID(id); s != nil {
		return m.SignOut(ctx, s) // it was opened here just now
	}
	if _, _, err := m.acquire(ctx, id); err != nil {
		if errors.As(err, new(*NotOwnerError)) {
			return err
		}
		return storeError(err)
	}
	if err := m.o.Store.Forget(ctx, id); err != nil {
		return storeError(err)
	}
	m.routes.stored.invalidate()
	return nil
}
