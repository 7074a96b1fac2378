package negotiate

import (
	"crypto/tls"
	"slices"
	"strings"
	"unicode"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/clientcert"
	"github.com/perch-im/perch/xmppconn/internal/diagnosis"
	"github.com/perch-im/perch/xmppconn/internal/sasl"
)

// Policy is what the operator says about logins at one upstream.
type Policy struct {
	Domain           string
	Mechanisms       []string // in the order of preference; nothing outside of the list is used
	Named            bool     // Mechanisms is the operator's, not the default
	TokenAsPassword  bool     // a token may be the password of PLAIN
	GoogleAttributes bool
	APIKey           string
	Client           *clientcert.Certificate // signs in the one account that it is of; nil: there is none
}

// Default is the order of an upstream that names none. The two mechanisms of closed networks are
// used only where they are named.
func Default() []string {
	return slices.DeleteFunc(sasl.Names(), func(name string) bool {
		return name == "X-FACEBOOK-PLATFORM" || name == "X-GOOGLE-TOKEN"
	})
}

// Choice is how a login is made.
type Choice struct {
	Method    sasl.Method
	Mechanism sasl.Mechanism
	SASL2     bool // by the profile of XEP-0388, else by that of RFC 6120
}

// Pick is Choose for a server that may have both profiles: the newer one, unless only the older one has
// what the account needs.
func Pick(p *Policy, acc perch.Account, o Offer, connection *tls.ConnectionState) (Choice, error) {
	newer := Offer{Bindings: o.Bindings, Mechanisms: slices.DeleteFunc(slices.Clone(o.SASL2.Mechanisms), sasl.Raw)}
	if len(newer.Mechanisms) > 0 {
		if method, m, err := Choose(p, acc, newer, connection); err == nil || len(o.Mechanisms) == 0 {
			return Choice{method, m, true}, err
		}
	}
	method, m, err := Choose(p, acc, o, connection)
	return Choice{method, m, false}, err
}

// Choose picks the first mechanism of the policy's order that the server offers and the credential
// fits; the mechanism of an account narrows the order to that one. There is no second try with a
// lesser mechanism after a refusal, a token is never shown as a password unless the policy says so,
// and less than what the account has proved itself with before is refused, see weaker. The
// connection is the one that the login runs on; nil: nothing is bound to it.
func Choose(p *Policy, acc perch.Account, o Offer, connection *tls.ConnectionState) (sasl.Method, sasl.Mechanism, error) {
	order, err := p.order(acc)
	if err != nil {
		return sasl.Method{}, nil, err
	}
	c := p.credentials(acc, o, connection)
	token, external := !acc.Token.IsZero(), p.Client.For(acc)
	var lacksUser bool
	for _, name := range order {
		method, known := sasl.Lookup(name)
		asPassword := token && p.TokenAsPassword && name == "PLAIN"
		switch {
		case !known || !o.has(name) || method.TakesToken != token && !asPassword || method.NeedsCert != external:
		case method.NeedsBind && !c.Binding.IsSupported():
		case method.NeedsUser && acc.JID.Local() == "":
			lacksUser = true
		default:
			if err := p.weaker(acc, method); err != nil {
				return sasl.Method{}, nil, err
			}
			if asPassword {
				c.Password = c.Token
			}
			return method, method.New(c), nil
		}
	}
	if external {
		return sasl.Method{}, nil, clientcert.NotOffered()
	}
	if lacksUser {
		return sasl.Method{}, nil, perch.Invalid("/jid", "this upstream needs the JID beside the credential")
	}
	otherKind := slices.ContainsFunc(order, func(name string) bool {
		method, known := sasl.Lookup(name)
		return known && method.TakesToken != token && !method.NeedsCert && o.has(name)
	})
	return sasl.Method{}, nil, diagnosis.NoMechanism(token, otherKind, o.Mechanisms)
}

// order is what may be used for an account, whose credential it checks. The token that stands for the
// operator's certificate is shown by no mechanism.
func (p *Policy) order(acc perch.Account) ([]string, error) {
	if p.Client.For(acc) {
		return []string{"EXTERNAL"}, nil
	}
	if acc.Mechanism != "" && !slices.Contains(p.Mechanisms, acc.Mechanism) {
		return nil, perch.Invalid("/mechanism", "this upstream does not use %q", acc.Mechanism)
	}
	if acc.Token.IsZero() == acc.Password.IsZero() {
		return nil, perch.Invalid("/credential", "exactly one of token and password is needed")
	}
	// NUL and the other controls are the separators of the mechanisms.
	if strings.ContainsFunc(acc.Token.Reveal()+acc.Password.Reveal(), unicode.IsControl) {
		return nil, perch.Invalid("/credential", "a credential must not contain control characters")
	}
	if acc.Mechanism != "" {
		return []string{acc.Mechanism}, nil
	}
	return p.Mechanisms, nil
}

// weaker refuses a password login by less than the account's last one (Account.Proved): a man in the
// middle who has a certificate would take the better mechanisms out of the list. Whoever names a
// mechanism, for the upstream or for the login, says what is good enough. After EXTERNAL a token is shown by
// no mechanism, whoever names one: it stood for a certificate.
func (p *Policy) weaker(acc perch.Account, m sasl.Method) error {
	before, known := sasl.Lookup(acc.Proved)
	if before.NeedsCert && !acc.Token.IsZero() && !m.NeedsCert {
		return diagnosis.Downgrade(before.Name, m.Name) // it would show a token that was the gateway's alone
	}
	if !known || p.Named || acc.Mechanism != "" || m.TakesToken || before.TakesToken || m.Strength >= before.Strength {
		return nil
	}
	return diagnosis.Downgrade(before.Name, m.Name)
}

func (p *Policy) credentials(acc perch.Account, o Offer, connection *tls.ConnectionState) sasl.Credentials {
	c := sasl.Credentials{
		User: acc.JID.Local(), Domain: p.Domain,
		Password: acc.Password.Reveal(), Token: acc.Token.Reveal(), APIKey: p.APIKey, Google: p.GoogleAttributes,
	}
	if connection != nil {
		c.Binding, c.NoPlus = sasl.ChannelBinding(connection, o.Bindings), !o.plus()
	}
	return c
}
