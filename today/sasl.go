package today

import (
	"encoding/base64"
	"strings"

	"github.com/xdg-go/scram"
	wire "mellium.im/xmpp/stream"

	"github.com/perch-im/perch/internal/xmppserver"
)

// exchange is the server side of one attempt with a SASL mechanism (RFC 4422, 3).
type exchange interface {
	step(in []byte) verdict
}

// verdict is what a mechanism makes of a message of the client: a challenge, unless it has an account or
// a condition.
type verdict struct {
	data []byte   // of the challenge, or what goes with the success
	acct *account // who has signed in
	fail string   // the condition of the failure (RFC 6120, 6.5)
}

// mechanism is one that clients can be offered.
type mechanism struct {
	name  string
	bound bool // to the TLS of the stream, so not on a WebSocket
	start func(*stream) exchange
}

// mechanisms that prove an account, the better first.
var mechanisms = []mechanism{
	{"SCRAM-SHA-512-PLUS", true, startSCRAM(scram.SHA512, true)},
	{"SCRAM-SHA-256-PLUS", true, startSCRAM(scram.SHA256, true)},
	{"SCRAM-SHA-512", false, startSCRAM(scram.SHA512, false)},
	{"SCRAM-SHA-256", false, startSCRAM(scram.SHA256, false)},
	{"OAUTHBEARER", false, func(st *stream) exchange { return &bearerExchange{s: st.s} }},
	{"PLAIN", false, func(st *stream) exchange { return plainExchange{st.s} }},
}

// offered are the mechanisms that this stream has what it takes for.
func (st *stream) offered() []mechanism {
	var list []mechanism
	for _, m := range mechanisms {
		if !m.bound || len(st.bindings) > 0 {
			list = append(list, m)
		}
	}
	return list
}

// mechanism starts an attempt with an offered mechanism; nil: it is not offered.
func (st *stream) mechanism(name string) exchange {
	for _, m := range st.offered() {
		if m.name == name {
			return m.start(st)
		}
	}
	return nil
}

// appendMechanisms writes the offer.
func (st *stream) appendMechanisms(b []byte) []byte {
	for _, m := range st.offered() {
		b = xmppserver.AppendTag(b, "mechanism", m.name)
	}
	return b
}

// run is one attempt, in elements of a namespace (RFC 6120, 6.4; XEP-0388, 2.5). initial is the text of the
// first message; nil: the client waits for a challenge.
func (st *stream) run(ns string, x exchange, initial *string) (verdict, error) {
	if x == nil {
		return verdict{fail: "invalid-mechanism"}, nil
	}
	text := initial
	for {
		var v verdict // without a first message: an empty challenge
		if text != nil {
			in, ok := decode64(*text)
			if !ok {
				return verdict{fail: "incorrect-encoding"}, nil
			}
			if v = x.step(in); v.acct != nil || v.fail != "" {
				return v, nil
			}
		}
		st.conn.Write([]byte("<challenge xmlns='" + ns + "'>" + base64.StdEncoding.EncodeToString(v.data) + "</challenge>"))
		e, err := st.conn.Next()
		switch {
		case err != nil:
			return verdict{}, err
		case e.Name.Space == ns && e.Name.Local == "abort":
			return verdict{fail: "aborted"}, nil
		case e.Name.Space != ns || e.Name.Local != "response":
			return verdict{}, wire.NotAuthorized
		}
		response := e.Text()
		text = &response
	}
}

// decode64 reads a message; "=" is one without data (RFC 6120, 6.4.2).
func decode64(text string) ([]byte, bool) {
	if text = strings.TrimSpace(text); text == "=" {
		return nil, true
	}
	b, err := base64.StdEncoding.DecodeString(text)
	return b, err == nil
}

// failure is the end of an attempt, in either profile: XEP-0388 takes the conditions of RFC 6120.
func failure(ns, condition string) []byte {
	return []byte("<failure xmlns='" + ns + "'><" + condition + " xmlns='" + xmppserver.NSSASL + "'/></failure>")
}
