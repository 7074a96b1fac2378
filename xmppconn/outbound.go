package xmppconn

import (
	"fmt"

	"github.com/perch-im/perch"
)

// appendOutbound writes a stanza. The error is a *perch.Error of KindValidation when a text
// cannot be written in XML 1.0; b is then returned as it was.
func appendOutbound(b []byte, out perch.Outbound) ([]byte, error) {
	w := writer{b: b}
	switch out := out.(type) {
	case *perch.MessageOut:
		appendMessageOut(&w, out)
	case *perch.ChatStateOut:
		appendChatStateOut(&w, out)
	case *perch.PresenceOut:
		appendPresenceOut(&w, out)
	case *perch.SubscriptionOut:
		appendSubscriptionOut(&w, out)
	case *perch.ReceiptOut:
		appendReceiptOut(&w, out)
	default:
		w.err = perch.Wrap(perch.KindInternal, fmt.Errorf("xmppconn: no encoding for %T", out), "this cannot be sent")
	}
	if w.err != nil {
		return b, w.err
	}
	return w.b, nil
}

// to writes the address. A stanza without one is an error.
func (w *writer) to(jid perch.JID) {
	if jid == "" {
		w.fail("/to", "an address is needed")
		return
	}
	w.attr("/to", "to", string(jid))
}

// fail keeps the first error.
func (w *writer) fail(field, format string, args ...any) {
	if w.err == nil {
		w.err = perch.Invalid(field, format, args...)
	}
}
