package xmppconn

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/testkit"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
)

// TestBookmarksOnRealServers keeps rooms in the store that each server has for them.
func TestBookmarksOnRealServers(t *testing.T) {
	realServers(t, func(t *testing.T, s *testkit.Server, service perch.JID) {
		want := map[string]string{"prosody": stanza.Store0402, "ejabberd": stanza.Store0048}[s.Name]
		if testkit.EjabberdAtLeast("24") {
			want = stanza.Store0402 // it converts between both since then
		}
		account := func(t *testing.T) (*realUser, *realUser) {
			u := s.NewUser(t, "marks")
			acc := perch.Account{JID: perch.JID(u.JID), Password: perch.NewSecret(u.Password)}
			a, b := signInAgain(t, s, acc), signInAgain(t, s, acc)
			for _, c := range []*realUser{a, b} { // of a connection that does not know its store, all is heard
				if store, err := c.BookmarkStore(context.Background()); store != want || err != nil {
					t.Fatalf("BookmarkStore() = %q, %v; want %q", store, err, want)
				}
			}
			return a, b
		}
		t.Run("fifty", func(t *testing.T) { a, b := account(t); manyBookmarksReal(t, a, b, service) })
		t.Run("foreign", func(t *testing.T) { a, b := account(t); foreignBookmarkReal(t, a, b, want) })
		t.Run("two writers", func(t *testing.T) { a, b := account(t); twoWritersReal(t, a, b) })
		t.Run("a writer that does not look", func(t *testing.T) { a, b := account(t); rawWriterReal(t, a, b, want) })
		t.Run("events", func(t *testing.T) { a, b := account(t); bookmarkEventsReal(t, a, b) })
	})
}

// bookmarksOf are those of an account by room.
func bookmarksOf(c *realUser) map[perch.JID]perch.RoomBookmark {
	c.t.Helper()
	list, err := c.Bookmarks(context.Background())
	c.must(err)
	all := map[perch.JID]perch.RoomBookmark{}
	for _, b := range list {
		all[b.JID] = b
	}
	if len(all) != len(list) {
		c.t.Errorf("got %d bookmarks of %d rooms, want one each", len(list), len(all))
	}
	return all
}

// manyBookmarksReal writes fifty bookmarks, at most ten at once, and none is lost.
func manyBookmarksReal(t *testing.T, a, b *realUser, service perch.JID) {
	ctx := context.Background()
	store, _ := a.BookmarkStore(ctx)
	want := map[perch.JID]perch.RoomBookmark{}
	var wg sync.WaitGroup
	slots := make(chan struct{}, 10)
	for i := range 50 {
		mark := perch.RoomBookmark{
			JID: perch.JID(fmt.Sprintf("room-%d@%s", i, service)), Password: "p&w",
			Bookmark: perch.Bookmark{AutoJoin: i%2 == 0, Name: fmt.Sprintf("Room <%d>", i), Nick: "Al", Notify: perch.NotifyMentions, Store: store},
		}
		want[mark.JID] = mark
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			if err := a.PutBookmark(ctx, mark); err != nil {
				t.Errorf("PutBookmark(%s) = %v, want no error", mark.JID, err)
			}
		})
	}
	wg.Wait()
	if diff := cmp.Diff(want, bookmarksOf(b)); diff != "" {
		t.Errorf("Bookmarks(), -want +got:\n%s", diff)
	}
	gone := perch.JID("room-7@" + string(service))
	delete(want, gone)
	a.must(a.RemoveBookmark(ctx, gone))
	a.must(a.RemoveBookmark(ctx, gone))
	if diff := cmp.Diff(want, bookmarksOf(b)); diff != "" {
		t.Errorf("Bookmarks() without one, -want +got:\n%s", diff)
	}
}

// foreignBookmarkReal changes a bookmark of another client, which has more in it.
func foreignBookmarkReal(t *testing.T, a, b *realUser, store string) {
	ctx := context.Background()
	const other = "<extensions xmlns='urn:xmpp:bookmarks:1'><pinned xmlns='urn:xmpp:bookmarks-pinning:0'/><colour xmlns='urn:test'>red &amp; blue</colour></extensions>"
	a.must(a.PutBookmark(ctx, perch.RoomBookmark{JID: "first@c.test"})) // makes the node as it must be
	raw := "<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='urn:xmpp:bookmarks:1'><item id='r@c.test'><conference xmlns='urn:xmpp:bookmarks:1' name='Old'><nick>Al</nick>" + other + "</conference></item></publish></pubsub>"
	if store == stanza.Store0048 {
		raw = "<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='storage:bookmarks'><item id='current'><storage xmlns='storage:bookmarks'>" +
			"<conference jid='r@c.test' name='Old'><nick>Al</nick>" + other + "</conference><url name='U' url='http://u.test'/></storage></item></publish></pubsub>"
	}
	_, err := b.Ask(ctx, "bookmarks", "set", "", []byte(raw), nil)
	b.must(err)
	before := bookmarksOf(a)["r@c.test"]
	if !strings.Contains(before.Foreign, "<colour xmlns='urn:test'>red &amp; blue</colour>") {
		t.Fatalf("got foreign %q, want the extensions", before.Foreign)
	}
	a.must(a.PutBookmark(ctx, perch.RoomBookmark{JID: "r@c.test", Bookmark: perch.Bookmark{Name: "New", AutoJoin: true, Notify: perch.NotifyNone}}))
	want := perch.RoomBookmark{JID: "r@c.test", Bookmark: perch.Bookmark{Name: "New", AutoJoin: true, Notify: perch.NotifyNone, Store: store}, Foreign: before.Foreign}
	if diff := cmp.Diff(want, bookmarksOf(b)["r@c.test"]); diff != "" {
		t.Errorf("Bookmarks(), -want +got:\n%s", diff)
	}
	if store != stanza.Store0048 {
		return
	}
	answer, err := b.Ask(ctx, "bookmarks", "get", "", stanza.EncodeDocumentGet(store), nil)
	b.must(err)
	if d, err := stanza.ParseDocument(answer).Encode(store, false); err != nil || !strings.Contains(string(d), "url='http://u.test'") {
		t.Errorf("the document is %s, %v; want the address in it that somebody else has put there", d, err)
	}
}

