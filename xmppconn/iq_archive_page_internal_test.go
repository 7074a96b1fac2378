package xmppconn

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// hits are results of one query, each with a body of some size, but small ones for ids that
// begin with s, and the end of the answer.
func hits(iq *xmlstream.Element, ids []string, size int) string {
	var b strings.Builder
	for _, n := range ids {
		size := size
		if strings.HasPrefix(n, "s") {
			size = 1
		}
		b.WriteString("<message><result xmlns='" + nsMAM + "' queryid='" + iq.Children()[0].Attr("queryid") + "' id='" + n + "'><forwarded xmlns='" + nsForward +
			"'><delay xmlns='" + nsDelay + "' stamp='2024-01-01T00:00:00Z'/><message xmlns='jabber:client' from='bob@a.test/x' to='me@a.test'><body>" +
			strings.Repeat("x", size) + "</body></message></forwarded></result></message>")
	}
	return b.String() + resultOf(iq, "<fin xmlns='"+nsMAM+"' complete='true'><set xmlns='"+nsRSM+"'><first>f</first><last>l</last></set></fin>")
}

// TestArchivePageIsBounded: of a page that is larger than it may be the part is given that
// the next page follows, in either direction.
func TestArchivePageIsBounded(t *testing.T) {
	number := func(n int) (ids []string) {
		for i := range n {
			ids = append(ids, fmt.Sprint("i", i))
		}
		return ids
	}
	first, newest, since := perch.ArchiveQuery{After: "a"}, perch.ArchiveQuery{Before: "b"}, perch.ArchiveQuery{Start: 1}
	tests := []struct {
		name        string
		q           perch.ArchiveQuery
		limit       int
		ids         []string
		size        int
		want        []string
		first, last string
		complete    bool
	}{
		{"all of it", first, 50, number(4), 900_000, number(4), "f", "l", true},
		{"too many bytes, from the oldest on", first, 50, number(12), 900_000, number(4), "f", "i3", false},
		{"no hole before a small one", first, 50, append(number(5), "s"), 900_000, number(4), "f", "i3", false},
		{"too many bytes, since a time", since, 50, number(5), 900_000, number(4), "f", "i3", false},
		{"too many bytes, up to the newest", newest, 50, number(12), 900_000, number(12)[8:], "i8", "l", false},
		{"the newest of all", perch.ArchiveQuery{}, 50, number(5), 900_000, number(5)[1:], "i1", "l", false},
		{"more than were asked for", first, 2, number(3), 1, number(2), "f", "i1", false},
		{"more than were asked for, up to the newest", newest, 2, number(3), 1, number(3)[1:], "i1", "l", false},
	}
	for _, tt := range tests {
		bubble(t, tt.name, func(t *testing.T) {
			_, c, _, p := online(t, messengerUp())
			c.login.Capabilities.Archive = "313"
			answer(p, func(iq *xmlstream.Element) string { return hits(iq, tt.ids, tt.size) })
			tt.q.Limit = tt.limit
			page, err := c.Archive(context.Background(), tt.q)
			var got []string
			for _, it := range page.Items {
				got = append(got, it.StanzaID)
			}
			if err != nil || !slices.Equal(got, tt.want) {
				t.Errorf("items %q, %v, want %q", got, err, tt.want)
			}
			if page.First != tt.first || page.Last != tt.last || page.Complete != tt.complete {
				t.Errorf("first %q, last %q, complete %v, want %q, %q, %v", page.First, page.Last, page.Complete, tt.first, tt.last, tt.complete)
			}
		})
	}
	bubble(t, "no id to continue from", func(t *testing.T) {
		_, c, _, p := online(t, messengerUp())
		c.login.Capabilities.Archive = "313"
		answer(p, func(iq *xmlstream.Element) string { return hits(iq, make([]string, 12), 900_000) })
		if page, err := c.Archive(context.Background(), first); perch.KindOf(err) != perch.KindXMPP || !errors.Is(err, perch.ErrAnswerTooLarge) {
			t.Errorf("%d items, %v, want ErrAnswerTooLarge", len(page.Items), err)
		}
	})
}
