package perch

// MessageKind is the type attribute of a message (RFC 6121, 5.2.2).
type MessageKind string

// The kinds that carry text between people.
const (
	ChatMessage      MessageKind = "chat"
	NormalMessage    MessageKind = "normal"
	GroupchatMessage MessageKind = "groupchat"
	HeadlineMessage  MessageKind = "headline"
)

// Source says how a message reached us.
type Source string

// Sources of a message event.
const (
	SourceLive    Source = "live"
	SourceResumed Source = "resumed" // replayed by the server after a resume (XEP-0198)
	SourceArchive Source = "archive" // read from the archive after a gap
)

// Delay is XEP-0203: when, and by whom, a stanza was held back. Stamp is 0, null in JSON,
// when the stanza is delayed but its time cannot be read.
type Delay struct {
	Stamp Time   `json:"stamp"`
	From  string `json:"from,omitempty"`
}

// Message is the data of message.received and message.sent.
type Message struct {
	ID       string `json:"id"`                  // stanza id; for our own sends the id of POST /v1/messages
	Ref      string `json:"ref,omitempty"`       // handle in its conversation, see Ref; "" where it has no id
	StanzaID string `json:"stanza_id,omitempty"` // XEP-0359, by the own account only
	// RoomStanzaID is the id that the room gave it (XEP-0359, by the bare JID of From); it
	// says nothing beside the ids of other archives.
	RoomStanzaID string      `json:"room_stanza_id,omitempty"`
	OriginID     string      `json:"origin_id,omitempty"` // XEP-0359, by the sending client
	From         JID         `json:"from"`
	To           JID         `json:"to"`
	Kind         MessageKind `json:"kind"`
	Body         string      `json:"body"`
	Thread       string      `json:"thread,omitempty"`
	Subject      string      `json:"subject,omitempty"`
	Delay        *Delay      `json:"delay,omitempty"`
	Source       Source      `json:"source"`
	// Room is set by what was written in a room, and by a private message of an occupant as far as
	// its sender or the room has marked it so (XEP-0045, 7.5). To is the bare JID of the room then,
	// or in a private message who has got it.
	Room            *MessageRoom `json:"room,omitempty"`
	*MessageDetails              // nil: none
	// Receipt asks for, or is, a delivery receipt (XEP-0184); not shown to clients.
	ReceiptRequested bool `json:"-"`
}

// ChatState is XEP-0085.
type ChatState string

// The five chat states.
const (
	StateActive    ChatState = "active"
	StateComposing ChatState = "composing"
	StatePaused    ChatState = "paused"
	StateInactive  ChatState = "inactive"
	StateGone      ChatState = "gone"
)

// Valid reports whether c is one of the five.
func (c ChatState) Valid() bool {
	switch c {
	case StateActive, StateComposing, StatePaused, StateInactive, StateGone:
		return true
	}
	return false
}

// MessageStatus is a step in the life of a message that we sent.
type MessageStatus string

// The steps. Every accepted message ends in acked or later, failed, or unknown.
const (
	StatusAccepted  MessageStatus = "accepted"  // in the outbox
	StatusSent      MessageStatus = "sent"      // written to the XMPP stream
	StatusAcked     MessageStatus = "acked"     // the server has it
	StatusDelivered MessageStatus = "delivered" // a device has it (XEP-0184)
	StatusDisplayed MessageStatus = "displayed" // a person has seen it (XEP-0333)
	StatusFailed    MessageStatus = "failed"    // refused; see Error
	StatusUnknown   MessageStatus = "unknown"   // the stream was lost and the upstream cannot tell
)

// StatusChange is one line of a message's history, and the data of message.status.
type StatusChange struct {
	ID     string        `json:"id,omitempty"`
	Ref    string        `json:"ref,omitempty"` // of the message; of an edit, a retraction or reactions that of the message that they are about
	Status MessageStatus `json:"status"`
	// The bare JID of the other side, in message.status alone.
	Conversation JID        `json:"conversation,omitempty"`
	Time         Time       `json:"time,omitzero"`
	Error        *XMPPError `json:"error,omitempty"`
}

// MessageRecord is the answer of GET /v1/messages/{id}.
type MessageRecord struct {
	ID      string         `json:"id"`
	Ref     string         `json:"ref,omitempty"` // as in StatusChange
	To      JID            `json:"to"`
	Status  MessageStatus  `json:"status"`
	History []StatusChange `json:"history"`
}
