package sessions

import (
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/plant"
)

// applyMessage logs a message. Its stanza-id, when it has one, becomes the place from
// where the archive is read after a gap.
func (s *Session) applyMessage(in *perch.MessageIn) {
	if s.recent.again(&in.Message) {
		return
	}
	if l := s.link; l != nil && in.StanzaID != "" && !plant.NoDedupe {
		if _, ok := l.seen[in.StanzaID]; ok {
			return
		}
	}
	m := in.Message
	if m.Source == "" {
		m.Source = perch.SourceLive
	}
	typ := perch.EventMessageReceived
	if in.Sent {
		typ = perch.EventMessageSent
	}
	s.emit(typ, m)
	if m.StanzaID != "" {
		s.rec.ArchiveID = m.StanzaID
		s.saveRecord()
	}
	if in.ReceiptRequested && !in.Sent && m.ID != "" {
		s.giveReceipt(m.From, m.ID)
	}
}

// giveReceipt tells a buddy that we have its message (XEP-0184, 5.5): once it is kept, and
// only to somebody who may see our presence anyway.
func (s *Session) giveReceipt(to perch.JID, id string) {
	c := s.contacts.get(to.Bare())
	if c == nil || c.buddy.Subscription != perch.SubscriptionFrom && c.buddy.Subscription != perch.SubscriptionBoth {
		return
	}
	s.whenKept(func(Result) {
		if s.link != nil {
			_, _ = s.link.conn.Send(&perch.ReceiptOut{To: to, ID: id}) // nobody waits for a receipt that is lost
		}
	})
}

// applyChatState passes a signal on; it is never kept.
func (s *Session) applyChatState(in *perch.ChatStateIn) {
	s.hint(perch.EventChatState, string(in.From), perch.ChatStateChange{From: in.From, State: in.State})
}