// twoWritersReal writes by two connections of one account at the same time.
func twoWritersReal(t *testing.T, a, b *realUser) {
	ctx := context.Background()
	const n = 10
	var wg sync.WaitGroup
	put := func(c *realUser, who string) {
		for i := range n {
			mark := perch.RoomBookmark{JID: perch.JID(fmt.Sprintf("%s-%d@c.test", who, i)), Bookmark: perch.Bookmark{Name: who}}
			if err := c.PutBookmark(ctx, mark); err != nil {
				t.Errorf("PutBookmark(%s) = %v, want no error", mark.JID, err)
			}
		}
	}
	wg.Go(func() { put(a, "a") })
	wg.Go(func() { put(b, "b") })
	wg.Wait()
	all := bookmarksOf(a)
	for i := range n {
		for _, who := range []string{"a", "b"} {
			if _, ok := all[perch.JID(fmt.Sprintf("%s-%d@c.test", who, i))]; !ok {
				t.Errorf("room %d of %s is not among %d bookmarks, want it", i, who, len(all))
			}
		}
	}
}

// rawWriterReal lets another client write at the same time, which knows nothing of this gateway: it reads
// the list, writes it with one more room, and does not look again. What we write is there in the end. What
// it writes is, where rooms are items; but ejabberd 24 makes a document of them and items of that again, so
// that one may be lost that is written at that moment.
func rawWriterReal(t *testing.T, a, b *realUser, store string) {
	ctx := context.Background()
	const n = 10
	a.must(a.PutBookmark(ctx, perch.RoomBookmark{JID: "first@c.test"})) // makes the node as it must be
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range n {
			mark := perch.RoomBookmark{JID: perch.JID(fmt.Sprintf("b-%d@c.test", i))}
			payload, err := stanza.EncodeBookmark(mark, nil, false)
			if store != stanza.Store0402 {
				answer, readErr := b.Ask(ctx, "bookmarks", "get", "", stanza.EncodeDocumentGet(store), nil)
				d, _, _ := stanza.ParseDocument(answer).Put(mark)
				if payload, err = d.Encode(store, false); readErr != nil {
					err = readErr
				}
			}
			if err == nil {
				_, err = b.Ask(ctx, "bookmarks", "set", "", payload, nil)
			}
			if err != nil {
				t.Errorf("the other client: got error %v, want none", err)
			}
		}
	})
	for i := range n {
		a.must(a.PutBookmark(ctx, perch.RoomBookmark{JID: perch.JID(fmt.Sprintf("a-%d@c.test", i))}))
	}
	wg.Wait()
	all, theirs := bookmarksOf(a), 0
	for i := range n {
		if _, ok := all[perch.JID(fmt.Sprintf("a-%d@c.test", i))]; !ok {
			t.Errorf("room %d is not among %d bookmarks, want it", i, len(all))
		}
		if _, ok := all[perch.JID(fmt.Sprintf("b-%d@c.test", i))]; ok {
			theirs++
		}
	}
	if t.Logf("%d of %d rooms of the other client are there", theirs, n); store == stanza.Store0402 && theirs != n && !testkit.EjabberdAtLeast("24") {
		t.Errorf("got %d rooms of the other client, want all %d", theirs, n)
	}
}

// bookmarkEventsReal hears of changes of another client, once each.
func bookmarkEventsReal(t *testing.T, a, b *realUser) {
	ctx := context.Background()
	store, _ := b.BookmarkStore(ctx)
	a.must(a.PutBookmark(ctx, perch.RoomBookmark{JID: "one@c.test", Bookmark: perch.Bookmark{Name: "One"}}))
	a.must(a.PutBookmark(ctx, perch.RoomBookmark{JID: "two@c.test"}))
	a.must(a.RemoveBookmark(ctx, "one@c.test"))
	has, heard := map[perch.JID]bool{}, 0
	late := time.After(10 * time.Second)
	for done := false; !done; {
		select {
		case in := <-b.in:
			e, ok := in.(*perch.BookmarksIn)
			if !ok || e.Store != store {
				continue // before a connection knows its store it hears of all: Prosody sends the last document at login
			}
			heard++
			if e.All {
				clear(has)
			}
			for _, mark := range e.Put {
				has[mark.JID] = true
			}
			for _, jid := range e.Removed {
				delete(has, jid)
			}
			done = heard == 3
		case <-late:
			t.Fatalf("heard %d changes, want 3", heard)
		}
	}
	if !has["two@c.test"] || has["one@c.test"] {
		t.Errorf("heard of %v, want two@c.test alone", has)
	}
	b.must(func() error { _, err := b.Ping(ctx); return err }())
	select {
	case in := <-b.in:
		if e, ok := in.(*perch.BookmarksIn); ok && !e.Copy {
			t.Errorf("heard %+v once more, want each change once", e)
		}
	default:
	}
}
