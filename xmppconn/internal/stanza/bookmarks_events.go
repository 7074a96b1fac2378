package stanza

import (
	"hash/maphash"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// bookmarksEvent reads a notification of the nodes that the own bookmarks are in (XEP-0402, 4; XEP-0048;
// XEP-0060, 12.1). Only the account itself may say what it has.
func (m incoming) bookmarksEvent() []perch.Inbound {
	own := m.self.Bare()
	if m.around != nil || !m.has.any(withExtras) || !peekSender(m.el, m.self).Equal(own) || !m.el.Attr("type").Is("headline") {
		return nil
	}
	for what := range m.el.Child(nsPubSubEvent, "event").Children() {
		var in *perch.BookmarksIn
		var err error
		switch node := what.Attr("node"); {
		case node.Is(NodeBookmarks):
			in = bookmarkItems(what)
		case node.Is(NodeBookmarksOld):
			in, err = bookmarkDocuments(what)
		}
		if err != nil {
			return []perch.Inbound{&perch.DroppedIn{Dropped: perch.Dropped{Reason: perch.DroppedTooLarge, From: own}}}
		}
		if in != nil {
			return []perch.Inbound{in}
		}
	}
	return nil
}

// emptied reports whether a node has no items any more.
func emptied(el *xmlstream.Borrowed) bool {
	return el.Is(nsPubSubEvent, "purge") || el.Is(nsPubSubEvent, "delete")
}

// bookmarkItems are changes of bookmarks that are an item each. One without a payload says nothing.
func bookmarkItems(el *xmlstream.Borrowed) *perch.BookmarksIn {
	in := &perch.BookmarksIn{Store: Store0402, All: emptied(el)}
	for item := range el.Children() {
		if !el.Is(nsPubSubEvent, "items") || len(in.Put)+len(in.Removed) >= maxBookmarks {
			break
		}
		id := item.Attr("id")
		switch {
		case item.Is(nsPubSubEvent, "retract") && !id.Empty():
			in.Removed = append(in.Removed, copyJID(id).Bare())
		case item.Is(nsPubSubEvent, "item"):
			if b, ok := parseConference(item.Child(NodeBookmarks, "conference").Clone(), id.Peek(), Store0402); ok {
				in.Put = append(in.Put, b)
			}
		}
	}
	if !in.All && len(in.Put)+len(in.Removed) == 0 {
		return nil
	}
	return in
}

// bookmarkDocuments is the list as a whole, if the document is in the event, or is gone.
func bookmarkDocuments(el *xmlstream.Borrowed) (*perch.BookmarksIn, error) {
	in := &perch.BookmarksIn{Store: Store0048, All: true}
	known := emptied(el)
	for item := range el.Children() {
		if !el.Is(nsPubSubEvent, "items") {
			break
		}
		if storage := item.Child(NodeBookmarksOld, "storage"); storage != nil {
			list, err := documentBookmarks(storage.Clone(), Store0048)
			if err != nil {
				return nil, err
			}
			in.Put, known = list, true
		} else if item.Is(nsPubSubEvent, "retract") {
			known = true
		}
	}
	if !known {
		return nil, nil
	}
	return in, nil
}

var repeatSeed = maphash.MakeSeed()

// DropBookmarks leaves out what was said of bookmarks just before, as DropRepeat does with read
// positions, and what is said of a store that is not heard, unless that is a copy of the one that is. Last
// stands for what was before.
func (d *Decoded) DropBookmarks(last *uint64, hears func(store string) bool) {
	if len(d.In) != 1 {
		return
	}
	in, ok := d.In[0].(*perch.BookmarksIn)
	if !ok {
		return
	}
	if !hears(in.Store) {
		if in.Store != Store0048 || !hears(Store0402) {
			d.In = nil
			return
		}
		in.Copy = true
	}
	if sum := sumOf(in); sum == *last {
		d.In = nil
	} else {
		*last = sum
	}
}

// sumOf stands for all that is said of bookmarks, passwords included.
func sumOf(in *perch.BookmarksIn) uint64 {
	var h maphash.Hash
	h.SetSeed(repeatSeed)
	maphash.WriteComparable(&h, in.Store)
	maphash.WriteComparable(&h, in.All)
	for _, b := range in.Put {
		maphash.WriteComparable(&h, b)
	}
	for _, jid := range in.Removed {
		maphash.WriteComparable(&h, jid)
	}
	return h.Sum64()
}
