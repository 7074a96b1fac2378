package stanza

import (
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// readEvent reads a notification of the own node of read positions (XEP-0490; XEP-0060, 12.1). Only
// the account itself may say what it has read: anybody can send what looks like an event.
func (m incoming) readEvent() []perch.Inbound {
	own := m.self.Bare()
	if m.around != nil || !m.has.any(withExtras) || !peekSender(m.el, m.self).Equal(own) || !m.el.Attr("type").Is("headline") {
		return nil
	}
	var in []perch.Inbound
	for _, read := range readItems(m.el.Child(nsPubSubEvent, "event").Child(nsPubSubEvent, "items"), nsPubSubEvent, own) {
		in = append(in, &read)
	}
	return in
}

// readItems are the positions in items of the node. An id is one of the archive of the account, or of
// that of the conversation itself, which is a room then.
func readItems(items *xmlstream.Borrowed, space string, own perch.JID) (list []perch.ReadIn) {
	if !items.Attr("node").Is(nsReadPositions) {
		return nil
	}
	for item := range items.Children() {
		position := item.Child(nsReadPositions, "displayed").Child(nsSID, "stanza-id")
		id, of := position.Attr("id"), item.Attr("id")
		if !item.Is(space, "item") || id.Empty() || of.Empty() {
			continue
		}
		by := peekJID(position.Attr("by"))
		if inRoom := by.IsBare() && by.Equal(peekJID(of)); inRoom || own.Equal(by) {
			list = append(list, perch.ReadIn{Conversation: copyJID(of), StanzaID: id.Copy(), InRoom: inRoom && !own.Equal(by)})
		}
	}
	return list
}

// ParseReadPositions reads the answer to EncodeReadPositions; own is the bare JID of the account.
func ParseReadPositions(payload *xmlstream.Element, own perch.JID) []perch.ReadIn {
	return readItems(payload.Child(nsPubSub, "items").Borrowed(), nsPubSub, own)
}

// EncodeReadPositions asks for the read positions of all conversations (XEP-0490, 5).
func EncodeReadPositions() []byte {
	return []byte("<pubsub xmlns='" + nsPubSub + "'><items node='" + NodeReadPositions + "'/></pubsub>")
}

// EncodeReadPosition publishes how far a conversation was read (XEP-0490, 3). With options the server
// is to make the node as it must be, or to refuse; a server that knows no options ignores them.
func EncodeReadPosition(own perch.JID, read perch.ReadIn, options bool) ([]byte, error) {
	var w writer
	if read.Conversation == "" {
		w.fail("/jid", "an address is required")
	}
	if read.StanzaID == "" {
		w.fail("/ref", "the message has no id in the archive")
	}
	by := own
	if read.InRoom {
		by = read.Conversation
	}
	w.Raw("<pubsub xmlns='" + nsPubSub + "'><publish node='" + NodeReadPositions + "'><item")
	w.Attr("/jid", "id", string(read.Conversation))
	w.Raw("><displayed xmlns='" + nsReadPositions + "'><stanza-id xmlns='" + nsSID + "'")
	w.Attr("/jid", "by", string(by))
	w.Attr("/ref", "id", read.StanzaID)
	w.Raw("/></displayed></item></publish>")
	if options {
		w.publishOptions(true)
	}
	w.Raw("</pubsub>")
	return w.Result()
}

// DropRepeat leaves out read positions that were said just before: some servers send each
// notification twice, to the account and to the resource. Last is the position before.
func (d *Decoded) DropRepeat(last **perch.ReadIn) {
	kept := d.In[:0]
	for _, in := range d.In {
		if read, ok := in.(*perch.ReadIn); ok {
			if *last != nil && **last == *read {
				continue
			}
			*last = read
		}
		kept = append(kept, in)
	}
	d.In = kept
}
