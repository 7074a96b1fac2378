package xmppconn

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/testkit"
	"github.com/perch-im/perch/internal/todaytest"
)

// TestSearchOnARealServer searches the archive of an account and that of a room on a Prosody with a module
// for it, and on the embedded service of today: the field that its form names finds the messages, also in
// pages and within other bounds.
func TestSearchOnARealServer(t *testing.T) {
	for _, s := range []*testkit.Server{testkit.Prosody(t, testkit.ProsodyOptions{Search: true}), todaytest.Server(t)} {
		t.Run(s.Name, func(t *testing.T) { searches(t, s) })
	}
}

func searches(t *testing.T, s *testkit.Server) {
	room := perch.JID("talk@" + s.RoomHost())
	owner, guest := newRealUser(t, s, "owner"), newRealUser(t, s, "guest")
	newRoom(owner, room)
	for to, kind := range map[perch.JID]perch.MessageKind{guest.jid: perch.ChatMessage, perch.JID(s.NewUser(t, "other").JID): perch.ChatMessage, room: perch.GroupchatMessage} {
		for i, body := range []string{"tea, please", "no milk", "More TEA", "coffee", "the last tea"} {
			owner.send(&perch.MessageOut{ID: fmt.Sprint("m", i), To: to, Kind: kind, Body: body})
		}
	}
	bodies := func(read func(context.Context, perch.ArchiveQuery) (perch.ArchivePage, error), q perch.ArchiveQuery) ([]string, perch.ArchivePage) {
		t.Helper()
		page, err := read(t.Context(), q)
		owner.must(err)
		got := []string{}
		for _, it := range page.Items {
			got = append(got, it.Body)
		}
		return got, page
	}
	for name, read := range map[string]func(context.Context, perch.ArchiveQuery) (perch.ArchivePage, error){
		"account": func(ctx context.Context, q perch.ArchiveQuery) (perch.ArchivePage, error) {
			q.With = guest.jid
			return owner.Archive(ctx, q)
		},
		"room": func(ctx context.Context, q perch.ArchiveQuery) (perch.ArchivePage, error) {
			return owner.RoomArchive(ctx, room, q)
		},
	} {
		t.Run(name, func(t *testing.T) {
			var all perch.ArchivePage
			testkit.Eventually(t, 10*time.Second, func() (err error) { // an archive may be written later
				if all, err = read(t.Context(), perch.ArchiveQuery{Limit: 50}); err == nil && len(all.Items) < 5 {
					err = perch.Errorf(perch.KindInternal, "got %d messages, want 5", len(all.Items))
				}
				return err
			})
			check := func(what string, want []string, q perch.ArchiveQuery) perch.ArchivePage {
				t.Helper()
				got, page := bodies(read, q)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s, -want +got:\n%s", what, diff)
				}
				return page
			}
			check("all", []string{"tea, please", "More TEA", "the last tea"}, perch.ArchiveQuery{Limit: 50, Text: "tea"})
			check("none", []string{}, perch.ArchiveQuery{Limit: 50, Text: "wine"})
			newest := check("the newest", []string{"More TEA", "the last tea"}, perch.ArchiveQuery{Limit: 2, Text: "tea"})
			check("before them", []string{"tea, please"}, perch.ArchiveQuery{Limit: 2, Text: "tea", Before: newest.First})
			first := archiveIDOf(&all.Items[0])
			check("after the first", []string{"More TEA"}, perch.ArchiveQuery{Limit: 1, Text: "tea", After: first})
			check("since the end", []string{}, perch.ArchiveQuery{Limit: 5, Text: "tea", Start: perch.At(time.Now().Add(time.Minute))})
			check("until the end", []string{"tea, please", "More TEA", "the last tea"}, perch.ArchiveQuery{Limit: 5, Text: "tea", Start: 1, End: perch.At(time.Now().Add(time.Minute))})
		})
	}
	if !owner.SearchesArchive() {
		t.Error("SearchesArchive() = false, want true")
	}
	if got, _ := bodies(owner.Archive, perch.ArchiveQuery{Limit: 50, Text: "milk"}); !cmp.Equal(got, []string{"no milk", "no milk"}) {
		t.Errorf("of all accounts: got %q, want two messages", got)
	}
}

// archiveIDOf is the id of an item in the archive that it is of.
func archiveIDOf(it *perch.ArchiveItem) string {
	if it.RoomStanzaID != "" {
		return it.RoomStanzaID
	}
	return it.StanzaID
}

// TestSearchThatServersLack: Prosody 0.12 has no search, and ejabberd 23.01 none in its own database. Both
// say so by their forms.
func TestSearchThatServersLack(t *testing.T) {
	realServers(t, func(t *testing.T, s *testkit.Server, service perch.JID) {
		owner := newRealUser(t, s, "owner")
		newRoom(owner, "talk@"+service)
		if _, err := owner.Archive(t.Context(), perch.ArchiveQuery{Text: "tea"}); perch.KindOf(err) != perch.KindFeatureUnsupported {
			t.Errorf("the archive of the account: got error %v, want %s", err, perch.KindFeatureUnsupported)
		}
		if _, err := owner.RoomArchive(t.Context(), "talk@"+service, perch.ArchiveQuery{Text: "tea"}); perch.KindOf(err) != perch.KindFeatureUnsupported {
			t.Errorf("the archive of a room: got error %v, want %s", err, perch.KindFeatureUnsupported)
		}
		if owner.SearchesArchive() {
			t.Error("SearchesArchive() = true, want false")
		}
	})
}

// TestSearchByEjabberd: with an SQL database ejabberd names its field, and looks for the words as only MySQL
// can. With SQLite its query fails, of which it says nothing: it has found nothing.
func TestSearchByEjabberd(t *testing.T) {
	s := testkit.EjabberdWith(t, testkit.EjabberdOptions{SQLArchive: true})
	owner := newRealUser(t, s, "owner")
	owner.send(&perch.MessageOut{ID: "m1", To: "nobody@" + perch.JID(s.Domain), Kind: perch.ChatMessage, Body: "tea"})
	testkit.Eventually(t, 10*time.Second, func() error {
		page, err := owner.Archive(t.Context(), perch.ArchiveQuery{Limit: 5})
		if err == nil && len(page.Items) == 0 {
			err = perch.Errorf(perch.KindInternal, "got no message, want one")
		}
		return err
	})
	page, err := owner.Archive(t.Context(), perch.ArchiveQuery{Limit: 5, Text: "tea"})
	if err != nil || len(page.Items) != 0 {
		t.Errorf("got %d messages, error %v; want none, and no error", len(page.Items), err)
	}
	if !owner.SearchesArchive() {
		t.Error("SearchesArchive() = false, want true: its form has withtext")
	}
}
