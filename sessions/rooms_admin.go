package sessions

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/perch-im/perch"
)

// What those who run a room ask of it, and those who look for one. Each is a request to the upstream in
// the goroutine of the caller; the owner only gives the connection. What a room makes of a change comes
// as everything else that it says, on the stream.

// errNoRooms is of an upstream that has none: nothing is sent.
var errNoRooms error = perch.Errorf(perch.KindFeatureUnsupported, "this upstream has no rooms")

// roomConn is the connection for a request to a room, as a C. Without one the error is of
// KindFeatureUnsupported, also while offline, and nothing is sent.
func roomConn[C any](ctx context.Context, rs Rooms) (c C, err error) {
	conn, err := rs.s.request(ctx, "have rooms", func(c perch.Capabilities) bool { return !c.ChatOnly })
	if err != nil {
		return c, err
	}
	c, ok := conn.(C)
	if !ok {
		return c, errNoRooms
	}
	return c, nil
}

// inside is why a request cannot be made that only those may make who are in the room; nil: it can.
func (rs Rooms) inside(ctx context.Context, room perch.JID) error {
	return rs.use(ctx, func(x *roomList) error {
		_, err := x.joinedRoom(room)
		return err
	})
}

// aboutRoom gives the refusal of a request to a room the meaning that its condition has there (XEP-0045,
// 17.2). What one room cannot do says nothing of the others, or of the server.
func aboutRoom(err error) error {
	e, ok := errors.AsType[*perch.Error](err)
	if !ok || e.XMPP == nil || e.Kind != perch.KindXMPP {
		return err
	}
	as := func(kind perch.Kind, detail string) error {
		return &perch.Error{Kind: kind, Detail: detail, XMPP: e.XMPP, Err: err}
	}
	switch e.XMPP.Condition {
	case "item-not-found", "recipient-unavailable":
		return as(perch.KindItemNotFound, "there is no such room, or nobody and nothing of this name in it")
	case "not-acceptable":
		return as(perch.KindRoomNotJoined, "the account is not in this room; join it first")
	case "gone":
		gone := &perch.Error{Kind: perch.KindGone, Detail: "the room was destroyed", XMPP: e.XMPP, Err: err}
		gone.Successor = e.Successor
		return gone
	case "feature-not-implemented", "service-unavailable":
		return as(perch.KindFeatureUnsupported, "this room, or its service, cannot do that")
	}
	return err
}

// RoomMembers is what a room lists as its owners, admins, members or outcasts; of no affiliation the
// first three, as far as the account may see them. The error is of KindForbidden when it may see none.
func (rs Rooms) RoomMembers(ctx context.Context, room perch.JID, affiliation perch.Affiliation) (all perch.MemberList, err error) {
	conn, err := roomConn[RoomAdmin](ctx, rs)
	if err != nil {
		return all, err
	}
	if affiliation != "" {
		all, err = conn.RoomMembers(ctx, room, affiliation)
		return all, aboutRoom(err)
	}
	all.Items = []perch.Member{}
	var refused error
	seen := false
	for _, a := range []perch.Affiliation{perch.AffiliationOwner, perch.AffiliationAdmin, perch.AffiliationMember} {
		list, err := conn.RoomMembers(ctx, room, a)
		if perch.KindOf(err) == perch.KindForbidden {
			refused = err
			continue
		}
		if err != nil {
			return all, aboutRoom(err)
		}
		seen = true
		all.Items = append(all.Items, list.Items...)
		all.LeftOut += list.LeftOut
	}
	if !seen {
		return all, refused
	}
	return all, nil
}

// SetRoomMember gives m.JID, a bare JID, an affiliation to a room: none takes it off the lists, and
// outcast is a ban. Errors: KindValidation, KindForbidden; KindConflict for what a room refuses for its
// own sake, such as the last owner who leaves.
func (rs Rooms) SetRoomMember(ctx context.Context, room perch.JID, m perch.Member) error {
	switch {
	case !m.Affiliation.Valid():
		return perch.Invalid("/affiliation", "must be owner, admin, member, none or outcast")
	case len(m.Reason) > maxRoomText:
		return perch.Invalid("/reason", "must have at most %d bytes", maxRoomText)
	}
	if err := checkNick(m.Nick); err != nil {
		return err
	}
	conn, err := roomConn[RoomAdmin](ctx, rs)
	if err != nil {
		return err
	}
	return aboutRoom(conn.SetAffiliation(ctx, room, m))
}

