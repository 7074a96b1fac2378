package passthrough

import (
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/raw"
)

// Gate is asked about a stanza of a client before it is sent: its errors are those of Send.
type Gate struct {
	MayEnter func(to perch.JID) error // of presence to an address
	MaySend  func() error             // of all but the answer to a request of another entity
}

// Send sends a stanza that a client of me has written, if it is none of the gateway's own business. Queue queues
// what is written by encode. Ask sends a request, and returns the answer.
func (l *Listener) Send(xml string, me perch.JID, gate Gate, queue func(encode func([]byte) ([]byte, error)) error,
	ask func(s *raw.Stanza, payload []byte) (answer string, err error),
) (answer string, err error) {
	s, err := raw.Parse(xml, me)
	if err != nil {
		return "", err
	}
	if s.IsAnswer() {
		return "", l.Answer(s, queue)
	}
	if s.Name == "presence" {
		if err := gate.MayEnter(s.To); err != nil {
			return "", err
		}
	}
	if err := gate.MaySend(); err != nil {
		return "", err
	}
	if s.Name != "iq" {
		return "", queue(s.Append)
	}
	payload, err := s.Payload()
	if err != nil {
		return "", err
	}
	return ask(s, payload)
}
