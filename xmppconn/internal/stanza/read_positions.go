package stanza

import (
	"strconv"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// readNodeItems is how many conversations the node of read positions is to have room for: more than
// one server would not take for a number of items.
const readNodeItems = 255

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

// readItems are the positions in items of the node. Those of rooms have ids of other archives, and
// are left out.
func readItems(items *xmlstream.Borrowed, space string, own perch.JID) (list []perch.ReadIn) {
	if !items.Attr("node").Is(nsReadPositions) {
		return nil
	}
	for item := range items.Children() {
		position := item.Child(nsReadPositions, "displayed").Child(nsSID, "stanza-id")
		id, of := position.Attr("id"), item.Attr("id")
		if item.Is(space, "item") && !id.Empty() && !of.Empty() && own.Equal(peekJID(position.Attr("by"))) {
			list = append(list, perch.ReadIn{Conversation: copyJID(of), StanzaID: id.Copy()})
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
	return []byte("<pubsub xmlns='" + nsPubSub + "'><items node='" + nsReadPositions + "'/></pubsub>")
}

// EncodeReadPosition publishes how far a conversation was read (XEP-0490, 3). With options the server
// is to make the node as it must be, or to refuse; a server that knows no options ignores them.
func EncodeReadPosition(own, conversation perch.JID, stanzaID string, options bool) ([]byte, error) {
	var w writer
	if conversation == "" {
		w.fail("/jid", "an address is required")
	}
	if stanzaID == "" {
		w.fail("/ref", "the message has no id in the archive")
	}
	w.Raw("<pubsub xmlns='" + nsPubSub + "'><publish node='" + nsReadPositions + "'><item")
	w.Attr("/jid", "id", string(conversation))
	w.Raw("><displayed xmlns='" + nsReadPositions + "'><stanza-id xmlns='" + nsSID + "'")
	w.Attr("/jid", "by", string(own))
	w.Attr("/ref", "id", stanzaID)
	w.Raw("/></displayed></item></publish>")
	if options {
		w.Raw("<publish-options>")
		w.readNodeForm("http://jabber.org/protocol/pubsub#publish-options", "max")
		w.Raw("</publish-options>")
	}
	w.Raw("</pubsub>")
	return w.Result()
}

// EncodeReadNodeCreate makes the node (XEP-0060, 8.1).
func EncodeReadNodeCreate() []byte {
	return []byte("<pubsub xmlns='" + nsPubSub + "'><create node='" + nsReadPositions + "'/></pubsub>")
}

// EncodeReadNodeGet asks for the configuration of the node (XEP-0060, 8.2).
func EncodeReadNodeGet() []byte {
	return []byte("<pubsub xmlns='" + nsPubSubOwner + "'><configure node='" + nsReadPositions + "'/></pubsub>")
}

// EncodeReadNodeSet configures the node: for the account alone, and with room for many items.
func EncodeReadNodeSet() ([]byte, error) {
	var w writer
	w.Raw("<pubsub xmlns='" + nsPubSubOwner + "'><configure node='" + nsReadPositions + "'>")
	w.readNodeForm("http://jabber.org/protocol/pubsub#node_config", strconv.Itoa(readNodeItems))
	w.Raw("</configure></pubsub>")
	return w.Result()
}

func (w *writer) readNodeForm(kind, items string) {
	w.Raw("<x xmlns='" + nsForms + "' type='submit'><field var='FORM_TYPE' type='hidden'><value>" + kind + "</value></field>")
	w.formField("", "pubsub#persist_items", "true")
	w.formField("", "pubsub#max_items", items)
	w.formField("", "pubsub#send_last_published_item", "never")
	w.formField("", "pubsub#access_model", "whitelist")
	w.Raw("</x>")
}

// ReadNodeSafe reports whether the configuration that EncodeReadNodeGet asked for keeps the positions of
// many conversations, and shows them to nobody else.
func ReadNodeSafe(payload *xmlstream.Element) bool {
	form := payload.Child(nsPubSubOwner, "configure").Child(nsForms, "x")
	value := func(name string) string {
		for _, f := range form.Children() {
			if f.Is(nsForms, "field") && f.Attr("var") == name {
				return f.Child(nsForms, "value").InnerText()
			}
		}
		return ""
	}
	items := value("pubsub#max_items")
	n, err := strconv.ParseUint(items, 10, 31)
	persist := value("pubsub#persist_items")
	return value("pubsub#access_model") == "whitelist" && (persist == "true" || persist == "1") &&
		(items == "max" || err == nil && n >= readNodeItems)
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
