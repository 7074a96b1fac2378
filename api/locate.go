package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// errPassedOn means that another node has the session and has answered the request: there is
// nothing left to do.
var errPassedOn = errors.New("api: another node has answered")

// notHere refuses what another node has passed on to us by mistake. That node looks again.
type notHere struct{ error }

func (e notHere) Unwrap() error { return e.error }

// search is how the session of one request is found.
type search struct {
	find  func() (*sessions.Session, error)
	token perch.Secret // its cached owner is dropped when that was wrong; may be zero
	// vouched is the session when it was found by a ticket, which this node has ended: the
	// other node takes our word for it.
	vouched sessions.ID
}

// locate gives the session of a request, when it lives on this node. When it lives on
// another one, the whole request goes there, its answer goes to the client, and the error
// is errPassedOn. Any other error is for the client.
//
// What was found may be old: a node may have died, or given the session up. So when the node
// cannot be reached, or does not have it, the owner is looked up once more, and may be us then.
// It goes no further than that: a request that came from another node is never passed on.
func (a *API) locate(w http.ResponseWriter, r *http.Request, look search) (*sessions.Session, error) {
	s, err := look.find()
	there, ok := errors.AsType[*sessions.NotOwnerError](err)
	if trusted(r.Context()) && (ok || perch.KindOf(err) == perch.KindDraining) {
		return nil, notHere{err}
	}
	if !ok {
		return s, err
	}
	f, err := a.newForward(r, look.vouched)
	if err != nil {
		return nil, err
	}
	lost := a.passOn(w, r, f, there.Node)
	if lost == nil {
		return nil, errPassedOn
	}
	if !lost.again(r) {
		return nil, a.unreachable(lost)
	}
	if !look.token.IsZero() {
		a.o.Sessions.LookAgain(look.token)
	}
	f.result = ForwardRetried
	s, err = look.find()
	there2, ok := errors.AsType[*sessions.NotOwnerError](err)
	if !ok {
		a.o.Observer.Forwarded(ForwardRetried)
		return s, err
	}
	if there2.Node.ID == there.Node.ID && !lost.misdirected() {
		return nil, a.unreachable(lost) // still unreachable
	}
	if lost = a.passOn(w, r, f, there2.Node); lost == nil {
		return nil, errPassedOn
	}
	return nil, a.unreachable(lost)
}

// unreachable is the error for a client when no node could be asked. It names none of them.
func (a *API) unreachable(lost *lostForward) error {
	if e, ok := errors.AsType[*perch.Error](lost.err); ok {
		return e // ours: no node was asked
	}
	if errors.Is(lost.err, context.DeadlineExceeded) || errors.Is(lost.err, context.Canceled) {
		return lost.err
	}
	a.o.Observer.Forwarded(ForwardUnreachable)
	if errors.Is(lost.err, errHopRefused) {
		a.log.Warn("peer rejected forwarded request: check PERCH_SECRET and clock skew", "node", lost.node)
	}
	if lost.mayHaveRun() {
		return perch.Wrap(perch.KindUpstreamTimeout, lost.err, "the node of this session was lost in the middle: whether the request was carried out is not known")
	}
	return &perch.Error{Kind: perch.KindSessionOffline, RetryAfter: time.Second, Err: lost.err,
		Detail: "the node that has this session cannot be reached just now"}
}
