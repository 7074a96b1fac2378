package app

import (
	"strings"
	"testing"
)

// taking is an upstream whose access tokens are passed through.
func taking(name, prefix string) Upstream {
	return Upstream{Name: name, Domain: name + ".test", TokenMechanism: "OAUTHBEARER", TokenPrefix: prefix}
}

func TestTokenPrefixesAreRefusedByName(t *testing.T) {
	for name, c := range map[string]struct {
		ups  []Upstream
		want string // in the error; "" is none
	}{
		"good":                      {[]Upstream{taking("a", "a-"), taking("b", "a-b-"), taking("c", "")}, ""},
		"as a part of ours":         {[]Upstream{taking("a", "perch")}, ""},
		"without a token-mechanism": {[]Upstream{{Name: "a", Domain: "a.test", TokenPrefix: "a-"}}, `upstream "a": token-prefix goes with token-mechanism`},
		"ours":                      {[]Upstream{taking("a", "perch_")}, `token-prefix "perch_"`},
		"as ours":                   {[]Upstream{taking("a", "perch_a")}, `token-prefix "perch_a"`},
		"twice":                     {[]Upstream{taking("a", "x-"), taking("b", "x-")}, `upstream "b": token-prefix "x-" is that of upstream "a" already`},
		"with a blank":              {[]Upstream{taking("a", "a b")}, "visible characters"},
		"not of ASCII":              {[]Upstream{taking("a", "ä-")}, "visible characters"},
		"too long":                  {[]Upstream{taking("a", strings.Repeat("a", 65))}, "1 to 64"},
	} {
		t.Run(name, func(t *testing.T) {
			err := Options{Upstreams: c.ups}.withDefaults().validate()
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one that says %q", err, c.want)
			}
		})
	}
}

// TestCheckOfTokens: perch check says where access tokens go once that is a question.
func TestCheckOfTokens(t *testing.T) {
	plain := Upstream{Name: "plain", Domain: "plain.test"}
	for name, c := range map[string]struct {
		ups          []Upstream
		result, want string // "" is no finding
		advice       string
	}{
		"none takes any":             {[]Upstream{plain}, "", "", ""},
		"the default alone":          {[]Upstream{taking("a", ""), plain}, "", "", ""},
		"two, of which one is told":  {[]Upstream{taking("a", ""), taking("b", "b-")}, FindingOK, "b-… to b, all others to a", ""},
		"two, of which one is named": {[]Upstream{taking("a", ""), taking("b", "")}, FindingOK, "all others to a, to b with upstream=NAME in the request", ""},
		"another than the default":   {[]Upstream{plain, taking("b", "")}, FindingWarning, "to b with upstream=NAME in the request", "b could be --default-upstream"},
		"two others":                 {[]Upstream{plain, taking("b", ""), taking("c", "")}, FindingWarning, "to b, c with", "one of them could be"},
		"told, beside the default":   {[]Upstream{plain, taking("b", "b-")}, FindingOK, "b-… to b", ""},
	} {
		t.Run(name, func(t *testing.T) {
			found := checkTokens(Options{Upstreams: c.ups}.withDefaults())
			if c.result == "" {
				if len(found) > 0 {
					t.Errorf("got %+v, want nothing to say", found)
				}
				return
			}
			if len(found) != 1 || found[0].Result != c.result || !strings.Contains(found[0].Detail, c.want) || !strings.HasPrefix(found[0].Advice, c.advice) || (found[0].Advice == "") != (c.advice == "") {
				t.Errorf("got %+v, want %s with %q and the advice %q", found, c.result, c.want, c.advice)
			}
		})
	}
}
