package perch

// ConversationKind is with whom a conversation is.
type ConversationKind string

// The kinds of conversations.
const (
	ChatConversation    ConversationKind = "chat"    // with an account
	RoomConversation    ConversationKind = "room"    // XEP-0045
	PrivateConversation ConversationKind = "private" // with an occupant of a room (XEP-0045, 7.5)
)

// Notify is which messages of a conversation a person wants to be told of.
type Notify string

// The settings of Notify.
const (
	NotifyAll      Notify = "all"
	NotifyMentions Notify = "mentions"
	NotifyNone     Notify = "none"
)

// Conversation is one entry of the list of chats, and what is stored of it.
type Conversation struct {
	JID            JID              `json:"jid"`  // bare JID of the other side; full for an occupant of a room
	Kind           ConversationKind `json:"type"` // chat, room or private
	Name           string           `json:"name"` // of the roster or the vCard; "" where neither has one
	Notify         Notify           `json:"notify"`
	Pinned         bool             `json:"pinned"`
	Archived       bool             `json:"archived"`
	LastMessage    *Message         `json:"last_message"` // its body has at most 200 bytes
	LastActivityAt Time             `json:"last_activity_at"`
	Unread         int              `json:"unread"`       // received after the read position, at most 999
	UnreadExact    bool             `json:"unread_exact"` // false: more may have come, see session.gap
	Mentions       int              `json:"mentions"`     // of the unread ones, those that name the account
	Read           *ReadPosition    `json:"read"`         // null: nothing was read
	PeerRead       *ReadPosition    `json:"peer_read"`    // what the other side has seen, and when that was known (XEP-0333)
	Draft          *string          `json:"draft"`        // a message that was begun; null: none
}

// ReadPosition is a message up to which a conversation was read.
type ReadPosition struct {
	Ref  string `json:"ref"`
	Time Time   `json:"time"` // of that message; of what a peer has seen, when it said so
}

// ConversationRead is the data of conversation.read: the account has read further, on whatever
// device.
type ConversationRead struct {
	JID      JID           `json:"jid"`
	Read     *ReadPosition `json:"read"`
	Unread   int           `json:"unread"`
	Mentions int           `json:"mentions"`
}
