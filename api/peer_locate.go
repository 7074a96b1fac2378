package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// errForwarded means that a peer has the session and has answered the request: nothing is left
// to do.
var errForwarded = errors.New("api: a peer has answered the request")

// misdirectedError refuses a request that a peer has forwarded although this node has not the
// session. The peer looks it up again.
type misdirectedError struct{ error }

func (e misdirectedError) Unwrap() error { return e.error }

// sessionLookup is how the session of one request is found.
type sessionLookup struct {
	find  func() (*sessions.Session, error)
	token perch.Secret // its cached owner is dropped when that was wrong; may be zero
	// vouched is what the request may do when the session was found by a ticket, which this node has redeemed: the
	// peer accepts it from this node without a credential.
	vouched vouched
}

// locate returns the session of a request, when this node owns it. When a peer does, the whole
// request is forwarded there, its answer goes to the client, and the error is errForwarded. Any
// other error is for the client.
//
// The owner that was found may be out of date: it may have died, or handed the session off. So
// when the peer cannot be reached, or has not the session, the owner is looked up once more, and
// may be this node then. A request that came from a peer is never forwarded again.
func (a *API) locate(w http.ResponseWriter, r *http.Request, look sessionLookup) (*sessions.Session, error) {
	s, err := look.find()
	first, ok := errors.AsType[*sessions.NotOwnerError](err)
	if trusted(r.Context()) && (ok || perch.KindOf(err) == perch.KindDraining) {
		return nil, misdirectedError{err}
	}
	if !ok {
		return s, err
	}
	f, err := a.newForward(r, look.vouched)
	if err != nil {
		return nil, err
	}
	lost := a.forwardTo(w, r, f, first.Node)
	if lost == nil {
		return nil, errForwarded
	}
	if !lost.retryable(r) {
		return nil, a.unreachable(lost)
	}
	if !look.token.IsZero() {
		a.o.Sessions.LookAgain(r.Context(), look.token)
	}
	if first.Evicted != "" {
		a.o.Sessions.KeepHere(first.Evicted) // nobody else opens it
	}
	f.result = ForwardRetried
	s, err = look.find()
	second, ok := errors.AsType[*sessions.NotOwnerError](err)
	if !ok {
		a.o.Observer.Forwarded(ForwardRetried)
		return s, err
	}
	if second.Node.ID == first.Node.ID && !lost.misdirected() {
		return nil, a.unreachable(lost) // unreachable, as before
	}
	if lost = a.forwardTo(w, r, f, second.Node); lost == nil {
		return nil, errForwarded
	}
	return nil, a.unreachable(lost)
}

// unreachable is the error for a client when no peer has answered. It names none of them.
func (a *API) unreachable(lost *forwardFailure) error {
	if e, ok := errors.AsType[*perch.Error](lost.err); ok {
		return e // of this node: no peer was asked
	}
	if errors.Is(lost.err, context.DeadlineExceeded) || errors.Is(lost.err, context.Canceled) {
		return lost.err
	}
	a.o.Observer.Forwarded(ForwardUnreachable)
	if errors.Is(lost.err, errHopRefused) {
		a.log.Warn("peer rejected forwarded request: check PERCH_SECRET and clock skew", "node", lost.node)
	}
	if lost.mayHaveRun() {
		return perch.Wrap(perch.KindUpstreamTimeout, lost.err, "connection to the node of this session lost; the request may have been processed: read the state before you repeat it")
	}
	return &perch.Error{Kind: perch.KindSessionOffline, RetryAfter: time.Second, Err: lost.err,
		Detail: "the node that owns this session cannot be reached: try again shortly"}
}
