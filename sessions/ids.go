package sessions

import (
	"crypto/sha256"
	"fmt"
)

// ID names a session in the Store: the hex of a keyed hash, made by the Manager from the
// token and the upstream. It is no secret and tells nothing about the token.
type ID string

// NodeID names one process of the gateway: its node's name, a slash, and a word of this
// very process. Two processes of one name never live at once: the later one replaces the
// earlier, whose leases are over from then on.
type NodeID string

// Short is what logs call the session: the beginning of its id.
func (id ID) Short() string { return shortID(id) }

// shortID is what logs call a session.
func shortID(id ID) string { return string(id[:min(8, len(id))]) }

// agent is what the session is called among the clients of its account: a UUID that it has for its whole
// life, on whatever node, and that nobody can take its id from.
func (id ID) agent() string {
	b := sha256.Sum256([]byte("perch agent " + id))
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80 // version 4, as the protocol wants it (RFC 9562, 5.4)
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:16])
}
