package stanza

import (
	"strconv"

	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// Nodes of the own account (XEP-0163).
const (
	NodeReadPositions = nsReadPositions        // XEP-0490: an item a conversation
	NodeBookmarks     = "urn:xmpp:bookmarks:1" // XEP-0402: an item a room
	NodeBookmarksOld  = "storage:bookmarks"    // XEP-0048: one document
	NodeNick          = nsNick                 // XEP-0172: one item
)

// nodeItems is how many items a node with more than one is to have room for: a higher number one
// server would not take.
const nodeItems = 255

// EncodeNodeCreate makes a node (XEP-0060, 8.1).
func EncodeNodeCreate(node string) []byte {
	return []byte("<pubsub xmlns='" + nsPubSub + "'><create node='" + node + "'/></pubsub>")
}

// EncodeNodeGet asks for the configuration of a node (XEP-0060, 8.2).
func EncodeNodeGet(node string) []byte {
	return []byte("<pubsub xmlns='" + nsPubSubOwner + "'><configure node='" + node + "'/></pubsub>")
}

// EncodeNodeSet configures a node: for the account alone, and with room for many items, or for one.
func EncodeNodeSet(node string, many bool) ([]byte, error) {
	items := ""
	if many {
		items = strconv.Itoa(nodeItems)
	}
	var w writer
	w.Raw("<pubsub xmlns='" + nsPubSubOwner + "'><configure node='" + node + "'>")
	w.nodeForm("http://jabber.org/protocol/pubsub#node_config", items)
	w.Raw("</configure></pubsub>")
	return w.Result()
}

// publishOptions let a server make the node as EncodeNodeSet would, or refuse the publication (XEP-0060,
// 7.1.5).
func (w *writer) publishOptions(many bool) {
	items := ""
	if many {
		items = "max"
	}
	w.Raw("<publish-options>")
	w.nodeForm("http://jabber.org/protocol/pubsub#publish-options", items)
	w.Raw("</publish-options>")
}

func (w *writer) nodeForm(kind, items string) {
	w.Raw("<x xmlns='" + nsForms + "' type='submit'><field var='FORM_TYPE' type='hidden'><value>" + kind + "</value></field>")
	w.formField("", "pubsub#persist_items", "true")
	w.formField("", "pubsub#max_items", items)
	w.formField("", "pubsub#send_last_published_item", "never")
	w.formField("", "pubsub#access_model", "whitelist")
	w.Raw("</x>")
}

// NodeSafe reports whether the configuration that EncodeNodeGet asked for keeps what is published, many
// items or one, and shows it to nobody else.
func NodeSafe(payload *xmlstream.Element, many bool) bool {
	f, err := parseForm(payload.Child(nsPubSubOwner, "configure").Child(nsForms, "x"))
	if err != nil || f.field("pubsub#access_model").text() != "whitelist" || !f.field("pubsub#persist_items").truth() {
		return false
	}
	items := f.field("pubsub#max_items").text()
	n, err := strconv.ParseUint(items, 10, 31)
	return !many || items == "max" || err == nil && n >= nodeItems
}
