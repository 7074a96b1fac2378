package api_test

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/perch-im/perch"
)

type messagePage struct {
	Items []struct {
		perch.Message
		Time          perch.Time `json:"time"`
		TimeIsArrival bool       `json:"time_is_arrival"`
	} `json:"items"`
	Relations []struct {
		perch.Message
		Time     perch.Time `json:"time"`
		Relation struct {
			perch.Relation
			Ref string `json:"ref"`
		} `json:"relation"`
	} `json:"relations"`
	Dropped  []map[string]any `json:"dropped"`
	Next     *string          `json:"next"`
	Prev     *string          `json:"prev"`
	Complete bool             `json:"complete"`
}

func (p messagePage) ids() string {
	var s []string
	for _, m := range p.Items {
		s = append(s, m.ID)
	}
	return strings.Join(s, " ")
}

// history is an archive of n messages of bob, m1 to mn, a second apart, with the ids 1 to n.
type history []perch.ArchiveItem

func historyOf(n int) (h history) {
	for i := 1; i <= n; i++ {
		h = append(h, archivedMessage(i, fmt.Sprintf("m%d", i)))
	}
	return h
}

// archivedMessage is the i-th entry of an archive.
func archivedMessage(i int, id string) perch.ArchiveItem {
	return perch.ArchiveItem{Time: perch.Time(i * 1000), MessageIn: perch.MessageIn{Message: perch.Message{
		ID: id, Ref: theirRef(id), StanzaID: fmt.Sprint(i), From: "bob@example.net/x", To: "alice@example.net", Kind: perch.ChatMessage, Body: "number " + id, Source: perch.SourceArchive,
	}}}
}

// answer is a page as XEP-0313 makes it.
func (h history) answer(q perch.ArchiveQuery) (perch.ArchivePage, error) {
	items := slices.Clone(h)
	items = slices.DeleteFunc(items, func(it perch.ArchiveItem) bool {
		return q.Start != 0 && it.Time < q.Start || q.End != 0 && it.Time > q.End
	})
	at := func(id string) int {
		return slices.IndexFunc(items, func(it perch.ArchiveItem) bool { return cmp.Or(it.StanzaID, it.RoomStanzaID) == id })
	}
	for _, id := range []string{q.Before, q.After} {
		if id != "" && at(id) < 0 {
			return perch.ArchivePage{}, &perch.Error{Kind: perch.KindXMPP, XMPP: &perch.XMPPError{Condition: "item-not-found", Type: "cancel"}}
		}
	}
	var page perch.ArchivePage
	if q.After != "" {
		items = items[at(q.After)+1:]
		page.Complete = len(items) <= q.Limit
		items = items[:min(q.Limit, len(items))]
	} else {
		if q.Before != "" {
			items = items[:at(q.Before)]
		}
		page.Complete = len(items) <= q.Limit
		items = items[max(0, len(items)-q.Limit):]
	}
	if page.Items = items; len(items) > 0 {
		first, last := items[0], items[len(items)-1]
		page.First, page.Last = cmp.Or(first.StanzaID, first.RoomStanzaID), cmp.Or(last.StanzaID, last.RoomStanzaID)
	}
	return page, nil
}

// readingGateway is a gateway whose upstream has a history.
func readingGateway(t *testing.T, h history) *gateway {
	f := newGateway(t)
	f.up.Edit(func(d *fakeData) { d.Archived = h.answer })
	f.signIn()
	return f
}

const talk = "/v1/conversations/bob@example.net/messages"

func TestConversationMessages(t *testing.T) {
	f := readingGateway(t, historyOf(10))
	var page messagePage
	a := f.want(200, "GET", talk+"?limit=4", "", &page)
	if page.ids() != "m7 m8 m9 m10" || page.Complete || page.Prev == nil || page.Items[0].Ref != theirRef("m7") || page.Items[0].Time != 7000 || page.Items[0].Body != "number m7" {
		t.Errorf("got %s, want the newest four", a.body)
	}
	if link := strings.Join(a.header.Values("Link"), " "); !strings.Contains(link, "before=7") || !strings.Contains(link, `rel="prev"`) {
		t.Errorf("got the links %s, want the page before", link)
	}
	f.want(200, "GET", talk+"?limit=4&before="+*page.Prev, "", &page)
	if page.ids() != "m3 m4 m5 m6" {
		t.Errorf("before them: got %s, want m3 to m6", page.ids())
	}
	f.want(200, "GET", talk+"?limit=4&after="+*page.Next, "", &page)
	if page.ids() != "m7 m8 m9 m10" || page.Next != nil || !page.Complete {
		t.Errorf("after them: got %s, next %v; want m7 to the end", page.ids(), page.Next)
	}
	query := url.Values{"start": {"1970-01-01T00:00:03Z"}, "end": {"1970-01-01T00:00:05Z"}}
	if f.want(200, "GET", talk+"?"+query.Encode(), "", &page); page.ids() != "m3 m4 m5" {
		t.Errorf("of a time: got %s, want m3 to m5", page.ids())
	}
}

