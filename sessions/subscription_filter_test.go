package sessions_test

import (
	"slices"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// bounded are the events about one conversation, with the conversation.
func (w *world) everyKind(s *sessions.Session, jid perch.JID) {
	in, own := from(jid, "in"), to(jid, "out")
	w.deliver(in, own, &perch.ChatStateIn{From: jid + "/phone", State: perch.StateComposing}, here(jid+"/phone", "", 0))
	edited := in.Message
	edited.MessageDetails = &perch.MessageDetails{Edited: &perch.Edited{Count: 1}}
	sessions.MakeEvent(s, perch.EventMessageEdited, &edited)
	mine := own.Message
	sessions.MakeEvent(s, perch.EventMessageEdited, &mine)
	sessions.MakeEvent(s, perch.EventMessageRetracted, perch.MessageRetracted{Ref: "iabc", Conversation: jid})
	sessions.MakeEvent(s, perch.EventMessageReactions, perch.MessageReactions{Ref: "iabc", Conversation: jid})
	sessions.MakeEvent(s, perch.EventMessageRead, perch.MessageRead{Ref: "oabc", Conversation: jid})
	sessions.MakeEvent(s, perch.EventMessageStatus, perch.StatusChange{ID: "x", Status: perch.StatusAcked, Conversation: jid})
	sessions.MakeEvent(s, perch.EventConversationRead, perch.ConversationRead{JID: jid})
}

var boundedTypes = []perch.EventType{
	perch.EventMessageReceived, perch.EventMessageSent, perch.EventMessageEdited, perch.EventMessageEdited, perch.EventMessageRetracted,
	perch.EventMessageReactions, perch.EventMessageRead, perch.EventMessageStatus, perch.EventConversationRead,
}

// TestConversationFilter: what is about other conversations is hidden, live and replayed; presence is not
// about any, and positions advance all the same.
func TestConversationFilter(t *testing.T) {
	inWorld(t, func(w *world) {
		w.roster(bob, carol)
		s := w.open()
		start := w.attach(s, sessions.SubscribeOptions{}).sub.TipNow().String()
		all := w.attach(s, sessions.SubscribeOptions{})
		only := w.attach(s, sessions.SubscribeOptions{Conversations: []perch.JID{"Bob@example.net"}})
		none := w.attach(s, sessions.SubscribeOptions{Conversations: []perch.JID{}})
		w.everyKind(s, carol)
		w.everyKind(s, bob)
		pass(time.Second)
		durable := func(evs []event) (list []perch.EventType) {
			for _, e := range evs {
				if e.Type.Durable() {
					list = append(list, e.Type)
				}
			}
			return list
		}
		if got := only.next(); !slices.Equal(durable(got), boundedTypes) || !slices.Contains(types(got), perch.EventPresence) || !slices.Contains(types(got), perch.EventChatState) {
			t.Errorf("of bob: got %v, want the events of bob, and presence", types(got))
		}
		got := none.next()
		if len(durable(got)) != 0 || slices.Contains(types(got), perch.EventChatState) || !slices.Contains(types(got), perch.EventPresence) {
			t.Errorf("of nobody: got %v, want presence alone", types(got))
		}
		if n := len(durable(all.next())); n != 2*len(boundedTypes) {
			t.Errorf("of all: got %d durable events, want %d", n, 2*len(boundedTypes))
		}
		if none.sub.TipNow() != all.sub.TipNow() || only.sub.TipNow() != all.sub.TipNow() {
			t.Errorf("tips: got %s and %s, want %s", none.sub.TipNow(), only.sub.TipNow(), all.sub.TipNow())
		}
		replayed := w.attach(s, sessions.SubscribeOptions{Since: start, Conversations: []perch.JID{bob}})
		if got := durable(replayed.preamble); !replayed.sub.Resumed || !slices.Equal(got, boundedTypes) {
			t.Errorf("replay: got %v, want the events of bob", got)
		}
		replayed.sub.SetConversations([]perch.JID{carol})
		w.deliver(from(bob, "x"), from(carol, "y"))
		replayed.wantTypes(perch.EventMessageReceived)
		replayed.sub.SetConversations(nil)
		w.deliver(from(bob, "x"), from(carol, "y"))
		replayed.wantTypes(perch.EventMessageReceived, perch.EventMessageReceived)
	})
}
