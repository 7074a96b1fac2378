package stanza

import (
	"fmt"

	"github.com/perch-im/perch"
)

// AppendOutbound writes a stanza that the session sends. The error is a *perch.Error of KindValidation when a text
// cannot be written in XML 1.0; b is then returned as it was.
func AppendOutbound(b []byte, out perch.Outbound) ([]byte, error) {
	w := newWriter(b)
	switch out := out.(type) {
	case *perch.MessageOut:
		appendMessageOut(w, out)
	case *perch.ChatStateOut:
		appendChatStateOut(w, out)
	case *perch.PresenceOut:
		appendPresenceOut(w, out)
	case *perch.SubscriptionOut:
		appendSubscriptionOut(w, out)
	case *perch.ReceiptOut:
		appendReceiptOut(w, out)
	default:
		w.Fail(perch.Wrap(perch.KindInternal, fmt.Errorf("stanza: no encoding for %T", out), "this cannot be sent"))
	}
	return w.Result()
}
