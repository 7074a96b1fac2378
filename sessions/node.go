package sessions

import (
	"context"
	"time"

	"github.com/perch-im/perch"
)

// Node is one process as the others know it.
type Node struct {
	ID   NodeID `json:"id"`
	URL  string `json:"url"`  // where the other nodes reach its gateway
	Away bool   `json:"away"` // it is draining: it takes no sessions over
}

// MembershipStore is the part of a [Store] that nodes know each other by. A node's lease on all of
// its sessions is one entry here, which it renews by Beat; all times are those of the Store,
// never of a node's own clock.
type MembershipStore interface {
	// Beat says that self is alive, and returns all nodes. Another process of the same name
	// is replaced: it is among the dead from now on.
	Beat(ctx context.Context, self Node) (Membership, error)
	// Agree stores a value under a name, unless there is one that is none of instead, and returns
	// the one that is stored. It ends after days without a call that gave the same value.
	Agree(ctx context.Context, name, value string, instead ...string) (stored string, err error)
	// Leave ends the leases of a node at once.
	Leave(ctx context.Context, id NodeID) error
}

// Membership is what Beat returns.
type Membership struct {
	// Members have an entry, this node among them. Whether one whose Age is more than the
	// lease is dead, only a node can say that has been there all that time.
	Members []Member
	// Dead are the processes that have left, or were replaced, during the last hour.
	Dead []NodeID
	// Missed is how long ago this node's entry was renewed before; negative: there was none.
	Missed time.Duration
	// Released are sessions that no node owns any more, since a while of minutes at the most.
	Released []ID
}

// Member is a node and the age of its entry.
type Member struct {
	Node
	Age time.Duration
}

// HeldError says that another process owns the session.
type HeldError struct{ Owner NodeID }

// Error implements error. The owner's name is in it, for logs.
func (e *HeldError) Error() string { return "sessions: the session is owned by " + string(e.Owner) }

// OpenOptions says on whose behalf Open takes a session.
type OpenOptions struct {
	// Owner is the process that will own it. Empty: a process that is alone with its Store and
	// takes whatever is there, whatever its owner; it leaves no owner.
	Owner NodeID
	// TakeoverFrom is an owner that is dead: its lease is passed over. Without it only what no
	// node owns, or Owner itself, is taken.
	TakeoverFrom NodeID
}

// Ticket is a single-use pass to the event socket, which any node may be given.
type Ticket struct {
	Session ID         `json:"session"`
	Token   string     `json:"token,omitempty"` // the TokenRecord.ID of the token that it was asked for with; "" has none
	Origin  string     `json:"origin"`          // the Origin header that it was asked for with; "" = none
	Expires perch.Time `json:"expires"`         // as sent to its client; the Store ends it by its own clock
	// Restricted is a ticket of a token that may not do everything.
	Restricted bool `json:"-"`
}
