package sessions

import "github.com/perch-im/perch"

// typingMost is how many may be in a room for chat states to be sent to it: in a larger one they are
// noise, and cost as much as messages.
const typingMost = 30

// chatState passes the chat state of one who is in a room on; that of the account itself comes back.
func (x *roomList) chatState(r *room, in *perch.RoomChatStateIn) {
	x.hear(r)
	nick := in.From.Resource()
	if nick == "" || nick == r.row.Nick {
		return
	}
	x.journal.Ephemeral(perch.EventChatState, string(in.From), perch.ChatStateChange{From: in.From, State: in.State, Room: r.jid(), Nick: nick})
}

// sendChatState sends a chat state to a room; of too many people nobody is told.
func (x *roomList) sendChatState(to perch.JID, state perch.ChatState) error {
	r, err := x.joinedRoom(to)
	if err != nil {
		return err
	}
	if x.occupantsOf(r).Count > typingMost {
		return nil
	}
	return x.host.Send(&perch.ChatStateOut{To: r.jid(), State: state, Kind: perch.GroupchatMessage})
}
