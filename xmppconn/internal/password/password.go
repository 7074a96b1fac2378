// Package password changes the password of an account on its server (XEP-0077, 3.3). It has no
// connection: it asks by a function.
package password

import (
	"context"
	"errors"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// Kind names the request in statistics.
const Kind = "password"

// Ask sends a request to the server of the account, and waits for the answer; part is nil here. An error
// answer is a *perch.Error with XMPP; where the upstream has no passwords nothing is sent, and the error is
// of KindFeatureUnsupported.
type Ask func(ctx context.Context, kind, typ string, to perch.JID, payload []byte, part func(*xmlstream.Borrowed)) (*xmlstream.Element, error)

// Changer changes the password of the account of a connection.
type Changer struct {
	ask Ask
	own func() perch.JID
}

// New is a Changer for the account own, which is not needed before a request.
func New(ask Ask, own func() perch.JID) Changer { return Changer{ask, own} }

// ChangePassword gives the account another password. Errors: KindFeatureUnsupported where the server cannot
// do that, KindForbidden where it does not let the account, KindValidation for /new when it does not take this
// password, and those of a request else; whether the password is changed is not known then if no answer
// came.
func (c *Changer) ChangePassword(ctx context.Context, fresh perch.Secret) error {
	me := c.own()
	w := xmlstream.NewWriter(nil)
	w.Raw("<query xmlns='jabber:iq:register'>")
	w.Element("/username", "username", me.Local())
	w.Element("/new", "password", fresh.Reveal())
	w.Raw("</query>")
	payload, err := w.Result()
	if err != nil {
		return err
	}
	_, err = c.ask(ctx, Kind, "set", perch.JID(me.Domain()), payload, nil)
	return refusal(err)
}

// Hidden stands for the request on a stream of which it is stored what the server may lack: a stream that is
// resumed asks a question in its place. It shows no password, and counts as the same number of stanzas.
func Hidden(id string) string {
	return "<iq type='get' id='" + id + "'><ping xmlns='urn:xmpp:ping'/></iq>"
}

// refusal gives the answer of a server its meaning.
func refusal(err error) error {
	e, ok := errors.AsType[*perch.Error](err)
	if !ok || e.XMPP == nil {
		return err
	}
	told := &perch.Error{XMPP: e.XMPP, Err: err}
	switch e.XMPP.Condition {
	case "service-unavailable", "feature-not-implemented", "item-not-found", "unexpected-request":
		told.Kind, told.Detail = perch.KindFeatureUnsupported, "the XMPP server has no change of passwords; ask who runs it how an account gets another one"
	case "not-allowed", "forbidden", "not-authorized", "registration-required":
		told.Kind, told.Detail = perch.KindForbidden, "the XMPP server does not let this account change its password; ask who runs it"
	case "not-acceptable", "bad-request", "policy-violation", "jid-malformed":
		told = perch.Invalid("/new", "the XMPP server does not take this password: choose a longer or less usual one")
		told.XMPP, told.Err = e.XMPP, err
	default:
		return err
	}
	return told
}
