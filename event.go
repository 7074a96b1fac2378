package perch

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/perch-im/perch/internal/jsonappend"
)

// EventType is the type of an event on the wire, the same on every transport.
type EventType string

// Durable events: they have an id, are committed to the log and replayed to a cursor.
const (
	EventMessageReceived     EventType = "message.received"     // Message
	EventMessageSent         EventType = "message.sent"         // Message
	EventMessageStatus       EventType = "message.status"       // StatusChange
	EventRosterItem          EventType = "roster.item"          // Buddy
	EventRosterRemoved       EventType = "roster.removed"       // Removed
	EventInvitationReceived  EventType = "invitation.received"  // Invitation
	EventInvitationAccepted  EventType = "invitation.accepted"  // Invitation
	EventInvitationDeclined  EventType = "invitation.declined"  // Invitation
	EventInvitationCancelled EventType = "invitation.cancelled" // Invitation
	EventSessionState        EventType = "session.state"        // StateChange
	EventSessionGap          EventType = "session.gap"          // Gap
	EventVCardChanged        EventType = "vcard.changed"        // VCardChange
	EventDropped             EventType = "event.dropped"        // Dropped
	EventMessageEdited       EventType = "message.edited"       // Message
	EventMessageRetracted    EventType = "message.retracted"    // MessageRetracted
	EventMessageReactions    EventType = "message.reactions"    // MessageReactions
	EventMessageRead         EventType = "message.read"         // MessageRead
	EventConversationRead    EventType = "conversation.read"    // ConversationRead
	EventRoomInvited         EventType = "room.invited"         // RoomInvitation
	EventRoomState           EventType = "room.state"           // Room
	EventRoomChanged         EventType = "room.changed"         // Room
	EventRoomAffiliation     EventType = "room.affiliation"     // RoomAffiliationChange
	EventRoomForgotten       EventType = "room.forgotten"       // Removed
	EventBlockedChanged      EventType = "blocked.changed"      // BlockListChange
	EventWebhookDisabled     EventType = "webhook.disabled"     // ReaderEnd
)

// Ephemeral events: state and signals, never replayed.
const (
	EventPresence            EventType = "presence"             // Presence; coalesced by JID
	EventConversationChanged EventType = "conversation.changed" // Conversation without last_message; coalesced by JID
	EventChatState           EventType = "chat_state"           // ChatStateChange; may be shed
	EventRoomOccupant        EventType = "room.occupant"        // RoomOccupantChange; coalesced by occupant
	EventRoomOccupants       EventType = "room.occupants"       // RoomOccupants; coalesced by room
	EventStanza              EventType = "stanza"               // RawStanza; for those alone who ask for it, and may be shed
	EventHello               EventType = "hello"
	EventRosterSnapshot      EventType = "roster.snapshot"
	EventInvitationsSnapshot EventType = "invitations.snapshot"
	EventRoomsSnapshot       EventType = "rooms.snapshot" // of sessions that use rooms
	EventPresenceSnapshot    EventType = "presence.snapshot"
	EventLive                EventType = "live"
	EventHeartbeat           EventType = "heartbeat"
	EventReconnect           EventType = "reconnect"
	EventReply               EventType = "reply"
	EventError               EventType = "error"
)

// Durable reports whether events of this type are committed to the log.
func (t EventType) Durable() bool {
	switch t {
	case EventMessageReceived, EventMessageSent, EventMessageStatus, EventRosterItem, EventRosterRemoved,
		EventInvitationReceived, EventInvitationAccepted, EventInvitationDeclined, EventInvitationCancelled,
		EventSessionState, EventSessionGap, EventVCardChanged, EventDropped,
		EventMessageEdited, EventMessageRetracted, EventMessageReactions, EventMessageRead, EventConversationRead, EventRoomInvited,
		EventRoomState, EventRoomChanged, EventRoomAffiliation, EventRoomForgotten, EventBlockedChanged, EventWebhookDisabled:
		return true
	}
	return false
}

// Event is one envelope {id?, type, time, data}. It is encoded once, when it is made,
// and shared by every subscriber and by the log: it must not be modified.
type Event struct {
	Position Position // zero for ephemeral events
	Type     EventType
	Time     Time
	Key      string // ephemeral events with the same type and key replace each other
	Wire     []byte // the whole envelope as JSON
	// Common says that sessions of other accounts are likely to have the same data in their logs: it is
	// what a room has sent to all who are in it. A log in memory has it once then.
	Common bool
}

// usualEnvelope is room for most envelopes, on the stack. A longer one grows out of it.
const usualEnvelope = 768

// NewEvent encodes an envelope. It panics if data cannot be encoded, which only a type
// of this module could cause.
func NewEvent(pos Position, typ EventType, at Time, data any) *Event {
	var usual [usualEnvelope]byte
	b, err := appendData(appendHead(usual[:0], pos, typ, at), data)
	if err != nil {
		panic(fmt.Sprintf("perch: event %s cannot be encoded: %v", typ, err))
	}
	return &Event{Position: pos, Type: typ, Time: at, Wire: bytes.Clone(append(b, '}'))}
}

// appendHead appends an envelope up to its data.
func appendHead(b []byte, pos Position, typ EventType, at Time) []byte {
	b = append(b, '{')
	if !pos.IsZero() {
		b = jsonappend.String(append(b, `"id":`...), pos.Epoch)
		b = append(strconv.AppendUint(append(b[:len(b)-1], '-'), pos.Offset, 10), `",`...)
	}
	b = jsonappend.String(append(b, `"type":`...), typ)
	return append(at.AppendJSON(append(b, `,"time":`...)), `,"data":`...)
}

