package stanza

import (
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// chatState reads XEP-0085, alone or beside a body; "" when there is none.
func chatState(el *xmlstream.Borrowed) perch.ChatState {
	for c := range el.Children() {
		if !c.Space().Is(nsChatStates) {
			continue
		}
		for _, state := range []perch.ChatState{perch.StateActive, perch.StateComposing,
			perch.StatePaused, perch.StateInactive, perch.StateGone} {
			if c.Local().Is(string(state)) {
				return state
			}
		}
	}
	return ""
}

func appendChatStateOut(w *writer, s *perch.ChatStateOut) {
	if !s.State.Valid() {
		w.fail("/state", "%q is not a chat state", string(s.State))
		return
	}
	kind := s.Kind
	if kind == "" {
		kind = perch.ChatMessage
	}
	w.Raw("<message")
	w.to(s.To)
	w.Attr("/kind", "type", string(kind))
	w.Raw("><" + string(s.State) + " xmlns='" + nsChatStates + "'/></message>")
}
