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

// tickets are single-use passes to the event socket, for browsers, which can set no
// header there. A ticket is 256 random bits. Only its hash is kept, so nothing that leaks
// opens anything, and it is kept where every node finds it. Here is counted how many this
// node has made that may still be there.
type tickets struct {
	life time.Duration

	mu    sync.Mutex
	made  ttlmap.Map[string, sessions.ID] // by hash
	count map[sessions.ID]int             // of made
}

func newTickets(life time.Duration) *tickets {
	t := &tickets{life: life, count: map[sessions.ID]int{}}
	t.made = ttlmap.Map[string, sessions.ID]{Max: maxTickets, OnEvict: func(_ string, id sessions.ID) { t.uncount(id) }}
	return t
}

// hashOf is what a ticket is kept by.
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
		t.made.Expire(now)
	}
	if t.count[id] >= maxSessionTickets || t.made.Full(now) {
		return time.Time{}, &perch.Error{Kind: perch.KindQuotaExceeded, RetryAfter: t.life,
			Detail: "too many tickets wait to be used"}
	}
	t.made.Put(hash, id, now, t.life)
	t.count[id]++
	return now.Add(t.life), nil
}

// used counts a ticket no more. One that was used at another node counts until it expires.
func (t *tickets) used(hash string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if id, ok := t.made.Delete(hash, time.Now()); ok {
		t.uncount(id)
	}
}

// uncount counts one ticket less; t.mu is held.
func (t *tickets) uncount(id sessions.ID) {
	if t.count[id]--; t.count[id] == 0 {
		delete(t.count, id)
	}
}

// issueTicket makes a ticket for a session and an Origin header, "" being none.
func (a *API) issueTicket(ctx context.Context, id sessions.ID, origin string) (Ticket, error) {
	var raw [32]byte
	rand.Read(raw[:])
	text := base64.RawURLEncoding.EncodeToString(raw[:])
	hash := hashOf(text)
	expires, err := a.stream.tickets.reserve(id, hash)
	if err != nil {
		return Ticket{}, err
	}
	k := Ticket{text, perch.At(expires)}
	if err := a.o.Sessions.PutTicket(ctx, hash, sessions.Ticket{Session: id, Origin: origin, Expires: k.ExpiresAt}, a.stream.tickets.life); err != nil {
		a.stream.tickets.used(hash)
		return Ticket{}, err
	}
	return k, nil
}

// redeemTicket ends a ticket, whatever comes of it: one that was shown with a foreign
// Origin has leaked.
func (a *API) redeemTicket(r *http.Request, text string) (sessions.ID, error) {
	g, err := a.guessing(r, "") // a ticket is guessed like a token
	if err != nil {
		return "", err
	}
	id, err := a.takeTicket(r.Context(), text, r.Header.Get("Origin"))
	g.settle(r.Context(), err)
	return id, err
}

func (a *API) takeTicket(ctx context.Context, text, origin string) (sessions.ID, error) {
	hash := hashOf(text)
	a.stream.tickets.used(hash)
	k, err := a.o.Sessions.TakeTicket(ctx, hash)
	if err != nil && perch.KindOf(err) != perch.KindNotFound {
		return "", err
	}
	if err != nil || k.Origin != origin {
		return "", a.badTicket()
	}
	return k.Session, nil
}

func (a *API) badTicket() error {
	return perch.Errorf(perch.KindUnauthorized, "the ticket is not valid: it opens one socket, within %d seconds, from the origin that asked for it",
		seconds(a.o.TicketLife))
}

// vouchedFor finds the session of a ticket, on this node. One that is nowhere has ended.
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
//	@Summary		A single-use ticket for the event socket
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
	k, err := a.issueTicket(r.Context(), sessionFrom(r.Context()).ID(), origin)
	if err == nil {
		err = writeJSON(w, http.StatusCreated, k)
	}
	if err != nil {
		a.writeProblem(w, r, err)
	}
}
