package sessions

import (
	"context"
	"time"

	"github.com/perch-im/perch"
)

// ArchiveUnavailable is among the features of a session whose archive could not be read by the
// last login. It may be asked all the same.
const ArchiveUnavailable = "archive-unavailable"

// firstArchiveTime is how long a login waits for the archive when it has missed nothing: less
// than a client waits for its first login, as with the roster.
const firstArchiveTime = 5 * time.Second

// archiveSilent decides what a login does whose question to the archive, asked at a time, has no
// answer. It continues without the archive: one that never answers must not keep a session from
// being online, and with a place to begin from the gap is named. But silence may also be that of
// a link that is dead and not known to be yet. So where something may be missed, and nothing at
// all has come since the question, the first such login is given up: the next one, on a
// connection of its own, can still bring everything.
func (cu *catchup) archiveSilent(ctx context.Context, l *link, err error, asked perch.Time, placed bool) error {
	if connectionLost(ctx, l, err) {
		return err
	}
	dead := placed && perch.KindOf(err) == perch.KindUpstreamTimeout && l.conn.Stats().LastStanzaAt <= asked
	again := false
	if terr := cu.host.call(ctx, func() {
		cu.host.ifCurrent(l, func(l *link) {
			if dead && cu.silentLogins == 0 {
				cu.silentLogins++
				again = true
				return
			}
			cu.withoutArchive(l, err, placed)
		})
	}); terr != nil {
		return terr
	}
	if again {
		return err
	}
	return nil
}

// withoutArchive continues a login whose archive cannot be read. Missed says that something
// may have been missed. The place to read on from stays: when no message comes live before the
// next login, that one may still read everything.
func (cu *catchup) withoutArchive(l *link, err error, missed bool) {
	cu.host.archiveMissing(requestReason(err))
	cu.unavailable, l.unread = true, true
	if missed && cu.host.record().RosterKnown {
		cu.gap(lostReason(err))
	}
	cu.releaseBuffered(l)
}
