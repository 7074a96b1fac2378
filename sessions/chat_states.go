package sessions

import (
	"context"

	"github.com/perch-im/perch"
)

// chatStatesHost is what chat states need of the session that they belong to.
type chatStatesHost interface {
	// rememberAddress notes an address that the server gave.
	rememberAddress(jid perch.JID)
}

// chatStates is the part of a session that passes chat states on (XEP-0085). They are never
// stored.
type chatStates struct {
	host    chatStatesHost
	journal journal
}

// apply implements part.
func (cs *chatStates) apply(in perch.Inbound, _ *link) bool {
	state, ok := in.(*perch.ChatStateIn)
	if ok {
		cs.host.rememberAddress(state.From)
		cs.journal.Ephemeral(perch.EventChatState, string(state.From), perch.ChatStateChange{From: state.From, State: state.State})
	}
	return ok
}

func (*chatStates) restore(context.Context, *Saved) error { return nil }
func (*chatStates) online(bool)                           {}
func (*chatStates) offline(*link)                         {}
func (*chatStates) stop()                                 {}

// SetChatState sends a chat state alone (XEP-0085); it is not stored for later.
func (s *Session) SetChatState(ctx context.Context, to perch.JID, state perch.ChatState) error {
	if !state.Valid() {
		return perch.Invalid("/state", "must be active, composing, paused, inactive or gone")
	}
	return s.callErr(ctx, func() error {
		if s.blocking.blocks(to) {
			return errBlocked
		}
		if x := roomsOf(s); x != nil && x.isRoom(to) {
			return x.sendChatState(to, state)
		}
		return s.conn.Send(&perch.ChatStateOut{To: to, State: state})
	})
}
