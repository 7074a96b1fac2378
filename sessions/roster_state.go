package sessions

import (
	"github.com/perch-im/perch"
)

// What the roster of a session may be besides complete. Each is among the features of the
// session while it holds, and its beginning is an event.dropped.
const (
	RosterPartial     = "roster-partial"     // items are left out, because of a limit of the gateway
	RosterUnavailable = "roster-unavailable" // the server did not give it: what clients get is that of an earlier login, or empty
)

// reasonOf is the reason of event.dropped for an incomplete roster.
func reasonOf(state string) string {
	if state == RosterPartial {
		return DroppedRosterPart
	}
	return DroppedNoRoster
}

// rosterIs notes what the roster is now. The change to something worse is an event. A version
// of an incomplete roster is worth nothing: the next login asks for all of it.
func (ro *roster) rosterIs(state string) {
	if state != "" {
		ro.host.record().RosterVersion = ""
	}
	if ro.host.record().RosterState == state {
		return
	}
	ro.host.record().RosterState = state
	ro.host.saveRecord()
	if state != "" {
		ro.host.dropped(perch.Dropped{Reason: reasonOf(state)})
	}
}

// rosterFailed continues with the roster of an earlier login, or none.
func (ro *roster) rosterFailed(err error) {
	ro.host.rosterMissing(requestReason(err))
	if ro.host.record().RosterState == RosterUnavailable {
		ro.host.countDropped(DroppedNoRoster, 1)
	}
	ro.rosterIs(RosterUnavailable)
}
