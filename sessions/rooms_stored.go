package sessions

import "github.com/perch-im/perch"

// StoredRoom is a room as the Store keeps it: what is wanted of it, and what was last known. It
// outlives the stream, so that a kick, a ban or a refusal holds over restarts: nobody joins such a room
// again by itself. It has no occupants; those are shared by the sessions of a node.
//
// Who has committed a row changes it no more, nor what it points to: the Store may keep it as it is.
// Rows of earlier versions are read, and a later one adds fields; where that does not do, the Store
// numbers its rows.
type StoredRoom struct {
	JID perch.JID `json:"jid"` // bare

	Wanted RoomWanted `json:"wanted"`

	State     perch.RoomState `json:"state"`
	Forget    bool            `json:"forget,omitempty"` // once it is left
	Reason    string          `json:"reason,omitempty"`
	Text      string          `json:"text,omitempty"`
	By        string          `json:"by,omitempty"`
	Successor perch.JID       `json:"successor,omitzero"`

	Nick        string             `json:"nick,omitempty"` // as the room has it; "": never joined
	Role        perch.Role         `json:"role,omitempty"`
	Affiliation perch.Affiliation  `json:"affiliation,omitempty"`
	Name        string             `json:"name,omitempty"` // by the room's answer to service discovery
	Features    perch.RoomFeatures `json:"features,omitzero"`
	Subject     *perch.RoomSubject `json:"subject,omitempty"` // nil: none, or none is known
	Bookmark    *StoredBookmark    `json:"bookmark,omitempty"`
	Invited     *StoredRoomInvite  `json:"invited,omitempty"` // nil: no invitation is open
	Missed      *perch.RoomGap     `json:"missed,omitempty"`
	Partners    []StoredPartner    `json:"partners,omitempty"` // in private, the newest at the end

	// ArchiveID is the stanza-id of the last message of the room that is in the log, or that is left
	// out by Wanted.Delivery (XEP-0313); everything up to it was archived by ArchiveAt.
	ArchiveID string     `json:"archive_id,omitempty"`
	ArchiveAt perch.Time `json:"archive_at,omitzero"`

	// AnchorID is that of a message some time before, from which on the archive is read when a stream that
	// was resumed is lost soon: a server may hand over what was on its way to the old connection after
	// what came to the new one. OccupantID is that of the account in the room (XEP-0421).
	AnchorID   string `json:"anchor_id,omitempty"`
	OccupantID string `json:"occupant_id,omitempty"`

	JoinedAt   perch.Time `json:"joined_at,omitzero"`    // 0: never
	LastSeenAt perch.Time `json:"last_seen_at,omitzero"` // of the last message; 0: none is known
}

// RoomWanted is what the client, or the list of bookmarks, wants of a room.
type RoomWanted struct {
	// Client and Bookmark say by whom the room is to be joined at each login. It is left to itself
	// when nobody wants it.
	Client   bool `json:"client,omitempty"`
	Bookmark bool `json:"bookmark,omitempty"`

	Nick      string               `json:"nick,omitempty"`      // "": that of the account
	Delivery  perch.RoomDelivery   `json:"delivery,omitempty"`  // "": the default
	Occupants perch.OccupantEvents `json:"occupants,omitempty"` // "": the default
	Password  []byte               `json:"password,omitempty"`  // sealed (seal.go), never plain; nil: none, or none is kept
}

// StoredBookmark is the bookmark of a room as its store had it last. What this gateway does not know of
// it is kept too, as it is written back.
type StoredBookmark struct {
	perch.Bookmark
	Password []byte `json:"password,omitempty"` // sealed
	Foreign  string `json:"foreign,omitempty"`  // see perch.RoomBookmark
}

// StoredRoomInvite is an invitation to a room that is not answered.
type StoredRoomInvite struct {
	perch.RoomInvitation
	At       perch.Time `json:"at"`                 // when it came
	Password []byte     `json:"password,omitempty"` // sealed; that of the room, which may come along
}
