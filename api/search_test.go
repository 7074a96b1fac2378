package api_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/fakexmpp"
)

// searched answers as an archive that can be searched does.
func (h history) searched(q perch.ArchiveQuery) (perch.ArchivePage, error) {
	found := slices.DeleteFunc(slices.Clone(h), func(it perch.ArchiveItem) bool { return !strings.Contains(it.Body, q.Text) })
	return found.answer(q)
}

// archiveAnswer is a page of /v1/archive.
type archiveAnswer struct {
	Items, Relations, Dropped []map[string]any
	Next, Prev                *string
	Complete                  bool
}

func (p archiveAnswer) ids() string {
	var ids []string
	for _, it := range p.Items {
		ids = append(ids, it["message_id"].(string))
	}
	return strings.Join(ids, " ")
}

// TestSearch: a text is looked for in pages and within times, through both doors, and the links of a page
// lead to others of the same search.
func TestSearch(t *testing.T) {
	f := newGateway(t)
	asked := []perch.ArchiveQuery{}
	f.up.Edit(func(d *fakeData) {
		d.Search = true
		d.Archived = func(q perch.ArchiveQuery) (perch.ArchivePage, error) {
			if q.Text != "" {
				asked = append(asked, q)
			}
			return historyOf(30).searched(q)
		}
	})
	f.signIn()
	if got := f.state().Features; !slices.Contains(got, "search") {
		t.Errorf("got the features %q, want search among them", got)
	}
	for _, tt := range []struct{ name, query, want, prev, next string }{
		{"newest", "q=m2&limit=4", "m26 m27 m28 m29", "26", "29"},
		{"before", "q=m2&limit=4&before=26", "m22 m23 m24 m25", "22", "25"},
		{"after", "q=m2&limit=50&after=25", "m26 m27 m28 m29", "26", ""},
		{"within times", "q=m2&start=1970-01-01T00:00:03Z&end=1970-01-01T00:00:21Z", "m20 m21", "", "21"},
		{"trimmed", "q=%20m30%20", "m30", "", "30"},
		{"nothing", "q=wine", "", "", ""},
	} {
		var page messagePage
		a := f.want(200, "GET", talk+"?"+tt.query, "", &page)
		var all archiveAnswer
		f.want(200, "GET", "/v1/archive?with=bob@example.net&"+tt.query, "", &all)
		if page.ids() != tt.want || deref(page.Prev) != tt.prev || deref(page.Next) != tt.next {
			t.Errorf("%s: got %q between %q and %q, want %q between %q and %q", tt.name, page.ids(), deref(page.Prev), deref(page.Next), tt.want, tt.prev, tt.next)
		}
		if all.ids() != page.ids() || deref(all.Prev) != deref(page.Prev) || deref(all.Next) != deref(page.Next) || all.Complete != page.Complete {
			t.Errorf("%s: got %+v of /v1/archive, want the same as %s", tt.name, all, a.body)
		}
		for _, link := range a.header.Values("Link") {
			if !strings.Contains(link, "&q=") {
				t.Errorf("%s: got the link %s, want one of the same search", tt.name, link)
			}
		}
	}
	asked = asked[:0]
	var all archiveAnswer
	f.want(200, "GET", "/v1/archive?q="+url.QueryEscape("number m3")+"&limit=200", "", &all)
	if want := (perch.ArchiveQuery{Text: "number m3", Limit: 200}); len(asked) != 1 || asked[0] != want || all.ids() != "m3 m30" {
		t.Errorf("of all accounts: asked %+v, got %s; want %+v, m3 and m30", asked, all.ids(), want)
	}
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// TestArchiveOfARoom: the archive of a room is read in the same ways as that of a chat, through both doors.
func TestArchiveOfARoom(t *testing.T) {
	h := historyOf(10)
	for i := range h {
		it := &h[i]
		it.From, it.To, it.Kind = theRoom+"/Bo", theRoom, perch.GroupchatMessage
		it.RoomStanzaID, it.StanzaID = it.StanzaID, ""
		it.Ref = perch.Ref{Room: true, StanzaID: it.RoomStanzaID}.String()
		it.Room = &perch.MessageRoom{JID: theRoom, Nick: "Bo"}
	}
	f := withRooms(t, func(d *fakexmpp.Data) { d.Rooms[theRoom].Archived = h.searched })
	f.want(200, "GET", "/v1/directory", "", nil) // the session knows the service from here on
	const talk = "/v1/conversations/talk@rooms.example.net/messages"
	for _, tt := range []struct{ name, query, want string }{
		{"newest", "limit=3", "m8 m9 m10"},
		{"before", "limit=3&before=8", "m5 m6 m7"},
		{"after", "limit=3&after=4", "m5 m6 m7"},
		{"times", "start=1970-01-01T00:00:03Z&end=1970-01-01T00:00:05Z", "m3 m4 m5"},
		{"a time", "start=1970-01-01T00:00:09Z", "m9 m10"},
		{"a search", "q=m1", "m1 m10"},
		{"a search in a page", "q=m1&limit=1&before=10", "m1"},
		{"a search within times", "q=m1&start=1970-01-01T00:00:03Z", "m10"},
	} {
		var page messagePage
		f.want(200, "GET", talk+"?"+tt.query, "", &page)
		var all archiveAnswer
		f.want(200, "GET", "/v1/archive?with=talk@rooms.example.net&"+tt.query, "", &all)
		if page.ids() != tt.want || all.ids() != tt.want {
			t.Errorf("%s: got %q and of /v1/archive %q, want both %q", tt.name, page.ids(), all.ids(), tt.want)
		}
	}
	var page messagePage
	if f.want(200, "GET", talk+"?limit=4&around="+h[4].Ref, "", &page); page.ids() != "m3 m4 m5 m6" {
		t.Errorf("around the fifth: got %s, want m3 to m6", page.ids())
	}
	f.up.Edit(func(d *fakexmpp.Data) { d.Rooms[theRoom].Archived = nil })
	f.refused(501, "feature-unsupported", "", "GET", talk+"?q=x", "")
	f.refused(501, "feature-unsupported", "", "GET", "/v1/archive?with=talk@rooms.example.net&q=x", "")
}
