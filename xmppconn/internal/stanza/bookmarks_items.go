package stanza

import (
	"strings"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// EncodeBookmarksGet asks for all bookmarks of XEP-0402, or for that of one room.
func EncodeBookmarksGet(room perch.JID) ([]byte, error) {
	var w writer
	w.Raw("<pubsub xmlns='" + nsPubSub + "'><items node='" + NodeBookmarks + "'")
	if room == "" {
		w.Raw("/></pubsub>")
		return w.Result()
	}
	w.Raw("><item")
	w.Attr("{jid}", "id", string(room))
	w.Raw("/></items></pubsub>")
	return w.Result()
}

// ParseBookmarks reads the answer for all. The cause of the error is perch.ErrAnswerTooLarge.
func ParseBookmarks(payload *xmlstream.Element) ([]perch.RoomBookmark, error) {
	var list []perch.RoomBookmark
	for _, item := range payload.Child(nsPubSub, "items").Children() {
		if b, ok := parseConference(item.Child(NodeBookmarks, "conference"), item.Attr("id"), Store0402); ok {
			if list = append(list, b); len(list) > maxBookmarks {
				return nil, tooManyBookmarks()
			}
		}
	}
	return list, nil
}

func tooManyBookmarks() error {
	return perch.Wrap(perch.KindXMPP, perch.ErrAnswerTooLarge, "the account has more bookmarks than this gateway takes")
}

// BookmarkItem is that of one room in the answer for it; nil when there is none.
func BookmarkItem(payload *xmlstream.Element, room perch.JID) *xmlstream.Element {
	for _, item := range payload.Child(nsPubSub, "items").Children() {
		if room.Equal(perch.JID(item.Attr("id"))) {
			return item.Child(NodeBookmarks, "conference")
		}
	}
	return nil
}

// SameBookmark reports whether a bookmark that is on the server says what b does.
func SameBookmark(el *xmlstream.Element, b perch.RoomBookmark) bool {
	has, ok := parseConference(el, string(b.JID), b.Store)
	has.JID, has.Foreign = b.JID, b.Foreign
	return ok && has == b
}

// EncodeBookmark publishes the bookmark of a room (XEP-0402, 3.2). Old is what the server has of it, or nil.
func EncodeBookmark(b perch.RoomBookmark, old *xmlstream.Element, options bool) ([]byte, error) {
	el, err := conference(NodeBookmarks, old, b)
	if err != nil {
		return nil, err
	}
	var w writer
	w.roomAddress(b.JID)
	w.Raw("<pubsub xmlns='" + nsPubSub + "'><publish node='" + NodeBookmarks + "'><item")
	w.Attr("{jid}", "id", string(b.JID))
	w.Raw(">")
	w.Tree("/bookmark", el.Borrowed(), nsPubSub)
	w.Raw("</item></publish>")
	if options {
		w.publishOptions(true)
	}
	w.Raw("</pubsub>")
	return w.Result()
}

// EncodeBookmarkRetract removes the bookmark of a room (XEP-0402, 3.4).
func EncodeBookmarkRetract(room perch.JID) ([]byte, error) {
	var w writer
	w.roomAddress(room)
	w.Raw("<pubsub xmlns='" + nsPubSub + "'><retract node='" + NodeBookmarks + "' notify='true'><item")
	w.Attr("{jid}", "id", string(room))
	w.Raw("/></retract></pubsub>")
	return w.Result()
}

// roomAddress refuses what is no address of a room.
func (w *writer) roomAddress(room perch.JID) {
	if room == "" || !room.IsBare() || strings.TrimSpace(string(room)) != string(room) {
		w.fail("{jid}", "it must be the bare JID of a room")
	}
}
