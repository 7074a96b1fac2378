package app_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/perch-im/perch/internal/testkit"
)

// bookmarkWorld has alice behind the gateway, and by the library of Gajim as well.
type bookmarkWorld struct {
	*world
	t      *testing.T
	gajim  *testkit.Peer
	stream *testkit.Stream
	store  string // that the server has for bookmarks, as the gateway names it
}

// inBookmarks runs a test on each server.
func inBookmarks(t *testing.T, f func(b *bookmarkWorld)) {
	for _, l := range roomLogins() {
		t.Run(l.name, func(t *testing.T) {
			w := newWorld(t, l, l.server(t))
			b := &bookmarkWorld{world: w, t: t, gajim: w.server.NbxmppFor(t, w.alice), store: "0402"}
			if w.server.Name == "ejabberd" && !testkit.EjabberdAtLeast("24") {
				b.store = "0048"
			}
			b.stream = live(t, w.api, "") // while nobody looks, ejabberd keeps what is said of bookmarks for later
			w.api.Call(t, http.StatusOK, http.MethodPost, "/v1/session", map[string]string{"rooms": "autojoin"})
			f(b)
		})
	}
}

func (b *bookmarkWorld) room(name string) string {
	local, _, _ := strings.Cut(b.alice.JID, "@")
	return name + "-" + local + "@conference." + b.server.Domain
}

// has waits until the gateway has a bookmark.
func (b *bookmarkWorld) has(room, name, nick string, autojoin bool) {
	b.t.Helper()
	testkit.Eventually(b.t, 20*time.Second, func() error {
		v := b.api.Get(b.t, "/v1/rooms?limit=200").Find("items", "jid", room)
		if v == nil || v.Str("bookmark.name") != name || v.Str("bookmark.nick") != nick || v.Bool("bookmark.autojoin") != autojoin || v.Str("bookmark.store") != b.store {
			return fmt.Errorf("the room is %v, want the bookmark %q, nick %q, autojoin %v, in %s", v, name, nick, autojoin, b.store)
		}
		return nil
	})
}

// shows waits until the other client finds a bookmark in a store.
func (b *bookmarkWorld) shows(store, room, name string, autojoin bool) testkit.PeerEvent {
	b.t.Helper()
	var found testkit.PeerEvent
	testkit.Eventually(b.t, 20*time.Second, func() error {
		list := b.gajim.Bookmarks(b.t, store)
		for _, e := range list {
			if e.JID == room && e.Name == name && e.AutoJoin == autojoin {
				found = e
				return nil
			}
		}
		return fmt.Errorf("%s has %+v, want %s as %q, autojoin %v", store, list, room, name, autojoin)
	})
	return found
}

// put gives a room a bookmark by the gateway, which joins it.
func (b *bookmarkWorld) put(room, name string) {
	b.t.Helper()
	a, err := b.api.Do(b.t.Context(), http.MethodPut, "/v1/rooms/"+testkit.Escape(room), map[string]any{"nick": "Al", "name": name, "autojoin": true})
	if err != nil || a.Status != http.StatusAccepted {
		b.t.Errorf("joining %s: %d %s (%v), want 202", room, a.Status, a.Body, err)
	}
}

// TestBookmarksOfNbxmpp: what another client writes into any store that the server bridges is read here, and
// what is written here is read there, with what it had put into the entry.
func TestBookmarksOfNbxmpp(t *testing.T) {
	inBookmarks(t, func(b *bookmarkWorld) {
		stores := map[string][]string{"0402": {"0402", "0048", "0049"}, "0048": {"0048", "0049"}}[b.store]
		for i, store := range stores {
			b.gajim.Bookmark(b.t, store, b.room("of"+store), "Gajim "+store, "Al", i == 0, "")
			b.has(b.room("of"+store), "Gajim "+store, "Al", i == 0)
		}
		kept := b.room("kept")
		const extensions = "<extensions xmlns='urn:xmpp:bookmarks:1'><pinned xmlns='urn:xmpp:bookmarks-pinning:0'/><colour xmlns='urn:test'>red</colour></extensions>"
		if b.store == "0402" {
			b.gajim.Bookmark(b.t, "0402", kept, "Kept", "Al", false, extensions)
			b.has(kept, "Kept", "Al", false)
		}
		b.put(kept, "Renamed")
		e := b.shows(b.store, kept, "Renamed", true)
		if b.store == "0402" && (!strings.Contains(e.Extensions, "pinned") || !strings.Contains(e.Extensions, "red")) {
			b.t.Errorf("got the extensions %q, want those that the other client has put there", e.Extensions)
		}
		for _, store := range stores { // what was changed here, in the eyes of a client of each
			b.shows(store, kept, "Renamed", true)
			b.shows(store, b.room("of"+stores[0]), "Gajim "+stores[0], true)
		}
		b.api.Call(b.t, http.StatusNoContent, http.MethodDelete, "/v1/rooms/"+testkit.Escape(kept)+"?forget=1", nil)
		testkit.Eventually(b.t, 20*time.Second, func() error {
			for _, e := range b.gajim.Bookmarks(b.t, b.store) {
				if e.JID == kept {
					return fmt.Errorf("got %+v, want it forgotten", e)
				}
			}
			return nil
		})
	})
}

