package sessions

import (
	"github.com/perch-im/perch"
)

// applyMessage logs a message, or a control message, that a stream brought, unless it is a copy of
// one that is logged. Its stanza-id, when it has one, becomes the place from where the archive is
// read after a gap.
func (cu *catchup) applyMessage(in *perch.MessageIn, l *link, arrived perch.Time) {
	c := l.identifyMessage(in, arrived)
	if cu.isCopy(&c) {
		return
	}
	cu.takeMessage(in, c, l)
}

// takeMessage logs what is no copy.
func (cu *catchup) takeMessage(in *perch.MessageIn, c identity, l *link) {
	m := &in.Message
	if m.Source == "" {
		m.Source = perch.SourceLive
	}
	if in.Relation != nil {
		cu.logRelation(in, c)
	} else {
		cu.logMessage(messageEvent(in), m, c)
	}
	cu.moveTo(m, l)
	if in.ReceiptRequested && !in.Sent && m.ID != "" {
		cu.host.giveReceipt(m.From, m.ID)
	}
}

// messageEvent is the type of the event of a message.
func messageEvent(m *perch.MessageIn) perch.EventType {
	if m.Sent {
		return perch.EventMessageSent
	}
	return perch.EventMessageReceived
}
