package sessions

import (
	"cmp"

	"github.com/perch-im/perch"
)

// isRoom implements roomNews.
func (x *roomList) isRoom(jid perch.JID) bool { return jid.IsBare() && x.find(jid) != nil }

// nameOfRoom implements roomNews.
func (x *roomList) nameOfRoom(room perch.JID) string {
	r := x.find(room)
	if r == nil {
		return ""
	}
	if b := r.row.Bookmark; b != nil {
		return cmp.Or(b.Name, r.row.Name)
	}
	return r.row.Name
}

// listed implements roomNews.
func (x *roomList) listed() (list []listedRoom) {
	for _, r := range x.sorted() {
		in := r.row.State == perch.RoomStateJoined || r.row.State == perch.RoomStateJoining
		if in || r.row.Bookmark != nil {
			list = append(list, listedRoom{jid: r.jid(), joined: in, at: r.row.LastSeenAt})
		}
	}
	return list
}

// preview has the list of conversations show the newest message of a room that is joined for the first
// time.
func (x *roomList) preview(r *room, it *perch.ArchiveItem) {
	if x.list == nil || it.Dropped != "" || it.Relation != nil || it.Body == "" {
		return
	}
	in := it.MessageIn
	in.Source = perch.SourceArchive
	x.name(r, &in)
	in.Ref = perch.RefOf(&in.Message, in.Sent)
	x.list.newestOf(&in.Message, it.Time)
}

// noted implements what eventLog.noted calls: an invitation is a state of its room.
func (x *roomList) noted(_ *Commit, typ perch.EventType, at perch.Time, data any) {
	if inv, ok := data.(perch.RoomInvitation); ok && typ == perch.EventRoomInvited {
		x.invited(&inv, at)
	}
}
