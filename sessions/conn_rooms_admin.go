package sessions

import (
	"context"

	"github.com/perch-im/perch"
)

// RoomAdmin is what a Conn may have besides: the requests of those who run a room, and of those who
// look for one (XEP-0045, 6 and 8 to 10). A refusal is of perch.KindForbidden when the account may not
// do what it asks for; other error answers keep the condition of the service. On a service that has
// no rooms each is of perch.KindFeatureUnsupported, and nothing is sent.
type RoomAdmin interface {
	// RoomMembers is one of the lists that a room keeps: of its owners, admins, members or outcasts.
	RoomMembers(ctx context.Context, room perch.JID, affiliation perch.Affiliation) (perch.MemberList, error)
	// SetAffiliation gives m.JID, a bare JID, an affiliation; outcast is a ban.
	SetAffiliation(ctx context.Context, room perch.JID, m perch.Member) error
	// SetRole gives an occupant a role; none is a kick.
	SetRole(ctx context.Context, room perch.JID, nick string, role perch.Role, reason string) error
	// DestroyRoom ends a room for all; successor, which may be "", is told to those who are in it.
	DestroyRoom(ctx context.Context, room perch.JID, reason string, successor perch.JID) error

	// RoomConfig fetches the configuration, which only owners may see.
	RoomConfig(ctx context.Context, room perch.JID) (perch.RoomConfig, error)
	// SetRoomConfig changes what config names; without any field it accepts the configuration that a
	// new room has, which then is locked no more. A setting that the room does not have is
	// perch.KindFeatureUnsupported, a value that cannot be is perch.KindValidation.
	SetRoomConfig(ctx context.Context, room perch.JID, config perch.RoomConfig) error
	// CancelRoomConfig destroys a new room that is still locked, and changes nothing of another.
	CancelRoomConfig(ctx context.Context, room perch.JID) error

	// ModerateMessage retracts a message of another occupant, by its id in the archive of the room
	// (XEP-0425). It is perch.KindFeatureUnsupported where the room cannot.
	ModerateMessage(ctx context.Context, room perch.JID, stanzaID, reason string) error
	// ReservedNick is the nick that a room keeps for the account, or "".
	ReservedNick(ctx context.Context, room perch.JID) (string, error)
	// SetRoomPhoto gives a room a picture; without data it has none. VCard reads it.
	SetRoomPhoto(ctx context.Context, room perch.JID, data []byte) error

	// Directory is a page of the public rooms of a service, behind the Next of an earlier page.
	Directory(ctx context.Context, service perch.JID, limit int, after string) (perch.DirectoryPage, error)
	// RoomServices are the services with rooms of the account's own server.
	RoomServices(ctx context.Context) ([]perch.JID, error)
}