// SetRole gives an occupant of a room that is joined a role; none is a kick. Errors: KindValidation,
// KindNotFound, KindRoomNotJoined, KindForbidden; KindItemNotFound when nobody there has the nick.
func (rs Rooms) SetRole(ctx context.Context, room perch.JID, nick string, role perch.Role, reason string) error {
	switch {
	case !role.Valid():
		return perch.Invalid("/role", "must be moderator, participant, visitor or none")
	case len(reason) > maxRoomText:
		return perch.Invalid("/reason", "must have at most %d bytes", maxRoomText)
	}
	conn, err := roomConn[RoomAdmin](ctx, rs)
	if err != nil {
		return err
	}
	if err := rs.inside(ctx, room); err != nil {
		return err
	}
	return aboutRoom(conn.SetRole(ctx, room, nick, role, reason))
}

// DestroyRoom ends a room for all who are in it (XEP-0045, 10.9); successor, which may be "", is told to
// them. Errors: KindValidation, KindForbidden for who does not own it, KindItemNotFound.
func (rs Rooms) DestroyRoom(ctx context.Context, room perch.JID, reason string, successor perch.JID) error {
	switch {
	case len(reason) > maxRoomText:
		return perch.Invalid("/reason", "must have at most %d bytes", maxRoomText)
	case successor != "" && (!successor.IsBare() || successor.Local() == "" || successor.Equal(room)):
		return perch.Invalid("/successor", "must be the bare JID of another room")
	}
	conn, err := roomConn[RoomAdmin](ctx, rs)
	if err != nil {
		return err
	}
	return aboutRoom(conn.DestroyRoom(ctx, room, reason, successor))
}

// RoomConfig is the configuration of a room, which only its owners may see: KindForbidden.
func (rs Rooms) RoomConfig(ctx context.Context, room perch.JID) (perch.RoomConfig, error) {
	conn, err := roomConn[RoomAdmin](ctx, rs)
	if err != nil {
		return perch.RoomConfig{}, err
	}
	c, err := conn.RoomConfig(ctx, room)
	return c, aboutRoom(err)
}

// SetRoomConfig changes what config names. Errors: KindForbidden, KindValidation for a value that cannot
// be, KindFeatureUnsupported for a setting that the room does not have.
func (rs Rooms) SetRoomConfig(ctx context.Context, room perch.JID, config perch.RoomConfig) error {
	conn, err := roomConn[RoomAdmin](ctx, rs)
	if err != nil {
		return err
	}
	return aboutRoom(conn.SetRoomConfig(ctx, room, config))
}

// RoomCard is the card of a room, with its picture (XEP-0054), as it is now; the last known one while it
// cannot be asked. KindItemNotFound: it has none.
func (rs Rooms) RoomCard(ctx context.Context, room perch.JID) (perch.VCard, error) {
	if _, err := roomConn[RoomAdmin](ctx, rs); perch.KindOf(err) == perch.KindFeatureUnsupported {
		return perch.VCard{}, err
	}
	return rs.s.VCard(ctx, room, true)
}

// SetRoomPhoto gives a room a picture, which only its owners may; without data it has none.
func (rs Rooms) SetRoomPhoto(ctx context.Context, room perch.JID, data []byte) error {
	conn, err := roomConn[RoomAdmin](ctx, rs)
	if err != nil {
		return err
	}
	return aboutRoom(conn.SetRoomPhoto(ctx, room, data))
}

