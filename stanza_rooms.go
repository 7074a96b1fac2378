package perch

// RoomCodes are status codes of a room (XEP-0045, 15.6), as bits. Their order on the wire says nothing.
type RoomCodes uint32

// The status codes that mean something to a client.
const (
	CodeRealJIDs        RoomCodes = 1 << iota // 100: every occupant sees real addresses
	CodeConfigChanged                         // 104
	CodeSelf                                  // 110: the presence is the own one
	CodeLogged                                // 170
	CodeNotLogged                             // 171
	CodeNonAnonymous                          // 172
	CodeSemiAnonymous                         // 173
	CodeCreated                               // 201: the room is new, and may be locked
	CodeNickAssigned                          // 210: the service has chosen another nick
	CodeBanned                                // 301
	CodeNickChanged                           // 303
	CodeKicked                                // 307
	CodeAffiliationLost                       // 321
	CodeMembersOnly                           // 322
	CodeShutdown                              // 332
	CodeServiceError                          // 333
)

// Has reports whether c has one of these codes.
func (c RoomCodes) Has(any RoomCodes) bool { return c&any != 0 }

// ParseRoomCode is the bit of a status code; 0 of one that is not known.
func ParseRoomCode(code int) RoomCodes {
	switch code {
	case 100:
		return CodeRealJIDs
	case 104:
		return CodeConfigChanged
	case 110:
		return CodeSelf
	case 170:
		return CodeLogged
	case 171:
		return CodeNotLogged
	case 172:
		return CodeNonAnonymous
	case 173:
		return CodeSemiAnonymous
	case 201:
		return CodeCreated
	case 210:
		return CodeNickAssigned
	case 301:
		return CodeBanned
	case 303:
		return CodeNickChanged
	case 307:
		return CodeKicked
	case 321:
		return CodeAffiliationLost
	case 322:
		return CodeMembersOnly
	case 332:
		return CodeShutdown
	case 333:
		return CodeServiceError
	}
	return 0
}

// RoomPresenceIn is the presence of an occupant of a room (XEP-0045, 7.1 and 17.3): From is room/nick.
// Only the room can write it, so nothing in it needs a check but that the room was joined. A presence
// from the bare JID of a room, which both tells of its photo and says that it is over, is a
// [PresenceIn].
type RoomPresenceIn struct {
	PresenceIn
	ID          string // of the join that it answers; both servers echo it to all
	Affiliation Affiliation
	Role        Role
	JID         JID    // real address; "": the room hides it
	OccupantID  string // XEP-0421; says nothing where the room does not announce it
	NewNick     string // with CodeNickChanged
	Codes       RoomCodes
	Actor       string // nick of who did it
	Reason      string
	Destroyed   *RoomDestroyed // nil: the room still exists
}

// RoomDestroyed says that a room is gone (XEP-0045, 10.9).
type RoomDestroyed struct {
	Successor JID
	Reason    string
}

// RoomJoinError is an error answer to presence that was sent to a room (XEP-0045, 7.2): to a join, or to
// a change of nick or presence. From may be the occupant's address or that of the room. It is told from
// a [PresenceError] by what only such presence has, an id or the element of a join; whether there was
// such a presence is for the session to know.
type RoomJoinError struct {
	From      JID
	ID        string
	Error     XMPPError
	Successor JID // of a room that is gone (RFC 6120, 8.3.3.5)
}

// RoomSubjectIn is the subject of a room (XEP-0045, 8.1): a groupchat message with a subject and no
// body, also an empty one. It ends a join.
type RoomSubjectIn struct {
	From       JID // room/nick, or the room
	ID         string
	StanzaID   string // given by the room
	OccupantID string
	Text       string
	Delay      *Delay
	// Plain is what it is to a session that is not in the room: a message, or nil for nothing.
	Plain Inbound
}

// RoomNoticeIn is what a room says of itself in a message (XEP-0045, 10.2.1 and 9): that its
// configuration has changed, or the affiliation of one who is not in it. Where there is a text in it,
// for people, it follows the [MessageIn] of that.
type RoomNoticeIn struct {
	From        JID // bare JID of the room
	Codes       RoomCodes
	Affiliation Affiliation // "": it is about the room itself
	Account     JID
	Actor       string
	Reason      string
}

// RoomDeclinedIn says that somebody has declined an invitation to a room (XEP-0045, 7.8.2). Plain is
// that of [RoomSubjectIn].
type RoomDeclinedIn struct {
	Room   JID
	By     JID
	Reason string
	Plain  Inbound
}

