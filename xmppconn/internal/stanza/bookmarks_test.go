package stanza_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/streamtest"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

const (
	nsPubSub = "http://jabber.org/protocol/pubsub"
	pinned   = "<pinned xmlns='urn:xmpp:bookmarks-pinning:0'/>"
	mentions = "<notify xmlns='urn:xmpp:notification-settings:1'><on-mention/></notify>"
)

// conference is a bookmark of XEP-0402 with an item around it.
func conference(room, attrs, inner string) string {
	return "<item id='" + room + "'><conference xmlns='urn:xmpp:bookmarks:1'" + attrs + ">" + inner + "</conference></item>"
}

func itemsOf(items string) string {
	return "<pubsub xmlns='" + nsPubSub + "'><items node='urn:xmpp:bookmarks:1'>" + items + "</items></pubsub>"
}

func document(inner string) string {
	return "<query xmlns='jabber:iq:private'><storage xmlns='storage:bookmarks'>" + inner + "</storage></query>"
}

func TestParseBookmarks(t *testing.T) {
	mark := func(b perch.Bookmark, foreign string) perch.RoomBookmark {
		b.Store = "0402"
		return perch.RoomBookmark{JID: "r@c.test", Bookmark: b, Foreign: foreign}
	}
	foreign := func(inner string) string {
		return "<conference xmlns='urn:xmpp:bookmarks:1'>" + inner + "</conference>"
	}
	long := strings.Repeat("x", 5<<10)
	for name, tt := range map[string]struct {
		items string
		want  []perch.RoomBookmark
	}{
		"all of it": {conference("r@c.test", " name='Room' autojoin='true'", "<nick>Al</nick><password>p</password><extensions>"+mentions+"</extensions>"),
			[]perch.RoomBookmark{{JID: "r@c.test", Password: "p", Bookmark: perch.Bookmark{AutoJoin: true, Name: "Room", Nick: "Al", Notify: "mentions", Store: "0402"}}}},
		"nothing":           {conference("r@c.test/x", " autojoin='0'", ""), []perch.RoomBookmark{mark(perch.Bookmark{}, "")}},
		"autojoin as 1":     {conference("r@c.test", " autojoin='1'", ""), []perch.RoomBookmark{mark(perch.Bookmark{AutoJoin: true}, "")}},
		"notify of all":     {conference("r@c.test", "", "<extensions><notify xmlns='urn:xmpp:notification-settings:1'><always/></notify></extensions>"), []perch.RoomBookmark{mark(perch.Bookmark{Notify: "all"}, "")}},
		"foreign extension": {conference("r@c.test", "", "<extensions>"+pinned+mentions+"</extensions>"), []perch.RoomBookmark{mark(perch.Bookmark{Notify: "mentions"}, foreign("<extensions>"+pinned+"</extensions>"))}},
		"foreign child":     {conference("r@c.test", "", "<x xmlns='urn:x' a='&lt;'>b<c/></x>"), []perch.RoomBookmark{mark(perch.Bookmark{}, foreign("<x xmlns='urn:x' a='&lt;'>b<c/></x>"))}},
		"foreign attribute": {conference("r@c.test", " name='R' colour='red'", ""), []perch.RoomBookmark{mark(perch.Bookmark{Name: "R"}, "<conference xmlns='urn:xmpp:bookmarks:1' colour='red'/>")}},
		"notify of one client": {conference("r@c.test", "", "<extensions><notify xmlns='urn:xmpp:notification-settings:1'><never identity='client/pc'/></notify></extensions>"),
			[]perch.RoomBookmark{mark(perch.Bookmark{}, foreign("<extensions><notify xmlns='urn:xmpp:notification-settings:1'><never identity='client/pc'/></notify></extensions>"))}},
		"more than is kept": {conference("r@c.test", "", "<x xmlns='urn:x'>"+strings.Repeat("x", 17<<10)+"</x>"), []perch.RoomBookmark{mark(perch.Bookmark{}, "")}},
		"no bookmarks":      {"<item id='r@c.test'/><item><conference xmlns='urn:xmpp:bookmarks:1'/></item>" + conference("r@c.test", " name='"+long+"'", ""), nil},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := stanza.ParseBookmarks(streamtest.Parse(t, itemsOf(tt.items)))
			if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
				t.Errorf("ParseBookmarks(): got error %v, want none; -want +got:\n%s", err, diff)
			}
		})
	}
	if got, err := stanza.ParseBookmarks(nil); got != nil || err != nil {
		t.Errorf("ParseBookmarks(nil) = %v, %v; want none", got, err)
	}
}

