package sessions

import (
	"encoding/json"
	"strings"

	"github.com/perch-im/perch"
)

// keysOf are the keys of a list of JIDs; nil stays nil.
func keysOf(list []perch.JID) map[perch.JID]struct{} {
	if list == nil {
		return nil
	}
	keys := make(map[perch.JID]struct{}, len(list))
	for _, jid := range list {
		keys[jid.Key()] = struct{}{}
	}
	return keys
}

// SetConversations changes SubscribeOptions.Conversations from the next event on.
func (sub *Subscription) SetConversations(list []perch.JID) {
	keys := keysOf(list)
	sub.mu.Lock()
	defer sub.mu.Unlock()
	sub.only = keys
}

// unbounded reports whether all conversations pass.
func (sub *Subscription) unbounded() bool {
	sub.mu.Lock()
	defer sub.mu.Unlock()
	return sub.only == nil
}

// passesNow is passes for those who do not hold the lock.
func (sub *Subscription) passesNow(e *perch.Event) bool {
	sub.mu.Lock()
	defer sub.mu.Unlock()
	return sub.passes(e)
}

// passes reports whether the filters let an event pass.
func (sub *Subscription) passes(e *perch.Event) bool {
	return eventFilter{sub.bound, sub.types, sub.only}.passes(e, sub.own)
}

// eventFilter is what is shown of the events of a session.
type eventFilter struct {
	bound *streamBound
	types []string               // see SubscribeOptions.Types
	only  map[perch.JID]struct{} // keys of conversations; nil: all
}

// passes reports whether an event is shown; own is the bare JID of the account.
func (f eventFilter) passes(e *perch.Event, own perch.JID) bool {
	if !f.bound.passes(e, own) || !wants(f.types, e.Type) {
		return false
	}
	if f.only == nil || !ofConversation(e.Type) {
		return true
	}
	if len(f.only) == 0 {
		return false
	}
	jid := eventConversation(e, own)
	_, ok := f.only[jid.Key()]
	return ok || jid == "" // an event of an earlier version may not say it
}

// ofConversation reports whether events of a type are about one conversation.
func ofConversation(t perch.EventType) bool {
	group, _, _ := strings.Cut(string(t), ".")
	return group == "message" || group == "conversation" || group == "room" || t == perch.EventChatState
}

// eventConversation is the conversation that an event is about, by the bare JID of the other side; "":
// it does not say.
func eventConversation(e *perch.Event, own perch.JID) perch.JID {
	var d struct {
		JID          perch.JID       `json:"jid"`
		Conversation perch.JID       `json:"conversation"`
		From         perch.JID       `json:"from"`
		To           perch.JID       `json:"to"`
		Kind         string          `json:"kind"`
		Room         json.RawMessage `json:"room"`
	}
	if e.Decode(&d) != nil {
		return ""
	}
	switch {
	case d.Conversation != "":
		return d.Conversation
	case d.JID != "":
		return d.JID
	case e.Type == perch.EventChatState && len(d.Room) > 0:
		return d.From.Bare()
	case len(d.Room) > 0 && d.Kind != string(perch.GroupchatMessage): // of one who is in a room, in private
		if e.Type == perch.EventMessageSent {
			return d.To
		}
		return d.From
	case e.Type == perch.EventMessageSent, e.Type == perch.EventMessageEdited && own != "" && d.From.Bare().Equal(own):
		return d.To.Bare()
	}
	return d.From.Bare()
}
