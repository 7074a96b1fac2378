package sasl

// newExternal is EXTERNAL (RFC 4422, appendix A): the certificate that was shown in TLS is the proof, and the
// text says which account it is to open (XEP-0178, 2). It is said even where the certificate names one account
// alone: a server that reads another one in it then refuses the login, and opens nothing else.
func newExternal(c Credentials) Mechanism {
	return oneShot{encode64(c.User + "@" + c.Domain)}
}
