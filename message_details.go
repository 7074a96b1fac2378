package perch

// MessageDetails are what a message has beside its text. Its fields are those of the message in
// JSON; most messages have none of them.
type MessageDetails struct {
	ReplyTo     *Reply       `json:"reply_to,omitempty"`
	Edited      *Edited      `json:"edited,omitempty"`
	Retracted   *Retracted   `json:"retracted,omitempty"`
	Reactions   []Reaction   `json:"reactions,omitempty"`
	Mentions    []Mention    `json:"mentions,omitempty"`
	Attachments []Attachment `json:"attachments,omitempty"`
	Markable    bool         `json:"markable,omitempty"` // the sender asks for a displayed marker (XEP-0333)
	Unstyled    bool         `json:"unstyled,omitempty"` // the body has no styling (XEP-0393, 6)
	Spoiler     *Spoiler     `json:"spoiler,omitempty"`
	Encryption  *Encryption  `json:"encryption,omitempty"`
	// Fallback is the sentence that an encrypted message has for clients that cannot read it; its body
	// is empty.
	Fallback string `json:"fallback,omitempty"`
	// Payloads are the elements that this gateway has no field for, as XML, each with its
	// namespace. PayloadsTruncated says that there were more than [MaxPayloads] or [MaxPayloadBytes].
	Payloads          []string `json:"payloads,omitempty"`
	PayloadsTruncated bool     `json:"payloads_truncated,omitempty"`
}

// Bounds of the details of one message, in and out.
const (
	MaxPayloads      = 8
	MaxPayloadBytes  = 16 << 10 // of all payloads together
	MaxMentions      = 64
	MaxAttachments   = 16
	MaxReactions     = 32  // of one sender
	MaxReactionBytes = 64  // of one
	MaxExcerptBytes  = 512 // of the text that a reply quotes
)

// Reply is what a message replies to (XEP-0461). Excerpt is the quote that was in the body for older
// clients (XEP-0428); the body is without it.
type Reply struct {
	Ref     string `json:"ref"` // handle of the message that is replied to; "" where it is not known
	ID      string `json:"id"`  // of that message, as it stood on the wire
	From    JID    `json:"from,omitempty"`
	Excerpt string `json:"excerpt,omitempty"`
}

// Edited says that a message was corrected (XEP-0308), how often, and when last.
type Edited struct {
	Count    int    `json:"count"`
	At       Time   `json:"at"`
	StanzaID string `json:"stanza_id,omitempty"` // of the last correction, in the archive of the account
	OriginID string `json:"origin_id,omitempty"` // of the last correction, as its sender gave it
}

// Retracted says that a message was retracted by its author (XEP-0424), or by a moderator
// (XEP-0425). Its body is empty.
type Retracted struct {
	At        Time   `json:"at"`
	By        JID    `json:"by,omitempty"`
	Moderated bool   `json:"moderated,omitempty"`
	Reason    string `json:"reason,omitempty"`
	StanzaID  string `json:"stanza_id,omitempty"` // of the retraction, in the archive of the account
	OriginID  string `json:"origin_id,omitempty"` // of the retraction, as its sender gave it
}

// Reaction is one emoji on a message, and who reacted with it (XEP-0444).
type Reaction struct {
	Emoji string `json:"emoji"`
	By    []JID  `json:"by"`  // bare JIDs, in the order in which they reacted
	Own   bool   `json:"own"` // the account is among them
}

// Mention is somebody who is named in the body (XEP-0372). Begin and End count Unicode code points
// of the body; both are 0 where the reference names no range.
type Mention struct {
	JID   JID `json:"jid"`
	Begin int `json:"begin"`
	End   int `json:"end"`
}

// Attachment is a file that a message has the address of (XEP-0066, XEP-0447). Only the address
// is always there.
type Attachment struct {
	URL         string `json:"url"`
	Name        string `json:"name,omitempty"`
	Type        string `json:"type,omitempty"` // media type, as its sender says
	Size        int64  `json:"size,omitempty"` // bytes, as its sender says
	Width       int    `json:"width,omitempty"`
	Height      int    `json:"height,omitempty"`
	Description string `json:"description,omitempty"`
}

// Spoiler says that the text is to be hidden until it is asked for (XEP-0382).
type Spoiler struct {
	Hint string `json:"hint"`
}

// Encryption names what a message is encrypted with (XEP-0380).
type Encryption struct {
	Method string `json:"method"` // namespace
	Name   string `json:"name,omitempty"`
}

