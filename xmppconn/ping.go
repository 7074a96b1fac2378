package xmppconn

// encodePing is the payload of a get (XEP-0199).
func encodePing() []byte { return []byte("<ping xmlns='" + nsPing + "'/>") }

// isPing reports whether a request is a ping; its answer is an empty result.
func isPing(payload *element) bool { return payload.is(nsPing, "ping") }