// ModerateMessage retracts a message of another occupant of a room that is joined (XEP-0425). That it was
// is known by message.retracted. Errors: KindNotFound, KindRoomNotJoined, KindForbidden for who is no
// moderator, KindFeatureUnsupported where the room cannot.
func (rs Rooms) ModerateMessage(ctx context.Context, room perch.JID, ref perch.Ref, reason string) error {
	conn, err := roomConn[RoomAdmin](ctx, rs)
	if err != nil {
		return err
	}
	if err := rs.inside(ctx, room); err != nil {
		return err
	}
	if !ref.Room || ref.StanzaID == "" {
		return perch.Invalid("{ref}", "is of a message without an id in the archive of the room, which nobody can moderate")
	}
	return aboutRoom(conn.ModerateMessage(ctx, room, ref.StanzaID, reason))
}

// directoryPages is how many pages of a service one search reads.
const directoryPages = 8

// roomServicesTime is how long the services of a server may take to say what they are.
const roomServicesTime = 30 * time.Second

// RoomDirectory is a page of the public rooms of a service (XEP-0045, 6.3), behind the Next of an earlier
// page; of none the first service with rooms of the own server. With text it has those with that in
// their name or address, so it may have fewer than limit, and none, while there is a next one. The
// error is of KindItemNotFound when the server has no such service.
func (rs Rooms) RoomDirectory(ctx context.Context, service perch.JID, text string, limit int, after string) (perch.DirectoryPage, error) {
	conn, err := roomConn[RoomAdmin](ctx, rs)
	if err != nil {
		return perch.DirectoryPage{}, err
	}
	if service == "" {
		list, err := rs.RoomServices(ctx)
		if err != nil {
			return perch.DirectoryPage{}, err
		}
		if len(list) == 0 {
			return perch.DirectoryPage{}, perch.Errorf(perch.KindItemNotFound, "the server has no service with rooms")
		}
		service = list[0]
	}
	found := perch.DirectoryPage{Items: []perch.DirectoryRoom{}}
	for range directoryPages {
		page, err := conn.Directory(ctx, service, limit, after)
		if err != nil {
			return found, aboutRoom(err)
		}
		for _, r := range page.Items {
			if matchesRoom(&r, text) {
				found.Items = append(found.Items, r)
			}
		}
		found.Next, found.LeftOut = page.Next, found.LeftOut+page.LeftOut
		if page.Next == nil || len(found.Items) > 0 || *page.Next == after {
			break
		}
		after = *page.Next
	}
	return found, nil
}

func matchesRoom(r *perch.DirectoryRoom, text string) bool {
	text = strings.ToLower(text)
	return text == "" || strings.Contains(strings.ToLower(r.Name), text) || strings.Contains(strings.ToLower(string(r.JID)), text)
}

// RoomServices are the services with rooms of the own server. They are asked for once in the life of a
// session in this process, and known to GET /v1/session from then on.
func (rs Rooms) RoomServices(ctx context.Context) (list []perch.JID, err error) {
	conn, err := roomConn[RoomAdmin](ctx, rs)
	if err != nil {
		return nil, err
	}
	if err := rs.use(ctx, func(x *roomList) error { list = x.muc; return nil }); err != nil || len(list) > 0 {
		return list, err
	}
	if list, err = conn.RoomServices(ctx); err != nil {
		return nil, err
	}
	return list, rs.use(ctx, func(x *roomList) error { x.muc = list; return nil })
}

// learnServices finds out which services have rooms, unless that is known.
func (x *roomList) learnServices() {
	l := x.host.stream()
	if l == nil || len(x.muc) > 0 {
		return
	}
	conn, ok := l.conn.(RoomAdmin)
	if !ok {
		return
	}
	x.host.background(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, roomServicesTime)
		defer cancel()
		list, err := conn.RoomServices(ctx)
		if err != nil {
			x.host.logDebug("the services with rooms were not found", "error", err)
			return
		}
		x.host.post(func() { x.muc = list })
	})
}

// servicesOf are what a session knows of the services of its server; nil: nothing.
func servicesOf(x *roomList) *perch.SessionServices {
	if x == nil || len(x.muc) == 0 {
		return nil
	}
	return &perch.SessionServices{MUC: x.muc}
}
