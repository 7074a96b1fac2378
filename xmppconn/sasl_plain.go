package xmppconn

import "mellium.im/sasl"

// newPlain is PLAIN (RFC 4616). It is used inside of TLS only, like all of them.
func newPlain(c credentials) mechanism {
	n := sasl.NewClient(sasl.Plain, sasl.Credentials(func() (user, password, identity []byte) {
		return []byte(c.user), []byte(saslPrep(c.password)), nil
	}))
	_, text, err := n.Step(nil)
	return plainText{oneShot{encode64(string(text))}, err}
}

type plainText struct {
	oneShot
	err error
}

func (m plainText) start() (string, error) { return m.text, m.err }
