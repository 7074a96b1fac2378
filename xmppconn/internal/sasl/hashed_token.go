package sasl

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"errors"

	"github.com/xdg-go/scram"
)

var (
	errTokenNotProven = errors.New("sasl: the server did not prove that it knows the token")
	errNotBindable    = errors.New("sasl: this connection has nothing that the mechanism could bind to")
)

// hashedTokens are the forms of HT-SHA-256 (draft-schmaus-kitten-sasl-ht), the better first: a token
// that is bound to its connection is of no use to whoever reads it on another one.
var hashedTokens = []struct {
	name string
	of   func(*tls.ConnectionState) (Binding, error)
}{
	{"HT-SHA-256-EXPR", exporterBinding},
	{"HT-SHA-256-ENDP", scram.NewTLSServerEndpointBinding},
	{"HT-SHA-256-UNIQ", uniqueBinding},
	{HashedTokenUnbound, func(*tls.ConnectionState) (Binding, error) { return Binding{}, nil }},
}

// HashedTokenUnbound is the form of HT-SHA-256 that is bound to nothing.
const HashedTokenUnbound = "HT-SHA-256-NONE"

// exporterBinding is tls-exporter (RFC 9266), which a connection has once its handshake is complete.
func exporterBinding(cs *tls.ConnectionState) (Binding, error) {
	if !cs.HandshakeComplete {
		return Binding{}, errNotBindable
	}
	return scram.NewTLSExporterBinding(cs)
}

// uniqueBinding is tls-unique (RFC 5929, 3), which TLS 1.3 does not have.
func uniqueBinding(cs *tls.ConnectionState) (Binding, error) {
	if len(cs.TLSUnique) == 0 {
		return Binding{}, errNotBindable
	}
	return scram.NewTLSUniqueBinding(cs.TLSUnique), nil
}

// HashedTokens are the forms of HT-SHA-256 that a connection has what it takes for, the better first.
func HashedTokens(cs *tls.ConnectionState) []string {
	var names []string
	for _, h := range hashedTokens {
		if _, err := h.of(cs); err == nil {
			names = append(names, h.name)
		}
	}
	return names
}

// NewHashedToken is the client side of a form of HT-SHA-256, for one attempt on this connection.
func NewHashedToken(name string, c Credentials, cs *tls.ConnectionState) (Mechanism, error) {
	for _, h := range hashedTokens {
		if h.name == name {
			binding, err := h.of(cs)
			return hashedToken{user: c.User, token: c.Token, binding: binding.Data}, err
		}
	}
	return nil, errors.New("sasl: " + name + " is not a mechanism of hashed tokens")
}

// hashedToken proves with one message that it knows a token, and takes the proof of the server with the
// success.
type hashedToken struct {
	user, token string
	binding     []byte
}

func (m hashedToken) proof(of string) []byte {
	h := hmac.New(sha256.New, []byte(m.token))
	h.Write([]byte(of))
	h.Write(m.binding)
	return h.Sum(nil)
}

func (m hashedToken) Start() (string, error) {
	return encode64(m.user + "\x00" + string(m.proof("Initiator"))), nil
}

func (m hashedToken) Next(string) (string, error) { return "", errUnexpectedChallenge }

// Finish insists on the proof of the server, as SCRAM does.
func (m hashedToken) Finish(text string) error {
	data, err := decode64(text)
	if err != nil {
		return err
	}
	if !hmac.Equal(data, m.proof("Responder")) {
		return errTokenNotProven
	}
	return nil
}
