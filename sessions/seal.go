package sessions

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/json"
	"fmt"

	"github.com/perch-im/perch"
)

// sealer encrypts credentials for the Store with AES-256-GCM. The session's id is the
// associated data: a sealed credential that is moved to another session does not open.
type sealer struct {
	keys []cipher.AEAD // the first seals, all open
}

// sealVersion is the first byte of what is sealed.
const sealVersion = 1

// sealed is the plain form. Its fields are text because perch.Secret never encodes itself.
type sealed struct {
	Upstream  string    `json:"u"`
	JID       perch.JID `json:"j,omitempty"`
	Password  string    `json:"p,omitempty"`
	Token     string    `json:"t,omitempty"`
	Mechanism string    `json:"m,omitempty"`
	Resource  string    `json:"r,omitempty"`
	// At orders the credentials of one session: the newest one counts.
	At perch.Time `json:"a"`
}

func newSealer(keys [][]byte) (*sealer, error) {
	s := &sealer{}
	for _, k := range keys {
		block, err := aes.NewCipher(k)
		if err != nil {
			return nil, fmt.Errorf("seal key: %w", err)
		}
		gcm, err := cipher.NewGCM(block)
		if err != nil {
			return nil, fmt.Errorf("seal key: %w", err)
		}
		s.keys = append(s.keys, gcm)
	}
	return s, nil
}

// seal returns nil when there is no key: then the credential is not stored.
func (s *sealer) seal(id ID, a perch.Account, at perch.Time) []byte {
	if len(s.keys) == 0 {
		return nil
	}
	plain, err := json.Marshal(sealed{a.Upstream, a.JID, a.Password.Reveal(), a.Token.Reveal(), a.Mechanism, a.Resource, at})
	if err != nil {
		return nil
	}
	return s.sealBytes(id, plain)
}

// sealBytes seals with the first key, which there must be.
func (s *sealer) sealBytes(id ID, plain []byte) []byte {
	gcm := s.keys[0]
	out := make([]byte, 1+gcm.NonceSize(), 1+gcm.NonceSize()+len(plain)+gcm.Overhead())
	out[0] = sealVersion
	rand.Read(out[1:])
	return gcm.Seal(out, out[1:], plain, []byte(id))
}

// first reports whether b was sealed with the first key.
func (s *sealer) first(id ID, b []byte) bool {
	_, by := s.openBytes(id, b)
	return by == 0
}

// open is the reverse of seal with any of the keys; ok is false when none fits.
func (s *sealer) open(id ID, b []byte) (a perch.Account, at perch.Time, ok bool) {
	plain, by := s.openBytes(id, b)
	var p sealed
	if by < 0 || json.Unmarshal(plain, &p) != nil {
		return a, 0, false
	}
	return perch.Account{Upstream: p.Upstream, JID: p.JID, Password: perch.NewSecret(p.Password),
		Token: perch.NewSecret(p.Token), Mechanism: p.Mechanism, Resource: p.Resource}, p.At, true
}

// openBytes is the reverse of sealBytes, and says by which of the keys; -1: none fits.
func (s *sealer) openBytes(id ID, b []byte) (plain []byte, by int) {
	for by, gcm := range s.keys {
		n := 1 + gcm.NonceSize()
		if len(b) < n || b[0] != sealVersion {
			break
		}
		if plain, err := gcm.Open(nil, b[1:n], b[n:], []byte(id)); err == nil {
			return plain, by
		}
	}
	return nil, -1
}
