package sessions

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"strings"
	"sync"

	"github.com/perch-im/perch"
)

// TokenPrefix begins every token that we mint. An upstream's token that begins so is not
// passed through.
const TokenPrefix = "perch_"

// digest is a keyed hash of a credential: what the Manager and the Store know it by.
type digest [sha256.Size]byte

func (d digest) String() string { return hex.EncodeToString(d[:]) }

// digestOf reads what String has written.
func digestOf(text string) (d digest, ok bool) {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != len(d) {
		return d, false
	}
	return digest(b), true
}

// hash is HMAC-SHA256 under the secret. Parts are separated so that no two lists of parts
// are alike; label says what the hash is for, so that hashes of different uses never meet.
func (h *hasher) hash(label string, parts ...string) digest {
	k := h.macs.get(h.secret)
	defer h.macs.put(k)
	k.b = append(k.b, label...)
	for _, p := range parts {
		k.b = binary.LittleEndian.AppendUint64(k.b, uint64(len(p)))
		k.b = append(k.b, p...)
	}
	k.h.Write(k.b)
	return digest(k.h.Sum(k.sum[:0]))
}

// hash is that of the secret in use.
func (m *Manager) hash(label string, parts ...string) digest {
	return m.ring()[0].hash(label, parts...)
}

// macs are states of HMAC-SHA256 to use again: every request hashes its token.
type macs struct{ pool sync.Pool }

// mac is one state, and the memory for what it hashes.
type mac struct {
	h   hash.Hash
	b   []byte
	sum [sha256.Size]byte
}

func (p *macs) get(secret []byte) *mac {
	if k, ok := p.pool.Get().(*mac); ok {
		return k
	}
	return &mac{h: hmac.New(sha256.New, secret)}
}

// maxMAC is how much memory a state may have to be used again, in bytes.
const maxMAC = 16 << 10

// put takes a state back. The memory has had a credential in it.
func (p *macs) put(k *mac) {
	clear(k.b)
	k.h.Reset()
	if k.b = k.b[:0]; cap(k.b) <= maxMAC {
		p.pool.Put(k)
	}
}

// tokenKey is the hash of a token that we minted.
func (h *hasher) tokenKey(token string) digest { return h.hash("token", token) }

// accountKey is the hash of an account with its credential, under the secret in use.
func (m *Manager) accountKey(a perch.Account) digest { return m.ring()[0].accountKey(a) }

// accountKey is the hash of an account with its credential. A pass-through access token is
// an account without a JID.
func (h *hasher) accountKey(a perch.Account) digest {
	kind, secret := "token", a.Token
	if !a.Password.IsZero() {
		kind, secret = "password", a.Password
	}
	return h.hash("account", a.Upstream, string(a.JID), a.Resource, kind, secret.Reveal())
}

// idOf is the session that a credential opens when it leads to none yet.
func (m *Manager) idOf(key digest) ID {
	d := m.hash("session", string(key[:]))
	return ID(hex.EncodeToString(d[:16]))
}

// messageID makes a stanza id from an idempotency key, so that the same key gives the same
// id whatever happens in between; without a key it is random.
func (m *Manager) messageID(id ID, key string) string {
	if key == "" {
		return rand.Text()
	}
	d := m.hash("message", string(id), key)
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(d[:16]))
}

// mint makes a token of 256 random bits.
func mint() perch.Secret {
	var b [32]byte
	rand.Read(b[:])
	return perch.NewSecret(TokenPrefix + base64.RawURLEncoding.EncodeToString(b[:]))
}
