package sasl

// newPlain is PLAIN (RFC 4616). It is used inside of TLS only, like all of them. The password goes
// out as it was typed: the server prepares it, if it prepares passwords at all.
func newPlain(c Credentials) Mechanism {
	return oneShot{encode64("\x00" + c.User + "\x00" + c.Password)}
}
