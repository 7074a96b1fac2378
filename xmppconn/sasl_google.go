package xmppconn

// newGoogleToken is X-GOOGLE-TOKEN, the older mechanism of Google Talk: the whole address
// and a token of the login service.
func newGoogleToken(c credentials) mechanism {
	return oneShot{encode64("\x00" + c.user + "@" + c.domain + "\x00" + c.token)}
}
