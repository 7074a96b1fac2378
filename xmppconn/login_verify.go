package xmppconn

import (
	"context"
	"time"

	"github.com/perch-im/perch"
)

// Verify asks the upstream whether it accepts a credential, on a connection of its own that
// ends with the answer, and returns the bare JID of the account that the credential opens.
//
// A mechanism that names the user proves the account by its success alone; nothing is bound
// then. Otherwise the upstream derives the account from the token and names it by binding: a
// resource that the server chooses, beside those that are in use, which never sends presence,
// so no contact sees it come or go. Account.Resource is not asked for: to bind the resource
// of a live session would end that session (RFC 6120, 7.7.2.2).
//
// Errors are those of Dial.
func (d *Dialer) Verify(ctx context.Context, acc perch.Account) (perch.JID, error) {
	acc.Resource, acc.Agent, acc.Fast = "", "", perch.FastToken{} // nor is it a client that the account knows
	c, err := d.run(ctx, signInRequest{acc: acc, verify: true})
	if err != nil {
		return "", err
	}
	return c.login.JID.Bare(), nil
}

// EndToken has the upstream end the token of an account (Account.Fast), on a connection of its own, so that
// nobody can sign in with it any more. The error is of KindFeatureUnsupported where the server takes none,
// and as those of Dial else.
func (d *Dialer) EndToken(ctx context.Context, acc perch.Account) error {
	_, err := d.run(ctx, signInRequest{acc: acc, endToken: true})
	return err
}

// runVerification is run up to the point where the account is known (RFC 6120, 4 to 7).
func (l *login) runVerification() error {
	features, err := l.secure()
	if err != nil {
		return err
	}
	if err := l.authenticate(features); err != nil {
		return err
	}
	if l.namesUser {
		l.c.login.JID = l.acc.JID.Bare()
	} else if l.success != nil {
		return l.verifiedAs(l.success.JID.Bare())
	} else if err := l.bindToVerify(); err != nil {
		return err
	}
	_ = l.write("</stream:stream>") // a courtesy: the socket is closed in any case
	return l.c.raw.SetDeadline(time.Time{})
}

// verifiedAs ends a verification by a server that names the account with its success (XEP-0388, 2.6.1).
func (l *login) verifiedAs(jid perch.JID) error {
	if jid.Local() == "" || !sameDomain(jid.Domain(), l.d.up.Domain) {
		return perch.Errorf(perch.KindUpstreamConfig, "the server names an account of another domain")
	}
	l.c.login.JID = jid
	_ = l.write("</stream:stream>") // a courtesy, as below
	return l.c.raw.SetDeadline(time.Time{})
}

// bindToVerify learns the account of the stream.
func (l *login) bindToVerify() error {
	features, err := l.afterAuthentication()
	if err != nil {
		return err
	}
	if err := l.bind(features); err != nil {
		return err
	}
	return l.checkResult()
}
