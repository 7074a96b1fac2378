package stanza

import (
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

const nsPrivate = "jabber:iq:private"

// BookmarkDocument is the one document of XEP-0048, with everything in it that this gateway does not know.
type BookmarkDocument struct {
	item    string // id in the node
	storage *xmlstream.Element
}

// EncodeDocumentGet asks for the document, in private storage (XEP-0049) or in its node.
func EncodeDocumentGet(store string) []byte {
	if store == Store0049 {
		return []byte("<query xmlns='" + nsPrivate + "'><storage xmlns='" + NodeBookmarksOld + "'/></query>")
	}
	return []byte("<pubsub xmlns='" + nsPubSub + "'><items node='" + NodeBookmarksOld + "'/></pubsub>")
}

// ParseDocument reads the answer; no answer is an empty document.
func ParseDocument(payload *xmlstream.Element) BookmarkDocument {
	d := BookmarkDocument{item: "current", storage: payload.Child(NodeBookmarksOld, "storage")}
	for _, item := range payload.Child(nsPubSub, "items").Children() {
		if s := item.Child(NodeBookmarksOld, "storage"); s != nil && d.storage == nil {
			d.storage = s
			if id := item.Attr("id"); id != "" {
				d.item = id
			}
		}
	}
	if d.storage == nil {
		d.storage = xmlstream.NewElement(NodeBookmarksOld, "storage", "")
	}
	return d
}

// Bookmarks are those of the document. The cause of the error is perch.ErrAnswerTooLarge.
func (d BookmarkDocument) Bookmarks(store string) ([]perch.RoomBookmark, error) {
	return documentBookmarks(d.storage, store)
}

func documentBookmarks(storage *xmlstream.Element, store string) ([]perch.RoomBookmark, error) {
	var list []perch.RoomBookmark
	for _, c := range storage.Children() {
		if c.Space() != NodeBookmarksOld {
			continue
		}
		if b, ok := parseConference(c, c.Attr("jid"), store); ok {
			if list = append(list, b); len(list) > maxBookmarks {
				return nil, tooManyBookmarks()
			}
		}
	}
	return list, nil
}

// Put is the document with a bookmark; changed is false when it says the same already. Everything else
// stays as it is.
func (d BookmarkDocument) Put(b perch.RoomBookmark) (_ BookmarkDocument, changed bool, err error) {
	var list []*xmlstream.Element
	found := false
	for _, c := range d.storage.Children() {
		if !isConferenceOf(c, b.JID) {
			list = append(list, c)
			continue
		}
		if found { // of two of one room the first counts
			changed = true
			continue
		}
		if found = true; !SameBookmark(c, b) {
			changed = true
			if c, err = conference(NodeBookmarksOld, c, b); err != nil {
				return d, false, err
			}
		}
		list = append(list, c)
	}
	if !found {
		el, err := conference(NodeBookmarksOld, nil, b)
		if err != nil {
			return d, false, err
		}
		list, changed = append(list, el), true
	}
	return BookmarkDocument{d.item, d.storage.Holding(list)}, changed, nil
}

// Remove is the document without the bookmark of a room; changed is false when it has none.
func (d BookmarkDocument) Remove(room perch.JID) (_ BookmarkDocument, changed bool) {
	list := keep(d.storage, func(c *xmlstream.Element) *xmlstream.Element {
		if isConferenceOf(c, room) {
			changed = true
			return nil
		}
		return c
	})
	return BookmarkDocument{d.item, d.storage.Holding(list)}, changed
}

func isConferenceOf(el *xmlstream.Element, room perch.JID) bool {
	return el.Is(NodeBookmarksOld, "conference") && room.Equal(perch.JID(el.Attr("jid")).Bare())
}

// Encode replaces the document on the server.
func (d BookmarkDocument) Encode(store string, options bool) ([]byte, error) {
	var w writer
	if store == Store0049 {
		w.Raw("<query xmlns='" + nsPrivate + "'>")
		w.Tree("/bookmark", d.storage.Borrowed(), nsPrivate)
		w.Raw("</query>")
		return w.Result()
	}
	w.Raw("<pubsub xmlns='" + nsPubSub + "'><publish node='" + NodeBookmarksOld + "'><item")
	w.Attr("/bookmark", "id", d.item)
	w.Raw(">")
	w.Tree("/bookmark", d.storage.Borrowed(), nsPubSub)
	w.Raw("</item></publish>")
	if options {
		w.publishOptions(false)
	}
	w.Raw("</pubsub>")
	return w.Result()
}
