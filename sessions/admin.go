package sessions

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/perch-im/perch"
)

// Filter chooses among the sessions of this node. The zero value of a field lets all pass.
type Filter struct {
	Prefix   ID          // that the id begins with
	JID      perch.JID   // bare, of the account
	Upstream string      // its name
	State    perch.State // of the connection
	After    ID          // only ids above it
}

// Overview is what an operator sees of a session. It has no secret, and nothing of a message.
type Overview struct {
	ID ID
	perch.SessionInfo
	Outbox   int  // accepted messages that are not yet known to be with the upstream
	HeldBack bool // the Store takes no writes of it
	Rooms    int  // that the session has, in whatever state
}

// Inspection is an Overview, and what has to be looked up for it.
type Inspection struct {
	Overview
	Epoch      string // of the log
	First, Tip uint64 // offsets of the log; First is Tip+1 when it is empty
	Tokens     []TokenInfo
}

// TokenInfo is a token that leads to a session. ID is the beginning of its keyed hash, from which
// the token cannot be told.
type TokenInfo struct {
	ID     string
	Minted bool // a token that this gateway has made; else the credential of the account
	Name   string
	Made   bool // by another token, and not by a sign-in
	Grant  perch.Grant
}

func tokenInfoOf(key string, minted bool, r *TokenRecord) TokenInfo {
	t := TokenInfo{ID: shortID(ID(key)), Minted: minted}
	if r != nil {
		t.Name, t.Made, t.Grant = r.Name, r.Made, r.Grant
	}
	return t
}

// List returns the sessions of this node that pass a filter, sorted by id: at most limit, and
// whether there are more. Those that end meanwhile are left out.
func (m *Manager) List(ctx context.Context, f Filter, limit int) (list []Overview, more bool, err error) {
	for _, s := range m.candidates(f) {
		o, err := overviewOf(ctx, s)
		switch {
		case ctx.Err() != nil:
			return nil, false, ctx.Err()
		case err != nil || !f.passes(o):
			continue
		case len(list) == limit:
			return list, true, nil
		}
		list = append(list, o)
	}
	return list, false, nil
}

// candidates are the sessions that may pass, by what the Manager knows of them, sorted by id.
func (m *Manager) candidates(f Filter) []*Session {
	account := ""
	if f.JID != "" {
		account = accountName("", f.JID)
	}
	m.mu.Lock()
	list := make([]*Session, 0, min(len(m.sessions), 256))
	for id, s := range m.sessions {
		if id > f.After && strings.HasPrefix(string(id), string(f.Prefix)) &&
			(f.State == "" || s.entry.state == f.State) &&
			(f.Upstream == "" || s.cred.upstream.Name == f.Upstream) &&
			(account == "" || s.entry.account == "" || strings.HasSuffix(s.entry.account, account)) {
			list = append(list, s)
		}
	}
	m.mu.Unlock()
	slices.SortFunc(list, func(a, b *Session) int { return cmp.Compare(a.id, b.id) })
	return list
}

// passes is the filter by what the session itself says.
func (f Filter) passes(o Overview) bool {
	return (f.State == "" || o.State == f.State) && (f.JID == "" || o.JID.Equal(f.JID.Bare()))
}

func overviewOf(ctx context.Context, s *Session) (o Overview, err error) {
	o.ID = s.id
	err = s.call(ctx, func() {
		o.SessionInfo = s.info()
		if o.JID == "" {
			o.JID = s.cred.acc.JID.Bare() // of the login that has not succeeded yet
		}
		o.Outbox, o.HeldBack = int(s.waits.outbox), s.waits.held > 0
		if x := roomsOf(s); x != nil {
			o.Rooms = len(x.byKey)
		}
	})
	return o, err
}

// Find returns the session of this node whose id begins with a text, as log lines have it.
// KindNotFound: there is none here; KindConflict: there are several.
func (m *Manager) Find(prefix ID) (*Session, error) {
	list := m.candidates(Filter{Prefix: prefix})
	switch {
	case len(list) == 0:
		return nil, errNotHere
	case len(list) > 1 && list[0].id != prefix:
		return nil, errAmbiguous
	}
	return list[0], nil
}

var (
	errNotHere   error = perch.Errorf(perch.KindNotFound, "no node has a session whose id begins so")
	errAmbiguous error = perch.Errorf(perch.KindConflict, "several sessions have an id that begins so: give more of it")
)

// Inspect returns what an operator sees of one session. It waits for the Store.
func (m *Manager) Inspect(ctx context.Context, s *Session) (x Inspection, err error) {
	if x.Overview, err = overviewOf(ctx, s); err != nil {
		return x, err
	}
	if err := s.call(ctx, func() { x.Epoch, x.Tip = s.log.epoch, s.log.published }); err != nil {
		return x, err
	}
	page, err := m.o.Store.Log(ctx, s.id, x.Tip, 1)
	if err != nil {
		return x, storeError(err)
	}
	x.First, x.Tip = page.First, page.Tip
	for _, t := range m.boundTokens(s) {
		x.Tokens = append(x.Tokens, tokenInfoOf(t.key.String(), t.minted, t.record))
	}
	return x, nil
}
