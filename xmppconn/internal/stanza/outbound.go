package stanza

import (
	"fmt"

	"github.com/perch-im/perch"
)

// AppendFor is AppendOutbound for a service that has nothing but text between two, or for any other,
// to which the own presence says what this client can do (XEP-0115). What the former does not know
// is refused with KindFeatureUnsupported.
func AppendFor(b []byte, out perch.Outbound, chatOnly bool) ([]byte, error) {
	if m, ok := out.(*perch.MessageOut); chatOnly && ok && (m.Details != nil || m.Relation != nil) {
		return b, chatOnlyError()
	}
	switch out := out.(type) {
	case *perch.DisplayedOut:
		if chatOnly {
			return b, chatOnlyError()
		}
	case *perch.PresenceOut:
		w := newWriter(b)
		appendPresenceOut(w, out, !chatOnly)
		return w.Result()
	}
	return AppendOutbound(b, out)
}

func chatOnlyError() error {
	return perch.Errorf(perch.KindFeatureUnsupported, "this upstream knows nothing but text")
}

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
		appendPresenceOut(w, out, false)
	case *perch.SubscriptionOut:
		appendSubscriptionOut(w, out)
	case *perch.ReceiptOut:
		appendReceiptOut(w, out)
	case *perch.DisplayedOut:
		appendDisplayedOut(w, out)
	default:
		w.Fail(perch.Wrap(perch.KindInternal, fmt.Errorf("stanza: no encoding for %T", out), "this cannot be sent"))
	}
	return w.Result()
}
