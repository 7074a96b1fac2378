package xmppconn

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

var _ sessions.RoomConn = (*Conn)(nil)

// roomsOnline is online where there are rooms.
func roomsOnline(t *testing.T) (*fakeNetwork, *Conn, *recorder, *fakeServer) {
	w, c, b, p := online(t, messengerUp())
	c.login.Capabilities = perch.Capabilities{Archive: "313"}
	return w, c, b, p
}

// TestRoomArchive takes the archive of a room from that room alone, and for the query that is open.
func TestRoomArchive(t *testing.T) {
	const room = "r@c.test"
	result := func(from, queryID, id, inner string) string {
		return "<message from='" + from + "'><result queryid='" + queryID + "' id='" + id + "' xmlns='" + nsMAM + "'><forwarded xmlns='" + nsForward + "'><delay xmlns='" + nsDelay +
			"' stamp='2024-05-01T10:00:00Z'/>" + inner + "</forwarded></result></message>"
	}
	said := func(from, body string) string {
		return "<message xmlns='jabber:client' from='" + from + "' type='groupchat' id='m'><body>" + body + "</body></message>"
	}
	bubble(t, "a page", func(t *testing.T) {
		w, c, b, p := roomsOnline(t)
		large := strings.Repeat("x", 1<<20)
		p.script(func(p *fakeServer) {
			iq := p.expect(nsClient, "iq")
			if query := iq.Attr("to"); query != room || iq.Children()[0].Child("http://jabber.org/protocol/rsm", "set").ChildText("http://jabber.org/protocol/rsm", "after") != "0" {
				t.Errorf("asked %q for %v, want what comes after 0 of %s", query, iq.Children(), room)
			}
			id := iq.Children()[0].Attr("queryid")
			p.send(result(room, id, "1", said(room+"/Bo", "one")) +
				result("s@c.test", id, "2", said("s@c.test/Bo", "of another room")) +
				result("me@a.test", id, "3", said(room+"/Bo", "of the own archive")) +
				result(room+"/Eve", id, "4", said(room+"/Bo", "of an occupant")) +
				result(room, "another", "5", said(room+"/Bo", "late")) +
				result(room, id, "6", said("bo@b.test/x", "of a contact")) +
				result(room, id, "7", said(room+"/Bo", large)) +
				result("s@c.test", id, "8", said("s@c.test/Bo", large)) +
				result(room, id, "9", said(room+"/Al", "two")) +
				"<iq type='result' from='" + room + "' id='" + iq.Attr("id") + "'><fin xmlns='" + nsMAM + "'><set xmlns='" + nsRSM + "'><first>1</first><last>9</last></set></fin></iq>")
			p.drain()
		})
		page, err := c.RoomArchive(context.Background(), room, perch.ArchiveQuery{With: "bo@b.test", After: "0", Limit: 10})
		if err != nil || page.First != "1" || page.Last != "9" || page.Complete {
			t.Errorf("RoomArchive() = %q to %q, complete %v, %v; want 1 to 9, and more", page.First, page.Last, page.Complete, err)
		}
		var got []string
		for _, it := range page.Items {
			got = append(got, strings.Join([]string{it.RoomStanzaID, it.StanzaID, string(it.From), string(it.To), it.Body, it.Dropped}, "|"))
		}
		want := []string{"1||r@c.test/Bo|r@c.test|one|", "7||r@c.test/Bo|r@c.test||too_large", "9||r@c.test/Al|r@c.test|two|"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("items, -want +got:\n%s", diff)
		}
		// Of another room, of the own archive, late; that of an occupant is none of an archive at all.
		if forged, broken := w.d.counters.ForgedOther.Load(), w.d.counters.Malformed.Load(); forged != 4 || broken != 1 {
			t.Errorf("got %d forged and %d broken, want 4 and 1", forged, broken)
		}
		if got := b.take(); len(got) != 1 || got[0].(*perch.DroppedIn).From != "s@c.test" {
			t.Errorf("got %+v besides, want what another room has sent that is too large", got)
		}
	})
	bubble(t, "edges of a page that is cut", func(t *testing.T) {
		_, c, _, p := roomsOnline(t)
		p.script(func(p *fakeServer) {
			iq := p.expect(nsClient, "iq")
			id := iq.Children()[0].Attr("queryid")
			p.send(result(room, id, "1", said(room+"/Bo", "one")) + result(room, id, "2", said(room+"/Bo", "two")) +
				"<iq type='result' from='" + room + "' id='" + iq.Attr("id") + "'><fin xmlns='" + nsMAM + "' complete='true'><set xmlns='" + nsRSM + "'><first>1</first><last>2</last></set></fin></iq>")
		})
		page, err := c.RoomArchive(context.Background(), room, perch.ArchiveQuery{After: "0", Limit: 1})
		if err != nil || len(page.Items) != 1 || page.Last != "1" || page.Complete {
			t.Errorf("RoomArchive() = %+v, %v; want one message, and more behind 1", page, err)
		}
	})
	bubble(t, "in the own archive", func(t *testing.T) {
		w, c, _, p := roomsOnline(t)
		answer(p, func(iq *xmlstream.Element) string {
			return result(room, iq.Children()[0].Attr("queryid"), "1", said(room+"/Bo", "one")) + resultOf(iq, "<fin xmlns='"+nsMAM+"'/>")
		})
		if page, err := c.Archive(context.Background(), perch.ArchiveQuery{}); err != nil || len(page.Items) != 0 || w.d.counters.ForgedOther.Load() != 1 {
			t.Errorf("Archive() = %+v, %v; want nothing of a room", page, err)
		}
	})
	bubble(t, "refused", func(t *testing.T) {
		_, c, _, p := roomsOnline(t)
		p.script(func(p *fakeServer) {
			p.send(errorOf(p.expect(nsClient, "iq"), "forbidden"))
			p.send(errorOf(p.expect(nsClient, "iq"), "item-not-found"))
		})
		for _, want := range []perch.Kind{perch.KindForbidden, perch.KindItemNotFound} {
			if _, err := c.RoomArchive(context.Background(), room, perch.ArchiveQuery{After: "0"}); perch.KindOf(err) != want {
				t.Errorf("RoomArchive() = %v, want %s", err, want)
			}
		}
	})
}

