package sessions

import "github.com/perch-im/perch"

// gapBefore tells clients that messages of an outage may be missing, when a new login
// follows an earlier one and there is no archive that can tell. Where there is one of the last
// messages, these come first: see catchUpLast.
func (cu *catchup) gapBefore(l *link) {
	switch {
	case l.buffering || l.unread || !cu.host.record().RosterKnown:
	case l.login.Capabilities.Archive == archiveLast && cu.host.record().OfflineSince != 0:
		l.buffering = true
	default:
		cu.gap(perch.GapNoArchive)
	}
}

func (cu *catchup) gap(reason string) {
	from := cu.host.record().OfflineSince
	if from == 0 {
		from = cu.host.stateSince()
	}
	cu.log.Durable(perch.EventSessionGap, perch.Gap{From: from, To: cu.host.now(), Reason: reason})
}

// lostReason is the reason of a gap, after an error of the archive.
func lostReason(err error) string {
	switch perch.KindOf(err) {
	case perch.KindUpstreamTimeout:
		return perch.GapTimeout
	case perch.KindItemNotFound:
		return perch.GapTrimmed
	}
	return perch.GapRefused
}
