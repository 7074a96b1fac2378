package sessions

import (
	"cmp"
	"slices"
	"strings"

	"github.com/perch-im/perch"
)

// MaxTokenPrefix is how many bytes Upstream.TokenPrefix may have.
const MaxTokenPrefix = 64

// tokenRoutes say which upstream an access token belongs to that no session has yet.
type tokenRoutes struct {
	prefixed []Upstream // with a prefix, the longest first
	takers   []string   // that take access tokens as bearers, by name
}

func newTokenRoutes(upstreams map[string]Upstream) (r tokenRoutes) {
	for name, u := range upstreams {
		if u.TokenBearer {
			r.takers = append(r.takers, name)
		}
		if u.TokenPrefix != "" {
			r.prefixed = append(r.prefixed, u)
		}
	}
	slices.Sort(r.takers)
	slices.SortFunc(r.prefixed, func(a, b Upstream) int {
		return cmp.Or(cmp.Compare(len(b.TokenPrefix), len(a.TokenPrefix)), cmp.Compare(a.TokenPrefix, b.TokenPrefix))
	})
	return r
}

// check names the wrong option.
func (r tokenRoutes) check() error {
	for i, u := range r.prefixed {
		switch {
		case !u.TokenBearer:
			return perch.Invalid("Upstreams", "TokenPrefix is of access tokens, which %q does not take", u.Name)
		case strings.HasPrefix(u.TokenPrefix, TokenPrefix) || len(u.TokenPrefix) > MaxTokenPrefix:
			return perch.Invalid("Upstreams", "TokenPrefix must have at most %d bytes, and not begin as the tokens that are minted here", MaxTokenPrefix)
		case i > 0 && r.prefixed[i-1].TokenPrefix == u.TokenPrefix:
			return perch.Invalid("Upstreams", "two have the same TokenPrefix")
		}
	}
	return nil
}

// owner is the upstream whose prefix an access token begins with, or "".
func (r tokenRoutes) owner(token perch.Secret) string {
	for _, u := range r.prefixed {
		if strings.HasPrefix(token.Reveal(), u.TokenPrefix) {
			return u.Name
		}
	}
	return ""
}

// only reports whether no other upstream than this one takes access tokens.
func (r tokenRoutes) only(upstream string) bool {
	return len(r.takers) == 0 || len(r.takers) == 1 && r.takers[0] == upstream
}

// upstreamOfToken is the upstream of an access token whose client names none.
func (x *settings) upstreamOfToken(token perch.Secret) string {
	return cmp.Or(x.tokens.owner(token), x.DefaultUpstream)
}

// tokenFits refuses a token at an upstream when it begins as those of another one: it is shown to nobody else.
func (x *settings) tokenFits(field, upstream string, token perch.Secret) error {
	if owner := x.tokens.owner(token); owner != "" && owner != upstream {
		return perch.Invalid(field, "the token begins as those of the upstream %q, and goes to no other", owner)
	}
	return nil
}
