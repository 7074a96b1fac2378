package api

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"sync"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// Bounds of outstanding tickets. A page needs one for each socket that it opens.
const (
	maxTickets        = 10_000
	maxSessionTickets = 20
)

// tickets are single-use passes to the event socket, for browsers, which can set no
// header there. A ticket is 256 random bits; only its hash is kept, so nothing that leaks
// from this table opens anything.
type tickets struct {
	life time.Duration

	mu     sync.Mutex
	byHash map[[sha256.Size]byte]ticket
	count  map[sessions.ID]int
}

// ticket is what a pass is bound to.
type ticket struct {
	session *sessions.Session
	origin  string // the Origin header that it was asked for with; "" = none
	expires time.Time
}

func newTickets(life time.Duration) *tickets {
	return &tickets{life: life, byHash: map[[sha256.Size]byte]ticket{}, count: map[sessions.ID]int{}}
}

// issue makes a ticket. The error is KindQuotaExceeded.
func (t *tickets) issue(s *sessions.Session, origin string) (text string, expires time.Time, err error) {
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.byHash) >= maxTickets || t.count[s.ID()] >= maxSessionTickets {
		t.sweep(now)
	}
	if len(t.byHash) >= maxTickets || t.count[s.ID()] >= maxSessionTickets {
		return "", time.Time{}, &perch.Error{Kind: perch.KindQuotaExceeded, RetryAfter: t.life,
			Detail: "too many tickets wait to be used"}
	}
	var raw [32]byte
	rand.Read(raw[:])
	text = base64.RawURLEncoding.EncodeToString(raw[:])
	expires = now.Add(t.life)
	t.byHash[sha256.Sum256([]byte(text))] = ticket{s, origin, expires}
	t.count[s.ID()]++
	return text, expires, nil
}

// redeem gives the session of a ticket and ends the ticket, whatever comes of it: one
// that was shown with a foreign Origin has been seen by somebody else.
func (t *tickets) redeem(text, origin string) (*sessions.Session, error) {
	hash := sha256.Sum256([]byte(text))
	t.mu.Lock()
	defer t.mu.Unlock()
	k, ok := t.byHash[hash]
	if ok {
		t.drop(hash, k)
	}
	if !ok || !time.Now().Before(k.expires) || k.origin != origin || k.session.Info().State == perch.StateClosed {
		return nil, perch.Errorf(perch.KindUnauthorized, "the ticket is not valid: it opens one socket, within %d seconds, from the origin that asked for it",
			seconds(t.life))
	}
	return k.session, nil
}

// sweep forgets what has expired; t.mu is held.
func (t *tickets) sweep(now time.Time) {
	for hash, k := range t.byHash {
		if !now.Before(k.expires) {
			t.drop(hash, k)
		}
	}
}

func (t *tickets) drop(hash [sha256.Size]byte, k ticket) {
	delete(t.byHash, hash)
	if t.count[k.session.ID()]--; t.count[k.session.ID()] == 0 {
		delete(t.count, k.session.ID())
	}
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
	text, expires, err := a.stream.tickets.issue(sessionFrom(r.Context()), origin)
	if err != nil {
		a.writeProblem(w, r, err)
		return
	}
	if err := writeJSON(w, http.StatusCreated, Ticket{text, perch.At(expires)}); err != nil {
		a.writeProblem(w, r, err)
	}
}
