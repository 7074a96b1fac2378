package sessions

import "github.com/perch-im/perch"

// placeArchived says of what an archive of the account has whether it is of a room in which the session
// is: a private message of one who is there, or what was said to all. Else it is what it was before there
// were rooms. The rooms of a session that uses none know nothing.
func (x *roomList) placeArchived(in *perch.MessageIn, own perch.JID) {
	known := false
	if x != nil {
		x.markPrivate(in)
		other := in.From
		if in.Sent {
			other = in.To
		}
		r := x.find(other)
		if known = r != nil; known && in.Kind == perch.GroupchatMessage {
			x.name(r, in)
		}
	}
	if !known && in.Room != nil {
		ofNoRoom(&in.Message, own)
	}
}
