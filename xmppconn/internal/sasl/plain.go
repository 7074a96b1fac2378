package sasl

import "mellium.im/sasl"

// newPlain is PLAIN (RFC 4616). It is used inside of TLS only, like all of them.
func newPlain(c Credentials) Mechanism {
	n := sasl.NewClient(sasl.Plain, sasl.Credentials(func() (user, password, identity []byte) {
		return []byte(c.User), []byte(saslPrep(c.Password)), nil
	}))
	_, text, err := n.Step(nil)
	return plainText{oneShot{encode64(string(text))}, err}
}

type plainText struct {
	oneShot
	err error
}

func (m plainText) Start() (string, error) { return m.text, m.err }
