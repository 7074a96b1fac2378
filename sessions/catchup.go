package sessions

import (
	"context"
	"time"

	"github.com/perch-im/perch"
)

// catchupHost is what catching up needs of the session that it belongs to.
type catchupHost interface {
	owner
	// call lets the owner run f and waits until it has run; ifCurrent runs f when l is the
	// connection in use.
	call(ctx context.Context, f func()) error
	ifCurrent(l *link, f func(*link))
	// guarded runs f; a fault of ours costs what f was about, and nothing else.
	guarded(f func())
	// covered says that everything which a link has brought is in the commit that gathers.
	covered(l *link)
	// stream is the connection in use; nil: there is none.
	stream() *link
	// record is the stored state of the session; saveRecord commits it as it is then.
	record() *Record
	saveRecord()
	// stateSince is when the session came to its state.
	stateSince() perch.Time
	// resumesPartly reports whether a stream that was lost before it was online may be resumed.
	resumesPartly() bool
	// rememberAddress notes an address that the server gave.
	rememberAddress(jid perch.JID)
	// giveReceipt tells the sender of a message that it is committed.
	giveReceipt(to perch.JID, id string)
	// overBudget counts what found no room in a budget; dropped makes an event of what is lost.
	overBudget(budget string, from perch.JID)
	dropped(d perch.Dropped)
	// archiveMissing says in the log why the archive could not be read.
	archiveMissing(reason string)
	logDebug(msg string, args ...any)
}

// sentMessages are the messages that we sent, as far as the archive may tell of them.
type sentMessages interface {
	record(id string) *perch.MessageRecord
	advanceTo(r *perch.MessageRecord, st perch.MessageStatus, xe *perch.XMPPError)
}

// roomMessages says what of a message is the business of rooms.
type roomMessages interface {
	// markPrivate says of a message whether it is a private one of a room; placeArchived does so for one of
	// the archive, which without a room is one of none.
	markPrivate(in *perch.MessageIn)
	placeArchived(in *perch.MessageIn, own perch.JID)
	// elsewhere reports whether a message is in the archive of a room of the session.
	elsewhere(in *perch.MessageIn) bool
}

// catchup is the part of a session that logs messages, each of them once: those of the stream,
// those of the archive that were missed, and those that wait while the archive is read.
type catchup struct {
	host  catchupHost
	log   *eventLog
	sent  sentMessages
	store logStore
	id    ID // of the session

	relations *relations   // what control messages become
	rooms     roomMessages // nil: the session uses none

	known        identities  // logged messages of which copies may come
	trim         *time.Timer // of known
	settled      perch.Time  // when known was trimmed last while no copies could come
	unavailable  bool        // the last login could not read the archive
	silentLogins int         // given up since the archive last answered, see archiveSilent
}
