package xmppconn

import (
	"slices"
	"strings"
	"unicode"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/sasl"
)

// defaultMechanisms is the order of an upstream that names none. The two mechanisms of
// closed networks are used only where they are named.
func defaultMechanisms(p Profile) []string {
	if p == ProfileMessenger {
		return []string{"X-MESSENGER-OAUTH2"}
	}
	return sasl.Names()[:6]
}

// chooseMechanism picks the first mechanism of the upstream's order that the server offers
// and the credential fits; the mechanism of an account narrows the order to that one. There is no
// second try with a lesser mechanism after a refusal, and a token is never shown as a
// password unless the upstream says so.
func chooseMechanism(u *Upstream, acc perch.Account, offered []string) (sasl.Method, sasl.Mechanism, error) {
	order := u.Mechanisms
	if acc.Mechanism != "" {
		if !slices.Contains(order, acc.Mechanism) {
			return sasl.Method{}, nil, perch.Invalid("/mechanism", "this upstream does not use %q", acc.Mechanism)
		}
		order = []string{acc.Mechanism}
	}
	token := !acc.Token.IsZero()
	if token != acc.Password.IsZero() {
		return sasl.Method{}, nil, perch.Invalid("/credential", "exactly one of token and password is needed")
	}
	// NUL and the other controls are the separators of the mechanisms.
	if strings.ContainsFunc(acc.Token.Reveal()+acc.Password.Reveal(), unicode.IsControl) {
		return sasl.Method{}, nil, perch.Invalid("/credential", "a credential must not contain control characters")
	}
	var lacksUser bool
	for _, name := range order {
		method, known := sasl.Lookup(name)
		if !known || !slices.Contains(offered, name) {
			continue
		}
		asPassword := token && u.TokenAsPassword && name == "PLAIN"
		if method.TakesToken != token && !asPassword {
			continue
		}
		if method.NeedsUser && acc.JID.Local() == "" {
			lacksUser = true
			continue
		}
		return method, method.New(credentialsOf(u, acc, asPassword)), nil
	}
	if lacksUser {
		return sasl.Method{}, nil, perch.Invalid("/jid", "this upstream needs the JID beside the credential")
	}
	return sasl.Method{}, nil, perch.Errorf(perch.KindUpstreamConfig,
		"the server offers no mechanism for this kind of credential (it has %s)", offeredText(offered))
}

func credentialsOf(u *Upstream, acc perch.Account, tokenAsPassword bool) sasl.Credentials {
	c := sasl.Credentials{
		User: acc.JID.Local(), Domain: u.Domain,
		Password: acc.Password.Reveal(), Token: acc.Token.Reveal(), APIKey: u.APIKey, Google: u.GoogleAttributes,
	}
	if tokenAsPassword {
		c.Password = c.Token
	}
	return c
}

// offeredText lists mechanism names for an error text: foreign words, so few and plain ones.
func offeredText(offered []string) string {
	var plain []string
	for _, o := range offered {
		if len(plain) < 8 && len(o) <= 20 && strings.Trim(o, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == "" {
			plain = append(plain, o)
		}
	}
	if len(plain) == 0 {
		return "none"
	}
	return strings.Join(plain, ", ")
}