// usualHead is room for most envelopes without their data, on the stack.
const usualHead = 128

// Data returns the data of the envelope as it stands in Wire, of which it is a part; nil when Wire is not
// what NewEvent has made.
func (e *Event) Data() []byte {
	var usual [usualHead]byte
	head := appendHead(usual[:0], e.Position, e.Type, e.Time)
	if !bytes.HasPrefix(e.Wire, head) || e.Wire[len(e.Wire)-1] != '}' {
		return nil
	}
	return e.Wire[len(head) : len(e.Wire)-1]
}

// EventOf returns the event whose data is encoded already, as NewEvent makes it of what that stands for.
func EventOf(pos Position, typ EventType, at Time, data string) *Event {
	var usual [usualEnvelope]byte
	b := append(append(appendHead(usual[:0], pos, typ, at), data...), '}')
	return &Event{Position: pos, Type: typ, Time: at, Wire: bytes.Clone(b)}
}

// Decode reads the data of the envelope into v, a pointer to the type of the event's data, or to
// a json.RawMessage for the data as it is. An error means that the data does not fit v, which may
// be partly filled then.
func (e *Event) Decode(v any) error {
	env := struct {
		Data any `json:"data"`
	}{v}
	if err := json.Unmarshal(e.Wire, &env); err != nil {
		return fmt.Errorf("perch: the data of event %s cannot be decoded: %w", e.Type, err)
	}
	return nil
}

// Removed is the data of roster.removed and room.forgotten.
type Removed struct {
	JID JID `json:"jid"`
}

// StateChange is the data of session.state.
type StateChange struct {
	State    State  `json:"state"`
	Previous State  `json:"previous"`
	Reason   string `json:"reason"`
	RetryAt  Time   `json:"retry_at"`
	Resumed  bool   `json:"resumed"`
}

// The reasons of a [Gap].
const (
	GapNoArchive = "no_archive"      // the upstream has none
	GapLastOnly  = "archive_limited" // it has the last messages only
	GapTrimmed   = "archive_trimmed" // it does not go back to the last published event
	GapTimeout   = "archive_timeout" // it did not answer
	GapRefused   = "archive_error"   // it answered with an error
	GapTooLong   = "too_many"        // more was missed than is read
)

// Gap is the data of session.gap: messages of this time may be missing and the upstream
// cannot tell, for a reason.
type Gap struct {
	From   Time   `json:"from"`
	To     Time   `json:"to"`
	Reason string `json:"reason,omitempty"`
	Room   JID    `json:"room,omitempty"` // messages of this room alone; "": those of the account
}

// VCardChange is the data of vcard.changed (XEP-0153).
type VCardChange struct {
	JID       JID    `json:"jid"`
	PhotoHash string `json:"photo_hash,omitempty"`
}

// ChatStateChange is the data of chat_state (XEP-0085).
type ChatStateChange struct {
	From  JID       `json:"from"`
	State ChatState `json:"state"`
	Room  JID       `json:"room,omitempty"` // of a state in a room, which From is an occupant of
	Nick  string    `json:"nick,omitempty"` // of that occupant
}

// RawStanza is the data of stanza: what arrived and nothing else is made of, or is only said to have been left
// out, such as an event of XEP-0060, a call (XEP-0353), or a request that the gateway cannot answer.
type RawStanza struct {
	From JID    `json:"from,omitempty"` // as it was on the wire; left out: the own account, or its server
	XML  string `json:"xml"`            // one message, presence or iq, written anew
	// AnswerBy is until when a client may answer a request of another entity, by an iq of type result or error
	// with its id; then the gateway refuses it. 0: it is none.
	AnswerBy Time `json:"answer_by,omitempty"`
	LeftOut  int  `json:"left_out,omitempty"` // stanzas between this and the one before that were too many, or too long
}

// The reasons of [Dropped] that are about one stanza of the upstream, live or in the archive.
const (
	DroppedTooLarge    = "too_large"       // over the limit in bytes
	DroppedTooDeep     = "too_deep"        // over the limit of levels
	DroppedMalformed   = "malformed"       // over the limit of attributes, or not fit to be decoded
	DroppedQuarantined = "quarantined"     // it has ended connections
	DroppedEncrypted   = "encrypted"       // in logs of before: such a message has an Encryption now
	DroppedInvitation  = "room_invitation" // XEP-0045, 7.8; XEP-0249
	DroppedCall        = "call"            // XEP-0353
	DroppedUnsupported = "unsupported"     // content of a kind that this gateway does not know
	DroppedNotAuthor   = "not_author"      // a correction, retraction or marker of somebody who may not
)

// Dropped is the data of event.dropped: something arrived that could not be shown.
type Dropped struct {
	Reason   string `json:"reason"` // too_large, too_deep, malformed, quarantined, encrypted, room_invitation, call, unsupported, over_budget, roster_partial, roster_unavailable
	From     JID    `json:"from,omitempty"`
	StanzaID string `json:"stanza_id,omitempty"`
	// RoomStanzaID is the id that a room gave it, as in a Message.
	RoomStanzaID string `json:"room_stanza_id,omitempty"`
}
