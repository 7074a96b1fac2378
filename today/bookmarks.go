package today

import (
	"bytes"
	"encoding/xml"
	"slices"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/xmppserver"
)

// Nodes of bookmarks. They hold the same, and so does private storage.
const (
	nodeBookmarks    = "urn:xmpp:bookmarks:1" // XEP-0402: an item a room
	nodeOldBookmarks = "storage:bookmarks"    // XEP-0048: one document
)

// bookmarksFeature says that clients may write bookmarks wherever they like (XEP-0402, 5.1).
var bookmarksFeature = feature{account: []string{nodeBookmarks + "#compat", nodeBookmarks + "#compat-pep"}}

// bookmarksConfig is for the account alone.
func bookmarksConfig(items int) nodeConfig {
	c := defaultConfig()
	c.access, c.sendLast, c.maxItems = accessWhitelist, sendNever, items
	return c
}

// nodeChanged carries a change of a node by its owner to what has to say the same. It returns the condition of
// a stanza error when there is no room for that, or "".
func (s *Service) nodeChanged(a *account, name string) string {
	switch name {
	case nodeBookmarks:
		return s.writeDocument(a)
	case nodeOldBookmarks:
		return s.readDocument(a)
	}
	return ""
}

// document is that of XEP-0048; an account without one has an empty one.
func (a *account) document() *xmppserver.Element {
	if n := a.pep.nodes[nodeOldBookmarks]; n != nil && len(n.items) > 0 {
		return n.items[len(n.items)-1].payload
	}
	return xmppserver.NewElement(nodeOldBookmarks, "storage")
}

func isConference(e *xmppserver.Element, space string) bool {
	return e != nil && e.Name.Space == space && e.Name.Local == "conference"
}

// writeDocument makes the document of the items. What is no bookmark of a room stays in it. It returns the
// condition of a stanza error, or "".
func (s *Service) writeDocument(a *account) string {
	doc := xmppserver.NewElement(nodeOldBookmarks, "storage")
	for _, k := range a.document().Kids {
		if k.El != nil && !isConference(k.El, nodeOldBookmarks) {
			doc.Kids = append(doc.Kids, k)
		}
	}
	if n := a.pep.nodes[nodeBookmarks]; n != nil {
		for i := range n.items {
			if c := n.items[i].payload; isConference(c, nodeBookmarks) {
				doc.Kids = append(doc.Kids, xmppserver.Node{El: oldConference(n.items[i].id, c)})
			}
		}
	}
	return s.publish(a, nodeOldBookmarks, bookmarksConfig(1), newItem("current", doc))
}

// readDocument makes the items of the document: those that say something else change, and those of rooms
// that are not in it go. It returns the condition of a stanza error when some could not be made, or "".
func (s *Service) readDocument(a *account) (failed string) {
	listed := make(map[string]bool)
	for _, c := range a.document().Elements() {
		j, err := perch.ParseJID(c.Get("jid"))
		room := string(j.Bare())
		if err != nil || !isConference(c, nodeOldBookmarks) || listed[room] || len(listed) >= maxNodeItems {
			continue
		}
		listed[room] = true
		if condition := s.readConference(a, room, c); condition != "" {
			failed = condition
		}
	}
	n := a.pep.nodes[nodeBookmarks]
	if n == nil {
		return failed
	}
	for i, it := range slices.Backward(n.items) {
		if id := it.id; !listed[id] {
			a.pep.remove(n, i)
			s.notifyItems(a, n, append(xmppserver.AppendAttr([]byte("<retract"), "id", id), "/>"...))
		}
	}
	return failed
}

// readConference makes the item of one room, unless it says the same already. It returns the condition of a
// stanza error, or "".
func (s *Service) readConference(a *account, room string, c *xmppserver.Element) string {
	var old *xmppserver.Element
	if n := a.pep.nodes[nodeBookmarks]; n != nil {
		n.config.maxItems = maxNodeItems // one that keeps a single item would lose the others
		if i := n.index(room); i >= 0 {
			old = n.items[i].payload
		}
	}
	made := newConference(c)
	if old != nil {
		if same := newConference(oldConference(room, old)); bytes.Equal(same.Append(nil, ""), made.Append(nil, "")) {
			return ""
		}
		if extensions := old.Child(nodeBookmarks, "extensions"); extensions != nil {
			made.Kids = append(made.Kids, xmppserver.Node{El: extensions})
		}
	}
	return s.publish(a, nodeBookmarks, bookmarksConfig(maxNodeItems), newItem(room, made))
}

// oldConference is a bookmark of XEP-0402 as XEP-0048 has it: without extensions.
func oldConference(room string, c *xmppserver.Element) *xmppserver.Element {
	old := conferenceIn(nodeOldBookmarks, c)
	old.Attr = append([]xml.Attr{{Name: xml.Name{Local: "jid"}, Value: room}}, old.Attr...)
	return old
}

// newConference is a bookmark of XEP-0048 as XEP-0402 has it.
func newConference(c *xmppserver.Element) *xmppserver.Element { return conferenceIn(nodeBookmarks, c) }

// conferenceIn is what is the same in both, in a namespace.
func conferenceIn(space string, c *xmppserver.Element) *xmppserver.Element {
	to := xmppserver.NewElement(space, "conference")
	if name := c.Get("name"); name != "" {
		to.Attr = append(to.Attr, xml.Attr{Name: xml.Name{Local: "name"}, Value: name})
	}
	if auto, _ := parseBool(c.Get("autojoin")); auto {
		to.Attr = append(to.Attr, xml.Attr{Name: xml.Name{Local: "autojoin"}, Value: "true"})
	}
	for _, local := range [...]string{"nick", "password"} {
		if text := c.Child(c.Name.Space, local).Text(); text != "" {
			to.Kids = append(to.Kids, xmppserver.Node{El: xmppserver.NewElement(space, local, xmppserver.Node{Text: text})})
		}
	}
	return to
}
