package messenger

import (
	"crypto/rand"
	"encoding/base64"
	"sync"
	"time"

	"github.com/perch-im/perch/internal/ttlmap"
)

// Lives of what the sign-in hands out on the way to an access token.
const (
	consentLife = 10 * time.Minute
	codeLife    = 5 * time.Minute // RFC 6749, 4.1.2 allows ten
	refreshLife = 24 * time.Hour
	maxGrants   = 1000 // of each kind
)

// grants holds what waits to be redeemed; each can be redeemed once.
type grants struct {
	consents grantTable[consent]
	codes    grantTable[grant]
	refresh  grantTable[grant]
}

// consent is a request whose page is being shown.
type consent struct {
	client, redirect, kind, scope, state string
}

// grant is what a code or a refresh token stands for.
type grant struct {
	acct                    *account
	client, redirect, scope string
}

// grantTable maps secrets to values; it is safe for concurrent use, and its zero value
// is ready.
type grantTable[T any] struct {
	mu   sync.Mutex
	list ttlmap.Map[tokenKey, T]
}

// put keeps v under a new secret for a while, and returns the secret. A full table drops
// what is expired or, if nothing is, its oldest entry.
func (t *grantTable[T]) put(v T, life time.Duration) string {
	b := make([]byte, 24)
	rand.Read(b) // never fails
	secret := base64.RawURLEncoding.EncodeToString(b)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.list.Max = maxGrants // the zero value of the table is ready
	t.list.Put(keyOf(secret), v, time.Now(), life)
	return secret
}

// redeem redeems a secret: it is forgotten, whatever comes of it.
func (t *grantTable[T]) redeem(secret string) (T, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.list.Delete(keyOf(secret), time.Now())
}
