package perch

// Inbound is one thing that a connection tells its session, in stream order. The
// concrete types are the ones below; the connection has already checked that the sender
// may say it.
type Inbound interface{ inbound() }

// Outbound is one thing that a session asks its connection to write.
type Outbound interface{ outbound() }

// MessageIn is a received message with text or, with Sent, one that another
// device of the account sent (XEP-0280).
// With Relation it is a control message: it is about an earlier message, and none itself.
type MessageIn struct {
	Message
	Sent     bool
	History  bool // a room sends it again to one who joins (XEP-0045, 7.2.13)
	Relation *Relation
}

// MessageError is an error bounce of a message that we sent (RFC 6120, 8.3).
type MessageError struct {
	ID    string
	From  JID
	Error XMPPError
}

// ReceiptIn says that a device, or with Displayed a person, has our message ID.
type ReceiptIn struct {
	ID        string
	From      JID
	Displayed bool
}

// ReadIn says how far the account has read a conversation on another of its devices: by the id in
// the archive of the account, or of the room that the conversation is with (XEP-0490), or by the id of
// the message (XEP-0333, in a carbon copy of its own marker).
type ReadIn struct {
	Conversation JID
	StanzaID     string
	InRoom       bool // StanzaID is that of the archive of the room
	ID           string
}

// RoomInvitedIn is an invitation to a room (XEP-0045, 7.8.2; XEP-0249). Of tells copies apart, as
// that of [DroppedIn].
type RoomInvitedIn struct {
	RoomInvitation
	Of Message
}

// ChatStateIn is a chat state from a buddy, alone or beside a message.
type ChatStateIn struct {
	From  JID
	State ChatState
}

// PresenceIn is the availability of one full JID (RFC 6121, 4). Unavailable from a bare
// JID means all its resources.
type PresenceIn struct {
	From      JID
	Available bool
	Show      Show
	Status    string
	Priority  int8
	PhotoHash *string // XEP-0153: nil = not said, "" = no photo
	Delay     Time    // when it was sent, if not now; 0 if Delayed: not known
	Delayed   bool    // it was held back on its way
}

// PresenceError is the error answer to a presence or subscription stanza of ours (RFC 6120,
// 8.3; RFC 6121, 4.3.2.1): presence cannot reach From, or was refused by it. From a bare JID
// it is about the whole account, from a full one about that resource. Whether the sender may
// say so needs no check: only the address that speaks is concerned.
type PresenceError struct {
	From  JID
	Error XMPPError
}

// SubscriptionIn is a subscription stanza (RFC 6121, 3): Type is subscribe, subscribed,
// unsubscribe or unsubscribed.
type SubscriptionIn struct {
	From    JID
	Type    string
	Nick    string // XEP-0172
	Message string // the status of a request
}

// RosterPush is one changed item (RFC 6121, 2.1.6); SubscriptionRemove = it is gone.
type RosterPush struct {
	Item    Buddy
	Version string
}

// StanzaIn is a stanza that is nothing else here, for clients that write stanzas themselves.
type StanzaIn struct{ RawStanza }

// NickIn is the nickname that an account gives itself, or, with "", that it has none any more (XEP-0172, 4.5).
type NickIn struct {
	From JID // bare
	Nick string
}

// AckIn says that the server has everything that was sent up to and including the
// outbound number Through: by XEP-0198, or by answering an IQ that was sent later.
type AckIn struct{ Through uint64 }

// DroppedIn says that a stanza was skipped, and why. Of tells a copy of a message that arrived
// whole from another message: its ids, addresses and delay, never its text. It is zero for a
// stanza that did not.
type DroppedIn struct {
	Dropped
	Of Message
}

func (*MessageIn) inbound()      {}
func (*MessageError) inbound()   {}
func (*ReceiptIn) inbound()      {}
func (*ChatStateIn) inbound()    {}
func (*PresenceIn) inbound()     {}
func (*PresenceError) inbound()  {}
func (*SubscriptionIn) inbound() {}
func (*RosterPush) inbound()     {}
func (*NickIn) inbound()         {}
func (*AckIn) inbound()          {}
func (*DroppedIn) inbound()      {}
func (*ReadIn) inbound()         {}
func (*RoomInvitedIn) inbound()  {}
func (*StanzaIn) inbound()       {}

// MessageOut is a message to write.
type MessageOut struct {
	ID      string
	To      JID
	Kind    MessageKind
	Body    string
	Thread  string
	Subject string
	Receipt bool // ask for a delivery receipt (XEP-0184)
	// Details are written as far as they are the sender's: reply, mentions, attachments, markable,
	// unstyled, spoiler, encryption with fallback, and payloads.
	Details  *MessageDetails
	Relation *Relation // it is about an earlier message
}

// ChatStateOut is a chat state alone.
type ChatStateOut struct {
	To    JID
	State ChatState
	Kind  MessageKind // "": [ChatMessage]; to a room [GroupchatMessage]
}

// PresenceOut is the own presence, broadcast to the contacts.
type PresenceOut struct{ OwnPresence }

// SubscriptionOut is a subscription stanza: Type as in [SubscriptionIn].
type SubscriptionOut struct {
	To      JID
	Type    string
	Nick    string
	Message string
}

// ReceiptOut says that we have the message ID of To (XEP-0184).
type ReceiptOut struct {
	To JID
	ID string
}

// DisplayedOut says that a person has seen everything up to the message ID of To (XEP-0333).
type DisplayedOut struct {
	To JID
	ID string
}

// ClientStateOut tells the server whether a client is active (XEP-0352). It is sent only
// where Capabilities.ClientState says that the server supports it.
type ClientStateOut struct{ Active bool }

func (*MessageOut) outbound()      {}
func (*ChatStateOut) outbound()    {}
func (*PresenceOut) outbound()     {}
func (*SubscriptionOut) outbound() {}
func (*ReceiptOut) outbound()      {}
func (*ClientStateOut) outbound()  {}
func (*DisplayedOut) outbound()    {}