func TestBookmarksAreBounded(t *testing.T) {
	var items, rooms strings.Builder
	for i := range 5001 {
		items.WriteString(conference(fmt.Sprintf("r%d@c.test", i), "", ""))
		fmt.Fprintf(&rooms, "<conference jid='r%d@c.test'/>", i)
	}
	if _, err := stanza.ParseBookmarks(parseLarge(t, itemsOf(items.String()))); !errors.Is(err, perch.ErrAnswerTooLarge) {
		t.Errorf("ParseBookmarks() = %v, want %v", err, perch.ErrAnswerTooLarge)
	}
	if _, err := stanza.ParseDocument(parseLarge(t, document(rooms.String()))).Bookmarks("0049"); !errors.Is(err, perch.ErrAnswerTooLarge) {
		t.Errorf("Bookmarks() = %v, want %v", err, perch.ErrAnswerTooLarge)
	}
}

func parseLarge(t testing.TB, raw string) *xmlstream.Element {
	t.Helper()
	el, err := xmlstream.Parse(raw, fuzzLimits)
	if err != nil {
		t.Fatalf("Parse(): got error %v, want none", err)
	}
	return el
}

// TestEncodeBookmark keeps what other clients have in a bookmark.
func TestEncodeBookmark(t *testing.T) {
	b := perch.RoomBookmark{JID: "r@c.test", Password: "p", Bookmark: perch.Bookmark{AutoJoin: true, Name: "R'", Nick: "Al", Notify: "none"}}
	const head = "<conference xmlns='urn:xmpp:bookmarks:1' name='R&apos;' autojoin='true'"
	const texts = "<nick>Al</nick><password>p</password>"
	const never = "<notify xmlns='urn:xmpp:notification-settings:1'><never/></notify>"
	const ofPC = "<on-mention identity='client/pc'/>"
	for name, tt := range map[string]struct{ old, foreign, want string }{
		"new":                    {"", "", head + ">" + texts + "<extensions>" + never + "</extensions></conference>"},
		"new, as it was before":  {"", "<conference xmlns='urn:xmpp:bookmarks:1' a='b'><extensions>" + pinned + "</extensions></conference>", head + " a='b'>" + texts + "<extensions>" + pinned + never + "</extensions></conference>"},
		"of another client":      {conference("r@c.test", " name='old' a='b'", "<nick>old</nick><x xmlns='urn:x'/><extensions>"+pinned+mentions+"</extensions>"), "<conference xmlns='urn:stale'/>", head + " a='b'>" + texts + "<x xmlns='urn:x'/><extensions>" + pinned + never + "</extensions></conference>"},
		"notify of other kinds":  {conference("r@c.test", "", "<extensions><notify xmlns='urn:xmpp:notification-settings:1'>"+ofPC+"<always/></notify></extensions>"), "", head + ">" + texts + "<extensions><notify xmlns='urn:xmpp:notification-settings:1'><never/>" + ofPC + "</notify></extensions></conference>"},
		"without its own things": {conference("r@c.test", "", "<password>old</password><extensions/>"), "", head + ">" + texts + "<extensions>" + never + "</extensions></conference>"},
	} {
		t.Run(name, func(t *testing.T) {
			b := b
			b.Foreign = tt.foreign
			old := stanza.BookmarkItem(streamtest.Parse(t, itemsOf(tt.old)), "R@c.test")
			got := encoded(t)(stanza.EncodeBookmark(b, old, false))
			equal(t, "EncodeBookmark()", got, "<pubsub xmlns='"+nsPubSub+"'><publish node='urn:xmpp:bookmarks:1'><item id='r@c.test'>"+tt.want+"</item></publish></pubsub>")
			if old := stanza.BookmarkItem(streamtest.Parse(t, itemsOf(tt.old)), b.JID); old != nil && stanza.SameBookmark(old, b) {
				t.Error("SameBookmark() of what was there before = true, want false")
			}
			published := reparse(t, []byte(got)).Child(nsPubSub, "publish").Child(nsPubSub, "item").Child("urn:xmpp:bookmarks:1", "conference")
			b.Store = "0402"
			if !stanza.SameBookmark(published, b) {
				t.Errorf("SameBookmark() of what was published = false, want true")
			}
		})
	}
	without := encoded(t)(stanza.EncodeBookmark(perch.RoomBookmark{JID: "r@c.test"}, nil, true))
	if !strings.Contains(without, "<conference xmlns='urn:xmpp:bookmarks:1'/></item></publish><publish-options>") || !strings.Contains(without, "<field var='pubsub#max_items'><value>max</value>") {
		t.Errorf("EncodeBookmark() = %s, want an empty bookmark, and options", without)
	}
}

