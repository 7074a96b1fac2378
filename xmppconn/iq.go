package xmppconn

import "github.com/perch-im/perch"

// iqIn is an IQ stanza as it arrived (RFC 6120, 8.2.3). Payload is nil when it is empty.
type iqIn struct {
	id, typ  string
	from, to perch.JID
	payload  *element
	err      *perch.XMPPError // for typ "error", never nil then
}

// appendIQ writes an IQ around a payload that is XML already. To "" leaves it out.
func appendIQ(b []byte, id, typ string, to perch.JID, payload []byte) ([]byte, error) {
	panic("unreachable")
}

// appendIQError answers a request with a stanza error.
func appendIQError(b []byte, id string, to perch.JID, typ, condition string) ([]byte, error) {
	panic("unreachable")
}

// parseIQ reads an iq element; ok is false for anything that is not a sound IQ.
func parseIQ(el *element) (q iqIn, ok bool) { panic("unreachable") }

// parseStanzaError reads the <error/> child of a stanza (RFC 6120, 8.3).
func parseStanzaError(stanza *element) *perch.XMPPError { panic("unreachable") }

// parseConditions reads a condition and text out of a stream error, SASL failure or failed
// element: space is the namespace of the conditions. Content is the text inside of the
// condition itself, as in see-other-host.
func parseConditions(el *element, space string) (err perch.XMPPError, content string) {
	panic("unreachable")
}
