package sessions

import (
	"context"

	"github.com/perch-im/perch"
)

// aim names the message of a room that a verb is about in the way that the room needs: a correction by
// the id that its author gave it, all else by the id in the archive of the room. Only its author changes
// a message.
func (ms Messages) aim(ctx context.Context, v *verb) error {
	if !v.ref.Room {
		return ms.aimByID(ctx, v)
	}
	var k *knownMessage
	if err := ms.s.callErr(ctx, func() error {
		if ms.s.conn.chatOnly() {
			return perch.Errorf(perch.KindFeatureUnsupported, "this upstream cannot change a message that was sent")
		}
		x := roomsOf(ms.s)
		switch {
		case x == nil:
			return perch.Errorf(perch.KindFeatureUnsupported, "messages of rooms cannot be changed by a session that uses none")
		case x.find(v.conversation) == nil:
			return errNoRoom
		}
		if found := x.find(v.conversation).byArchive(v.ref.StanzaID); found != nil {
			copied := *found
			k = &copied
		}
		return nil
	}); err != nil {
		return err
	}
	v.relation.Target = v.ref.StanzaID
	if v.relation.Kind == perch.RelationReactions {
		return nil
	}
	if k == nil {
		m, _, err := ms.ByRef(ctx, v.conversation, v.ref)
		if err != nil {
			return err
		}
		k = &knownMessage{own: m.Room != nil && m.Room.Own, saying: saying{wire: m.ID}}
	}
	switch {
	case !k.own:
		return perch.Errorf(perch.KindForbidden, "this is not a message of your own")
	case v.relation.Kind == perch.RelationEdit && k.wire == "":
		return perch.Invalid("{ref}", "is of a message without an id, to which nothing can refer")
	case v.relation.Kind == perch.RelationEdit:
		v.relation.Target = k.wire
	}
	return nil
}

// aimByID is aim for a message without an id in the archive of a room: it is in a chat, or in a room that
// has no archive. Where there is one, the room has yet to take the message.
func (ms Messages) aimByID(ctx context.Context, v *verb) error {
	private := false
	err := ms.s.callErr(ctx, func() error {
		x := roomsOf(ms.s)
		if private = x != nil && x.inPrivate(v.conversation); x == nil || !x.isRoom(v.conversation) {
			return nil
		}
		if x.find(v.conversation).row.Features.Archive {
			return perch.Errorf(perch.KindConflict, "the room has not taken this message yet; message.sent has its handle")
		}
		v.inRoom = true
		return nil
	})
	if err == nil && private {
		return ms.aimInPrivate(ctx, v)
	}
	return err
}

// aimInPrivate notes with whom a private message in a room was exchanged: a verb must not reach another one.
func (ms Messages) aimInPrivate(ctx context.Context, v *verb) error {
	m, at, err := ms.ByRef(ctx, v.conversation, v.ref)
	if err != nil {
		return err
	}
	v.at = max(at, 1)
	return ms.s.call(ctx, func() {
		if r := ms.s.rooms.find(v.conversation); r != nil && r.row.Features.OccupantIDs && m.Room != nil {
			v.occupantID = m.Room.OccupantID
		}
	})
}

// Archive reads a page of the archive of a room (XEP-0313), also of one that is not joined. What the
// account has written there is Sent. Errors: those of the upstream; KindFeatureUnsupported where there
// are no rooms.
func (rs Rooms) Archive(ctx context.Context, jid perch.JID, q perch.ArchiveQuery) (perch.ArchivePage, error) {
	conn, err := rs.s.request(ctx, "have rooms", func(c perch.Capabilities) bool { return !c.ChatOnly })
	if err != nil {
		return perch.ArchivePage{}, err
	}
	rc, ok := conn.(RoomConn)
	if !ok {
		return perch.ArchivePage{}, perch.Errorf(perch.KindFeatureUnsupported, "this upstream has no rooms")
	}
	page, err := rc.RoomArchive(ctx, jid.Bare(), q)
	if err != nil {
		return page, err
	}
	return page, rs.s.call(ctx, func() {
		x := roomsOf(rs.s)
		for i := range page.Items {
			in := &page.Items[i].MessageIn
			if x != nil && x.find(jid) != nil {
				x.name(x.find(jid), in)
			} else if in.Room != nil {
				in.Room.OccupantID = "" // whether the room has given it is not known
			}
		}
	})
}
