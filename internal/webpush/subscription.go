package webpush

import (
	"crypto/ecdh"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"

	"github.com/perch-im/perch"
)

// subscription is what messages to a subscription are encrypted with.
type subscription struct {
	key  *ecdh.PublicKey
	auth []byte
}

const authSize = 16

// newSubscription reads the keys of a subscription; the error names the field that is wrong.
func newSubscription(t perch.ReaderTarget) (s subscription, err error) {
	point, err := decode(t.P256DH)
	if err == nil {
		s.key, err = ecdh.P256().NewPublicKey(point)
	}
	if err != nil {
		return s, perch.Invalid("/keys/p256dh", "is not the key of a push subscription: %d bytes, a point of P-256, in base64url", pointSize)
	}
	if s.auth, err = decode(t.Auth); err != nil || len(s.auth) != authSize {
		return s, perch.Invalid("/keys/auth", "is not the secret of a push subscription: %d bytes in base64url", authSize)
	}
	return s, nil
}

// longestKey is more than any key in base64, with padding.
const longestKey = 128

// decode reads base64url with or without padding; browsers leave it out, and libraries do not.
func decode(text string) ([]byte, error) {
	if len(text) > longestKey || strings.ContainsAny(text, "\r\n") { // which the decoder would pass over
		return nil, errors.New("not one short line")
	}
	return base64.RawURLEncoding.Strict().DecodeString(strings.TrimRight(text, "="))
}

// topicSize is how many bytes become the 32 characters that a topic may have (RFC 8030, 5.4).
const topicSize = 24

// topic names a conversation to the push service, which replaces a message that it still has by a newer
// one of the same topic. It learns nothing of the conversation: it does not know the secret of the
// subscription.
func (s subscription) topic(conversation string) string {
	mac := hmac.New(sha256.New, s.auth)
	mac.Write([]byte("topic\x00" + conversation))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:topicSize])
}
