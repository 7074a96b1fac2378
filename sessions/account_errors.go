package sessions

import (
	"errors"

	"github.com/perch-im/perch"
)

// aboutAccount gives the refusal of a request that was addressed to account its meaning.
// A server answers for its accounts, and says service-unavailable of one that it does not
// have, that has nothing of the kind, or that the asker may not know of: it must not let
// the three be distinguished (RFC 6121, 8.5; XEP-0054, 3.1). Such an answer says
// nothing of what the server can do, so it is KindItemNotFound with detail. What the
// server says in its own name stays as it is: an answer by a domain, and any answer when
// no account was asked.
func aboutAccount(err error, account perch.JID, detail string) error {
	e, ok := errors.AsType[*perch.Error](err)
	if !ok || e.Kind != perch.KindXMPP || e.XMPP == nil || account.Local() == "" {
		return err
	}
	switch e.XMPP.Condition {
	case "service-unavailable", "feature-not-implemented":
	default:
		return err
	}
	if by := perch.JID(e.XMPP.By); by != "" && by.Local() == "" {
		return err
	}
	return &perch.Error{Kind: perch.KindItemNotFound, Detail: detail, XMPP: e.XMPP, Err: err}
}
