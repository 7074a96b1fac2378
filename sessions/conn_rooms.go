package sessions

import (
	"context"

	"github.com/perch-im/perch"
)

// RoomConn is what a Conn has besides where the upstream has rooms (XEP-0045). What is written to a
// room goes by Send, and what a room says comes by the Sink: these are the questions that have an
// answer. The rules of Conn hold: they must not be asked from the owner's goroutine. What the room
// refuses is of KindForbidden when the account may not, and else of KindXMPP or KindItemNotFound, with the
// room's own words in XMPP.
//
// A Conn that is no RoomConn has no rooms. One whose Capabilities.ChatOnly is set refuses all of them
// with KindFeatureUnsupported, and sends nothing.
type RoomConn interface {
	// RoomInfo asks a room what it is and can do (XEP-0045, 6.4). The error is of KindItemNotFound
	// where there is no room of this address.
	RoomInfo(ctx context.Context, room perch.JID) (perch.RoomInfo, error)

	// RoomArchive reads a page of the archive of a room (XEP-0313), as Conn.Archive does of the own
	// one. The items are what the room would have sent live: RoomStanzaID is the id in its archive,
	// StanzaID is empty, and whether the account has sent one is for the session to say. A change of
	// the subject is one with a Subject and no Body. A room that has removed the message After
	// answers with KindItemNotFound, or with the whole archive from its beginning.
	RoomArchive(ctx context.Context, room perch.JID, q perch.ArchiveQuery) (perch.ArchivePage, error)

	// SelfPing asks whether the account is still in a room under a nick (XEP-0410). The error is why
	// it is not known, and nil otherwise.
	SelfPing(ctx context.Context, room perch.JID, nick string) (perch.SelfPing, error)
}
