package messenger

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"sync"
	"time"

	"github.com/perch-im/perch/internal/ttlmap"
)

// tokenKey is how a token is kept: only the client keeps its text.
type tokenKey [sha256.Size]byte

func keyOf(token string) tokenKey { return sha256.Sum256([]byte(token)) }

// tokenTable knows the access tokens (M4, M17); it is safe for concurrent use, and its zero
// value is ready.
type tokenTable struct {
	mu     sync.Mutex
	tokens ttlmap.Map[tokenKey, tokenEntry]
}

type tokenEntry struct {
	acct    *account
	expires time.Time // zero: never
}

// add makes a token valid for life, or for ever when life is 0.
func (t *tokenTable) add(text string, acct *account, life time.Duration) {
	now, e := time.Now(), tokenEntry{acct: acct}
	if life > 0 {
		e.expires = now.Add(life)
	} else {
		life = ttlmap.Forever
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.tokens.Put(keyOf(text), e, now, life)
}

// check finds the account of a token that is valid now. Expired and unknown tokens are
// not distinguished.
func (t *tokenTable) check(text string) (tokenKey, tokenEntry, bool) {
	k := keyOf(text)
	t.mu.Lock()
	defer t.mu.Unlock()
	e, ok := t.tokens.Get(k, time.Now())
	return k, e, ok
}

// revoke reports whether the token was known, and had not expired.
func (t *tokenTable) revoke(k tokenKey) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, ok := t.tokens.Delete(k, time.Now())
	return ok
}

// newToken makes a text like the tokens of the historical service: about 0.9 kB of
// base64 with "+", "/" and "=" in it, so that a client must percent-encode it in a URL
// and must not encode it once more in SASL.
func newToken() string {
	b := make([]byte, 691) // one more than a multiple of three: the text ends in "=="
	rand.Read(b)           // never fails
	return "EwBw" + base64.StdEncoding.EncodeToString(b)
}

// IssueToken makes an access token of an account. A life of 0 is Options.TokenLife.
func (s *Service) IssueToken(name string, life time.Duration) (string, error) {
	a, err := s.find(name)
	if err != nil {
		return "", err
	}
	if life < 0 {
		return "", fmt.Errorf("messenger: the life of a token must not be negative")
	}
	text := newToken()
	s.tokens.add(text, a, defaultTo(life, s.o.TokenLife))
	return text, nil
}

// AddToken makes a text of the caller's choice a token of an account. A life of 0 is for
// ever.
func (s *Service) AddToken(name, text string, life time.Duration) error {
	a, err := s.find(name)
	if err != nil {
		return err
	}
	if text == "" || life < 0 {
		return fmt.Errorf("messenger: a token must have a text and no negative life")
	}
	s.tokens.add(text, a, life)
	return nil
}

// RevokeToken refuses the token from now on and reports whether it was known. Streams that
// signed in with it stay up, or are closed when Options.CloseOnExpiry is set.
func (s *Service) RevokeToken(text string) bool {
	k := keyOf(text)
	known := s.tokens.revoke(k)
	if s.o.CloseOnExpiry {
		s.endWhere(func(c *client) bool { return c.token == k }, "not-authorized")
	}
	return known
}

func defaultTo[T comparable](v, def T) T {
	setDefault(&v, def)
	return v
}
