package sessions

import "github.com/perch-im/perch"

// giveReceipt tells a buddy that we have its message (XEP-0184, 5.5): once it is kept, and
// only to a contact who may see our presence anyway.
func (s *Session) giveReceipt(to perch.JID, id string) {
	c := s.roster.contacts.get(to.Bare())
	if c == nil || c.buddy.Subscription != perch.SubscriptionFrom && c.buddy.Subscription != perch.SubscriptionBoth {
		return
	}
	s.log.AfterCommit(func(Result) {
		if s.link != nil {
			_, _ = s.link.conn.Send(&perch.ReceiptOut{To: to, ID: id}) // a lost receipt is not retried
		}
	})
}

// applyChatState passes a signal on; it is never kept.
func (s *Session) applyChatState(in *perch.ChatStateIn) {
	s.log.Ephemeral(perch.EventChatState, string(in.From), perch.ChatStateChange{From: in.From, State: in.State})
}
