package sessions_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/sessions"
)

// several are upstreams that take access tokens: two are told by prefixes, of which one begins as the other.
func several(o *sessions.Options) {
	for _, u := range []sessions.Upstream{
		{Name: "today", TokenBearer: true, TokenPrefix: canary.Mark + "today-"},
		{Name: "tomorrow", TokenBearer: true, TokenPrefix: canary.Mark + "today-next-"},
		{Name: "partner", TokenBearer: true, Domain: "partner.test"},
	} {
		o.Upstreams[u.Name] = u
	}
}

func accessToken(text string) perch.Secret { return perch.NewSecret(canary.Mark + text) }

// at is the context of a request that names an upstream; "" names none.
func (w *world) at(name string) context.Context {
	if name == "" {
		return w.ctx()
	}
	return sessions.AtUpstream(w.ctx(), "?upstream", name)
}

// TestTokenFindsItsUpstream: the longest prefix decides, else what the request names, else the default; and a
// token that begins as those of one upstream is shown to no other.
func TestTokenFindsItsUpstream(t *testing.T) {
	for name, tt := range map[string]struct {
		token, named string
		want         string // the upstream, or the field of the error
		kind         perch.Kind
	}{
		"nothing says whose it is":      {token: "opaque", want: "net"},
		"its prefix":                    {token: "today-ada", want: "today"},
		"the longer of two prefixes":    {token: "today-next-ada", want: "tomorrow"},
		"the prefix alone":              {token: "today-", want: "today"},
		"less than a prefix":            {token: "today", want: "net"},
		"a prefix in another case":      {token: "Today-ada", want: "net"},
		"its name":                      {token: "opaque", named: "partner", want: "partner"},
		"the name of the default":       {token: "opaque", named: "net", want: "net"},
		"prefix and name":               {token: "today-ada", named: "today", want: "today"},
		"a name against the prefix":     {token: "today-ada", named: "net", want: "?upstream", kind: perch.KindValidation},
		"a name that is not configured": {token: "opaque", named: "nowhere", want: "?upstream", kind: perch.KindValidation},
		"one that takes no tokens":      {token: "opaque", named: "named", want: `"named"`, kind: perch.KindUnauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				s, err := w.m.Authenticate(w.at(tt.named), accessToken(tt.token))
				if tt.kind != "" {
					if kindOf(t, err, tt.kind); !strings.Contains(err.Error(), tt.want) || w.up.logins() != 0 {
						t.Errorf("Authenticate: got error %v after %d logins, want one that names %s, and none", err, w.up.logins(), tt.want)
					}
					return
				}
				must(t, "Authenticate", err)
				if got, sent := s.Info().Upstream, w.up.Dials()[0].Account.Token; got != tt.want || sent != accessToken(tt.token) {
					t.Errorf("got a session at %s, and as it is sent: %v; want %s, the whole token", got, sent == accessToken(tt.token), tt.want)
				}
			}, several)
		})
	}
}

// TestTokenStaysAtItsUpstream: once a token has a session it leads there without a name, also after a restart and
// when the settings send others like it elsewhere; another name is refused by its field.
func TestTokenStaysAtItsUpstream(t *testing.T) {
	inWorld(t, func(w *world) {
		token := accessToken("opaque")
		s, err := w.m.Authenticate(w.at("partner"), token)
		must(t, "Authenticate", err)
		synctest.Wait()
		id := s.ID()
		check := func(when string) {
			t.Helper()
			got, err := w.m.Authenticate(w.ctx(), token)
			must(t, "Authenticate "+when, err)
			if got.ID() != id || got.Info().Upstream != "partner" {
				t.Fatalf("%s: got the session %s at %s, want %s at partner", when, got.ID().Short(), got.Info().Upstream, id.Short())
			}
			if w.m.Live(w.ctx(), token) != got || !w.m.Knows(w.ctx(), token) {
				t.Errorf("%s: want the token to be live and known", when)
			}
			if a, err := w.m.Access(w.ctx(), got, token); err != nil || a.Restricted() {
				t.Errorf("Access %s: got %+v, error %v, want everything", when, a, err)
			}
			_, err = w.m.Authenticate(w.at("net"), token)
			if kindOf(t, err, perch.KindValidation); !strings.Contains(err.Error(), "?upstream") || !strings.Contains(err.Error(), "partner") {
				t.Errorf("another name %s: got error %v, want one with the field and partner", when, err)
			}
			if err := sessions.CheckUpstream(w.at("net"), got); perch.KindOf(err) != perch.KindValidation {
				t.Errorf("CheckUpstream %s: got error %v, want kind %s", when, err, perch.KindValidation)
			}
			if err := sessions.CheckUpstream(w.at("partner"), got); err != nil {
				t.Errorf("CheckUpstream %s with the right name: got error %v, want none", when, err)
			}
			synctest.Wait()
		}
		check("while it lives")
		w.restart()
		check("after a restart")
		must(t, "Reconfigure", w.m.Reconfigure(func(o *sessions.Options) {
			u := o.Upstreams["net"]
			u.TokenPrefix = token.Reveal()
			o.Upstreams["net"] = u
		}))
		check("with a prefix that is another's now")
		if n := w.up.logins(); n != 2 {
			t.Errorf("got %d logins, want one for each process", n)
		}
	}, several, durable)
}

