package sessions

import (
	"context"
	"time"

	"github.com/perch-im/perch"
)

// part is a feature of a session: it has its own state, and asks for the rest by its host
// interface. Any of its hooks may do nothing. All but restore run in the owner.
type part interface {
	// restore takes over what the Store has, when the session is opened. It runs before the
	// owner, and may wait.
	restore(ctx context.Context, v *Saved) error
	// apply changes the part by what a link has delivered, and reports whether it was for it.
	apply(in perch.Inbound, l *link) bool
	// online says that the login sequence is over, and whether it resumed the stream of before.
	online(resumed bool)
	// offline says that a link is lost. What it was asked is not answered.
	offline(l *link)
	// stop ends what waits: the session is over.
	stop()
}

// journal is what a part of a session may do to what is committed and published. Only the
// owner may call it.
type journal interface {
	// Durable makes an event of the log. It is published once it is committed.
	Durable(typ perch.EventType, data any)
	// Ephemeral makes an event that is published after what was made before it, and not
	// committed. Of those with the same key that wait for a slow subscriber, the last one counts.
	Ephemeral(typ perch.EventType, key string, data any)
	// Change is the commit that gathers, for rows of tables.
	Change() *Commit
	// AfterCommit runs f when everything until now is committed.
	AfterCommit(f func(Result))
	// Exclusive queues a commit that an idempotency key decides: nothing else may depend on
	// it. When the Store rejects it, it is not tried again; f gets the error.
	Exclusive(c Commit, f func(Result))
}

// sender is what a part may do to the stream. Only the owner may call it.
type sender interface {
	// Send writes stanzas, in order; the error is that of a session that is offline.
	Send(out ...perch.Outbound) error
	// Online reports whether the login sequence is over, so that stanzas may be sent.
	Online() bool
}

// owner is the goroutine that a session belongs to, as its parts know it.
type owner interface {
	now() perch.Time
	// post lets the owner run f, some time, and does not wait. After the end f never runs.
	post(f func())
	// after posts f when d has passed.
	after(d time.Duration, f func()) *time.Timer
	// background runs f in a goroutine of its own, which ends with the session.
	background(f func(context.Context))
}
