package today_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/perch-im/perch/internal/xmpptest"
)

const (
	nsBookmarks    = "urn:xmpp:bookmarks:1"
	nsOldBookmarks = "storage:bookmarks"
	nsPrivate      = "jabber:iq:private"
	oldRoom        = "<conference jid='b@rooms' name='B'><nick>Al</nick></conference>"
)

func bookmark(room, inner string) string {
	return pubsub("<publish node='" + nsBookmarks + "'><item id='" + room + "'><conference xmlns='" + nsBookmarks + "' name='A' autojoin='true'>" + inner + "</conference></item></publish>")
}

func oldBookmarks(inner string) string {
	return "<storage xmlns='" + nsOldBookmarks + "'>" + inner + "</storage>"
}

// bookmarksIn are those of the three stores, each as jid name autojoin nick.
func bookmarksIn(c *xmpptest.Client) (items, document, private []string) {
	c.T.Helper()
	text := func(jid string, k xmpptest.Node) string {
		return strings.TrimSpace(jid + " " + k.Get("name") + " " + k.Get("autojoin") + " " + k.At("nick").Text)
	}
	for _, i := range c.IQ("get", "", pubsub("<items node='"+nsBookmarks+"'/>")).At("pubsub", "items").Kids {
		items = append(items, text(i.Get("id"), i.At("conference")))
	}
	for _, k := range c.IQ("get", "", pubsub("<items node='"+nsOldBookmarks+"'/>")).At("pubsub", "items", "item", "storage").Kids {
		document = append(document, text(k.Get("jid"), k))
	}
	for _, k := range c.IQ("get", "", "<query xmlns='"+nsPrivate+"'>"+oldBookmarks("")+"</query>").At("query", "storage").Kids {
		private = append(private, text(k.Get("jid"), k))
	}
	return items, document, private
}

func TestBookmarksAreTheSameInAllStores(t *testing.T) {
	s := start(t, world())
	ann := wanting(t, s, "ann", "a", nsBookmarks, nsOldBookmarks)
	const extensions = "<extensions><x xmlns='urn:x'/></extensions>"
	options := "<publish-options>" + nodeForm("publish-options", "max_items=max", "access_model=whitelist", "send_last_published_item=never") + "</publish-options></pubsub>"
	private := func(inner string) string {
		return "<query xmlns='" + nsPrivate + "'>" + oldBookmarks(inner) + "</query>"
	}
	for _, step := range []struct {
		name, payload string
		want          []string
		events        []string // what and node
	}{
		{"an item", strings.Replace(bookmark("a@rooms", "<nick>Al</nick>"+extensions), "</pubsub>", options, 1), []string{"a@rooms A true Al"}, []string{"item " + nsBookmarks, "item " + nsOldBookmarks}},
		{"the document with one more", pubsub("<publish node='" + nsOldBookmarks + "'><item id='current'>" + oldBookmarks("<conference jid='a@rooms' name='A' autojoin='true'><nick>Al</nick></conference>"+oldRoom) + "</item></publish>"), []string{"a@rooms A true Al", "b@rooms B  Al"}, []string{"item " + nsOldBookmarks, "item " + nsBookmarks}},
		{"private storage without the second", private("<conference jid='A@Rooms' name='C'/><conference jid='a@rooms' name='D'/>"), []string{"a@rooms C"}, []string{"item " + nsOldBookmarks, "item " + nsBookmarks, "retract " + nsBookmarks}},
		{"retracted", pubsub("<retract node='" + nsBookmarks + "' notify='1'><item id='a@rooms'/></retract>"), nil, []string{"retract " + nsBookmarks, "item " + nsOldBookmarks}},
	} {
		if n := ann.IQ("set", "", step.payload); n.Get("type") != "result" {
			t.Fatalf("%s: got %v, want a result", step.name, n)
		}
		var events []string
		for _, m := range xmpptest.Only(ann.Sync(), "message headline") {
			what := m.At("event", "items")
			events = append(events, what.Kids[0].XMLName.Local+" "+what.Get("node"))
		}
		if !slices.Equal(events, step.events) {
			t.Errorf("%s: got the events %q, want %q", step.name, events, step.events)
		}
		items, document, private := bookmarksIn(ann)
		for i := range document { // what a client has written stays as it has
			document[i], private[i] = strings.ToLower(document[i]), strings.ToLower(private[i])
		}
		if !slices.Equal(items, step.want) {
			t.Errorf("%s: got the items %q, want %q", step.name, items, step.want)
		}
		if len(step.want) != len(document) && step.name != "private storage without the second" || !slices.Equal(document, private) {
			t.Errorf("%s: got the document %q and private storage %q, want both as %q", step.name, document, private, step.want)
		}
		if step.name == "private storage without the second" {
			kept := ann.IQ("get", "", pubsub("<items node='"+nsBookmarks+"'/>")).At("pubsub", "items", "item", "conference", "extensions", "x")
			if kept.XMLName.Space != "urn:x" {
				t.Errorf("%s: got %v for the extensions, want them kept", step.name, kept)
			}
		}
	}
}

func TestPrivateStorage(t *testing.T) {
	s := start(t, world())
	ann := online(t, s, "ann", "a")
	doc := func(name, text string) string {
		return "<query xmlns='" + nsPrivate + "'><notes xmlns='" + name + "'>" + text + "</notes></query>"
	}
	for _, tt := range []struct{ name, kind, to, payload, condition, text string }{
		{"nothing yet", "get", "", doc("urn:a", ""), "", ""},
		{"set", "set", "", doc("urn:a", "one"), "", ""},
		{"as it was set", "get", "", doc("urn:a", ""), "", "one"},
		{"replaced", "set", "", doc("urn:a", "two"), "", ""},
		{"as it was replaced", "get", at("ann"), doc("urn:a", ""), "", "two"},
		{"another", "get", "", doc("urn:b", ""), "", ""},
		{"of another", "get", at("ben"), doc("urn:a", ""), "forbidden", ""},
		{"nothing asked", "get", "", "<query xmlns='" + nsPrivate + "'/>", "bad-request", ""},
	} {
		n := ann.IQ(tt.kind, tt.to, tt.payload)
		if got, text := n.Condition(), n.At("query", "notes").Text; got != tt.condition || text != tt.text {
			t.Errorf("%s: got the condition %q and %q, want %q and %q", tt.name, got, text, tt.condition, tt.text)
		}
	}
	for i := range 20 {
		got := ann.IQ("set", "", doc("urn:x"+string(rune('a'+i)), "x")).Condition()
		if want := map[bool]string{true: "resource-constraint"}[i == 19]; got != want {
			t.Errorf("document %d: got the condition %q, want %q", i+2, got, want)
		}
	}
}