// lookups counts how often the Store is asked about a token.
type lookups struct {
	sessions.Store
	n int
}

func (l *lookups) Lookup(ctx context.Context, token string) (sessions.Binding, error) {
	l.n++
	return l.Store.Lookup(ctx, token)
}

// TestTokenIsLookedUpOnce: whose a token is takes one look-up for each upstream that may have it, which its session
// is opened by as well; and one that leads nowhere takes none when it comes again, also where the default upstream
// takes no access tokens.
func TestTokenIsLookedUpOnce(t *testing.T) {
	count := &lookups{}
	inWorld(t, func(w *world) {
		authenticate := func(when, named string, token perch.Secret, want int, kind perch.Kind) {
			t.Helper()
			before := count.n
			if _, err := w.m.Authenticate(w.at(named), token); kind != "" {
				kindOf(t, err, kind)
			} else {
				must(t, "Authenticate "+when, err)
			}
			synctest.Wait()
			if got := count.n - before; got != want {
				t.Errorf("%s: got %d look-ups, want %d", when, got, want)
			}
		}
		_, err := w.m.Authenticate(w.at("net"), accessToken("opaque"))
		must(t, "Authenticate", err)
		w.restart()
		authenticate("of the second of five", "", accessToken("opaque"), 2, "")
		authenticate("one that leads nowhere", "", accessToken("junk"), 5, perch.KindUnauthorized)
		authenticate("the same again", "", accessToken("junk"), 0, perch.KindUnauthorized)
		authenticate("the same at an upstream that takes it", "partner", accessToken("junk"), 4, "")
		w.store.set(func(s *store) { s.down = errDown })
		authenticate("while the Store is down", "", accessToken("other"), 1, perch.KindStorageUnavailable)
	}, several, durable, func(o *sessions.Options) {
		o.DefaultUpstream, count.Store = "named", o.Store
		o.Store = count
	})
}

// TestTokenOfAnotherNodeStaysAtItsUpstream: a node that has no session of the token finds the one that has.
func TestTokenOfAnotherNodeStaysAtItsUpstream(t *testing.T) {
	inCluster(t, 2, func(c *cluster) {
		a, b := c.nodes[0], c.nodes[1]
		_, err := a.Authenticate(c.at("partner"), goodToken)
		must(t, "Authenticate", err)
		synctest.Wait()
		c.wantElsewhere(b, goodToken, a)
		b.cutOff(linkLost)
		c.wantElsewhere(b, goodToken, a) // as it was known last
		pass(3 * time.Second)
		c.wantElsewhere(b, goodToken, a)
		b.cutOff(nil)
		b.LookAgain(c.ctx(), goodToken)
		c.wantElsewhere(b, goodToken, a)
		if n := c.up.logins(); n != 1 {
			t.Errorf("got %d logins, want 1: the token is shown to nobody else", n)
		}
	}, several)
}