// TestSelfPing asks the own address in the room, and is not answered by anybody else.
func TestSelfPing(t *testing.T) {
	bubble(t, "in and out", func(t *testing.T) {
		w, c, _, p := roomsOnline(t)
		p.script(func(p *fakeServer) {
			iq := p.expect(nsClient, "iq")
			p.send("<iq type='error' from='r@c.test/Bo' id='" + iq.Attr("id") + "'><error type='cancel'><not-acceptable xmlns='" + nsStanzas + "'/></error></iq>" +
				"<iq type='result' from='" + iq.Attr("to") + "' id='" + iq.Attr("id") + "'/>")
			p.send(errorOf(p.expect(nsClient, "iq"), "not-acceptable"))
			p.drain()
		})
		for _, want := range []perch.SelfPing{perch.SelfPingIn, perch.SelfPingOut} {
			if got, err := c.SelfPing(context.Background(), "r@c.test", "Al"); got != want || err != nil {
				t.Errorf("SelfPing() = %d, %v; want %d", got, err, want)
			}
		}
		if got := w.d.counters.ForgedAnswers.Load(); got != 1 {
			t.Errorf("got %d forged answers, want 1", got)
		}
		began := time.Now()
		if got, err := c.SelfPing(context.Background(), "r@c.test", "Al"); got != perch.SelfPingUnknown || perch.KindOf(err) != perch.KindUpstreamTimeout || time.Since(began) != w.d.up.RequestTimeout {
			t.Errorf("SelfPing() without an answer = %d, %v after %v; want %s after %v", got, err, time.Since(began), perch.KindUpstreamTimeout, w.d.up.RequestTimeout)
		}
	})
}

// TestNoRoomsByProfile sends nothing to a service that has no rooms.
func TestNoRoomsByProfile(t *testing.T) {
	bubble(t, "a service without rooms", func(t *testing.T) {
		_, c, _, p := online(t, messengerUp())
		p.script(func(p *fakeServer) { t.Errorf("got %s, want nothing", p.raw()) })
		ctx := context.Background()
		_, err1 := c.RoomInfo(ctx, "r@c.test")
		_, err2 := c.RoomArchive(ctx, "r@c.test", perch.ArchiveQuery{})
		_, err3 := c.SelfPing(ctx, "r@c.test", "Al")
		_, err4 := c.Send(&perch.RoomJoinOut{Room: "r@c.test", Nick: "Al"})
		_, err5 := c.Send(&perch.ChatStateOut{To: "r@c.test", State: perch.StateActive, Kind: perch.GroupchatMessage})
		for i, err := range []error{err1, err2, err3, err4, err5} {
			if perch.KindOf(err) != perch.KindFeatureUnsupported {
				t.Errorf("%d: got %v, want %s", i, err, perch.KindFeatureUnsupported)
			}
		}
	})
}

// TestDiscoOfAnOccupant: a service may ask a new occupant what it can do, in the name of another one.
func TestDiscoOfAnOccupant(t *testing.T) {
	bubble(t, "asked by an occupant", func(t *testing.T) {
		_, _, _, p := roomsOnline(t)
		p.script(func(p *fakeServer) {
			p.send("<iq type='get' from='r@c.test/Bo' id='7'><query xmlns='" + nsDiscoInfo + "'/></iq>")
			iq := p.expect(nsClient, "iq")
			if iq.Attr("to") != "r@c.test/Bo" || iq.Attr("type") != "result" || iq.Child(nsDiscoInfo, "query").Child(nsDiscoInfo, "identity") == nil {
				t.Errorf("got %s to %s, want an answer to the occupant", iq.Attr("type"), iq.Attr("to"))
			}
		})
	})
}
