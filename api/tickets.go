package api

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/ttlmap"
	"github.com/perch-im/perch/sessions"
)

// Bounds of outstanding tickets. A page needs one for each socket that it opens.
const (
	maxTickets        = 10_000
	maxSessionTickets = 20
)

// tickets are single-use credentials for the event socket, for browsers, which can set no header
// there. A ticket is 256 random bits. Only its hash is stored, so that a leak of the store opens
// nothing, and every node can read it. This type counts how many this node has made that may
// still be unused.
type tickets struct {
	life time.Duration

	mu          sync.Mutex
	outstanding ttlmap.Map[string, sessions.ID] // by hash
	count       map[sessions.ID]int             // of made
}

func newTickets(life time.Duration) *tickets {
	t := &tickets{life: life, count: map[sessions.ID]int{}}
	t.outstanding = ttlmap.Map[string, sessions.ID]{Max: maxTickets, OnEvict: func(_ string, id sessions.ID) { t.decrement(id) }}
	return t
}

// hashOf is the key of a ticket in the store.
func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// reserve counts a ticket. The error is KindQuotaExceeded.
func (t *tickets) reserve(id sessions.ID, hash string) (expires time.Time, err error) {
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.count[id] >= maxSessionTickets {
		t.outstanding.Expire(now)
	}
	if t.count[id] >= maxSessionTickets || t.outstanding.Full(now) {
		return time.Time{}, &perch.Error{Kind: perch.KindQuotaExceeded, RetryAfter: t.life,
			Detail: "the session has too many unused tickets: use them, or wait until they expire"}
	}
	t.outstanding.Put(hash, id, now, t.life)
	t.count[id]++
	return now.Add(t.life), nil
}

// release counts a ticket no longer. One that was used at a peer counts until it expires.
func (t *tickets) release(hash string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if id, ok := t.outstanding.Delete(hash, time.Now()); ok {
		t.decrement(id)
	}
}

// decrement counts one ticket less; t.mu is held.
func (t *tickets) decrement(id sessions.ID) {
	if t.count[id]--; t.count[id] == 0 {
		delete(t.count, id)
	}
}

// vouched is what a ticket, which a node has redeemed, is good for: the session, and there what the token may
// do that it was asked for with. The zero value is none.
type vouched struct {
	session    sessions.ID
	token      string // sessions.Access.ID; "": one that may do everything
	restricted bool
}

// issueTicket makes a ticket for what an access may do, and an Origin header, "" being none.
func (a *API) issueTicket(ctx context.Context, by sessions.Access, origin string) (Ticket, error) {
	id := by.Session.ID()
	var raw [32]byte
	rand.Read(raw[:])
	text := base64.RawURLEncoding.EncodeToString(raw[:])
	hash := hashOf(text)
	expires, err := a.streams.tickets.reserve(id, hash)
	if err != nil {
		return Ticket{}, err
	}
	k := Ticket{text, perch.At(expires)}
	if err := a.o.Sessions.PutTicket(ctx, hash, sessions.Ticket{Session: id, Token: by.ID, Restricted: by.Restricted(), Origin: origin, Expires: k.ExpiresAt}, a.streams.tickets.life); err != nil {
		a.streams.tickets.release(hash)
		return Ticket{}, err
	}
	return k, nil
}

// redeemTicket ends a ticket, whatever the result: one that was sent with another Origin has
// leaked.
func (a *API) redeemTicket(r *http.Request, text string) (vouched, error) {
	g, err := a.reserveAttempts(r, "", "") // a ticket is guessed like a token
	if err != nil {
		return vouched{}, err
	}
	v, err := a.takeTicket(r.Context(), text, r.Header.Get("Origin"))
	g.conclude(r.Context(), err)
	a.auditRefusal(r, "ticket", "", err)
	return v, err
}

func (a *API) takeTicket(ctx context.Context, text, origin string) (vouched, error) {
	hash := hashOf(text)
	a.streams.tickets.release(hash)
	k, err := a.o.Sessions.TakeTicket(ctx, hash)
	if err != nil && perch.KindOf(err) != perch.KindNotFound {
		return vouched{}, err
	}
	if err != nil || k.Origin != origin || k.Restricted && k.Token == "" {
		return vouched{}, a.badTicket()
	}
	return vouched{k.Session, k.Token, k.Restricted}, nil
}

func (a *API) badTicket() error {
	return perch.Errorf(perch.KindUnauthorized, "the ticket is not valid: it opens one socket, within %d seconds, from the origin that asked for it",
		seconds(a.o.TicketLife))
}

// vouchedFor returns the session of a ticket. One that no node has is refused, as ended.
func (a *API) vouchedFor(ctx context.Context, id sessions.ID) (*sessions.Session, error) {
	s, err := a.o.Sessions.Owned(ctx, id)
	alone := a.o.Sessions.Self().ID == ""
	if errors.Is(err, sessions.ErrEnded) || perch.KindOf(err) == perch.KindNotFound || err != nil && alone || err == nil && s.Info().State == perch.StateClosed {
		return nil, a.badTicket()
	}
	return s, err
}

// Ticket is the answer of POST /v1/events/tickets.
type Ticket struct {
	Ticket    string     `json:"ticket"`
	ExpiresAt perch.Time `json:"expires_at"`
}

// handleTicketCreate makes a ticket for GET /v1/events/ws?ticket=. It is bound to the
// session and to the Origin of this request.
//
//	@ID				createTicket
//	@Summary		Create a ticket for the event socket
//	@Description	For browsers, which can set no Authorization header on a WebSocket. Use it within 30 seconds, once, from the same origin: GET /v1/events/ws?ticket=...
//	@Tags			events
//	@Produce		json
//	@Success		201	{object}	Ticket
//	@Failure		401	{object}	Problem
//	@Failure		403	{object}	Problem	"the Origin is not allowed"
//	@Failure		429	{object}	Problem
//	@Security		BearerAuth
//	@Router			/v1/events/tickets [post]
func (a *API) handleTicketCreate(w http.ResponseWriter, r *http.Request) {
	var none struct{}
	_, err := queryOf(r)
	if err == nil {
		_, err = decodeOptional(r, &none)
	}
	if err != nil {
		a.writeProblem(w, r, err)
		return
	}
	origin := r.Header.Get("Origin")
	if origin != "" && !a.originAllowed(r) {
		a.writeProblem(w, r, perch.Errorf(perch.KindForbidden, "this origin may not open an event socket"))
		return
	}
	k, err := a.issueTicket(r.Context(), accessFrom(r.Context()), origin)
	if err == nil {
		err = writeJSON(w, http.StatusCreated, k)
	}
	if err != nil {
		a.writeProblem(w, r, err)
	}
}
