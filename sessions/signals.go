package sessions

import (
	"context"

	"github.com/perch-im/perch"
)

// signalsHost is what signals need of the session that they belong to.
type signalsHost interface {
	// stream is the link in use; nil: there is none.
	stream() *link
	// rememberAddress notes an address that the server gave.
	rememberAddress(jid perch.JID)
	// seesUs reports whether a contact may see our presence.
	seesUs(jid perch.JID) bool
}

// signals is the part of a session for what is passed on and never stored: chat states, and the
// receipts that senders get.
type signals struct {
	host    signalsHost
	journal journal
}

// apply implements part.
func (g *signals) apply(in perch.Inbound, _ *link) bool {
	state, ok := in.(*perch.ChatStateIn)
	if ok {
		g.host.rememberAddress(state.From)
		g.applyChatState(state)
	}
	return ok
}

// applyChatState passes a chat state on (XEP-0085).
func (g *signals) applyChatState(in *perch.ChatStateIn) {
	g.journal.Ephemeral(perch.EventChatState, string(in.From), perch.ChatStateChange{From: in.From, State: in.State})
}

// giveReceipt tells a buddy that we have its message (XEP-0184, 5.5): once it is committed, and
// only to a contact who may see our presence anyway.
func (g *signals) giveReceipt(to perch.JID, id string) {
	if !g.host.seesUs(to) {
		return
	}
	g.journal.AfterCommit(func(Result) {
		if l := g.host.stream(); l != nil {
			_, _ = l.conn.Send(&perch.ReceiptOut{To: to, ID: id}) // a lost receipt is not retried
		}
	})
}

func (*signals) restore(context.Context, *Saved) error { return nil }
func (*signals) online(bool)                           {}
func (*signals) offline(*link)                         {}
func (*signals) stop()                                 {}
