package sessions

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/perch-im/perch"
)

// action is what a session does about the end of a connection, or of an attempt at one.
type action int

const (
	retry               action = iota // back off and try again
	retrySlow                         // the same, at the longest back-off: an operator has to repair something
	retryKnown                        // the same at once, for a session that was online before: the server's name may be back in a second
	retryConflict                     // another client took our resource: again, but not for ever
	quarantineThenRetry               // the upstream refused what we sent: quarantine it, then again
	giveUp                            // suspended until a client acts
)

// verdict is a row of decide.
type verdict struct {
	do     action
	reason string
}

// decide is the one table from the kind of an error to what the session does (RFC 6120,
// 4.9.3 and 6.5). Any other kind is a lost link, which is tried again.
var decide = map[perch.Kind]verdict{
	perch.KindUnauthorized:    {giveUp, perch.ReasonCredentials},
	perch.KindForbidden:       {giveUp, perch.ReasonCredentials},
	perch.KindValidation:      {giveUp, perch.ReasonConfig}, // the account does not fit the upstream
	perch.KindUpstreamConfig:  {retryKnown, perch.ReasonConfig},
	perch.KindRedirectRefused: {giveUp, perch.ReasonRedirect},
	perch.KindUpstreamTLS:     {retrySlow, perch.ReasonTLS},
	perch.KindStreamConflict:  {retryConflict, perch.ReasonConflict},
	perch.KindPolicy:          {quarantineThenRetry, perch.ReasonPolicy},
	perch.KindTryLater:        {retry, perch.ReasonTryLater},
}

func verdictOf(err error) verdict {
	if v, ok := decide[perch.KindOf(err)]; ok {
		return v
	}
	return verdict{retry, perch.ReasonLinkLost}
}

const (
	backoffMin = time.Second
	backoffMax = time.Minute
	// steady is how long a connection must have lasted to begin with a short back-off again.
	steady = time.Minute

	conflictMax    = 3
	conflictWindow = 10 * time.Minute
	policyMax      = 3 // ends in a row with nothing left to quarantine
)

// backoff is the full-jitter delay before attempt n, counted from 0.
func backoff(n int) time.Duration {
	top := min(backoffMin<<min(n, 10), backoffMax)
	return time.Duration(rand.Int64N(int64(top) + 1))
}

func retryAfter(err error) time.Duration {
	if e, ok := errors.AsType[*perch.Error](err); ok {
		return e.RetryAfter
	}
	return 0
}
