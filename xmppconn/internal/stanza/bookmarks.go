package stanza

import (
	"strings"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// The stores of bookmarks, as perch.Bookmark names them.
const (
	Store0402 = "0402" // an item a room, in a node of the account
	Store0048 = "0048" // one document, in a node of the account
	Store0049 = "0049" // the same document, in private storage
)

// What an account says of its bookmarks: that they are the same in all stores (XEP-0402, 5.1), or in
// those that have one document (XEP-0411).
const (
	FeatureBookmarksCompat     = NodeBookmarks + "#compat"
	FeatureBookmarksCompatPEP  = NodeBookmarks + "#compat-pep"
	FeatureBookmarksConversion = "urn:xmpp:bookmarks-conversion:0"
)

const nsNotification = "urn:xmpp:notification-settings:1"

// What is taken of bookmarks.
const (
	maxBookmarks    = 5000
	maxBookmarkText = 4 << 10 // of each text
)

// parseConference reads a bookmark of either kind; ok is false for what is none. A room without an
// address is none, and neither is one with a text that nobody can have written.
func parseConference(el *xmlstream.Element, jid, store string) (b perch.RoomBookmark, ok bool) {
	space := el.Space()
	room := perch.JID(jid).Bare()
	name, nick, password := el.Attr("name"), el.ChildText(space, "nick"), el.ChildText(space, "password")
	if el.Local() != "conference" || room == "" || len(room) > maxBookmarkText || max(len(name), len(nick), len(password)) > maxBookmarkText {
		return b, false
	}
	autojoin := strings.TrimSpace(el.Attr("autojoin"))
	b = perch.RoomBookmark{
		JID: cloneJID(string(room)), Password: strings.Clone(password),
		Bookmark: perch.Bookmark{
			AutoJoin: autojoin == "true" || autojoin == "1", Name: strings.Clone(name), Nick: strings.Clone(nick),
			Notify: notifyIn(el), Store: store,
		},
	}
	if rest := foreignPart(el); len(rest.Children()) > 0 || !rest.Plain() {
		var w xmlstream.Writer
		w.AtMost(perch.MaxForeignBytes)
		w.Tree("", rest.Borrowed(), "")
		if text, err := w.Result(); err == nil {
			b.Foreign = string(text)
		}
	}
	return b, true
}

// notifyNames are the settings of perch.Notify on the wire (XEP-0492).
var notifyNames = map[perch.Notify]string{perch.NotifyAll: "always", perch.NotifyMentions: "on-mention", perch.NotifyNone: "never"}

// notifyIn is the setting of a bookmark for all clients; "" is none.
func notifyIn(el *xmlstream.Element) perch.Notify {
	notify := el.Child(NodeBookmarks, "extensions").Child(nsNotification, "notify")
	for _, c := range notify.Children() {
		for setting, name := range notifyNames {
			if c.Is(nsNotification, name) && c.Plain() {
				return setting
			}
		}
	}
	return ""
}

// foreignPart is a bookmark without what perch.RoomBookmark has of it.
func foreignPart(el *xmlstream.Element) *xmlstream.Element {
	space := el.Space()
	children := keep(el, func(c *xmlstream.Element) *xmlstream.Element {
		switch {
		case c.Is(space, "nick"), c.Is(space, "password"):
			return nil
		case c.Is(NodeBookmarks, "extensions"):
			return keepIfAny(c, foreignExtension)
		}
		return c
	})
	return xmlstream.NewElement(space, "conference", "").WithAttrsOf(el).With("jid", "").With("name", "").With("autojoin", "").Holding(children)
}

func foreignExtension(c *xmlstream.Element) *xmlstream.Element {
	if !c.Is(nsNotification, "notify") {
		return c
	}
	return keepIfAny(c, func(c *xmlstream.Element) *xmlstream.Element {
		for _, name := range notifyNames {
			if c.Is(nsNotification, name) && c.Plain() {
				return nil
			}
		}
		return c
	})
}

// keep are the children of an element as f changes them; nil leaves one out.
func keep(el *xmlstream.Element, f func(*xmlstream.Element) *xmlstream.Element) (list []*xmlstream.Element) {
	for _, c := range el.Children() {
		if c = f(c); c != nil {
			list = append(list, c)
		}
	}
	return list
}

// keepIfAny is the element with what keep gives; nil when that is nothing.
func keepIfAny(el *xmlstream.Element, f func(*xmlstream.Element) *xmlstream.Element) *xmlstream.Element {
	if list := keep(el, f); len(list) > 0 || !el.Plain() {
		return el.Holding(list)
	}
	return nil
}

// conference is a bookmark as it is written. Old is what the server has of it, of which everything
// stays that perch.RoomBookmark does not have; nil: b.Foreign stands for it.
func conference(space string, old *xmlstream.Element, b perch.RoomBookmark) (*xmlstream.Element, error) {
	if old == nil && b.Foreign != "" {
		var err error
		if old, err = xmlstream.Parse(b.Foreign, payloadLimits()); err != nil {
			return nil, perch.Invalid("/bookmark", "what other clients keep in it is not XML")
		}
	}
	rest := xmlstream.NewElement(space, "conference", "")
	if old != nil {
		rest = foreignPart(old)
	}
	el := xmlstream.NewElement(space, "conference", "")
	if space == NodeBookmarksOld {
		el = el.With("jid", string(b.JID))
	}
	el = el.With("name", b.Name)
	if b.AutoJoin {
		el = el.With("autojoin", "true")
	}
	var children []*xmlstream.Element
	for _, text := range [][2]string{{"nick", b.Nick}, {"password", b.Password}} {
		if text[1] != "" {
			children = append(children, xmlstream.NewElement(space, text[0], text[1]))
		}
	}
	return el.WithAttrsOf(rest).Holding(append(children, withNotify(rest.Children(), b.Notify)...)), nil
}

// withNotify adds a setting to the children of a bookmark.
func withNotify(children []*xmlstream.Element, n perch.Notify) []*xmlstream.Element {
	name := notifyNames[n]
	if name == "" {
		return children
	}
	var rest []*xmlstream.Element
	extensions := xmlstream.NewElement(NodeBookmarks, "extensions", "")
	for _, c := range children {
		if c.Is(NodeBookmarks, "extensions") {
			extensions = c
		} else {
			rest = append(rest, c)
		}
	}
	notify := xmlstream.NewElement(nsNotification, "notify", "")
	others := keep(extensions, func(c *xmlstream.Element) *xmlstream.Element {
		if c.Is(nsNotification, "notify") {
			notify = c
			return nil
		}
		return c
	})
	notify = notify.Holding(append([]*xmlstream.Element{xmlstream.NewElement(nsNotification, name, "")}, notify.Children()...))
	return append(rest, extensions.Holding(append(others, notify)))
}

// BookmarkStores are those that an account can have its bookmarks in, by the answer to
// EncodeDiscoInfo, best first: the one that its other clients read.
func BookmarkStores(info *xmlstream.Element) []string {
	var can perch.Capabilities
	AccountCapabilities(&can, info) // what read positions need, nodes of bookmarks need
	switch {
	case can.ReadSync && (HasFeature(info, FeatureBookmarksCompat) || HasFeature(info, FeatureBookmarksCompatPEP)):
		return []string{Store0402, Store0049}
	case can.ReadSync && HasFeature(info, FeatureBookmarksConversion):
		return []string{Store0048, Store0049}
	case can.ReadSync:
		return []string{Store0049, Store0402}
	}
	return []string{Store0049}
}

// CheckBookmark refuses what is no address of a room, and a text that would not be read again.
func CheckBookmark(b perch.RoomBookmark) error {
	var w writer
	w.roomAddress(b.JID)
	for field, text := range map[string]string{"/name": b.Name, "/nick": b.Nick, "/password": b.Password} {
		if len(text) > maxBookmarkText {
			w.fail(field, "at most %d bytes are allowed", maxBookmarkText)
		}
	}
	_, err := w.Result()
	return err
}
