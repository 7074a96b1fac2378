package sessions

import "github.com/perch-im/perch"

// DroppedOtherRoom counts what a room says in which the session is not, and what is nothing to others:
// its chat states, its notices, and that it has no subject.
const DroppedOtherRoom = "other_room"

// outsideRooms is what something that a room says is to a session that is not in that room; nil: nothing.
// A session without rooms must see what it saw before there were any: presence is that of an account,
// an error answer is one to presence, a subject is a message with one, and a message is to the address
// that got it, own.
func outsideRooms(in perch.Inbound, own perch.JID) perch.Inbound {
	switch in := in.(type) {
	case *perch.RoomPresenceIn:
		return &in.PresenceIn
	case *perch.RoomJoinError:
		return &perch.PresenceError{From: in.From, Error: in.Error}
	case *perch.RoomSubjectIn:
		return outsideRooms(in.Plain, own)
	case *perch.RoomDeclinedIn:
		return outsideRooms(in.Plain, own)
	case *perch.RoomNoticeIn, *perch.RoomChatStateIn:
		return nil
	case *perch.MessageIn:
		if in != nil && in.Room != nil {
			ofNoRoom(&in.Message, own)
			in.History = false
		}
	case *perch.DroppedIn:
		ofNoRoom(&in.Of, own)
	case *perch.RoomInvitedIn:
		ofNoRoom(&in.Of, own)
	}
	return in
}

// ofNoRoom takes from a message what only those know who are in its room.
func ofNoRoom(m *perch.Message, own perch.JID) {
	if m.Room != nil && m.Kind == perch.GroupchatMessage {
		m.To = own
	}
	m.Room = nil
}
