package stanza

import (
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// placeInRoom notes what a message of a room says of its author. To is the room, live and in its archive:
// so it is the same for all who are in it. A private message says whose it is, and that is all: its mark
// can be written by anybody, so that the session looks whether there is such a room.
func (m incoming) placeInRoom(in *perch.MessageIn) {
	switch {
	case in.Kind == perch.GroupchatMessage:
		in.To = in.From.Bare()
		in.Room = &perch.MessageRoom{Nick: in.From.Resource()}
		if d := m.historyDelay(in.From); d != nil {
			in.History, in.Delay = true, d
		}
	case m.isPrivate():
		in.Room = &perch.MessageRoom{Own: m.own()}
		if !in.Room.Own {
			in.Room.Nick = in.From.Resource()
		}
	default:
		return
	}
	if m.has.any(withOccupantID) {
		in.Room.OccupantID = m.occupantID().Copy()
	}
}

// occupantID is who has written a message, over changes of nick (XEP-0421). A room that knows it takes
// away what its occupants write, or adds its own behind it.
func (m incoming) occupantID() (id xmlstream.Text) {
	for c := range m.el.Children() {
		if c.Is(nsOccupantID, "occupant-id") {
			id = c.Attr("id")
		}
	}
	return id
}

// historyDelay is the delay by the room itself: the message is older than the join (XEP-0045,
// 7.2.13). Other delays tell nothing of that: a server adds its own when it resumes a stream.
func (m incoming) historyDelay(from perch.JID) *perch.Delay {
	if m.around != nil || !m.has.any(withDelay) {
		return nil
	}
	for c := range m.el.Children() {
		if !c.Is(nsDelay, "delay") || !peekJID(c.Attr("from")).Bare().Equal(from.Bare()) {
			continue
		}
		if stamp := parseTime(c.Attr("stamp").Peek()); m.now == 0 || stamp <= m.now {
			return &perch.Delay{Stamp: stamp, From: c.Attr("from").Copy()}
		}
	}
	return nil
}

// own reports whether the account has written it, on whatever device.
func (m incoming) own() bool {
	return m.sent || peekSender(m.el, m.self).Bare().Equal(m.self.Bare())
}

// isPrivate reports whether a message is marked as one between two occupants of a room (XEP-0045, 7.5).
func (m incoming) isPrivate() bool {
	if !m.has.any(withRoom) || !m.el.Attr("type").Is("chat") {
		return false
	}
	other := m.el.Attr("from")
	if m.own() {
		other = m.el.Attr("to")
	}
	if jid := peekJID(other); jid.Local() == "" || jid.Resource() == "" {
		return false
	}
	x := m.el.Child(nsMUCUser, "x")
	return x.Child(nsMUCUser, "invite") == nil && x.Child(nsMUCUser, "decline") == nil
}

// unwanted reports whether a carbon copy is of what does not come as one: what a room sends comes to each
// device that is in it, and to no other (XEP-0280, 6.1).
func (m incoming) unwanted() bool {
	return m.around != nil && (m.isGroupchat() || !m.sent && m.isPrivate())
}

// room is the room that a message is from; "": from an occupant, or from anybody else.
func (m incoming) room() perch.JID {
	from := peekSender(m.el, m.self)
	if !from.IsBare() || from.Local() == "" || from.Equal(m.self.Bare()) {
		return ""
	}
	return from
}

// fromRoom is what a message says to one who is in a room, or has invited to it, if that is no message
// for people: a subject, or that an invitation was declined. Box is the message that it is to others.
func (m incoming) fromRoom(box *messageBox, reason string) perch.Inbound {
	switch {
	case m.isGroupchat():
		if s := m.subjectIn(box, reason); s != nil {
			return s
		}
	case m.has.any(withRoom) && m.around == nil && m.room() != "":
		if decline := m.el.Child(nsMUCUser, "x").Child(nsMUCUser, "decline"); decline != nil {
			return &perch.RoomDeclinedIn{Room: cloneJID(string(m.room())), By: copyJID(decline.Attr("from")), Reason: reasonOf(decline), Plain: plain(box, reason)}
		}
	}
	return nil
}

// subjectIn reads a subject (XEP-0045, 8.1); nil: there is something else in the message.
func (m incoming) subjectIn(box *messageBox, reason string) *perch.RoomSubjectIn {
	if !m.has.any(withSubject) || m.el.Child(nsClient, "subject") == nil || reason != "" {
		return nil
	}
	if box != nil && (box.Body != "" || box.Subject == "" || box.Relation != nil || box.MessageDetails != nil) {
		return nil
	}
	from := sender(m.el, m.self)
	s := &perch.RoomSubjectIn{From: from, ID: m.el.Attr("id").Copy(), StanzaID: roomStanzaID(m.el, from, perch.GroupchatMessage).Copy(),
		OccupantID: m.occupantID().Copy(), Text: m.preferred(m.el, "subject").Copy()}
	if s.Delay = m.historyDelay(from); s.Delay == nil {
		s.Delay = m.around.delay(m.el, m.now)
	}
	s.Plain = plain(box, reason)
	return s
}

// plain is what a message is to a session that is not in the room.
func plain(box *messageBox, reason string) perch.Inbound {
	switch {
	case box == nil:
		return nil
	case reason != "":
		return &perch.DroppedIn{Dropped: perch.Dropped{Reason: reason, From: box.From, StanzaID: box.StanzaID}, Of: box.Message}
	}
	return &box.MessageIn
}

// roomSignals appends the chat state that an occupant of a room has sent to all of it, and what the room
// says of itself.
func (m incoming) roomSignals(in []perch.Inbound) []perch.Inbound {
	if m.around != nil || m.sent {
		return in
	}
	if notice := m.notice(); notice != nil {
		in = append(in, notice)
	}
	if m.isGroupchat() && m.has.any(withState) {
		if state := chatState(m.el); state != "" && !m.around.delayed(m.el) {
			in = append(in, &perch.RoomChatStateIn{From: sender(m.el, m.self), State: state})
		}
	}
	return in
}

// notice reads what a room says of its configuration, or of an account that is not in it (XEP-0045,
// 10.2.1 and 9).
func (m incoming) notice() *perch.RoomNoticeIn {
	if !m.has.any(withRoom) || m.room() == "" {
		return nil
	}
	var o occupantRead
	o.read(m.el.Child(nsMUCUser, "x"))
	if o.codes == 0 && o.affiliation == "" {
		return nil
	}
	return &perch.RoomNoticeIn{From: cloneJID(string(m.room())), Codes: o.codes, Affiliation: o.affiliation, Account: copyJID(o.jid).Bare(),
		Actor: o.actor.Copy(), Reason: o.reason.Copy()}
}
