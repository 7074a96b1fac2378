package xmppconn

import "github.com/perch-im/perch"

// appendOutbound writes a stanza. The error is a *perch.Error of KindValidation when a text
// cannot be written in XML 1.0; b then comes back as it was.
func appendOutbound(b []byte, out perch.Outbound) ([]byte, error) { panic("unreachable") }
