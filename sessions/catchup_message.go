package sessions

import (
	"strings"

	"github.com/perch-im/perch"
)

// applyMessage logs a message that a stream brought, unless it is a copy of one that is
// logged. Its stanza-id, when it has one, becomes the place from where the archive is read
// after a gap.
func (cu *catchup) applyMessage(in *perch.MessageIn, l *link, arrived perch.Time) {
	c := l.identify(&in.Message, arrived)
	if cu.isCopy(&c) {
		return
	}
	cu.takeMessage(in, c)
}

// takeMessage logs a message that is no copy.
func (cu *catchup) takeMessage(in *perch.MessageIn, c identity) {
	m := &in.Message
	if m.Source == "" {
		m.Source = perch.SourceLive
	}
	cu.logMessage(messageEvent(in), m, c)
	if m.StanzaID != "" {
		rec := cu.host.record()
		rec.ArchiveID, rec.ArchiveAt = strings.Clone(m.StanzaID), cu.host.now() // not the whole message
		cu.host.saveRecord()
	}
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