// TestTwoWritersOfBookmarks: entries that both clients write at the same time are all there in the end.
func TestTwoWritersOfBookmarks(t *testing.T) {
	const each = 12
	inBookmarks(t, func(b *bookmarkWorld) {
		b.put(b.room("first"), "First")
		b.shows(b.store, b.room("first"), "First", true)
		var wg sync.WaitGroup
		wg.Go(func() {
			for i := range each {
				b.put(b.room(fmt.Sprint("ours", i)), "Ours")
			}
		})
		for i := range each {
			b.gajim.Bookmark(b.t, b.store, b.room(fmt.Sprint("theirs", i)), "Theirs", "", false, "")
		}
		wg.Wait()
		b.again(each)
		testkit.Eventually(b.t, 20*time.Second, func() error {
			there := map[string]bool{}
			for _, e := range b.gajim.Bookmarks(b.t, b.store) {
				there[e.JID] = true
			}
			var lost []string
			for i := range each {
				for _, name := range []string{fmt.Sprint("ours", i), fmt.Sprint("theirs", i)} {
					if !there[b.room(name)] {
						lost = append(lost, name)
					}
				}
			}
			if len(lost) > 0 || !there[b.room("first")] {
				return fmt.Errorf("%q are lost, want all", lost)
			}
			return nil
		})
	})
}

// again lets the other client look once more, where all bookmarks are one document: as the gateway does, it
// writes what another writer has replaced.
func (b *bookmarkWorld) again(each int) {
	b.t.Helper()
	if b.store == "0402" {
		return
	}
	for i := range each {
		room := b.room(fmt.Sprint("theirs", i))
		if !slices.ContainsFunc(b.gajim.Bookmarks(b.t, b.store), func(e testkit.PeerEvent) bool { return e.JID == room }) {
			b.gajim.Bookmark(b.t, b.store, room, "Theirs", "", false, "")
		}
	}
}

// TestNodeThatKeepsOneItem: a node that another client has made as servers make them, with room for one item,
// loses nothing by what is written here.
func TestNodeThatKeepsOneItem(t *testing.T) {
	inBookmarks(t, func(b *bookmarkWorld) {
		first := b.room("first")
		if b.store == "0402" {
			b.keepsAll("urn:xmpp:bookmarks:1", "<conference xmlns='urn:xmpp:bookmarks:1' name='First'/>", first, func(i int) string {
				room := b.room(fmt.Sprint("next", i))
				b.put(room, "Next")
				return room
			})
		}
		b.keepsAll("urn:xmpp:mds:displayed:0", "<displayed xmlns='urn:xmpp:mds:displayed:0'><stanza-id xmlns='urn:xmpp:sid:0' by='"+b.alice.JID+"' id='1'/></displayed>", first, func(i int) string {
			from := b.server.SlixmppFor(b.t, b.server.NewUserAt(b.t, "writer", b.server.Domain))
			body := fmt.Sprint("unread ", i)
			from.Message(b.t, b.alice.JID, body)
			jid, _, _ := strings.Cut(from.JID, "/")
			ref := b.stream.Expect(b.t, body, message("message.received", body)).Data.Str("ref")
			b.api.Call(b.t, http.StatusOK, http.MethodPut, "/v1/conversations/"+testkit.Escape(jid)+"/read", map[string]string{"ref": ref})
			return jid
		})
	})
}

// keepsAll lets the other client put the first item into a node, and then the gateway two more.
func (b *bookmarkWorld) keepsAll(node, payload, first string, write func(i int) string) {
	b.t.Helper()
	b.gajim.Raw(b.t, "<iq type='set' id='first'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='"+node+"'><item id='"+first+"'>"+payload+"</item></publish></pubsub></iq>")
	want := []string{first}
	if got := b.gajim.Items(b.t, node); !slices.Equal(got, want) {
		b.t.Fatalf("%s: got %q, want what was published", node, got)
	}
	for i := range 2 {
		want = append(want, write(i))
	}
	slices.Sort(want)
	testkit.Eventually(b.t, 20*time.Second, func() error {
		got := b.gajim.Items(b.t, node)
		if slices.Sort(got); !slices.Equal(got, want) {
			return fmt.Errorf("%s has %q, want %q", node, got, want)
		}
		return nil
	})
}
