// Package clientcert is the certificate that an operator has given for one account, by which the gateway
// signs that account in (RFC 4422, appendix A; XEP-0178). The safety of it is in what the certificate may be
// used for: it must name exactly one account, that account alone is signed in with it, and only for a client
// that shows the token which the operator has put beside the certificate. That token never leaves the gateway.
package clientcert

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/perch-im/perch"
)

// minToken is how long a token must be that stands for an account.
const minToken = 32

// mintedPrefix begins the tokens that the gateway itself gives out.
const mintedPrefix = "perch_"

// Certificate signs in one account.
type Certificate struct {
	JID   perch.JID       // bare, the one that it names
	Token perch.Secret    // by which a client shows that the account is its own
	TLS   tls.Certificate // with Leaf
}

// Parse reads a certificate chain and its key, both PEM, for an account of domain. An error says what to
// do about it, and has nothing of the key or the token.
func Parse(chain, key []byte, token, domain string) (*Certificate, error) {
	pair, err := tls.X509KeyPair(chain, key)
	if err != nil {
		return nil, fmt.Errorf("client-cert, client-key: %w", err)
	}
	c := &Certificate{Token: perch.NewSecret(token), TLS: pair}
	if c.JID, err = accountOf(pair.Leaf, domain); err != nil {
		return nil, fmt.Errorf("client-cert %w", err)
	}
	if len(token) < minToken || strings.ContainsFunc(token, func(r rune) bool { return r > unicode.MaxASCII || r <= ' ' || r == 0x7f }) {
		return nil, fmt.Errorf("client-token-file must have at least %d characters of ASCII, without blanks; make one with: openssl rand -hex 32", minToken)
	}
	if strings.HasPrefix(token, mintedPrefix) {
		return nil, fmt.Errorf("client-token-file must not begin with %s, as the tokens do that the gateway gives out; make one with: openssl rand -hex 32", mintedPrefix)
	}
	return c, nil
}

// accountOf is the one account that a certificate names. One that names several, or a whole domain, would
// speak for more than the account that it is given for.
func accountOf(leaf *x509.Certificate, domain string) (perch.JID, error) {
	if len(leaf.ExtKeyUsage) > 0 && !slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageClientAuth) && !slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageAny) {
		return "", fmt.Errorf("is not for clients: its extended key usage lacks clientAuth")
	}
	names, err := addresses(leaf)
	if err != nil {
		return "", fmt.Errorf("cannot be read: %w", err)
	}
	if len(names) != 1 {
		return "", fmt.Errorf("names %d XMPP addresses; it must name exactly one account (id-on-xmppAddr in subjectAltName, XEP-0178)", len(names))
	}
	jid, err := perch.ParseJID(names[0])
	if err != nil || jid.Local() == "" || !jid.IsBare() {
		return "", fmt.Errorf("names %q, which is not the bare JID of an account", names[0])
	}
	if !jid.Equal(perch.JID(jid.Local() + "@" + domain)) {
		return "", fmt.Errorf("is that of %s, and this upstream serves the domain %s", jid, domain)
	}
	return jid, nil
}

// Expires is when the certificate ends.
func (c *Certificate) Expires() time.Time { return c.TLS.Leaf.NotAfter }

// For reports whether a login is made with the certificate: a token is compared with the operator's.
// Without a certificate, nil, none is.
func (c *Certificate) For(acc perch.Account) bool {
	return c != nil && !acc.Token.IsZero() && acc.Token.Equal(c.Token)
}

// Admit refuses, before anything is sent, a login that the certificate is in the way of: where there is one,
// a token is the operator's or nobody's. No other is shown to the server, as it may be one that was the
// operator's before.
func (c *Certificate) Admit(acc perch.Account, now time.Time) error {
	switch {
	case c == nil || acc.Token.IsZero():
		return nil
	case !c.For(acc):
		return &perch.Error{Kind: perch.KindUnauthorized, Cause: perch.CauseCredential, Detail: "this is not the token of an account of this upstream"}
	case !acc.JID.Equal(c.JID):
		return perch.Invalid("/jid", "the token is that of another account")
	case acc.Mechanism != "" && acc.Mechanism != "EXTERNAL":
		return perch.Invalid("/mechanism", "the token of this account signs in by EXTERNAL alone")
	case now.Before(c.TLS.Leaf.NotBefore):
		return refused("the certificate that this gateway has for the account is not valid before "+day(c.TLS.Leaf.NotBefore), nil)
	case now.After(c.TLS.Leaf.NotAfter):
		return refused("the certificate that this gateway has for the account has expired on "+day(c.TLS.Leaf.NotAfter), nil)
	}
	return nil
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }
