package xmppconn

import (
	"sync/atomic"

	"github.com/perch-im/perch/xmppconn/internal/diagnosis"
)

// Counters count what happens on the connections of an upstream. They only grow; read them
// with Load at any time.
type Counters struct {
	SignIns         atomic.Int64
	SignInFailures  diagnosis.Counts // by cause
	SignInsCanceled atomic.Int64     // given up by their caller: the session ended, or moved
	TokenSignIns    atomic.Int64     // of SignIns, with the token of an earlier one (XEP-0484)
	TokensRefused   atomic.Int64     // such tokens that the server did not take
	StepsSkipped    atomic.Int64     // optional steps of a sign-in that had no answer
	Resumes         atomic.Int64     // resumed streams (XEP-0198)
	ResumesFailed   atomic.Int64     // refused, or the server closed the connection
	Redirects       atomic.Int64     // followed
	FramesIn        atomic.Int64     // whole elements of the stream
	StanzasOut      atomic.Int64
	Writes          atomic.Int64 // fewer than StanzasOut: what waits is written together
	Pings           atomic.Int64 // by the keepalive
	Parks           atomic.Int64 // a silent connection gave its goroutine back

	ForgedAnswers  atomic.Int64 // right id, wrong sender (RFC 6120, 8.2.3)
	ForgedPushes   atomic.Int64 // roster push from another entity (RFC 6121, 2.1.6)
	ForgedOther    atomic.Int64 // carbons and archive results from another entity
	StrayAnswers   atomic.Int64 // no such request is open: late, or made up
	Silent         atomic.Int64 // messages and presences with nothing in them that is shown: signals of features we lack, empty ones
	StanzasLeftOut atomic.Int64 // stanzas and requests that clients asked for and did not get: too many, or too long
	Skipped        atomic.Int64 // stanzas over a limit
	Malformed      atomic.Int64 // elements that are not sound stanzas
	RepliesShed    atomic.Int64 // answers to requests of others, dropped because the queue was full
	Panics         atomic.Int64 // recovered
}
