package xmppconn

import "github.com/perch-im/perch"

// chatState reads XEP-0085, alone or beside a body; "" when there is none.
func chatState(el *element) perch.ChatState {
	for _, c := range el.children {
		if c.space != nsChatStates {
			continue
		}
		for _, state := range []perch.ChatState{perch.StateActive, perch.StateComposing,
			perch.StatePaused, perch.StateInactive, perch.StateGone} {
			if c.local == string(state) {
				return state
			}
		}
	}
	return ""
}

func appendChatStateOut(w *writer, s *perch.ChatStateOut) {
	if !s.State.Valid() {
		w.fail("/state", "%q is no chat state", string(s.State))
		return
	}
	w.raw("<message")
	w.to(s.To)
	w.raw(" type='chat'><" + string(s.State) + " xmlns='" + nsChatStates + "'/></message>")
}
