package stanza_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
)

// pepEvent is a notification of a node of the own account.
func pepEvent(attrs, inner string) string {
	return "<message " + attrs + "><event xmlns='http://jabber.org/protocol/pubsub#event'>" + inner + "</event></message>"
}

const ofAccount = "from='me@a.test' to='me@a.test/home' type='headline'"

// TestBookmarkEvents takes notifications of the own nodes, from the account alone.
func TestBookmarkEvents(t *testing.T) {
	const node, old = "<items node='urn:xmpp:bookmarks:1'>", "<items node='storage:bookmarks'>"
	item := node + conference("r@c.test", " name='R' autojoin='true'", "") + "</items>"
	storage := old + "<item id='current'><storage xmlns='storage:bookmarks'><conference jid='r@c.test' name='R'/></storage></item></items>"
	mark := func(store string, autojoin bool) perch.RoomBookmark {
		return perch.RoomBookmark{JID: "r@c.test", Bookmark: perch.Bookmark{Name: "R", AutoJoin: autojoin, Store: store}}
	}
	put := &perch.BookmarksIn{Store: "0402", Put: []perch.RoomBookmark{mark("0402", true)}}
	var rooms strings.Builder
	for i := range 5001 {
		fmt.Fprintf(&rooms, "<conference jid='r%d@c.test'/>", i)
	}
	for _, tt := range []struct {
		name, raw string
		want      perch.Inbound // nil: nothing
	}{
		{"an item", pepEvent(ofAccount, item), put},
		{"as ejabberd sends it to all", pepEvent("from='me@a.test' to='me@a.test' type='headline'", item) + "", put},
		{"without from", pepEvent("type='headline'", item), put},
		{"a retraction", pepEvent(ofAccount, node+"<retract id='r@c.test'/><retract/></items>"), &perch.BookmarksIn{Store: "0402", Removed: []perch.JID{"r@c.test"}}},
		{"a purge", pepEvent(ofAccount, "<purge node='urn:xmpp:bookmarks:1'/>"), &perch.BookmarksIn{Store: "0402", All: true}},
		{"the end of the node", pepEvent(ofAccount, "<delete node='storage:bookmarks'/>"), &perch.BookmarksIn{Store: "0048", All: true}},
		{"a document", pepEvent(ofAccount, storage), &perch.BookmarksIn{Store: "0048", All: true, Put: []perch.RoomBookmark{mark("0048", false)}}},
		{"an empty document", pepEvent(ofAccount, old+"<item id='current'><storage xmlns='storage:bookmarks'/></item></items>"), &perch.BookmarksIn{Store: "0048", All: true}},
		{"the end of the document", pepEvent(ofAccount, old+"<retract id='current'/></items>"), &perch.BookmarksIn{Store: "0048", All: true}},
		{"a document that is too large", pepEvent(ofAccount, old+"<item><storage xmlns='storage:bookmarks'>"+rooms.String()+"</storage></item></items>"),
			&perch.DroppedIn{Dropped: perch.Dropped{Reason: perch.DroppedTooLarge, From: "me@a.test"}}},
		{"an item without a bookmark", pepEvent(ofAccount, node+"<item id='r@c.test'/></items>"), nil},
		{"an item without a document", pepEvent(ofAccount, old+"<item id='current'/></items>"), nil},
		{"a configuration", pepEvent(ofAccount, "<configuration node='urn:xmpp:bookmarks:1'/>"), nil},
		{"another node", pepEvent(ofAccount, strings.Replace(item, "bookmarks:1'", "x'", 1)), nil},
		{"of another resource", pepEvent("from='me@a.test/phone' type='headline'", item), nil},
		{"of somebody else", pepEvent("from='bo@b.test' type='headline'", item), nil},
		{"of the server", pepEvent("from='a.test' type='headline'", storage), nil},
		{"no headline", pepEvent("from='me@a.test' type='chat'", item), nil},
		{"in a carbon", "<message from='me@a.test'><received xmlns='" + nsCarbons + "'><forwarded xmlns='" + nsForward + "'>" +
			strings.Replace(pepEvent(ofAccount, item), "<message ", "<message xmlns='jabber:client' ", 1) + "</forwarded></received></message>", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var want []perch.Inbound
			if tt.want != nil {
				want = []perch.Inbound{tt.want}
			}
			d := decodeText(t, tt.raw, testNow)
			if diff := cmp.Diff(want, d.In); diff != "" || d.Silent != (want == nil) {
				t.Errorf("silent %v; -want +got:\n%s", d.Silent, diff)
			}
		})
	}
}

// TestDropBookmarks leaves out second copies, and stores that are not in use.
func TestDropBookmarks(t *testing.T) {
	var last uint64
	of := func(room string) string {
		return pepEvent(ofAccount, "<items node='urn:xmpp:bookmarks:1'>"+conference(room, "", "")+"</items>")
	}
	locked := func(password string) string {
		return pepEvent(ofAccount, "<items node='urn:xmpp:bookmarks:1'>"+conference("r@c.test", "", "<password>"+password+"</password>")+"</items>")
	}
	document := func(room string) string {
		return pepEvent(ofAccount, "<items node='storage:bookmarks'><item id='current'><storage xmlns='storage:bookmarks'><conference jid='"+room+"'/></storage></item></items>")
	}
	heard := "0402"
	for i, tt := range []struct {
		raw, hears string
		want       int
	}{
		{of("r@c.test"), "0402", 1},
		{of("r@c.test"), "0402", 0},
		{"<message from='bo@b.test'><body>hi</body></message>", "0402", 1},
		{of("r@c.test"), "0402", 0},
		{of("s@c.test"), "0402", 1},
		{of("r@c.test"), "0402", 1},
		{of("t@c.test"), "0048", 0},
		{of("t@c.test"), "0402", 1},
		{document("r@c.test"), "0402", 1}, // a copy
		{document("r@c.test"), "0402", 0},
		{document("r@c.test"), "0049", 0},
		{locked("one"), "0402", 1},
		{locked("two"), "0402", 1},
		{locked("two"), "0402", 0},
	} {
		heard = tt.hears
		d := decodeText(t, tt.raw, testNow)
		if d.DropBookmarks(&last, func(store string) bool { return store == heard }); len(d.In) != tt.want {
			t.Errorf("stanza %d: got %d things, want %d", i, len(d.In), tt.want)
		} else if tt.want == 1 {
			if in, ok := d.In[0].(*perch.BookmarksIn); ok && in.Copy != (in.Store == "0048") {
				t.Errorf("stanza %d: got %+v, want a copy of what is in the other store", i, in)
			}
		}
	}
}

// TestBookmarksAreAnnounced asks servers for changes.
func TestBookmarksAreAnnounced(t *testing.T) {
	payload, refusal := stanza.Answer(request(t, "get", "<query xmlns='http://jabber.org/protocol/disco#info'/>"), false)
	for _, want := range []string{"urn:xmpp:bookmarks:1+notify", "storage:bookmarks+notify"} {
		if refusal != "" || !strings.Contains(string(payload), "<feature var='"+want+"'/>") {
			t.Errorf("Answer() = %s, %q; want the feature %s", payload, refusal, want)
		}
	}
	payload, _ = stanza.Answer(request(t, "get", "<query xmlns='http://jabber.org/protocol/disco#info'/>"), true)
	if strings.Contains(string(payload), "bookmarks") {
		t.Errorf("Answer() of a service that has no rooms = %s, want nothing of bookmarks", payload)
	}
}
