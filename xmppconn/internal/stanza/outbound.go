package stanza

import (
	"fmt"

	"github.com/perch-im/perch"
)

// AppendFor is AppendOutbound for a service that has nothing but text between two, or for any other,
// to which the own presence says what this client can do (XEP-0115). What the former does not know
// is refused with KindFeatureUnsupported.
func AppendFor(b []byte, out perch.Outbound, chatOnly bool) ([]byte, error) {
	if chatOnly && !isPlain(out) {
		return b, chatOnlyError()
	}
	if out, ok := out.(*perch.PresenceOut); ok {
		w := newWriter(b)
		appendPresenceOut(w, out, !chatOnly)
		return w.Result()
	}
	return AppendOutbound(b, out)
}

// isPlain reports whether a stanza is one that a service can take which has nothing but text between two.
func isPlain(out perch.Outbound) bool {
	switch out := out.(type) {
	case *perch.MessageOut:
		return out.Details == nil && out.Relation == nil
	case *perch.ChatStateOut:
		return out.Kind != perch.GroupchatMessage
	case *perch.DisplayedOut, *perch.RoomJoinOut, *perch.RoomPresenceOut, *perch.RoomLeaveOut, *perch.RoomSubjectOut,
		*perch.RoomInviteOut, *perch.RoomDeclineOut, *perch.ProbeOut:
		return false
	}
	return true
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
	case *perch.ProbeOut:
		w.probe(out)
	case *perch.RoomJoinOut:
		w.roomJoin(out)
	case *perch.RoomPresenceOut:
		w.roomPresence(out)
	case *perch.RoomLeaveOut:
		w.roomLeave(out)
	case *perch.RoomSubjectOut:
		w.roomSubject(out)
	case *perch.RoomInviteOut:
		w.roomInvite(out)
	case *perch.RoomDeclineOut:
		w.roomDecline(out)
	default:
		w.Fail(perch.Wrap(perch.KindInternal, fmt.Errorf("stanza: no encoding for %T", out), "this cannot be sent"))
	}
	return w.Result()
}
