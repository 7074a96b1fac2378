package stanza

import (
	"slices"

	"github.com/perch-im/perch"
)

// Resumed is what a stanza says when the server sends it again after a resume (XEP-0198, 5). Chat states
// are left out: they were about a moment that is over.
func Resumed(in []perch.Inbound) []perch.Inbound {
	return slices.DeleteFunc(in, func(in perch.Inbound) bool {
		switch in.(type) {
		case *perch.ChatStateIn, *perch.RoomChatStateIn:
			return true
		}
		markResumed(in)
		return false
	})
}

func markResumed(in perch.Inbound) {
	switch in := in.(type) {
	case *perch.MessageIn:
		in.Source = perch.SourceResumed
	case *perch.DroppedIn:
		in.Of.Source = perch.SourceResumed
	case *perch.RoomInvitedIn:
		in.Of.Source = perch.SourceResumed
	case *perch.RoomSubjectIn:
		markResumed(in.Plain)
	case *perch.RoomDeclinedIn:
		markResumed(in.Plain)
	}
}
