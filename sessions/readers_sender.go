package sessions

import (
	"context"
	"time"

	"github.com/perch-im/perch"
)

// Sender brings parts of logs to the readers of one kind. It is safe for concurrent use, and remembers
// nothing between deliveries.
type Sender interface {
	// Check refuses a target or a wish that can never be served; the error names the field. It does not
	// wait for the network.
	Check(t perch.ReaderTarget, s perch.ReaderSpec) error
	// Send makes one attempt at a delivery, and gives up when ctx ends. The same ID comes again with the
	// same content after a failure, on whatever node.
	Send(ctx context.Context, d Delivery) Outcome
}

// Delivery is one part of a log for one reader.
type Delivery struct {
	ID      string // the same for every attempt at the same part: the webhook-id
	Reader  perch.Reader
	Secrets []perch.Secret // that a webhook's calls are signed with, the newest first; "whsec_…"
	Account perch.JID      // bare, whose log it is
	Events  []*perch.Event // in the order of the log; at most 100
	Cursor  perch.Position // after them
	// Reset says that events before these are lost to this reader, by a Reset word of this package; "" is no.
	Reset string
	Test  bool // asked for by the client: there are no events
	// About is what is known of a conversation. It may wait for the session. nil: nothing is.
	About func(ctx context.Context, conversation perch.JID) AboutConversation
}

// Outcome is how an attempt ended.
type Outcome struct {
	Status int // of HTTP; 0: there was no answer
	// Err is nil when the delivery has arrived. Its text is for the owner of the reader: it names no address,
	// and does not tell what is inside of the operator's network.
	Err        error
	Gone       bool          // there is no such reader any more (404 or 410 of a push service, 410 of a webhook)
	Refused    bool          // its address may not be dialled
	RetryAfter time.Duration // as the receiver asks; 0: it does not
}
