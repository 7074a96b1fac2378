package sessions

import (
	"github.com/perch-im/perch"
)

// Observer counts what happens in all sessions of a Manager, for metrics. Its arguments
// come from small, fixed sets of words, so each may be a label; nothing of an account is
// among them. Owners call it between other things: it must not wait.
type Observer interface {
	// Event is one durable event that was committed, or an ephemeral one that was published. It counts once, however
	// many streams show it.
	Event(perch.EventType)
	// Dropped counts events that a stream did not get, by the Dropped words of this package,
	// and stanzas that were not taken, by the reasons of event.dropped.
	Dropped(reason string, n int)
	// Subscribed is the begin of a stream: ResumedStream, or the reason of its reset.
	Subscribed(result string)
	// Reconnecting is the end of a connection to an upstream, or of an attempt at one, after which
	// another attempt is planned. The reason is one of those of a state.
	Reconnecting(upstream, reason string)
	// Refused is a new session that there was no room for: by which upstream it would have been, and by one of
	// the Limit words of this package over which limit.
	Refused(upstream, limit string)
	// Owner is a change of who owns a session, by the Owner words of this package.
	Owner(change string)
	// Delivered is one attempt to bring a part of a log to a reader, by one of the Delivery words of this package.
	Delivered(kind perch.ReaderKind, result string)
}

// Arguments of Observer.Dropped and Observer.Subscribed, besides those that they name.
const (
	DroppedChatState  = "chat_state"         // of a stream that is too slow
	DroppedStanza     = "stanza"             // the same
	DroppedPresence   = "coalesced"          // a newer presence of the same buddy, or state of the same conversation, took its place
	DroppedSlow       = "slow"               // queued for a stream that was cut; durable ones are replayed
	DroppedForged     = "forged"             // a bounce or a receipt by an entity that the message did not go to
	DroppedUnmatched  = "unmatched"          // the same of a message that is not known, or no more
	DroppedOverBudget = "over_budget"        // there was no room for it; see limits.go
	DroppedRosterPart = "roster_partial"     // a login whose roster is over a limit
	DroppedNoRoster   = "roster_unavailable" // a login that got no roster
	ResumedStream     = "resumed"            // the log was replayed from the cursor
)

// Arguments of Observer.Owner.
const (
	OwnerTaken    = "taken"    // opened here: a new one, or one without an owner
	OwnerAdopted  = "adopted"  // its owner was dead
	OwnerReleased = "released" // given up, for another node to take over
	OwnerFenced   = "fenced"   // another node has taken it
	OwnerPassed   = "passed"   // given up elsewhere, and no credential is stored: its client's next request brings it
	OwnerStale    = "stale"    // opened with a new log, because nothing proved the end of the old one
	OwnerFailed   = "failed"   // sessions of a dead node could not be looked for; it is tried again
)

type unobserved struct{}

func (unobserved) Event(perch.EventType)    {}
func (unobserved) Dropped(string, int)      {}
func (unobserved) Subscribed(string)        {}
func (unobserved) Reconnecting(_, _ string) {}
func (unobserved) Refused(_, _ string)      {}
func (unobserved) Owner(string)             {}

func (unobserved) Delivered(perch.ReaderKind, string) {}
