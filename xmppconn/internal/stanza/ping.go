package stanza

import "github.com/perch-im/perch/xmppconn/internal/xmlstream"

// EncodePing is the payload of a get (XEP-0199).
func EncodePing() []byte { return []byte("<ping xmlns='" + nsPing + "'/>") }

// isPing reports whether a request is a ping; its answer is an empty result.
func isPing(payload *xmlstream.Element) bool { return payload.Is(nsPing, "ping") }
