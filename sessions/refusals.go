package sessions

import (
	"errors"
	"fmt"
	"time"

	"github.com/perch-im/perch"
)

// Arguments of Observer.Refused: the limits that a new session may be over, by the names of their settings.
const (
	LimitNode      = "max-sessions"
	LimitUpstream  = "upstream-max-sessions" // max-sessions of the upstream
	LimitAccount   = "sessions-per-account"
	LimitAddress   = "sessions-per-address"
	LimitLoginRate = "login-rate" // of the upstream: the new session would wait for too long
)

// refusal is why there is no room for a new session.
type refusal struct {
	upstream, limit string
	cause           *perch.Error // for the client
}

// Error implements error.
func (r *refusal) Error() string { return r.cause.Error() }

// Unwrap returns the cause, which has the kind.
func (r *refusal) Unwrap() error { return r.cause }

// refused counts err, if it is a refusal.
func (m *Manager) refused(err error) {
	if r, ok := errors.AsType[*refusal](err); ok {
		m.o.Observer.Refused(r.upstream, r.limit)
	}
}

const tooManyWait = 30 * time.Second

func errNodeFull(upstream string) error {
	return &refusal{upstream, LimitNode, &perch.Error{Kind: perch.KindSessionOffline, RetryAfter: tooManyWait,
		Detail: "session limit of this node reached; try again later"}}
}

func errUpstreamFull(upstream string) error {
	return &refusal{upstream, LimitUpstream, &perch.Error{Kind: perch.KindSessionOffline, RetryAfter: tooManyWait,
		Detail: fmt.Sprintf("session limit of the upstream %q on this node reached (max-sessions); try again later", upstream)}}
}

func errAccountFull(upstream string) error {
	return &refusal{upstream, LimitAccount, &perch.Error{Kind: perch.KindQuotaExceeded, RetryAfter: tooManyWait,
		Detail: "this account has as many sessions as it may; sign one of them out, or use one of them"}}
}

func errAddressFull(upstream string) error {
	return &refusal{upstream, LimitAddress, &perch.Error{Kind: perch.KindQuotaExceeded, RetryAfter: tooManyWait,
		Detail: "as many sessions as one client address may have were opened from this one; sign one of them out"}}
}

// errLoginsWait is for a new session that would wait for its login for longer than its client. Wait is how long
// it takes until another one would not.
func errLoginsWait(upstream string, wait time.Duration) error {
	return &refusal{upstream, LimitLoginRate, &perch.Error{Kind: perch.KindSessionOffline, RetryAfter: max(wait, time.Second),
		Detail: fmt.Sprintf("as many logins at the upstream %q wait for their turn as may (login-rate); try again later", upstream)}}
}

// errTurn is for a new session whose login has not had its turn in time.
func errTurn(upstream string) error {
	return &perch.Error{Kind: perch.KindSessionOffline, RetryAfter: 5 * time.Second,
		Detail: fmt.Sprintf("the login at the upstream %q has not had its turn in time (logins, login-rate); try again later", upstream)}
}