// RelationKind is what a control message does to an earlier one.
type RelationKind string

// The relations.
const (
	RelationEdit       RelationKind = "edit"       // XEP-0308
	RelationRetraction RelationKind = "retraction" // XEP-0424, XEP-0425
	RelationReactions  RelationKind = "reactions"  // XEP-0444
)

// Relation is what a control message says about an earlier one. The message that brings it has the
// new text of an edit, and no text else.
type Relation struct {
	Kind   RelationKind `json:"kind"`
	Target string       `json:"target"` // id of the earlier message, as it stands on the wire (1:1: its id attribute)
	// All reactions of the sender from now on; none: they are removed.
	Emojis    []string `json:"emojis,omitempty"`
	Reason    string   `json:"reason,omitempty"`    // of a retraction
	Moderated bool     `json:"moderated,omitempty"` // sent by a room for its moderator
	By        JID      `json:"by,omitempty"`
}

// MessageRetracted is the data of message.retracted.
type MessageRetracted struct {
	Ref          string `json:"ref"`
	ID           string `json:"id,omitempty"` // of the message that was retracted
	Conversation JID    `json:"conversation"` // bare JID of the other side
	Retracted
}

// MessageReactions is the data of message.reactions: the change, and all reactions after it.
type MessageReactions struct {
	Ref          string     `json:"ref"`
	ID           string     `json:"id,omitempty"`
	Conversation JID        `json:"conversation"`
	From         JID        `json:"from"`
	StanzaID     string     `json:"stanza_id,omitempty"` // of the change, in the archive of the account
	OriginID     string     `json:"origin_id,omitempty"` // of the change, as its sender gave it
	Emojis       []string   `json:"emojis"`
	Reactions    []Reaction `json:"reactions"`
}

// MessageRead is the data of message.read: the other side has seen everything up to a message
// (XEP-0333).
type MessageRead struct {
	Conversation JID    `json:"conversation"`
	By           JID    `json:"by"`
	Ref          string `json:"ref"`
}

// The ways by which an invitation to a room comes: from the room, which can be told that it is declined
// (XEP-0045, 7.8.2), or from who invites (XEP-0249).
const (
	ViaRoom   = "room"
	ViaDirect = "direct"
)

// RoomInvitation is the data of room.invited (XEP-0045, 7.8.2; XEP-0249). A password is never in
// the log: HasPassword says that there is one.
type RoomInvitation struct {
	JID         JID    `json:"jid"` // of the room
	By          JID    `json:"by,omitempty"`
	Reason      string `json:"reason,omitempty"`
	Via         string `json:"via"` // ViaRoom or ViaDirect
	HasPassword bool   `json:"has_password,omitempty"`
}

// Size is an estimate of the memory that the details take, in bytes, for budgets; nil takes none.
func (d *MessageDetails) Size() int {
	if d == nil {
		return 0
	}
	n := 512 + len(d.Fallback)
	if r := d.ReplyTo; r != nil {
		n += 96 + len(r.Ref) + len(r.ID) + len(r.From) + len(r.Excerpt)
	}
	if d.Retracted != nil {
		n += 96 + len(d.Retracted.By) + len(d.Retracted.Reason)
	}
	if d.Spoiler != nil {
		n += 16 + len(d.Spoiler.Hint)
	}
	if d.Encryption != nil {
		n += 32 + len(d.Encryption.Method) + len(d.Encryption.Name)
	}
	for i := range d.Mentions {
		n += 48 + len(d.Mentions[i].JID)
	}
	for i := range d.Attachments {
		a := &d.Attachments[i]
		n += 128 + len(a.URL) + len(a.Name) + len(a.Type) + len(a.Description)
	}
	for _, p := range d.Payloads {
		n += 16 + len(p)
	}
	return n
}

// Size is that of MessageDetails for a relation.
func (r *Relation) Size() int {
	if r == nil {
		return 0
	}
	n := 128 + len(r.Kind) + len(r.Target) + len(r.Reason) + len(r.By)
	for _, e := range r.Emojis {
		n += 16 + len(e)
	}
	return n
}

// Size is that of MessageDetails for the author of a message in a room.
func (r *MessageRoom) Size() int {
	if r == nil {
		return 0
	}
	return 96 + len(r.Nick) + len(r.OccupantID) + len(r.JID)
}

// Size is that of MessageDetails for an invitation.
func (i *RoomInvitation) Size() int {
	if i == nil {
		return 0
	}
	return 128 + len(i.JID) + len(i.By) + len(i.Reason) + len(i.Via)
}
