package sessions_test

import (
	"strings"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// TestSignInFindsTheUpstream: without a name the domain of the JID decides; a JID of another domain
// than that of the upstream that was named is refused with the field, before anything is dialled.
func TestSignInFindsTheUpstream(t *testing.T) {
	domain := alice.Domain()
	for name, tt := range map[string]struct {
		upstream string
		jid      perch.JID
		want     string // the upstream, or the field that the error names
	}{
		"by the domain":                 {"", alice, "named"},
		"in another spelling":           {"", perch.JID(alice.Local() + "@" + strings.ToUpper(domain)), "named"},
		"by its name":                   {"named", alice, "named"},
		"of another domain by its name": {"other", alice, "/jid"},
		"one that is not there":         {"nowhere", alice, "/upstream"},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				acc := password("good")
				acc.Upstream, acc.JID = tt.upstream, tt.jid
				_, s, _, err := w.m.SignIn(w.ctx(), acc)
				if strings.HasPrefix(tt.want, "/") {
					if kindOf(t, err, perch.KindValidation); !strings.Contains(err.Error(), tt.want) || w.up.logins() != 0 {
						t.Errorf("SignIn: got error %v, %d logins, want one that names %s, and none", err, w.up.logins(), tt.want)
					}
					return
				}
				if err != nil {
					t.Fatalf("SignIn: got error %v, want none", err)
				}
				if got := s.Info().Upstream; got != tt.want {
					t.Errorf("got a session at %s, want %s", got, tt.want)
				}
				if got, want := w.m.AccountKey(tt.upstream, tt.jid), w.m.AccountKey(tt.want, tt.jid); got != want {
					t.Errorf("AccountKey of %q: got %s, want that of %s, %s: one account has one limit of guesses", tt.upstream, got, tt.want, want)
				}
			}, func(o *sessions.Options) {
				o.Upstreams["named"] = sessions.Upstream{Name: "named", Domain: domain, NeedsJID: true}
				o.Upstreams["other"] = sessions.Upstream{Name: "other", Domain: "other.test", NeedsJID: true}
				o.DefaultUpstream = "other"
			})
		})
	}
}