// TestPagesAreMerged: a page has the state of its messages, and what is about others beside them; what
// cannot be shown is said.
func TestPagesAreMerged(t *testing.T) {
	h := historyOf(2)
	edit := archivedMessage(3, "e1")
	edit.Body, edit.Relation = "corrected", &perch.Relation{Kind: perch.RelationEdit, Target: "m1"}
	react := archivedMessage(4, "r1")
	react.Body, react.Relation = "", &perch.Relation{Kind: perch.RelationReactions, Target: "m2", Emojis: []string{"👍"}}
	elsewhere := archivedMessage(5, "e2")
	elsewhere.Body, elsewhere.Relation = "of another page", &perch.Relation{Kind: perch.RelationEdit, Target: "m0"}
	lost := archivedMessage(6, "")
	lost.Dropped = perch.DroppedUnsupported
	h = append(h, edit, react, elsewhere, lost)
	f := readingGateway(t, h)
	var page messagePage
	a := f.want(200, "GET", talk, "", &page)
	if page.ids() != "m1 m2" || page.Items[0].Body != "corrected" || page.Items[0].MessageDetails == nil || page.Items[0].Edited == nil || page.Items[0].Edited.Count != 1 {
		t.Fatalf("got %s, want m1 corrected, and m2", a.body)
	}
	if d := page.Items[1].MessageDetails; d == nil || len(d.Reactions) != 1 || d.Reactions[0].Emoji != "👍" || d.Reactions[0].Own {
		t.Errorf("got %s, want the reaction of bob to m2", a.body)
	}
	if len(page.Relations) != 1 || page.Relations[0].Relation.Target != "m0" || page.Relations[0].Relation.Ref != theirRef("m0") || page.Relations[0].Body != "of another page" || page.Relations[0].Time != 5000 {
		t.Errorf("got %s, want the correction of m0 beside them", a.body)
	}
	if len(page.Dropped) != 1 || page.Dropped[0]["reason"] != "unsupported" {
		t.Errorf("got %s, want one dropped", a.body)
	}
	// The same page of /v1/archive.
	var archive struct {
		Items, Relations, Dropped []map[string]any
		Next, Prev                *string
		Complete                  bool
	}
	a = f.want(200, "GET", "/v1/archive?with=bob@example.net", "", &archive)
	if len(archive.Items) != 2 || archive.Items[0]["body"] != "corrected" || archive.Items[0]["ref"] != theirRef("m1") || archive.Items[0]["edited"] == nil || archive.Items[1]["reactions"] == nil || len(archive.Relations) != 1 || len(archive.Dropped) != 1 {
		t.Errorf("got %s, want the same of /v1/archive", a.body)
	}
}

// TestMessagesAround: half of the page is before the message, half after it.
func TestMessagesAround(t *testing.T) {
	for _, c := range []struct {
		around, limit int
		want          string
		prev, next    string
	}{
		{5, 4, "m3 m4 m5 m6", "3", "6"},
		{5, 5, "m3 m4 m5 m6 m7", "3", "7"},
		{5, 1, "m5", "5", "5"},
		{5, 50, "m1 m2 m3 m4 m5 m6 m7 m8 m9 m10", "", ""},
		{1, 4, "m1 m2 m3 m4", "", "4"},
		{10, 4, "m8 m9 m10", "8", ""},
		{2, 4, "m1 m2 m3 m4", "", "4"},
	} {
		t.Run(fmt.Sprint(c.around, " of ", c.limit), func(t *testing.T) {
			f := readingGateway(t, historyOf(10))
			ref := theirRef(fmt.Sprintf("m%d", c.around))
			var page messagePage
			a := f.want(200, "GET", fmt.Sprintf("%s?around=%s&limit=%d", talk, ref, c.limit), "", &page)
			if page.ids() != c.want || textOf(page.Prev) != c.prev || textOf(page.Next) != c.next || page.Complete != (c.prev+c.next == "") {
				t.Errorf("got %s, want %s between %q and %q", a.body, c.want, c.prev, c.next)
			}
		})
	}
}

func textOf(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// TestMessagesAroundByTime: an own message has no id of the archive, and one that is not there any more
// is read around by its time as well.
func TestMessagesAroundByTime(t *testing.T) {
	f := readingGateway(t, nil)
	f.posted("s1")
	var one struct {
		perch.Message
		Time          perch.Time `json:"time"`
		TimeIsArrival bool       `json:"time_is_arrival"`
	}
	f.want(200, "GET", talk+"/"+ownRef("s1"), "", &one)
	entry := func(i int, id string, at perch.Time) perch.ArchiveItem {
		it := archivedMessage(i, id)
		it.Time = at
		return it
	}
	own := entry(2, "s1", one.Time+5)
	own.Sent, own.From, own.To, own.Ref = true, "alice@example.net/perch", "bob@example.net", ownRef("s1")
	for name, c := range map[string]struct {
		archive history
		want    string
	}{
		"between others": {history{entry(1, "m1", one.Time-9000), own, entry(3, "m3", one.Time+9000)}, "m1 s1 m3"},
		"the first":      {history{own, entry(3, "m3", one.Time+9000)}, "s1 m3"},
		"not archived":   {history{entry(1, "m1", one.Time-9000), entry(3, "m3", one.Time+9000)}, "m1 s1 m3"},
		"nothing at all": {nil, "s1"},
		"only what came": {history{entry(1, "m1", one.Time-9000)}, "m1 s1"},
	} {
		f.up.Edit(func(d *fakeData) { d.Archived = c.archive.answer })
		var page messagePage
		if a := f.want(200, "GET", talk+"?around="+ownRef("s1"), "", &page); page.ids() != c.want {
			t.Errorf("%s: got %s, want %s", name, a.body, c.want)
		}
	}
}
