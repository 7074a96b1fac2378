package xmppconn

import (
	"context"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// TestArchivePlace: nothing after an id is believed of an archive that has the id, or that cannot be asked
// for it. Of one that has it no more it is item-not-found, as XEP-0313, 4.3.1 wants it.
func TestArchivePlace(t *testing.T) {
	const nothing = "<fin xmlns='" + nsMAM + "' complete='true'><set xmlns='" + nsRSM + "'/></fin>"
	found := "<fin xmlns='" + nsMAM + "' complete='true'><set xmlns='" + nsRSM + "'><first>a7</first><last>a7</last></set></fin>"
	for name, tt := range map[string]struct {
		place string // the answer to the question for the id; "" is an error
		want  perch.Kind
	}{
		"it is there":                    {found, ""},
		"it is not there":                {nothing, perch.KindItemNotFound},
		"an archive that does not heed":  {"<fin xmlns='" + nsMAM + "'><set xmlns='" + nsRSM + "'><first>a1</first><last>a1</last></set></fin>", ""},
		"an archive that refuses to say": {"", ""},
	} {
		for _, room := range []perch.JID{"", "r@c.test"} {
			bubble(t, name+" "+string(room), func(t *testing.T) {
				_, c, _, p := roomsOnline(t)
				asked := 0
				reply := func(iq *xmlstream.Element) string {
					asked++
					ids, after := placeOf(iq)
					switch {
					case after == "a7" && ids == "":
						return resultFrom(iq, room, nothing)
					case ids != "a7" || after != "":
						t.Errorf("request %d asks for ids %q after %q, want a7 by its id", asked, ids, after)
					case tt.place == "":
						return errorOf(iq, "feature-not-implemented")
					}
					return resultFrom(iq, room, tt.place)
				}
				p.script(func(p *fakeServer) {
					for range 2 {
						p.send(reply(p.expect(nsClient, "iq")))
					}
					p.drain()
				})
				var page perch.ArchivePage
				var err error
				if q := (perch.ArchiveQuery{After: "a7", Limit: 10}); room == "" {
					page, err = c.Archive(context.Background(), q)
				} else {
					page, err = c.RoomArchive(context.Background(), room, q)
				}
				if tt.want == "" && (err != nil || !page.Complete || len(page.Items) != 0) || tt.want != "" && perch.KindOf(err) != tt.want {
					t.Errorf("got %+v, error %v; want an empty page, or kind %q", page, err, tt.want)
				}
				if asked != 2 {
					t.Errorf("got %d requests, want 2", asked)
				}
			})
		}
	}
}

// placeOf is which id a query asks for, and after which.
func placeOf(iq *xmlstream.Element) (ids, after string) {
	query := iq.Children()[0]
	for _, field := range query.Child("jabber:x:data", "x").Children() {
		if field.Attr("var") == "ids" {
			ids = field.ChildText("jabber:x:data", "value")
		}
	}
	return ids, query.Child(nsRSM, "set").ChildText(nsRSM, "after")
}

func resultFrom(iq *xmlstream.Element, from perch.JID, payload string) string {
	if from == "" {
		return resultOf(iq, payload)
	}
	return "<iq type='result' from='" + string(from) + "' id='" + iq.Attr("id") + "'>" + payload + "</iq>"
}

// TestArchiveOfATime: what an archive gives of another time than was asked for is none of the answer. Its times
// may be whole seconds.
func TestArchiveOfATime(t *testing.T) {
	at := func(second, ms int) perch.Time {
		return perch.At(time.Date(2024, 1, 1, 0, 0, second, ms*int(time.Millisecond), time.UTC))
	}
	for name, tt := range map[string]struct {
		q    perch.ArchiveQuery
		want string
	}{
		"until":             {perch.ArchiveQuery{End: at(2, 0)}, "12"},
		"since":             {perch.ArchiveQuery{Start: at(3, 0)}, "3"},
		"since in a second": {perch.ArchiveQuery{Start: at(2, 900)}, "23"},
		"always":            {perch.ArchiveQuery{}, "123"},
	} {
		bubble(t, name, func(t *testing.T) {
			_, c, _, p := roomsOnline(t)
			answer(p, func(iq *xmlstream.Element) string {
				text := ""
				for _, second := range []string{"1", "2", "3"} {
					text += "<message><result xmlns='" + nsMAM + "' queryid='" + iq.Children()[0].Attr("queryid") + "' id='" + second + "'><forwarded xmlns='" + nsForward +
						"'><delay xmlns='" + nsDelay + "' stamp='2024-01-01T00:00:0" + second + "Z'/><message xmlns='jabber:client' from='bob@a.test/x' to='me@a.test'><body>" + second +
						"</body></message></forwarded></result></message>"
				}
				return text + resultOf(iq, "<fin xmlns='"+nsMAM+"' complete='true'><set xmlns='"+nsRSM+"'><first>1</first><last>3</last></set></fin>")
			})
			tt.q.Limit = 10
			page, err := c.Archive(context.Background(), tt.q)
			got := ""
			for _, it := range page.Items {
				got += it.Body
			}
			if err != nil || got != tt.want {
				t.Errorf("Archive() = %q, %v; want %q", got, err, tt.want)
			}
		})
	}
}