// TestSignInByPrefix: the prefix decides for a token in a body, too, before the domain of a JID does.
func TestSignInByPrefix(t *testing.T) {
	for name, tt := range map[string]struct {
		acc  perch.Account
		want string // the upstream, or the field of the error
	}{
		"a token alone":              {perch.Account{Token: accessToken("today-ada")}, "today"},
		"with a JID":                 {perch.Account{Token: accessToken("today-ada"), JID: alice}, "today"},
		"with its name":              {perch.Account{Token: accessToken("today-ada"), Upstream: "today"}, "today"},
		"against another name":       {perch.Account{Token: accessToken("today-ada"), Upstream: "partner"}, "/upstream"},
		"with a JID of another one":  {perch.Account{Token: accessToken("today-next-ada"), JID: "ada@partner.test"}, "tomorrow"},
		"a JID of the named one":     {perch.Account{Token: accessToken("opaque"), JID: "ada@partner.test"}, "partner"},
		"a password that begins so":  {perch.Account{Password: accessToken("today-ada"), JID: alice}, "net"},
		"another, of the default":    {perch.Account{Token: accessToken("opaque")}, "net"},
		"another, of a named one":    {perch.Account{Token: accessToken("opaque"), Upstream: "partner"}, "partner"},
		"one that is not configured": {perch.Account{Token: accessToken("opaque"), Upstream: "nowhere"}, "/upstream"},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				_, s, _, err := w.m.SignIn(w.ctx(), tt.acc)
				if strings.HasPrefix(tt.want, "/") {
					if kindOf(t, err, perch.KindValidation); !strings.Contains(err.Error(), tt.want) || w.up.logins() != 0 {
						t.Errorf("SignIn: got error %v after %d logins, want one that names %s, and none", err, w.up.logins(), tt.want)
					}
					return
				}
				must(t, "SignIn", err)
				if got := s.Info().Upstream; got != tt.want {
					t.Errorf("got a session at %s, want %s", got, tt.want)
				}
			}, several)
		})
	}
}

// TestReplacementStaysAtItsUpstream: a token that begins as those of another upstream replaces none of this one.
func TestReplacementStaysAtItsUpstream(t *testing.T) {
	inWorld(t, func(w *world) {
		s, err := w.m.Authenticate(w.ctx(), accessToken("today-ada"))
		must(t, "Authenticate", err)
		err = w.m.ReplaceCredentials(w.ctx(), s, perch.Account{Token: accessToken("today-next-ada")})
		if kindOf(t, err, perch.KindValidation); !strings.Contains(err.Error(), "/token") || len(w.up.Verified()) != 0 {
			t.Errorf("ReplaceCredentials: got error %v, asked %d times, want one that names /token, and never", err, len(w.up.Verified()))
		}
		must(t, "ReplaceCredentials", w.m.ReplaceCredentials(w.ctx(), s, perch.Account{Token: accessToken("today-ada-2")}))
		if got, err := w.m.Authenticate(w.ctx(), accessToken("today-ada-2")); err != nil || got != s {
			t.Errorf("Authenticate with the fresh token: got session %p, error %v, want %p", got, err, s)
		}
	}, several)
}

// TestTokenPrefixIsChecked: what cannot decide is refused at the start, and by Reconfigure.
func TestTokenPrefixIsChecked(t *testing.T) {
	for name, u := range map[string]sessions.Upstream{
		"that of another upstream": {Name: "new", TokenBearer: true, TokenPrefix: canary.Mark + "today-"},
		"that of minted tokens":    {Name: "new", TokenBearer: true, TokenPrefix: "perch_"},
		"as minted tokens begin":   {Name: "new", TokenBearer: true, TokenPrefix: "perch_new"},
		"one that is too long":     {Name: "new", TokenBearer: true, TokenPrefix: strings.Repeat("x", sessions.MaxTokenPrefix+1)},
		"of one that takes none":   {Name: "new", TokenPrefix: "new-"},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				kindOf(t, w.m.Reconfigure(func(o *sessions.Options) {
					o.Upstreams = map[string]sessions.Upstream{"net": o.Upstreams["net"], "today": o.Upstreams["today"], "new": u}
				}), perch.KindValidation)
			}, several)
		})
	}
}
