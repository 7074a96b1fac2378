package perch

import (
	"encoding/base64"
	"strings"
)

// maxRefID is the longest id that a handle is made of, in bytes.
const maxRefID = 1024

// The first letter of a handle says what the rest is.
const (
	refReceived = 'i' // id attribute of a message of the other side
	refSent     = 'o' // id attribute of a message of the account
	refArchived = 'a' // id in the archive of the account, of a message without an id
	refRoom     = 'r' // id in the archive of the room
)

// Ref says which message of a conversation a handle means. Text form and fields are for Perch
// alone: to clients a handle is opaque. It needs no look at the message that it means: what refers
// to a message names its id, and who may refer to it follows from whose message it is.
type Ref struct {
	Sent     bool   // by the account, on whatever device
	ID       string // id attribute (RFC 6120, 8.1.3); "" where the message has none
	StanzaID string // id in an archive (XEP-0359), of a message without an ID or of a room
	Room     bool   // StanzaID is that of the room
}

// RefOf is the handle of a message; Sent says that the account wrote it. It is "" for a message that
// has no id at all, or one of more than 1,024 bytes.
func RefOf(m *Message, sent bool) string {
	switch {
	case m.Kind == GroupchatMessage && m.RoomStanzaID != "":
		return Ref{StanzaID: m.RoomStanzaID, Room: true}.String()
	case m.ID != "":
		return Ref{ID: m.ID, Sent: sent}.String()
	}
	return Ref{StanzaID: m.StanzaID}.String()
}

// String is the text form; "" of the zero Ref.
func (r Ref) String() string {
	kind, id := byte(refReceived), r.ID
	switch {
	case r.Room:
		kind, id = refRoom, r.StanzaID
	case r.ID == "":
		kind, id = refArchived, r.StanzaID
	case r.Sent:
		kind = refSent
	}
	if id == "" || len(id) > maxRefID {
		return ""
	}
	return string(kind) + base64.RawURLEncoding.EncodeToString([]byte(id))
}

// ParseRef reads a handle. The error is of [KindValidation] and names no field.
func ParseRef(text string) (Ref, error) {
	bad := Errorf(KindValidation, "this is not the ref of a message")
	if len(text) < 2 || strings.ContainsAny(text, "\r\n") {
		return Ref{}, bad
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text[1:])
	if err != nil || len(raw) > maxRefID {
		return Ref{}, bad
	}
	id := string(raw)
	switch text[0] {
	case refReceived:
		return Ref{ID: id}, nil
	case refSent:
		return Ref{ID: id, Sent: true}, nil
	case refArchived:
		return Ref{StanzaID: id}, nil
	case refRoom:
		return Ref{StanzaID: id, Room: true}, nil
	}
	return Ref{}, bad
}
