package sessions

import (
	"slices"

	"github.com/perch-im/perch"
)

// Adding a buddy is mutual: a user who asks to see a buddy's presence lets the buddy see the
// own one. The request in return is therefore accepted by itself, without an invitation. The
// mark for it is Buddy.Mutual, which is stored with the roster item.
//
// Pre-approval (RFC 6121, 3.4) would let the server do it, and is not used. Prosody 0.12,
// which offers it, answers the request in return with subscribed but leaves its own roster
// as it was, so that the next probe tells the buddy the opposite; and it knows no
// way to take an approval back. ejabberd and the Messenger service have none.

// maxMutual bounds the requests of ours whose roster item has not come yet.
const maxMutual = 256

// staysMutual says what Buddy.Mutual of a changed item is. The mark ends when the other side
// sees us, and when our request was declined or taken back, or their approval was.
func (ro *roster) staysMutual(old, item *perch.Buddy) bool {
	if seesUs(item.Subscription) {
		ro.unwantMutual(item.JID)
		return false
	}
	if i := slices.IndexFunc(ro.mutual, item.JID.Equal); i >= 0 {
		ro.mutual = slices.Delete(ro.mutual, i, i+1)
		return true
	}
	if old == nil || !old.Mutual {
		return false
	}
	asking := func(b *perch.Buddy) bool { return b.Ask == perch.AskSubscribe || seenByUs(b.Subscription) }
	return asking(item) || !asking(old)
}

// wantMutual marks the item of jid, or the one that is about to come.
func (ro *roster) wantMutual(jid perch.JID) {
	ro.unwantMutual(jid)
	if len(ro.mutual) >= maxMutual {
		ro.mutual = slices.Delete(ro.mutual, 0, 1)
	}
	ro.mutual = append(ro.mutual, jid)
	if k := ro.contacts.Get(jid); k != nil {
		ro.putBuddy(k.Buddy, false)
	}
}

// unwantMutual takes back what wantMutual has noted for an item that has not come yet.
func (ro *roster) unwantMutual(jid perch.JID) {
	ro.mutual = slices.DeleteFunc(ro.mutual, jid.Equal)
}

// endMutual takes the mark away: the next request is an invitation.
func (ro *roster) endMutual(jid perch.JID) {
	ro.unwantMutual(jid)
	if k := ro.contacts.Get(jid); k != nil && k.Buddy.Mutual {
		k.Buddy.Mutual = false
		ro.keep(k)
		ro.journal.Durable(perch.EventRosterItem, k.View())
	}
}

// acceptMutual accepts a request of a contact whom we have asked ourselves, and reports
// whether it did. Requests come before a login is complete, so it does not wait for that; a
// request whose answer is lost with the connection is repeated by the server at the next one.
func (ro *roster) acceptMutual(jid perch.JID) bool {
	k := ro.contacts.Get(jid)
	if k == nil || !k.Buddy.Mutual || ro.host.stream() == nil {
		return false
	}
	_, _ = ro.host.stream().conn.Send(&perch.SubscriptionOut{To: k.Buddy.JID, Type: "subscribed"})
	return true
}

// rosterChanged asks those who wait for an item.
func (ro *roster) rosterChanged(jid perch.JID) {
	if len(ro.waits) == 0 {
		return
	}
	k := ro.contacts.Get(jid)
	ro.waits = slices.DeleteFunc(ro.waits, func(w *rosterWait) bool {
		if !w.jid.Equal(jid) || !w.done(k) {
			return false
		}
		close(w.met)
		return true
	})
}
