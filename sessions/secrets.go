package sessions

import (
	"context"
	"crypto/hmac"
	"slices"
	"time"

	"github.com/perch-im/perch"
)

// hasher makes keyed hashes under one secret.
type hasher struct {
	secret []byte
	macs   macs
	mark   string // names the secret beside a token, and tells nothing about it
}

// markLength is that of a mark: enough to tell two secrets apart.
const markLength = 12

func newHasher(secret []byte) *hasher {
	h := &hasher{secret: secret}
	h.mark = h.hash("fingerprint").String()[:markLength]
	return h
}

// secretRing are the secrets that are known: the one in use first. More than one are known while the
// secret is rotated.
type secretRing []*hasher

func newRing(current []byte, previous [][]byte) secretRing {
	ring := secretRing{newHasher(current)}
	for _, secret := range previous {
		ring = append(ring, newHasher(secret))
	}
	return ring
}

// inUse is the same ring with one of its secrets first.
func (r secretRing) inUse(h *hasher) secretRing {
	first := secretRing{h}
	for _, other := range r {
		if other != h {
			first = append(first, other)
		}
	}
	return first
}

// agreeTime bounds the question to the Store.
const agreeTime = 5 * time.Second

// ring returns the secrets as they are in use now.
func (m *Manager) ring() secretRing { return *m.secrets.Load() }

// fingerprint is what the secret is known by among the nodes: a keyed hash of a constant, which says
// nothing about it.
func (h *hasher) fingerprint() string { return h.hash("fingerprint").String() }

// agree finds out which of the secrets of ring the nodes use, and returns it with that one first. All
// nodes use the same one, so that none binds anew what another has just bound. With lead this node has
// them use its own first one from now on: the other nodes learn that within secretEvery.
//
// The error is KindValidation when the nodes use a secret that is not known here: neither would find
// what the other has written, and both would sign the same accounts in.
func (m *Manager) agree(ctx context.Context, ring secretRing, lead bool) (secretRing, error) {
	var others []string
	if lead {
		for _, h := range ring[1:] {
			others = append(others, h.fingerprint())
		}
	}
	stored, err := m.o.Store.Agree(ctx, secretName, ring[0].fingerprint(), others...)
	if err != nil {
		return nil, storeError(err)
	}
	i := slices.IndexFunc(ring, func(h *hasher) bool { return h.fingerprint() == stored })
	if i < 0 {
		return nil, errOtherSecret
	}
	return ring.inUse(ring[i]), nil
}

// checkSecret is agree for the secrets in use; it notes what the nodes use by now.
func (m *Manager) checkSecret(ctx context.Context, lead bool) error {
	select {
	case m.changing <- struct{}{}:
		defer func() { <-m.changing }()
	case <-ctx.Done():
		return ctx.Err()
	}
	ctx, cancel := context.WithTimeout(ctx, agreeTime)
	defer cancel()
	ring, err := m.agree(ctx, m.settings().ring, lead)
	if err == nil {
		m.secrets.Store(&ring)
	}
	return err
}

// changeSecrets brings other secrets into use. The caller has the place in m.changing.
func (m *Manager) changeSecrets(was, now *settings) error {
	same := func(a, b [][]byte) bool { return slices.EqualFunc(a, b, hmac.Equal) }
	if hmac.Equal(was.Secret, now.Secret) && same(was.PreviousSecrets, now.PreviousSecrets) {
		now.ring = was.ring
		return nil
	}
	known := now.ring
	if !slices.ContainsFunc(known, func(h *hasher) bool { return hmac.Equal(h.secret, m.ring()[0].secret) }) {
		return perch.Invalid("PreviousSecrets", "the secret in use is neither the new one nor among those before it: clients would have to sign in again")
	}
	if m.nodes != nil {
		ctx, cancel := context.WithTimeout(m.ctx, agreeTime)
		defer cancel()
		var err error
		if known, err = m.agree(ctx, known, true); err != nil {
			return err
		}
	}
	m.secrets.Store(&known)
	return nil
}

// HopMAC authenticates what one node sends to another: HMAC-SHA256 under the common secret.
func (m *Manager) HopMAC(parts ...string) []byte {
	d := m.hash("hop", parts...)
	return d[:]
}

// CheckHopMAC reports whether mac is that of HopMAC, at a node that may use another secret while it is
// rotated.
func (m *Manager) CheckHopMAC(mac []byte, parts ...string) bool {
	for _, h := range m.ring() {
		if d := h.hash("hop", parts...); hmac.Equal(mac, d[:]) {
			return true
		}
	}
	return false
}