// RoomChatStateIn is a chat state from an occupant of a room (XEP-0085, 5.5), alone or beside a message.
type RoomChatStateIn struct {
	From  JID // room/nick
	State ChatState
}

// BookmarksIn are rooms of the account's list that have changed on some device, or are gone. A server
// may keep several lists, which it may or may not keep equal: only those of the one store that the list
// of the session is from mean something, but for a Copy.
type BookmarksIn struct {
	Store   string // as in Bookmark
	Put     []RoomBookmark
	Removed []JID
	All     bool // Put is the whole list
	// Copy says that Put is the whole list in another store, which the server makes of this one. A room
	// that is not in it may be gone: ejabberd 24 tells by it alone of what another client has taken off
	// there. What there is stands in the store of the list.
	Copy bool
}

// MaxForeignBytes bounds RoomBookmark.Foreign.
const MaxForeignBytes = 16 << 10

// RoomBookmark is the bookmark of a room, as its store has it.
type RoomBookmark struct {
	JID JID
	Bookmark
	Password string
	// Foreign is what this gateway does not know of it, as XML: the element without all that it knows,
	// or "" when there is nothing else, or more than MaxForeignBytes. Who writes the bookmark keeps what
	// the server has then; Foreign counts where it has none.
	Foreign string
}

func (*RoomPresenceIn) inbound()  {}
func (*RoomJoinError) inbound()   {}
func (*RoomSubjectIn) inbound()   {}
func (*RoomNoticeIn) inbound()    {}
func (*RoomDeclinedIn) inbound()  {}
func (*RoomChatStateIn) inbound() {}
func (*BookmarksIn) inbound()     {}

// RoomInfo is what a room says of itself to everybody, before it is joined (XEP-0045, 6.4).
type RoomInfo struct {
	Name        string
	Description string
	Language    string
	Subject     string
	Occupants   int    // -1: not said
	PhotoHash   string // SHA-1 in hex; "": none, or not said (XEP-0486)
	Features    RoomFeatures
}

// SelfPing is what the answer to a ping of the own address in a room says (XEP-0410).
type SelfPing uint8

// The meanings. Only SelfPingOut and SelfPingNoRoom say that the account is not in the room.
const (
	SelfPingUnknown SelfPing = iota // no answer, or the service cannot be reached: ask again later
	SelfPingIn
	SelfPingRenamed // in the room, but nobody there has this nick: another one has been given
	SelfPingOut     // not in the room: join it again
	SelfPingNoRoom  // there is no such room any more; to join it would make a new one
)

// RoomJoinOut joins a room, or asks for its whole state again (XEP-0045, 7.2). Of Presence, Available
// says nothing.
type RoomJoinOut struct {
	Room     JID // bare
	Nick     string
	ID       string
	Password string
	Since    Time // history from then on; 0: none
	Presence OwnPresence
}

// RoomPresenceOut is the own presence in a room, or with Nick another nick (XEP-0045, 7.6). It goes only
// to a room that is joined: some services take it for a join.
type RoomPresenceOut struct {
	Room     JID
	Nick     string
	ID       string // of an error answer; "": one is made up
	Presence OwnPresence
}

// RoomLeaveOut leaves a room (XEP-0045, 7.14).
type RoomLeaveOut struct {
	Room   JID
	Nick   string
	ID     string
	Status string
}

// RoomSubjectOut changes the subject of a room (XEP-0045, 8.1).
type RoomSubjectOut struct {
	Room JID
	ID   string
	Text string
}

// RoomInviteOut invites To: by the room, or with Direct by a message of the account (XEP-0045, 7.8;
// XEP-0249).
type RoomInviteOut struct {
	Room     JID
	To       JID
	ID       string
	Reason   string
	Password string
	Direct   bool
}

// RoomDeclineOut declines an invitation that the room has passed on (XEP-0045, 7.8.2).
type RoomDeclineOut struct {
	Room   JID
	To     JID
	ID     string
	Reason string
}

func (*RoomJoinOut) outbound()     {}
func (*RoomPresenceOut) outbound() {}
func (*RoomLeaveOut) outbound()    {}
func (*RoomSubjectOut) outbound()  {}
func (*RoomInviteOut) outbound()   {}
func (*RoomDeclineOut) outbound()  {}
