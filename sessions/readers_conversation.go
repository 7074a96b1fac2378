package sessions

import (
	"cmp"
	"context"

	"github.com/perch-im/perch"
)

// ConversationOf is the conversation that an event of an account's log is about, by the JID that the list of
// conversations has; of an invitation, whose it is. "": it is about none, or does not say.
func ConversationOf(e *perch.Event, own perch.JID) perch.JID { return eventConversation(e, own) }

// AboutConversation is what a session knows of a conversation, for who brings its messages to people.
type AboutConversation struct {
	Name     string                    // of the roster, or of the room; of an occupant of a room the nick; "": nothing has one
	Notify   perch.Notify              // which messages the person wants to be told of; "": all
	Mentions func(*perch.Message) bool // reports whether a message names the account; nil: that is not known
}

// conversationsKnown knows conversations, whether the session has a list of them or not. The owner asks it.
type conversationsKnown struct{ s *Session }

func (k conversationsKnown) aboutConversation(jid perch.JID) (a AboutConversation) {
	rooms, own := k.s.rooms, k.s.state.ownJID()
	a.Mentions = func(m *perch.Message) bool { return mentions(m, own) }
	switch {
	case rooms != nil && rooms.isRoom(jid):
		a.Name, a.Notify, a.Mentions = rooms.nameOfRoom(jid), rooms.bookmarkedNotify(jid), rooms.namer(jid)
	case !jid.IsBare():
		a.Name = jid.Resource()
	default:
		a.Name = k.s.roster.nameOf(jid)
	}
	if c := conversationsOf(k.s); c != nil {
		if s, ok := c.table.Get(jid); ok {
			a.Notify = cmp.Or(s.Notify, a.Notify)
		}
	}
	return a
}

// about is Delivery.About. Where the session does not answer in time nothing is known.
func (x *readerList) about(ctx context.Context, jid perch.JID) (a AboutConversation) {
	_ = x.host.call(ctx, func() { a = x.host.aboutConversation(jid) })
	return a
}
