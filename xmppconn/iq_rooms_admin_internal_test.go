package xmppconn

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

var (
	_ sessions.RoomAdmin    = (*Conn)(nil)
	_ sessions.BookmarkConn = (*Conn)(nil)
)

// TestRoomRequestsByProfile sends nothing to a service that has no rooms.
func TestRoomRequestsByProfile(t *testing.T) {
	bubble(t, "a service without rooms", func(t *testing.T) {
		_, c, _, p := online(t, messengerUp())
		p.script(func(p *fakeServer) { t.Errorf("got %s, want nothing", p.raw()) })
		ctx := context.Background()
		const room = "r@c.test"
		_, err1 := c.RoomMembers(ctx, room, perch.AffiliationOwner)
		_, err2 := c.RoomConfig(ctx, room)
		_, err3 := c.ReservedNick(ctx, room)
		_, err4 := c.Directory(ctx, "c.test", 10, "")
		_, err5 := c.RoomServices(ctx)
		_, err6 := c.Bookmarks(ctx)
		_, err7 := c.BookmarkStore(ctx)
		for i, err := range []error{err1, err2, err3, err4, err5, err6, err7,
			c.PutBookmark(ctx, perch.RoomBookmark{JID: room}), c.RemoveBookmark(ctx, room),
			c.SetAffiliation(ctx, room, perch.Member{JID: "b@b.test", Affiliation: perch.AffiliationMember}), c.SetRole(ctx, room, "Bo", perch.RoleNone, ""),
			c.DestroyRoom(ctx, room, "", ""), c.SetRoomConfig(ctx, room, perch.RoomConfig{}), c.CancelRoomConfig(ctx, room),
			c.ModerateMessage(ctx, room, "7", ""), c.SetRoomPhoto(ctx, room, nil)} {
			if perch.KindOf(err) != perch.KindFeatureUnsupported {
				t.Errorf("request %d: got %v, want %s", i, err, perch.KindFeatureUnsupported)
			}
		}
	})
}

// TestRoomRequests asks a room that answers, one that does not, and one that answers at great length.
func TestRoomRequests(t *testing.T) {
	ctx := context.Background()
	fromRoom := func(iq *xmlstream.Element, payload string) string {
		return "<iq type='result' from='" + iq.Attr("to") + "' id='" + iq.Attr("id") + "'>" + payload + "</iq>"
	}
	bubble(t, "members, more than a stanza may have", func(t *testing.T) {
		_, c, _, p := online(t, messengerUp())
		c.login.Capabilities = perch.Capabilities{}
		answer(p, func(iq *xmlstream.Element) string {
			var b strings.Builder
			for i := range 15_000 {
				fmt.Fprintf(&b, "<item affiliation='outcast' jid='somebody-%d@b.test'><reason>a reason of some length</reason></item>", i)
			}
			return fromRoom(iq, "<query xmlns='http://jabber.org/protocol/muc#admin'>"+b.String()+"</query>")
		})
		list, err := c.RoomMembers(ctx, "r@c.test", perch.AffiliationOutcast)
		if err != nil || len(list.Items) != 15_000 || list.LeftOut != 0 {
			t.Errorf("RoomMembers() = %d entries, %d left out, %v; want 15000, 0 and no error", len(list.Items), list.LeftOut, err)
		}
	})
	bubble(t, "services", func(t *testing.T) {
		_, c, _, p := online(t, messengerUp())
		c.login.Capabilities = perch.Capabilities{}
		p.script(func(p *fakeServer) {
			iq := p.expect(nsClient, "iq")
			if iq.Attr("to") != testSelf.Domain() {
				t.Errorf("asked %q, want %q", iq.Attr("to"), testSelf.Domain())
			}
			p.send(fromRoom(iq, "<query xmlns='http://jabber.org/protocol/disco#items'><item jid='c.test'/></query>"))
			p.send(fromRoom(p.expect(nsClient, "iq"), "<query xmlns='"+nsDiscoInfo+"'><identity category='conference' type='text'/><feature var='http://jabber.org/protocol/muc'/></query>"))
		})
		if got, err := c.RoomServices(ctx); err != nil || len(got) != 1 || got[0] != "c.test" {
			t.Errorf("RoomServices() = %q, %v; want c.test", got, err)
		}
	})
	bubble(t, "no answer, and one of somebody else", func(t *testing.T) {
		w, c, _, p := online(t, messengerUp())
		c.login.Capabilities = perch.Capabilities{}
		p.script(func(p *fakeServer) {
			iq := p.expect(nsClient, "iq")
			p.send("<iq type='result' from='r@c.test/Bo' id='" + iq.Attr("id") + "'/>")
			p.drain()
		})
		began := time.Now()
		err := c.SetRole(ctx, "r@c.test", "Bo", perch.RoleNone, "")
		if perch.KindOf(err) != perch.KindUpstreamTimeout || time.Since(began) != w.d.up.RequestTimeout || w.d.counters.ForgedAnswers.Load() != 1 {
			t.Errorf("SetRole() = %v after %v, want %s after %v", err, time.Since(began), perch.KindUpstreamTimeout, w.d.up.RequestTimeout)
		}
	})
}
