package sessions

import (
	"github.com/perch-im/perch"
)

// Who may say something about which message. In a chat of two, every message is named by its id
// attribute, and an id belongs to whoever has given it: what bob corrects or retracts under an id
// is bob's own message of that id in the conversation with bob, and can be no other.

// authorsLookedAt bounds the search for a message by its id, among the last ones that were logged.
const authorsLookedAt = 4096

// authors says whose messages with an id are among the last ones: of either side of a conversation, or
// of another one.
type authors struct {
	own, peer, others bool
	sentAt            perch.Time // when the account sent the last one of its own
}

// privatePeer tells one who is in a room, of many with its address: by the nick, and by the id that the room
// gives.
type privatePeer struct {
	nick, occupant uint32
	anyOccupant    bool       // who had the nick is not known, but it is the account itself that speaks
	since          perch.Time // from when on the nick has been with one and the same
}

// privatePeerOf is the one with whom a private message is exchanged; nil: it is none.
func privatePeerOf(in *perch.MessageIn, since perch.Time) *privatePeer {
	if in.Room == nil || in.Kind == perch.GroupchatMessage {
		return nil
	}
	return &privatePeer{short(conversationOf(&in.Message, in.Sent).Resource()), short(in.Room.OccupantID), in.Sent, since}
}

// wrote reports whether a message that has the address of the room is one of theirs.
func (p *privatePeer) wrote(e *identity) bool {
	return p == nil || e.at > p.since && e.device == p.nick && (p.anyOccupant || e.private == p.occupant)
}

// authorsOf looks for messages with an id in the conversation with a peer, and elsewhere. Who says which of
// many it is; nil: the peer is an account.
func (t *identities) authorsOf(id string, own, peer perch.JID, who *privatePeer) (a authors) {
	want, mine, theirs := short(id), accountHash(own), accountHash(peer)
	for _, e := range t.list[max(0, len(t.list)-authorsLookedAt):] {
		switch {
		case e.id != want || want == 0:
		case e.sender == mine && e.to == theirs:
			a.own, a.sentAt = true, e.at
		case e.sender == theirs && who.wrote(&e):
			a.peer = true
		default:
			a.others = true
		}
	}
	return a
}

// conversationOf is the conversation that a message belongs to, by the bare JID of the other side; of a
// private message in a room by the full one, which is that of one who is in it.
func conversationOf(m *perch.Message, sent bool) perch.JID {
	other := m.From
	if sent {
		other = m.To
	}
	if m.Room != nil && m.Kind != perch.GroupchatMessage {
		return other
	}
	return other.Bare()
}

// targetOf is the message that a control message is about; false: its sender may not say that.
// Known says that the message itself is. Reactions may be to messages of both sides: to one that is
// not known they count as to one of the side that does not react.
func targetOf(in *perch.MessageIn, a authors) (ref perch.Ref, known, may bool) {
	byAuthor, byOther := a.peer, a.own
	if in.Sent {
		byAuthor, byOther = a.own, a.peer
	}
	id := in.Relation.Target
	if in.Relation.Kind != perch.RelationReactions {
		return perch.Ref{ID: id, Sent: in.Sent}, byAuthor, byAuthor || !byOther && !a.others
	}
	known = byAuthor || byOther
	return perch.Ref{ID: id, Sent: in.Sent == (byAuthor && !byOther)}, known, known || !a.others
}

// fillReply names the message that another one answers. In a conversation of two its id says which one it
// is once it is known whose it is; in a room it is the one that the room gave.
func fillReply(m *perch.Message, own, conversation perch.JID) {
	if m.MessageDetails == nil || m.ReplyTo == nil || m.ReplyTo.Ref != "" {
		return
	}
	reply := *m.ReplyTo
	switch from := reply.From.Bare(); {
	case m.Kind == perch.GroupchatMessage:
		reply.Ref = perch.Ref{StanzaID: reply.ID, Room: true}.String()
	case from == "":
		return
	case from.Equal(own.Bare()):
		reply.Ref = perch.Ref{ID: reply.ID, Sent: true}.String()
	case from.Equal(conversation):
		reply.Ref = perch.Ref{ID: reply.ID}.String()
	default:
		return
	}
	d := *m.MessageDetails
	d.ReplyTo = &reply
	m.MessageDetails = &d
}
