package xmppserver

import (
	"errors"
	"net"
)

// Limits of the bytes between two stanzas (RFC 6120, 13.12).
const (
	maxUnauthed = 64 << 10  // before sign-in: room for a token of tens of kB
	maxStanza   = 256 << 10 // afterwards
)

var errTooBig = errors.New("xmppserver: stanza is too big")

// meter counts the bytes of a stanza as they are read, so that no token can grow for
// ever inside of the XML decoder. The decoder reads ahead by a buffer of 4 KiB: the
// limit is that blunt.
type meter struct {
	net.Conn
	max, left int
	lost      bool // the connection can be read no more: an error after that is not about what was sent
}

func newMeter(c net.Conn, limit int) *meter { return &meter{Conn: c, max: limit, left: limit} }

// reset begins a new stanza.
func (m *meter) reset() { m.left = m.max }

func (m *meter) Read(p []byte) (int, error) {
	if m.left <= 0 {
		return 0, errTooBig
	}
	n, err := m.Conn.Read(p[:min(len(p), m.left)])
	m.left -= n
	if n > 0 {
		return n, nil // a connection gives its error once more, when there are no bytes before it
	}
	m.lost = err != nil
	return 0, err
}
