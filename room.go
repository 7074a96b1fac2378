package perch

// RoomState is how the account stands to a room (XEP-0045).
type RoomState string

// The states of a room.
const (
	RoomStateInvited   RoomState = "invited"   // somebody has invited the account, see Room.Invited
	RoomStateJoining   RoomState = "joining"   // a join is under way, or is tried again at Room.RetryAt
	RoomStateJoined    RoomState = "joined"    // all that was missed is in the log
	RoomStateLeaving   RoomState = "leaving"   // the room was told, and has not answered
	RoomStateLeft      RoomState = "left"      // by the account itself, or never joined
	RoomStateKicked    RoomState = "kicked"    // the gateway does not join it again by itself
	RoomStateBanned    RoomState = "banned"    // nor this one
	RoomStateDestroyed RoomState = "destroyed" // the room is gone; Room.Successor may name another one
	RoomStateFailed    RoomState = "failed"    // the room has refused the join; Room.Reason says why
)

// Reasons of a room that is not joined. What a room says in words is in Room.Text.
const (
	RoomReasonPassword     = "password"      // none was given, or a wrong one (not-authorized)
	RoomReasonMembersOnly  = "members-only"  // registration-required, or code 321 or 322
	RoomReasonNickConflict = "nick-conflict" // also with the nicks that the gateway has tried itself
	RoomReasonLocked       = "locked"        // its owner has not configured it yet (item-not-found)
	RoomReasonNotFound     = "not-found"     // there is no such room, or no such service
	RoomReasonFull         = "full"          // service-unavailable at a join
	RoomReasonShutdown     = "shutdown"      // code 332
	RoomReasonService      = "service"       // code 333: the service lost the connection to the account
	RoomReasonUnavailable  = "unavailable"   // the account made itself unavailable
	RoomReasonLinkLost     = "link-lost"     // the session lost its connection
	RoomReasonTimeout      = "timeout"       // the room does not answer
	RoomReasonRefused      = "refused"       // any other error; Room.Text has its condition
)

// Affiliation is the lasting relation of an account to a room (XEP-0045, 5.2).
type Affiliation string

// The affiliations.
const (
	AffiliationOwner   Affiliation = "owner"
	AffiliationAdmin   Affiliation = "admin"
	AffiliationMember  Affiliation = "member"
	AffiliationNone    Affiliation = "none"
	AffiliationOutcast Affiliation = "outcast" // banned
)

// Valid reports whether a is one of the five.
func (a Affiliation) Valid() bool {
	switch a {
	case AffiliationOwner, AffiliationAdmin, AffiliationMember, AffiliationNone, AffiliationOutcast:
		return true
	}
	return false
}

// Role is what an occupant may do while in a room (XEP-0045, 5.1).
type Role string

// The roles.
const (
	RoleModerator   Role = "moderator"
	RoleParticipant Role = "participant"
	RoleVisitor     Role = "visitor" // may not speak
	RoleNone        Role = "none"    // is not in the room
)

// Valid reports whether r is one of the four.
func (r Role) Valid() bool {
	switch r {
	case RoleModerator, RoleParticipant, RoleVisitor, RoleNone:
		return true
	}
	return false
}

// RoomDelivery is which messages of a room become durable events. The others only move what the list
// of conversations says of it.
type RoomDelivery string

// The settings of RoomDelivery.
const (
	DeliverAll      RoomDelivery = "all"
	DeliverMentions RoomDelivery = "mentions" // those that name the account, and its own
	DeliverNone     RoomDelivery = "none"
)

// OccupantEvents is what event streams get of the presence in a room.
type OccupantEvents string

// The settings of OccupantEvents.
const (
	OccupantEventsNone  OccupantEvents = "none"
	OccupantEventsCount OccupantEvents = "count" // room.occupants, with the number alone
	OccupantEventsLive  OccupantEvents = "live"  // room.occupant for each change, too
)

