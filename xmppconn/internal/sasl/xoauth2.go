package sasl

// newXOAuth2 is X-OAUTH2 as ejabberd has it, and as Google Talk had it: the shape of PLAIN
// with the token in place of the password.
func newXOAuth2(c Credentials) Mechanism {
	m := oneShot{encode64("\x00" + c.User + "\x00" + c.Token)}
	if c.Google {
		return googleXOAuth2{m}
	}
	return m
}

// googleXOAuth2 adds the attributes by which Google Talk distinguished a token from a password, and
// took the JID of the bind result as it is.
type googleXOAuth2 struct{ oneShot }

func (googleXOAuth2) authAttributes() string {
	return ` auth:service='oauth2' auth:client-uses-full-bind-result='true' xmlns:auth='http://www.google.com/talk/protocol/auth'`
}
