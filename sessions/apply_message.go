package sessions

import "github.com/perch-im/perch"

// applyMessage logs a message that a stream brought, unless it is a copy of one that is
// logged. Its stanza-id, when it has one, becomes the place from where the archive is read
// after a gap.
func (s *Session) applyMessage(in *perch.MessageIn, l *link, arrived perch.Time) {
	c := l.identify(&in.Message, arrived)
	if s.isCopy(&c) {
		return
	}
	s.takeMessage(in, c)
}

// takeMessage logs a message that is no copy.
func (s *Session) takeMessage(in *perch.MessageIn, c identity) {
	m := in.Message
	if m.Source == "" {
		m.Source = perch.SourceLive
	}
	s.logMessage(messageEvent(in), &m, c)
	if m.StanzaID != "" {
		s.rec.ArchiveID, s.rec.ArchiveAt = m.StanzaID, s.now()
		s.saveRecord()
	}
	if in.ReceiptRequested && !in.Sent && m.ID != "" {
		s.giveReceipt(m.From, m.ID)
	}
}

// messageEvent is the type of the event of a message.
func messageEvent(m *perch.MessageIn) perch.EventType {
	if m.Sent {
		return perch.EventMessageSent
	}
	return perch.EventMessageReceived
}

// giveReceipt tells a buddy that we have its message (XEP-0184, 5.5): once it is kept, and
// only to somebody who may see our presence anyway.
func (s *Session) giveReceipt(to perch.JID, id string) {
	c := s.roster.contacts.get(to.Bare())
	if c == nil || c.buddy.Subscription != perch.SubscriptionFrom && c.buddy.Subscription != perch.SubscriptionBoth {
		return
	}
	s.log.AfterCommit(func(Result) {
		if s.link != nil {
			_, _ = s.link.conn.Send(&perch.ReceiptOut{To: to, ID: id}) // nobody waits for a receipt that is lost
		}
	})
}

// applyChatState passes a signal on; it is never kept.
func (s *Session) applyChatState(in *perch.ChatStateIn) {
	s.log.Ephemeral(perch.EventChatState, string(in.From), perch.ChatStateChange{From: in.From, State: in.State})
}
