package sessions

import (
	"context"
	"encoding/hex"

	"github.com/perch-im/perch"
)

// Restore brings back every session whose sealed credential can be opened, and lets every
// token lead to its session again. Call it once, at start; it waits for the Store and not
// for the logins, which take their turn. The other sessions come back with the next
// request that brings their token. Without SealKeys it does nothing.
func (m *Manager) Restore(ctx context.Context) error {
	if len(m.o.SealKeys) == 0 {
		return nil
	}
	all, err := m.o.Store.Bindings(ctx)
	if err != nil {
		return storeError(err)
	}
	newest := map[ID]opened{}
	for _, b := range all {
		acc, at, ok := m.sealer.open(b.ID, b.Sealed)
		if old, had := newest[b.ID]; ok && (!had || at > old.at) {
			newest[b.ID] = opened{acc, at}
		}
	}
	n := 0
	for token, b := range all {
		o, ok := newest[b.ID]
		key, isKey := keyOf(token)
		if _, known := m.o.Upstreams[o.acc.Upstream]; !ok || !isKey || !known || b.replaced() {
			continue
		}
		_, created, err := m.open(b.ID, o.acc, key, true)
		if err != nil {
			return err
		}
		if created {
			n++
		}
	}
	m.log.Info("sessions are coming back", "count", n)
	return nil
}

// opened is a credential that was sealed.
type opened struct {
	acc perch.Account
	at  perch.Time
}

func keyOf(token string) (d digest, ok bool) {
	b, err := hex.DecodeString(token)
	if err != nil || len(b) != len(d) {
		return d, false
	}
	return digest(b), true
}
