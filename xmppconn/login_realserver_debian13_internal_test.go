//go:build debian13

package xmppconn

import (
	"context"
	"slices"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/canary"
)

// TestOneStepOnRealServers: SASL2, Bind 2 and stream management in one request, bound to the connection by
// tls-exporter; the stream is resumed with the next login.
func TestOneStepOnRealServers(t *testing.T) {
	for _, n := range newServers {
		t.Run(n.name, func(t *testing.T) {
			r := newRealLogin(t, n)
			l := r.run(nil)
			if l.success == nil || !l.bound() || l.success.Enabled == nil {
				t.Fatalf("got %+v, want a login that has bound a resource and a stream that can be resumed", l.success)
			}
			if got := l.c.Login(); got.Mechanism != n.mechanism || !got.Capabilities.StreamResume || got.JID.Bare() != r.acc.JID {
				t.Errorf("got %s by %s, resumable %v; want %s by %s, true", got.JID, got.Mechanism, got.Capabilities.StreamResume, r.acc.JID, n.mechanism)
			}
			if !slices.Contains(l.offer.Bindings, "tls-exporter") || !l.offer.SASL2.Enables(nsCarbons) {
				t.Errorf("got the offer %+v, want tls-exporter, and carbons with the bind", l.offer)
			}
			state := l.c.StreamState()
			l.c.Abort()
			again := r.run(state)
			if !again.c.Login().Resumed || again.c.Login().JID != l.c.Login().JID || again.success.Resumed == nil {
				t.Errorf("got %+v resumed %v, %v with the login; want %s resumed with the login", again.c.Login(), again.c.Login().Resumed, again.success.Resumed != nil, l.c.Login().JID)
			}
		})
	}
}

// TestTokenOnRealServers: the token of one login signs in the next in place of the password, until it is ended.
func TestTokenOnRealServers(t *testing.T) {
	for _, n := range newServers {
		t.Run(n.name, func(t *testing.T) {
			r := newRealLogin(t, n)
			l := r.run(nil)
			first := l.c.Login().Fast
			t.Logf("offered %q", l.offer.SASL2.Fast)
			if first.Mechanism != n.fast || first.IsZero() {
				t.Fatalf("got a token of %q (the server has %q), want one of %q", first.Mechanism, l.offer.SASL2.Fast, n.fast)
			}
			password := r.acc.Password
			r.acc.Password, r.acc.Fast, r.acc.Proved = perch.NewSecret(canary.Secret()), first, l.c.Login().Mechanism // a wrong one
			r.acc.Fast.Count = 1
			again := r.run(nil)
			if r.d.counters.TokenSignIns.Load() != 1 || again.c.Login().Mechanism != "" || !again.bound() {
				t.Errorf("got %d logins by token, mechanism %q, bound %v; want 1, none, true", r.d.counters.TokenSignIns.Load(), again.c.Login().Mechanism, again.bound())
			}
			r.acc.Fast = again.c.Login().Fast
			r.acc.Fast.Count = 2
			if err := r.d.EndToken(context.Background(), r.acc); err != nil {
				t.Errorf("EndToken(): got error %v, want none", err)
			}
			r.acc.Fast.Count = 3
			if _, err := r.d.Dial(context.Background(), r.acc, nil); perch.KindOf(err) != perch.KindUnauthorized {
				t.Errorf("Dial() with a token that was ended, and a wrong password: got error %v, want %s", err, perch.KindUnauthorized)
			}
			r.acc.Password = password
			last := r.run(nil)
			if last.c.Login().Mechanism != n.mechanism || r.d.counters.TokensRefused.Load() == 0 {
				t.Errorf("got the mechanism %q after %d tokens were refused, want %s, and some", last.c.Login().Mechanism, r.d.counters.TokensRefused.Load(), n.mechanism)
			}
		})
	}
}