func TestEncodeBookmarkRequests(t *testing.T) {
	text := encoded(t)
	for _, tt := range []struct{ what, got, want string }{
		{"EncodeBookmarksGet()", text(stanza.EncodeBookmarksGet("")), "<pubsub xmlns='" + nsPubSub + "'><items node='urn:xmpp:bookmarks:1'/></pubsub>"},
		{"EncodeBookmarksGet() of one", text(stanza.EncodeBookmarksGet("r'@c.test")), "<pubsub xmlns='" + nsPubSub + "'><items node='urn:xmpp:bookmarks:1'><item id='r&apos;@c.test'/></items></pubsub>"},
		{"EncodeBookmarkRetract()", text(stanza.EncodeBookmarkRetract("r@c.test")), "<pubsub xmlns='" + nsPubSub + "'><retract node='urn:xmpp:bookmarks:1' notify='true'><item id='r@c.test'/></retract></pubsub>"},
		{"EncodeDocumentGet()", string(stanza.EncodeDocumentGet("0048")), "<pubsub xmlns='" + nsPubSub + "'><items node='storage:bookmarks'/></pubsub>"},
		{"EncodeDocumentGet() of private storage", string(stanza.EncodeDocumentGet("0049")), "<query xmlns='jabber:iq:private'><storage xmlns='storage:bookmarks'/></query>"},
	} {
		equal(t, tt.what, tt.got, tt.want)
	}
	for _, jid := range []perch.JID{"", "r@c.test/x", " r@c.test"} {
		if _, err := stanza.EncodeBookmark(perch.RoomBookmark{JID: jid}, nil, true); fieldOf(err) != "{jid}" {
			t.Errorf("EncodeBookmark(%q): got %v, want an error of {jid}", jid, err)
		}
		if err := stanza.CheckBookmark(perch.RoomBookmark{JID: jid}); fieldOf(err) != "{jid}" {
			t.Errorf("CheckBookmark(%q) = %v, want an error of {jid}", jid, err)
		}
	}
	long := perch.RoomBookmark{JID: "r@c.test", Bookmark: perch.Bookmark{Name: strings.Repeat("x", 5<<10)}}
	if err := stanza.CheckBookmark(long); fieldOf(err) != "/name" {
		t.Errorf("CheckBookmark() of a name of 5 KiB = %v, want an error of /name", err)
	}
	for field, b := range map[string]perch.RoomBookmark{"/bookmark": {JID: "r@c.test", Foreign: "<a>"}, "/bookmark ": {JID: "r@c.test", Password: "\x01"}} {
		if _, err := stanza.EncodeBookmark(b, nil, true); fieldOf(err) != strings.TrimSpace(field) {
			t.Errorf("EncodeBookmark(): got %v, want an error of %s", err, field)
		}
	}
}

// TestBookmarkDocument changes one room of the document and nothing else.
func TestBookmarkDocument(t *testing.T) {
	const other = "<url name='U' url='http://u.test'/><conference jid='o@c.test' name='O' autojoin='1'><x xmlns='urn:x'/></conference>"
	const mine = "<conference jid='r@c.test' name='R'><nick>Al</nick></conference>"
	b := perch.RoomBookmark{JID: "r@c.test", Bookmark: perch.Bookmark{Name: "R", Nick: "Al", Store: "0049"}}
	for name, tt := range map[string]struct {
		before  string
		b       *perch.RoomBookmark // nil: it is removed
		after   string
		changed bool
	}{
		"new":          {other, &b, other + mine, true},
		"the same":     {mine + other, &b, mine + other, false},
		"another name": {"<conference jid='R@C.test' name='old'><y xmlns='urn:y'/></conference>" + other, &b, "<conference jid='r@c.test' name='R'><nick>Al</nick><y xmlns='urn:y'/></conference>" + other, true},
		"twice":        {mine + other + mine, &b, mine + other, true},
		"removed":      {mine + other + mine, nil, other, true},
		"not there":    {other, nil, other, false},
		"the first":    {"", &b, mine, true},
	} {
		t.Run(name, func(t *testing.T) {
			d, changed := stanza.ParseDocument(streamtest.Parse(t, document(tt.before))), false
			var err error
			if tt.b == nil {
				d, changed = d.Remove("r@c.test")
			} else {
				d, changed, err = d.Put(*tt.b)
			}
			if changed != tt.changed || err != nil {
				t.Errorf("got changed %v, %v; want %v", changed, err, tt.changed)
			}
			want := document(tt.after)
			if tt.after == "" {
				want = "<query xmlns='jabber:iq:private'><storage xmlns='storage:bookmarks'/></query>"
			}
			equal(t, "Encode()", encoded(t)(d.Encode("0049", false)), want)
		})
	}
}