// Room is what the account has of a room, and the data of room.state and room.changed.
type Room struct {
	JID         JID             `json:"jid"`
	State       RoomState       `json:"state"`
	Reason      string          `json:"reason"`             // "" of a room that is joined
	Text        string          `json:"text,omitempty"`     // what the room, or who acted, said about it
	By          string          `json:"by,omitempty"`       // nick of who kicked, banned or renamed the account
	Successor   JID             `json:"successor,omitzero"` // of a room that is gone
	RetryAt     Time            `json:"retry_at"`           // when the gateway joins by itself; null: it does not
	Nick        string          `json:"nick"`               // of the account in the room, as the room has it
	Role        Role            `json:"role"`
	Affiliation Affiliation     `json:"affiliation"`
	Name        string          `json:"name"`    // of the bookmark, else of the room
	Subject     *RoomSubject    `json:"subject"` // null: it has none, or none is known
	Occupants   OccupantSummary `json:"occupants"`
	Features    RoomFeatures    `json:"features"`
	Bookmark    *Bookmark       `json:"bookmark"` // null: it is in no list of the account
	Delivery    RoomDelivery    `json:"delivery"`
	Limited     bool            `json:"limited,omitempty"` // the operator's limit has made delivery "mentions" for now
	Missed      *RoomGap        `json:"missed,omitempty"`  // what the limit, once it was over, has left out
	Invited     *RoomInvitation `json:"invited"`           // null: no invitation is open
	JoinedAt    Time            `json:"joined_at"`         // null: never
	LastSeenAt  Time            `json:"last_seen_at"`      // of the last message; null: none is known
}

// RoomSubject is what a room talks about.
type RoomSubject struct {
	Text string `json:"text"`
	By   string `json:"by,omitempty"` // nick of who has set it
	At   Time   `json:"at"`           // null: not known
}

// RoomGap names the messages of a room between two that are in the log: the archive has them.
type RoomGap struct {
	FromRef string `json:"from_ref"`
	ToRef   string `json:"to_ref"`
	Count   int    `json:"count"`
}

// OccupantSummary is how many are in a room.
type OccupantSummary struct {
	Count    int            `json:"count"`
	Complete bool           `json:"complete"` // false: the list is being read, or was lost with a node
	Events   OccupantEvents `json:"events"`
}

// RoomFeatures is what a room can do, and how it is configured, by its answer to service discovery
// (XEP-0045, 6.4).
type RoomFeatures struct {
	Archive     bool `json:"archive"`      // XEP-0313
	OccupantIDs bool `json:"occupant_ids"` // XEP-0421: authors are known over changes of nick
	Moderation  bool `json:"moderation"`   // XEP-0425
	MembersOnly bool `json:"members_only"`
	RealJIDs    bool `json:"real_jids"` // every occupant sees the address of every other
	Password    bool `json:"password"`
	Moderated   bool `json:"moderated"` // visitors may not speak
	Persistent  bool `json:"persistent"`
	Public      bool `json:"public"`
	Avatar      bool `json:"avatar"` // it has a vCard
}

// Bookmark is a room in the list that the account's clients share (XEP-0402, XEP-0048).
type Bookmark struct {
	AutoJoin bool   `json:"autojoin"`
	Name     string `json:"name,omitempty"`
	Nick     string `json:"nick,omitempty"`
	Notify   Notify `json:"notify,omitempty"` // XEP-0492; "": not said
	Store    string `json:"store"`            // "0402", "0048" or "0049", where the server has it
}

// Occupant is one who is in a room (XEP-0045).
type Occupant struct {
	Nick        string      `json:"nick"`
	OccupantID  string      `json:"occupant_id,omitempty"` // XEP-0421, where the room announces it
	Affiliation Affiliation `json:"affiliation"`
	Role        Role        `json:"role"`
	Show        Show        `json:"show"`
	Status      string      `json:"status,omitempty"`
	PhotoHash   string      `json:"photo_hash,omitempty"` // SHA-1 in hex; "": none
	JID         JID         `json:"jid,omitempty"`        // real address; only who may see it gets it
	Own         bool        `json:"own,omitempty"`
}

// OccupantPage is the answer of GET /v1/rooms/{jid}/occupants, by nick.
type OccupantPage struct {
	Items    []Occupant `json:"items"`
	Next     *string    `json:"next"`
	Count    int        `json:"count"` // of all in the room
	Complete bool       `json:"complete"`
	AsOf     Time       `json:"as_of"`
}

