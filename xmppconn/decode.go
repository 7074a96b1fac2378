package xmppconn

import "github.com/perch-im/perch"

// decoded is what one message or presence says.
type decoded struct {
	in     []perch.Inbound
	forged string     // what was claimed without the right to: "carbon"; else ""
	mam    *mamResult // an archive result (XEP-0313): only for the query that is open
}

// decodeFrame decodes a message or presence straight from its frame; nothing in the result
// points into it. Other elements give an empty result. The error is a *framingError.
// Self is the own full JID.
func decodeFrame(f *frame, self perch.JID, now perch.Time) (decoded, error) { panic("unreachable") }

// decodeStanza is decodeFrame for an element that is parsed already.
func decodeStanza(el *element, self perch.JID, now perch.Time) decoded { panic("unreachable") }

// isStanza says whether XEP-0198 counts an element of this name.
func isStanza(space, local string) bool {
	return space == nsClient && (local == "message" || local == "presence" || local == "iq")
}
