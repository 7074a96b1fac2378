package sessions

import (
	"context"

	"github.com/perch-im/perch"
)

// restore implements part.
func (ro *roster) restore(ctx context.Context, v *Saved) error {
	ro.load(ctx, v)
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
	case *perch.NickIn:
		ro.applyNick(in)
	default:
		return false
	}
	return true
}

// online implements part: after a resumption (XEP-0198, 5) what was stale is right again.
func (ro *roster) online(resumed bool) {
	if resumed {
		ro.fresh.right()
	}
}

// offline implements part: what is known is from before. That is no event: session.state has
// said it.
func (ro *roster) offline(*link) {
	ro.stop()
	ro.fresh.lost()
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
	c.Contacts.Replace(ro.contacts)
	c.Invitations.Put = append(c.Invitations.Put, ro.invites...)
}