// TestBookmarkDocumentInNode keeps the id of the item that the document is.
func TestBookmarkDocumentInNode(t *testing.T) {
	const items = "<pubsub xmlns='" + nsPubSub + "'><items node='storage:bookmarks'><item id='x1'><storage xmlns='storage:bookmarks'><conference jid='r@c.test' autojoin='true'/></storage></item></items></pubsub>"
	d := stanza.ParseDocument(streamtest.Parse(t, items))
	list, err := d.Bookmarks("0048")
	if diff := cmp.Diff([]perch.RoomBookmark{{JID: "r@c.test", Bookmark: perch.Bookmark{AutoJoin: true, Store: "0048"}}}, list); diff != "" || err != nil {
		t.Errorf("Bookmarks(): got error %v, want none; -want +got:\n%s", err, diff)
	}
	got := encoded(t)(d.Encode("0048", true))
	const want = "<pubsub xmlns='" + nsPubSub + "'><publish node='storage:bookmarks'><item id='x1'><storage xmlns='storage:bookmarks'><conference jid='r@c.test' autojoin='true'/></storage></item></publish><publish-options>"
	if !strings.HasPrefix(got, want) || strings.Contains(got, "max_items") || !strings.Contains(got, "<field var='pubsub#access_model'><value>whitelist</value>") {
		t.Errorf("Encode() = %s, want %s, for the account alone", got, want)
	}
	if got := encoded(t)(stanza.ParseDocument(nil).Encode("0048", false)); !strings.Contains(got, "<item id='current'><storage xmlns='storage:bookmarks'/></item>") {
		t.Errorf("Encode() of no document = %s, want an empty one", got)
	}
}

func TestBookmarkStores(t *testing.T) {
	const info, pep, options = "<query xmlns='http://jabber.org/protocol/disco#info'>", "<identity category='pubsub' type='pep'/>", "<feature var='http://jabber.org/protocol/pubsub#publish-options'/>"
	for raw, want := range map[string]string{
		info + pep + options + "<feature var='urn:xmpp:bookmarks:1#compat'/></query>":                                                     "0402 0049",
		info + pep + options + "<feature var='urn:xmpp:bookmarks:1#compat-pep'/><feature var='urn:xmpp:bookmarks-conversion:0'/></query>": "0402 0049",
		info + pep + options + "<feature var='urn:xmpp:bookmarks-conversion:0'/></query>":                                                 "0048 0049",
		info + pep + options + "</query>":                             "0049 0402",
		info + "<feature var='urn:xmpp:bookmarks:1#compat'/></query>": "0049",
	} {
		if got := strings.Join(stanza.BookmarkStores(streamtest.Parse(t, raw)), " "); got != want {
			t.Errorf("BookmarkStores() of %s = %q, want %q", raw, got, want)
		}
	}
}

// FuzzBookmarkDocument puts a room into any document: it is there then, and what was there is still there.
func FuzzBookmarkDocument(f *testing.F) {
	f.Add(document("<conference jid='r@c.test' name='R' a='b'><nick>Al</nick><x xmlns='urn:x'>y</x></conference><url/>"), "R", true)
	f.Add(document("<conference jid='r@c.test'><extensions xmlns='urn:xmpp:bookmarks:1'>"+pinned+mentions+"</extensions></conference>"), "", false)
	f.Add(strings.NewReplacer("urn:xmpp:bookmarks:1", "storage:bookmarks").Replace(itemsOf("<item id='1'><storage xmlns='storage:bookmarks'><conference jid='a@c.test'/></storage></item>")), "x", false)
	f.Fuzz(func(t *testing.T, raw, name string, autojoin bool) {
		el, err := xmlstream.Parse(raw, fuzzLimits)
		if err != nil {
			return
		}
		d := stanza.ParseDocument(el)
		before, err := d.Bookmarks("0049")
		if err != nil {
			return
		}
		b := perch.RoomBookmark{JID: "r@c.test", Bookmark: perch.Bookmark{Name: name, AutoJoin: autojoin, Store: "0049"}}
		d, _, err = d.Put(b)
		if err != nil {
			t.Fatalf("Put(): got error %v, want none", err)
		}
		text, err := d.Encode("0049", false)
		if err != nil {
			return // a name that cannot be written
		}
		again := stanza.ParseDocument(reparse(t, text))
		after, err := again.Bookmarks("0049")
		if err != nil {
			t.Fatalf("Bookmarks(): got error %v, want none", err)
		}
		has := map[perch.JID]perch.RoomBookmark{}
		for _, a := range after {
			has[a.JID] = a
		}
		if _, changed, _ := again.Put(b); changed && len(name) < 4<<10 {
			t.Fatalf("Put() once more changes %s, want nothing changed", text)
		}
		for _, old := range before {
			if got := has[old.JID]; !old.JID.Equal(b.JID) && got.JID == "" {
				t.Fatalf("%s is lost from %s, want it", old.JID, text)
			}
		}
	})
}
