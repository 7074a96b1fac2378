package sessions

import (
	"context"
	"time"

	"github.com/perch-im/perch"
)

// link is one connection in use, or about to be. The owner has everything but conn.
type link struct {
	conn      Conn
	login     perch.Login
	since     time.Time
	live      bool      // the initial presence is out: stanzas may be sent
	owned     bool      // the Store has taken a write since it is online, so the session is ours: messages may be written
	ownedAt   time.Time // when that write was made
	listening bool      // stanzas that nothing else is made of are delivered
	told      clientState

	number uint16

	// While the archive is read, messages wait in buffered.
	buffering     bool
	unread        bool // the archive could not be read; the gap, if any, is reported already
	buffered      []delivery
	bufferedBytes int
	overflow      bool       // buffered was full: what was dropped is in the archive, read it again
	caughtUp      perch.Time // when the archive was read to its end
	overlap       perch.Time // see overlap.since
	window        overlapWindow
	lastSeq       uint64 // of the last delivery

	resumedOnline bool   // an earlier stream that was online: nothing has to be announced again
	savedSeq      uint64 // lastSeq of the state that was saved last
}

// clientState is what the server was told on a connection: whether a client is attached (XEP-0352).
type clientState byte

const (
	toldNothing clientState = iota // of a stream that was resumed; a new one is active until it says otherwise
	toldActive
	toldInactive
)

// state is what resuming this connection needs, as of everything that was delivered. It is
// committed after that, and is used only when all of it is stored.
func (l *link) state() []byte {
	state := l.conn.StreamState()
	if at, ok := l.conn.(ResumeCheckpointer); ok && state != nil && len(l.buffered) == 0 {
		return at.StreamStateAt(l.lastSeq)
	}
	return state
}

// overlapWindow is the part of the archive that is read although later messages are logged already.
type overlapWindow struct {
	from  string // the place to read on from; "": where the log ends
	until string // the last logged message: what comes before it was logged, or came too late
}

// delivery is one thing from the reader of a connection.
type delivery struct {
	link *link
	seq  uint64
	in   perch.Inbound

	at    perch.Time // of what is held: when it arrived
	known bool       // and that it is a copy of one that is logged
	entry int        // or 1 + its index among the identities, when it has one already
}

// archivePaged is the Capabilities.Archive that can tell what we have missed.
const archivePaged = "313"

// archiveLast is the Capabilities.Archive that has the last few messages with each account,
// without ids and without paging (XEP-0136 as the Messenger service knew it).
const archiveLast = "136"

// paged reports whether the archive has everything, and can be read from a place on.
func (l *link) paged() bool { return l.login.Capabilities.Archive == archivePaged }

// connectionLost reports whether a login cannot do without an answer, because its connection is
// lost. Any other outcome, a timeout included, lets it continue.
func connectionLost(ctx context.Context, l *link, err error) bool {
	k := perch.KindOf(err)
	return ctx.Err() != nil || l.conn.Err() != nil || k == perch.KindSessionOffline || k == perch.KindLinkLost
}
