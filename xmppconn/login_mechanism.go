package xmppconn

import (
	"slices"
	"strings"
	"unicode"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/diagnosis"
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
	otherKind := slices.ContainsFunc(order, func(name string) bool {
		method, known := sasl.Lookup(name)
		return known && method.TakesToken != token && slices.Contains(offered, name)
	})
	return sasl.Method{}, nil, diagnosis.NoMechanism(token, otherKind, offered)
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
