package sessions

import (
	"context"

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

// services are what the parts of a session share. A part sees of them what its host interface
// names.
type services struct {
	*loop
	*savedState
	*reporter
	*connection
}
