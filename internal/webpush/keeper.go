package webpush

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/perch-im/perch"
)

// Agreement is the part of a Store that has one value of a name for all nodes: Agree writes value unless there
// is one that is none of instead, and returns the one that is there.
type Agreement interface {
	Agree(ctx context.Context, name, value string, instead ...string) (string, error)
}

// agreedName is the name of the key in the Store.
const agreedName = "vapid"

// Keeper has the key that a node signs with. It is safe for concurrent use.
type Keeper struct {
	store Agreement
	key   atomic.Pointer[Key] // in use
	kept  atomic.Pointer[Key] // that of the Store, as far as it was asked: one of the operator is never written there
}

// NewKeeper makes a keeper that has no key yet.
func NewKeeper(store Agreement) *Keeper { return &Keeper{store: store} }

// Key returns the key in use; nil: there is none yet.
func (k *Keeper) Key() *Key { return k.key.Load() }

// Use has a key of the operator used from now on.
func (k *Keeper) Use(key *Key) { k.key.Store(key) }

// Keep has the key of the Store used from now on, which all nodes use, and makes one where there is none. It
// lies there sealed with the first of secrets; the others open it, too, while the secret is rotated. What
// none of them opens is replaced, and replaced is true: the subscriptions of before are lost then. Call it now
// and then: a key that no node asks for is forgotten in the end, as sessions are.
func (k *Keeper) Keep(ctx context.Context, secrets ...perch.Secret) (replaced bool, err error) {
	by, err := sealersOf(secrets)
	if err != nil {
		return false, err
	}
	key := k.kept.Load()
	if key == nil {
		if key, err = NewKey(); err != nil {
			return false, err
		}
	}
	var instead []string
	for range keepTries {
		offer := sealKey(by[0], key)
		stored, err := k.store.Agree(ctx, agreedName, offer, instead...)
		if err != nil {
			return false, fmt.Errorf("webpush: %w", err)
		}
		found, first := key, true
		if stored != offer {
			found, first = openKey(by, stored)
		}
		if found != nil && first {
			k.kept.Store(found)
			k.key.Store(found)
			_, err = k.store.Agree(ctx, agreedName, stored) // it lives on
			return replaced, err
		}
		instead, replaced = []string{stored}, found == nil
		if found != nil {
			key = found // to be sealed anew
		}
	}
	return false, errors.New("webpush: the key in the store changes all the time: do all nodes have the same secret?")
}

// keepTries is more than two nodes that seal anew at once need.
const keepTries = 4

// sealersOf has a key of AES-256 for each secret: one for this use alone.
func sealersOf(secrets []perch.Secret) ([]cipher.AEAD, error) {
	list := make([]cipher.AEAD, len(secrets))
	for i, secret := range secrets {
		key, err := hkdf.Key(sha256.New, []byte(secret.Reveal()), nil, "perch VAPID key", 32)
		if err != nil {
			return nil, fmt.Errorf("webpush: %w", err)
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, fmt.Errorf("webpush: %w", err)
		}
		if list[i], err = cipher.NewGCM(block); err != nil {
			return nil, fmt.Errorf("webpush: %w", err)
		}
	}
	return list, nil
}

// sealVersion is the first byte of what is sealed.
const sealVersion = 1

func sealKey(by cipher.AEAD, key *Key) string {
	out := make([]byte, 1+by.NonceSize())
	out[0] = sealVersion
	rand.Read(out[1:])
	return base64.RawURLEncoding.EncodeToString(by.Seal(out, out[1:], []byte(key.Private().Reveal()), []byte(agreedName)))
}

// openKey is the reverse of sealKey with any of the sealers, and reports whether it was the first. nil: none opens it.
func openKey(by []cipher.AEAD, text string) (key *Key, first bool) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(raw) == 0 || raw[0] != sealVersion {
		return nil, false
	}
	for i, aead := range by {
		n := 1 + aead.NonceSize()
		if len(raw) < n {
			return nil, false
		}
		plain, err := aead.Open(nil, raw[1:n], raw[n:], []byte(agreedName))
		if err != nil {
			continue
		}
		if key, err = ParseKey(string(plain)); err == nil {
			return key, i == 0
		}
	}
	return nil, false
}
