package xmppserver

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/xml"
)

// StanzaError makes the error answer to a stanza (RFC 6120, 8.3). A from or to of "" is
// left out.
func StanzaError(e *Element, from, to, condition string) []byte {
	kind := "cancel"
	switch condition {
	case "bad-request", "jid-malformed", "not-acceptable":
		kind = "modify"
	case "resource-constraint":
		kind = "wait"
	case "forbidden", "not-authorized", "registration-required", "subscription-required":
		kind = "auth"
	}
	b := append(append([]byte{'<'}, e.Name.Local...), " type='error'"...)
	for _, a := range [...][2]string{{"id", e.Get("id")}, {"from", from}, {"to", to}} {
		if a[1] != "" {
			b = AppendAttr(b, a[0], a[1])
		}
	}
	b = AppendAttr(append(b, "><error"...), "type", kind)
	b = append(append(append(b, "><"...), condition...), " xmlns='"+NSStanzas+"'/></error></"...)
	return append(append(b, e.Name.Local...), '>')
}

// Error ends a stream with an element of an application beside its condition (RFC 6120, 4.9.4).
type Error struct {
	Condition   string
	Application string // the element, as written
}

func (e Error) Error() string { return "stream error: " + e.Condition }

// NewElement makes an element of a namespace with its children.
func NewElement(space, local string, kids ...Node) *Element {
	return &Element{Name: xml.Name{Space: space, Local: local}, Kids: kids}
}

// NewID is a random id of 24 hex digits.
func NewID() string {
	b := make([]byte, 12)
	rand.Read(b) // never fails
	return hex.EncodeToString(b)
}
