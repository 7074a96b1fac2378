package sessions

import (
	"context"
	"errors"
	"time"

	"github.com/perch-im/perch"
)

// Why a subscription was cut; see Subscription.Take.
var (
	// ErrSlow: the client does not keep up.
	ErrSlow error = perch.Errorf(perch.KindQuotaExceeded, "the connection reads too slowly; resume from your cursor")
	// ErrEnded: the session was signed out. Methods of a Session return it too.
	ErrEnded error = perch.Errorf(perch.KindUnauthorized, "the session has ended: sign in again")
	// ErrMoved: another node owns the session now, or its log had to start anew; connect
	// again with your cursor.
	ErrMoved error = perch.Errorf(perch.KindSessionOffline, "the session has moved; connect again with your cursor")
)

// errMovedOn is for a request that was under way when its session went to another node, or
// waits in the Store for the next process: the same request is well answered there.
var errMovedOn error = &perch.Error{Kind: perch.KindSessionOffline, RetryAfter: time.Second,
	Detail: "the session has just moved to another node; ask again"}

// errGone says that a session ended between being found and being used: look again.
var errGone = errors.New("sessions: the session has just ended")

var errReplaced error = perch.Errorf(perch.KindUnauthorized, "this credential was replaced by a newer one")

// storeError gives an error of the Store a kind, if it has none.
func storeError(err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	if k := perch.KindOf(err); k != perch.KindInternal {
		return err
	}
	return &perch.Error{Kind: perch.KindStorageUnavailable, Err: err, RetryAfter: time.Second,
		Detail: "the store cannot be reached"}
}

// signInError is what is reported to a client about a login that failed: what passes by itself is
// session-offline, which is tried again; what somebody has to put right is not.
func signInError(err error) error {
	if err == nil {
		return &perch.Error{Kind: perch.KindUpstreamTimeout, Cause: perch.CauseTimeout, Detail: "upstream login timed out"}
	}
	switch k := perch.KindOf(err); k {
	case perch.KindUnauthorized, perch.KindForbidden, perch.KindUpstreamTLS, perch.KindUpstreamTimeout,
		perch.KindXMPP, perch.KindSessionOffline, perch.KindValidation, perch.KindJIDMalformed:
		return err
	case perch.KindUpstreamConfig:
		return misconfigured(err)
	case perch.KindRedirectRefused:
		return &perch.Error{Kind: perch.KindRedirectRefused, Cause: perch.CauseOf(err), Err: err,
			Detail: "redirect refused: host not allowed, redirect loop, or too many redirects"}
	}
	e := &perch.Error{Kind: perch.KindSessionOffline, Err: err, RetryAfter: 5 * time.Second,
		Detail: "the upstream cannot be reached just now"}
	if cause, ok := errors.AsType[*perch.Error](err); ok && cause.Cause != "" {
		e.Cause, e.Detail = cause.Cause, e.Detail+": "+cause.Detail
	}
	return e
}

// misconfigured keeps what the upstream said: only that tells which of the two sides is to
// be put right.
func misconfigured(err error) error {
	e := &perch.Error{Kind: perch.KindUpstreamConfig, Err: err, Detail: "the upstream cannot be used as it is configured"}
	if cause, ok := errors.AsType[*perch.Error](err); ok {
		e.XMPP, e.Cause = cause.XMPP, cause.Cause
		if cause.Detail != "" {
			e.Detail += ": " + cause.Detail
		}
	}
	return e
}

var errDraining error = perch.Errorf(perch.KindDraining, "this node is stopping; another one, or this one in a moment, will serve you")

var errNoBuddy error = perch.Errorf(perch.KindItemNotFound, "this JID is not in the roster")

// requestReason names why a request of a login failed.
func requestReason(err error) string {
	if errors.Is(err, perch.ErrAnswerTooLarge) {
		return "too_large"
	}
	if e, ok := errors.AsType[*perch.Error](err); ok && e.XMPP != nil {
		return e.XMPP.Condition
	}
	return string(perch.KindOf(err))
}

// NotOwnerError is the error of finding a session that another node owns: ask that one.
type NotOwnerError struct {
	Node Node
	// Evicted is set when no node owns the session: it was evicted from this one, and Node is to open
	// it. When Node does not, see Manager.KeepHere.
	Evicted ID
}

// Error implements error.
func (e *NotOwnerError) Error() string {
	return "sessions: the session is on node " + string(e.Node.ID)
}

// Unwrap gives it the kind that a client sees when the other node cannot be asked for it.
func (e *NotOwnerError) Unwrap() error { return errElsewhere }

var errElsewhere error = &perch.Error{Kind: perch.KindSessionOffline, RetryAfter: time.Second,
	Detail: "the session is on another node, which does not answer just now"}
