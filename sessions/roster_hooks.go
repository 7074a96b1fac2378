package sessions

import (
	"context"

	"github.com/perch-im/perch"
)

// restore implements part.
func (ro *roster) restore(ctx context.Context, v *Saved) error {
	ro.load(v)
	ro.loadNames(ctx)
	ro.recount()
	if !v.Stale { // else all of it is written anew
		ro.respell(v)
	}
	return nil
}

// apply implements part.
func (ro *roster) apply(in perch.Inbound, _ *link) bool {
	switch in := in.(type) {
	case *perch.PresenceIn:
		ro.applyPresence(in)
	case *perch.PresenceError:
		ro.applyPresenceError(in)
	case *perch.SubscriptionIn:
		ro.applySubscription(in)
	case *perch.RosterPush:
		ro.applyPush(in)
	default:
		return false
	}
	return true
}

// online implements part: after a resumption (XEP-0198, 5) what was stale is right again.
func (ro *roster) online(resumed bool) {
	if resumed {
		ro.unmarkStale()
	}
}

// offline implements part: what is known is from before.
func (ro *roster) offline(*link) {
	ro.stop()
	ro.markStale()
}

// stop ends the wait for what the server says.
func (ro *roster) stop() {
	if ro.settling != nil {
		stop(ro.settling.timer)
		ro.settling = nil
	}
}

// writeAll puts everything into a commit that begins the tables anew.
func (ro *roster) writeAll(c *Commit) {
	for i := range ro.contacts {
		k := &ro.contacts[i]
		c.Roster.Put = append(c.Roster.Put, k.buddy)
		if k.presence != nil {
			c.Presence.Put = append(c.Presence.Put, k.presence)
		}
	}
	c.Invitations.Put = append(c.Invitations.Put, ro.invites...)
}
