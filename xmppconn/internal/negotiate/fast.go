package negotiate

import (
	"crypto/tls"
	"slices"
	"strings"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/sasl"
)

// Fast is the mechanism that the token of an account signs in with (XEP-0484); nil: none does here. A
// token is good for one mechanism: where the server offers another one, or the connection has nothing to
// bind to, the credential of the account signs in. So it does where somebody has named mechanisms: a
// token is none of them.
func Fast(p *Policy, acc perch.Account, o Offer, connection *tls.ConnectionState, now perch.Time) sasl.Mechanism {
	f := acc.Fast
	if f.IsZero() || f.Expires != 0 && f.Expires <= now || !p.mayUseTokens(acc) || !slices.Contains(p.tokensFor(acc.Proved, o, connection), f.Mechanism) {
		return nil
	}
	m, err := sasl.NewHashedToken(f.Mechanism, sasl.Credentials{User: acc.JID.Local(), Token: f.Token.Reveal()}, connection)
	if err != nil {
		return nil
	}
	return m
}

// FastRequest is the mechanism to ask for a token of, in a login that is made with method; "": none.
func FastRequest(p *Policy, acc perch.Account, method sasl.Method, o Offer, connection *tls.ConnectionState) string {
	if !p.mayUseTokens(acc) {
		return ""
	}
	if names := p.tokensFor(method.Name, o, connection); len(names) > 0 {
		return names[0]
	}
	return ""
}

// mayUseTokens reports whether a token may take the place of the credential. That of an access token it
// does not take: who gives those out also says when they end.
func (p *Policy) mayUseTokens(acc perch.Account) bool {
	return acc.Agent != "" && !acc.Password.IsZero() && acc.JID.Local() != "" && acc.Mechanism == "" && !p.Named
}

// tokensFor are the mechanisms of tokens that server and connection have, the better first. A login that
// was bound to its connection is not followed by one that is not.
func (p *Policy) tokensFor(proved string, o Offer, connection *tls.ConnectionState) []string {
	if connection == nil {
		return nil
	}
	return slices.DeleteFunc(sasl.HashedTokens(connection), func(name string) bool {
		return !slices.Contains(o.SASL2.Fast, name) || name == sasl.HashedTokenUnbound && strings.HasSuffix(proved, "-PLUS")
	})
}
