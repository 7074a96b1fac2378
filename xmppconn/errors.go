package xmppconn

import (
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/diagnosis"
)

// SASLError is a refused authentication: the cause of the error that Dial returns then.
type SASLError = diagnosis.SASLError

// errOffline is what every call on an ended connection gets; the cause is why it ended.
func errOffline(cause error) *perch.Error {
	return perch.Wrap(perch.KindSessionOffline, cause, "the XMPP stream is not connected")
}
