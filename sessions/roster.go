package sessions

import (
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/contacts"
)

// rosterHost is what the roster needs of the session that it belongs to.
type rosterHost interface {
	owner
	sender
	// errOffline is why the stream cannot be used.
	errOffline() error
	// stream is the connection in use; nil: there is none.
	stream() *link
	// record is the stored state of the session; saveRecord commits it as it is then.
	record() *Record
	saveRecord()
	// rememberAddress notes an address that the server gave.
	rememberAddress(jid perch.JID)
	// overBudget counts what found no room in a budget, and says so to the client now and then.
	overBudget(budget string, from perch.JID)
	// dropped makes an event of what is left out, and counts it; countDropped only counts.
	dropped(d perch.Dropped)
	countDropped(reason string, n int)
	// rosterMissing says in the log why the roster could not be fetched.
	rosterMissing(reason string)
}

// roster is the part of a session that keeps its contacts: roster items (RFC 6121, 2), the
// presence of buddies (4), and the requests of strangers (3).
type roster struct {
	host    rosterHost
	journal journal
	cards   cardStore
	id      ID // of the session

	contacts       contacts.Table // changed by setContacts alone
	fresh          freshness
	version        presenceVersions
	invites        []*perch.Invitation // sorted by the key of the JID
	settling       *settling           // nil: the server has named every resource
	mutual         []perch.JID         // see wantMutual
	waits          []*rosterWait
	snapshotServed bool // a client was given the state before the first roster
	use            usage
}

// usage is what a roster keeps, by the budgets of limits.go.
type usage struct {
	roster, presence, status, names, invited int

	short bool // an item of the roster found no room
}

// settling is the time after a login in which the server sends the presence of buddies. What
// was cached stays as it is until then; only what was not confirmed by the end of it goes.
type settling struct {
	confirmed map[perch.JID]struct{} // keys of full JIDs
	timer     *time.Timer
}

// rosterWait is a caller that waits for a roster item to change.
type rosterWait struct {
	jid  perch.JID
	done func(*contacts.Contact) bool // false: not yet. The contact is nil while there is none
	met  chan struct{}
}