// The changes of a [RoomOccupantChange].
const (
	OccupantJoined  = "joined"
	OccupantLeft    = "left"
	OccupantRenamed = "renamed"
	OccupantChanged = "changed"
)

// RoomOccupantChange is the data of room.occupant.
type RoomOccupantChange struct {
	JID      JID      `json:"jid"` // of the room
	Change   string   `json:"change"`
	Occupant Occupant `json:"occupant"`
	Previous string   `json:"previous_nick,omitempty"` // of renamed
	Reason   string   `json:"reason,omitempty"`
	By       string   `json:"by,omitempty"`
}

// RoomOccupants is the data of room.occupants.
type RoomOccupants struct {
	JID      JID  `json:"jid"`
	Count    int  `json:"count"`
	Complete bool `json:"complete"`
}

// RoomAffiliationChange is the data of room.affiliation: of the account itself, and for moderators of
// others.
type RoomAffiliationChange struct {
	JID         JID         `json:"jid"`            // of the room
	Account     JID         `json:"account"`        // bare; "" where the room hides it
	Nick        string      `json:"nick,omitempty"` // of one who is in the room
	Affiliation Affiliation `json:"affiliation"`
	Own         bool        `json:"own"`
	Reason      string      `json:"reason,omitempty"`
	By          string      `json:"by,omitempty"`
}

// Member is an entry of the lists that a room keeps (XEP-0045, 9 and 10).
type Member struct {
	JID         JID         `json:"jid"`
	Affiliation Affiliation `json:"affiliation"`
	Nick        string      `json:"nick,omitempty"`
	Reason      string      `json:"reason,omitempty"`
}

// MemberList is the answer of GET /v1/rooms/{jid}/members.
type MemberList struct {
	Items   []Member `json:"items"`
	LeftOut int      `json:"left_out,omitempty"` // entries beyond what this gateway takes of one list
}

// MessageRoom is what a groupchat message says of its author; it depends on the reader only by Own and
// JID. Of a private message of a room it is the occupant on the other side, and Own says that the account
// has sent it.
type MessageRoom struct {
	Nick        string      `json:"nick"`                  // "": the room itself speaks
	OccupantID  string      `json:"occupant_id,omitempty"` // where the room announces XEP-0421
	Own         bool        `json:"own"`
	JID         JID         `json:"jid,omitempty"` // real address; only who may see it gets it
	Affiliation Affiliation `json:"affiliation,omitempty"`
}

// DirectoryRoom is a room of a service, as its list has it (XEP-0030).
type DirectoryRoom struct {
	JID       JID    `json:"jid"`
	Name      string `json:"name"`
	Occupants *int   `json:"occupants"` // null: the service does not say
}

// DirectoryPage is the answer of GET /v1/directory.
type DirectoryPage struct {
	Items   []DirectoryRoom `json:"items"`
	Next    *string         `json:"next"`               // opaque; null: this is the last page
	LeftOut int             `json:"left_out,omitempty"` // rooms beyond what this gateway takes of a service without pages
}

// RoomConfig is the configuration of a room (XEP-0045, 10.2): what most services have, by name, and the
// rest of the form as it is. A field that is nil is not in the form, or is not changed.
type RoomConfig struct {
	Name          *string             `json:"name,omitempty"`
	Description   *string             `json:"description,omitempty"`
	Language      *string             `json:"language,omitempty"`
	Persistent    *bool               `json:"persistent,omitempty"`
	Public        *bool               `json:"public,omitempty"`
	MembersOnly   *bool               `json:"members_only,omitempty"`
	Moderated     *bool               `json:"moderated,omitempty"`
	RealJIDs      *string             `json:"real_jids,omitempty"` // "anyone" or "moderators"
	ChangeSubject *bool               `json:"change_subject,omitempty"`
	AllowInvites  *bool               `json:"allow_invites,omitempty"`
	Archive       *bool               `json:"archive,omitempty"`
	MaxOccupants  *int                `json:"max_occupants,omitempty"`      // 0: no limit
	Password      *string             `json:"password,omitempty"`           // "": none; never in an answer but to owners
	PresenceOf    *[]string           `json:"presence_broadcast,omitempty"` // roles whose presence the room tells
	Fields        map[string][]string `json:"fields,omitempty"`             // the rest, by its name in the form
}
