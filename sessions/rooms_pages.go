package sessions

import (
	"context"

	"github.com/perch-im/perch"
)

// The archive of a room is that of its history: what the account has of a room is only what it was there
// for. So whoever asks for messages of a room reads the room's.

// history reads a page of the archive of a room, as Session.Archive does of that of the account.
func (rs Rooms) history(ctx context.Context, q perch.ArchiveQuery) (perch.ArchivePage, error) {
	room := q.With.Bare()
	q.With = ""
	page, err := rs.Archive(ctx, room, q)
	for i := range page.Items {
		page.Items[i].Source = perch.SourceArchive
		rs.s.rememberAddresses(page.Items[i].From.Bare())
	}
	return page, aboutRoom(err)
}

// KindTo is the kind of a message to an address that its sender does not say: of one to a room of the
// session it is groupchat.
func (rs Rooms) KindTo(to perch.JID) (kind perch.MessageKind) {
	kind = perch.ChatMessage
	if !to.IsBare() {
		return kind
	}
	rs.s.query(func() {
		if x := roomsOf(rs.s); x != nil && x.isRoom(to) {
			kind = perch.GroupchatMessage
		}
	})
	return kind
}

// isRoomArchive reports whether the messages with an address are in the archive of a room, also of one that
// is not joined, as far as the address tells that it is one.
func (x *roomList) isRoomArchive(with perch.JID) bool {
	if x == nil || !with.IsBare() || with.Local() == "" {
		return false
	}
	if x.find(with) != nil {
		return true
	}
	for _, service := range x.muc {
		if service.Domain() == with.Domain() {
			return true
		}
	}
	return false
}
