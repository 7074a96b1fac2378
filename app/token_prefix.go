package app

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/perch-im/perch/sessions"
)

// checkTokenPrefix names the wrong setting. Owners are the upstreams before u, by their prefix, to which it is added.
func (u Upstream) checkTokenPrefix(owners map[string]string) error {
	p := u.TokenPrefix
	if p == "" {
		return nil
	}
	other, taken := owners[p]
	owners[p] = u.Name
	switch {
	case u.TokenMechanism == "":
		return fmt.Errorf("token-prefix goes with token-mechanism, by which the access tokens are passed through, such as OAUTHBEARER")
	case len(p) > sessions.MaxTokenPrefix || strings.IndexFunc(p, func(c rune) bool { return c <= ' ' || c > '~' }) >= 0:
		return fmt.Errorf("token-prefix must be 1 to %d visible characters of ASCII", sessions.MaxTokenPrefix)
	case strings.HasPrefix(p, sessions.TokenPrefix):
		return fmt.Errorf("token-prefix %q: what begins with %s is a token of the gateway itself", p, sessions.TokenPrefix)
	case taken:
		return fmt.Errorf("token-prefix %q is that of upstream %q already", p, other)
	}
	return nil
}

// checkTokens says which upstream an access token goes to, where several take them.
func checkTokens(o Options) []Finding {
	takers, defaultTakes := []string{}, false
	var words, named []string
	for _, u := range o.Upstreams {
		if u.TokenMechanism == "" {
			continue
		}
		takers = append(takers, u.Name)
		switch {
		case u.Name == o.DefaultUpstream:
			defaultTakes = true
		case u.TokenPrefix == "":
			named = append(named, u.Name)
		}
		if u.TokenPrefix != "" {
			words = append(words, fmt.Sprintf("%s… to %s", u.TokenPrefix, u.Name))
		}
	}
	if len(takers) == 0 || len(takers) == 1 && defaultTakes {
		return nil
	}
	f := Finding{Name: "access tokens", Result: FindingOK}
	if defaultTakes {
		words = append(words, "all others to "+o.DefaultUpstream)
	}
	if len(named) > 0 {
		words = append(words, "to "+strings.Join(named, ", ")+" with upstream=NAME in the request")
	}
	f.Detail = strings.Join(words, ", ")
	if len(named) > 0 && !defaultTakes {
		f.Result, f.Advice = FindingWarning, cmp.Or(oneOf(named), "one of them")+" could be --default-upstream, or have a token-prefix: without, a client has to name it with each token"
	}
	return []Finding{f}
}

// oneOf is the only one of a list, or "".
func oneOf(list []string) string {
	if len(list) == 1 {
		return list[0]
	}
	return ""
}
