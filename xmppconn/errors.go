package xmppconn

import (
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/diagnosis"
)

// SASLError is a refused authentication: the cause of the error that Dial returns then.
type SASLError = diagnosis.SASLError

// requestError turns the error answer of an IQ into a perch.Error.
func requestError(x perch.XMPPError) *perch.Error {
	kind := perch.KindXMPP
	if x.Condition == "item-not-found" {
		kind = perch.KindItemNotFound
	}
	return &perch.Error{Kind: kind, Detail: "the server answered with an error", XMPP: &x}
}

// errOffline is what every call on an ended connection gets; the cause is why it ended.
func errOffline(cause error) *perch.Error {
	return perch.Wrap(perch.KindSessionOffline, cause, "the XMPP stream is not connected")
}
