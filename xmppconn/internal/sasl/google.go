package sasl

// newGoogleToken is X-GOOGLE-TOKEN, the older mechanism of Google Talk: the whole address
// and a token of the login service.
func newGoogleToken(c Credentials) Mechanism {
	return oneShot{encode64("\x00" + c.User + "@" + c.Domain + "\x00" + c.Token)}
}
