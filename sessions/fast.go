package sessions

import (
	"context"
	"errors"
	"time"

	"github.com/perch-im/perch"
)

// StoredFast is the token of a session as its record has it, see [perch.FastToken].
type StoredFast struct {
	Mechanism string     `json:"mechanism"`
	Sealed    []byte     `json:"sealed"` // the token, encrypted as a credential is
	Count     uint64     `json:"count,omitempty"`
	Expires   perch.Time `json:"expires,omitempty"`
}

// tokenSeals encrypts the token of a session for the Store, and opens it; nil where the operator gave no
// key for that, or none that fits.
type tokenSeals interface {
	sealToken(id ID, token perch.Secret) []byte
	openToken(id ID, sealed []byte) perch.Secret
}

// fast is the token that signs a session in in the place of its password (XEP-0484). It belongs to the
// password that it was given for, and goes when that is replaced. It belongs to the owner.
type fast struct {
	state *savedState
	seals tokenSeals
	id    ID
	token perch.FastToken // zero: there is none
}

// restore takes over what the record has. One that does not open is none: the password signs in.
func (f *fast) restore() {
	r := f.state.Fast
	if r == nil {
		return
	}
	if token := f.seals.openToken(f.id, r.Sealed); !token.IsZero() {
		f.token = perch.FastToken{Mechanism: r.Mechanism, Token: token, Count: r.Count, Expires: r.Expires}
	}
}

// next is the token for a login, which counts.
func (f *fast) next() perch.FastToken {
	if !f.token.IsZero() {
		f.token.Count++
	}
	return f.token
}

// keep takes over what a login has left: another token, the same one, or none.
func (f *fast) keep(t perch.FastToken) {
	if t.IsZero() && f.token.IsZero() && f.state.Fast == nil {
		return
	}
	f.token = t
	f.store()
}

// drop ends the use of the token.
func (f *fast) drop() { f.keep(perch.FastToken{}) }

// store seals the token with the first key, and has the record written. A session that was never online
// has none yet: it is written when the login is over.
func (f *fast) store() {
	f.state.Fast = nil
	if sealed := f.seals.sealToken(f.id, f.token.Token); sealed != nil {
		f.state.Fast = &StoredFast{Mechanism: f.token.Mechanism, Sealed: sealed, Count: f.token.Count, Expires: f.token.Expires}
	}
	if f.state.known() {
		f.state.saveRecord()
	}
}

// sealAgain is store after another key has come into use.
func (f *fast) sealAgain() {
	if !f.token.IsZero() {
		f.store()
	}
}

// sealToken implements tokenSeals.
func (m *Manager) sealToken(id ID, token perch.Secret) []byte {
	if token.IsZero() {
		return nil
	}
	return m.settings().sealer.seal(tokenSeal(id), perch.Account{Token: token}, 0)
}

// openToken implements tokenSeals.
func (m *Manager) openToken(id ID, sealed []byte) perch.Secret {
	acc, _, _ := m.settings().sealer.open(tokenSeal(id), sealed)
	return acc.Token
}

// tokenSeal is what the token of a session is bound to: it does not open as its credential.
func tokenSeal(id ID) ID { return id + " token" }

// endTokenTime bounds the end of a token, which nobody waits for.
const endTokenTime = 10 * time.Second

// endToken has the upstream end a token that is not used any more, if it can be asked just now: else the
// token ends by itself, and nobody has it.
func (m *Manager) endToken(ctx context.Context, acc perch.Account) {
	if acc.Fast.IsZero() || m.o.EndToken == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, endTokenTime)
	defer cancel()
	free, err := m.loginSlot(ctx, acc.Upstream)
	if err == nil {
		err = m.o.EndToken(ctx, acc)
		free()
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		m.log.Debug("token of a session not ended at the upstream", "upstream", acc.Upstream, "error", err)
	}
}
