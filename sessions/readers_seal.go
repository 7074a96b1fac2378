package sessions

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"slices"
	"time"

	"github.com/perch-im/perch"
)

// readerSecrets are what nobody may read who has the Store alone.
type readerSecrets struct {
	URL     string          `json:"u"`
	P256DH  string          `json:"p,omitempty"`
	Auth    string          `json:"a,omitempty"`
	Signing []signingSecret `json:"s,omitempty"` // of a webhook, the newest first
}

// signingSecret signs the calls of a webhook.
type signingSecret struct {
	Text  string     `json:"t"`
	Until perch.Time `json:"e,omitzero"` // 0: until it is rotated
}

// rotatedFor is how long calls are signed with the secret of before, too.
const rotatedFor = 24 * time.Hour

// signingPrefix begins every secret of a webhook, as Standard Webhooks has it.
const signingPrefix = "whsec_"

func newSigningSecret() perch.Secret {
	var b [32]byte
	rand.Read(b[:])
	return perch.NewSecret(signingPrefix + base64.StdEncoding.EncodeToString(b[:]))
}

// rotate puts a new secret before the one in use, which ends some time later.
func (s *readerSecrets) rotate(fresh perch.Secret, now perch.Time) {
	list := []signingSecret{{Text: fresh.Reveal()}}
	if len(s.Signing) > 0 {
		list = append(list, signingSecret{s.Signing[0].Text, perch.At(now.Time().Add(rotatedFor))})
	}
	s.Signing = list
}

// valid are the secrets that calls are signed with at a moment.
func (s *readerSecrets) valid(now perch.Time) []perch.Secret {
	var list []perch.Secret
	for _, x := range s.Signing {
		if x.Until == 0 || now < x.Until {
			list = append(list, perch.NewSecret(x.Text))
		}
	}
	return list
}

func (s *readerSecrets) target() perch.ReaderTarget {
	return perch.ReaderTarget{URL: s.URL, P256DH: s.P256DH, Auth: s.Auth}
}

// readerSealer seals with the operator's keys, and where there are none with one that is made of the secret
// in use. What was sealed in the other way opens as well: keys may come and go.
func (m *Manager) readerSealer() (*sealer, error) {
	keys := slices.Clip(m.settings().SealKeys)
	for _, h := range m.ring() {
		key, err := hkdf.Key(sha256.New, h.secret, nil, "perch readers", sealKeyLen)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return newSealer(keys)
}

// sealReader implements readerKeys.
func (m *Manager) sealReader(id ID, key string, x readerSecrets) ([]byte, error) {
	plain, err := json.Marshal(x)
	if err != nil {
		return nil, err
	}
	s, err := m.readerSealer()
	if err != nil {
		return nil, err
	}
	return s.sealBytes(readerSeal(id, key), plain), nil
}

// openReader implements readerKeys.
func (m *Manager) openReader(id ID, key string, b []byte) (x readerSecrets, current, ok bool) {
	s, err := m.readerSealer()
	if err != nil {
		return x, false, false
	}
	plain, by := s.openBytes(readerSeal(id, key), b)
	if by < 0 || json.Unmarshal(plain, &x) != nil {
		return readerSecrets{}, false, false
	}
	return x, by == 0, true
}

// readerSeal is what the secrets of a reader are bound to: they open for no other one.
func readerSeal(id ID, key string) ID { return id + " reader " + ID(key) }
