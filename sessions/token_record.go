package sessions

import (
	"crypto/rand"
	"strings"

	"github.com/perch-im/perch"
)

// TokenRecord is what is kept beside a token that we minted. Nothing in it leads to the token.
type TokenRecord struct {
	ID      string      `json:"id"`             // that clients name it by; stays when the secret is rotated
	Name    string      `json:"name,omitempty"` // as its client has called it
	Created perch.Time  `json:"created"`
	Made    bool        `json:"made,omitempty"` // by another token, and not by a sign-in
	By      string      `json:"by,omitempty"`   // the ID of that token; "" is not known
	Grant   perch.Grant `json:"grant,omitzero"`
}

// tokenIDLength is that of TokenRecord.ID: 80 random bits.
const tokenIDLength = 16

func newTokenRecord() *TokenRecord {
	return &TokenRecord{ID: strings.ToLower(rand.Text()[:tokenIDLength]), Created: timeNow()}
}

// idOfToken is what a minted token is named by: TokenRecord.ID, or, of a sign-in with an earlier version
// that kept no record, the beginning of its key.
func idOfToken(key digest, r *TokenRecord) string {
	if r == nil {
		return key.String()[:tokenIDLength]
	}
	return r.ID
}

// recordMoved is the record of a minted token that gets another key: its id stays.
func recordMoved(old digest, r *TokenRecord) *TokenRecord {
	if r == nil {
		return &TokenRecord{ID: idOfToken(old, nil)}
	}
	return r
}

// Restricted reports whether the token leads to less than the whole session. Nothing may take it for a
// token of a sign-in: not a node of an earlier version either, which knows of no restriction.
func (t *TokenRecord) Restricted() bool {
	return t != nil && (t.Made || !t.Grant.Full() || t.Grant.Expires != 0)
}

// grant is what a token may do; one without a record is of a sign-in.
func (t *TokenRecord) grant() perch.Grant {
	if t == nil {
		return perch.Grant{}
	}
	return t.Grant
}

// Counted reports whether the token is among those of sign-ins, of which MaxMinted are kept.
func (b Binding) Counted() bool { return b.Minted && (b.Token == nil || !b.Token.Made) }

// expired reports whether the token has had its time.
func (b Binding) expired() bool { return b.Token.grant().Expired(timeNow()) }

// TokenUse is when a token was used last, and from which address of a client. It is written rarely: see
// useEvery.
type TokenUse struct {
	At      perch.Time `json:"at"`
	Address string     `json:"address,omitempty"` // of IPv6 the /64; "" is not known
}

// NotedUse is a TokenUse of one token.
type NotedUse struct {
	Session ID
	Token   string // its keyed hash, as in Bind
	TokenUse
}
