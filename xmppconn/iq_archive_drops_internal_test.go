package xmppconn

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
)

// TestArchivePageWithDrops asks a server for a page: what is over a limit is in it, too, and is no
// event of its own; what has nothing in it for a person is counted, as it is live.
func TestArchivePageWithDrops(t *testing.T) {
	bubble(t, "page", func(t *testing.T) {
		s := newSMServer(t)
		s.serve("xmpp.a.test:5222", func(p *fakeServer) {
			p.startTLS()
			p.open(offerSASL("OAUTHBEARER"))
			p.expect(nsSASL, "auth")
			p.send(saslSuccess)
			p.open(offerBind)
			p.result(p.next(), "<bind xmlns='"+nsBind+"'><jid>"+smSelf+"</jid></bind>")
			p.result(p.expect(nsClient, "iq"), "<query xmlns='"+nsDiscoInfo+"'><feature var='"+nsMAM+"'/></query>")
			p.expect(nsClient, "iq") // carbons
			p.expect(nsClient, "iq") // the form of the archive
			query := p.expect(nsClient, "iq")
			result := func(from, queryID, id, inner string) string {
				return "<message" + from + " to='" + smSelf + "'>\n<result queryid='" + queryID + "' id='" + id + "' xmlns='" + nsMAM + "'><forwarded xmlns='" + nsForward +
					"'><delay xmlns='urn:xmpp:delay' stamp='2024-05-01T10:00:00Z'/>" + inner + "</forwarded></result></message>"
			}
			id := query.Children()[0].Attr("queryid")
			large, deep := strings.Repeat("x", 1<<20), strings.Repeat("<x>", 40)+strings.Repeat("</x>", 40)
			p.send(result("", id, "1", odd("chat", "<body>hi</body>")) +
				result("", id, "2", odd("chat", "<propose xmlns='urn:xmpp:jingle-message:0' id='1'/>")) +
				result("", id, "3", odd("chat", "<body>"+large+"</body>")) +
				result(" from='me@a.test'", id, "4", odd("chat", "<body>hi</body>"+deep)) +
				result("", id, "5", odd("chat", "<active xmlns='"+nsChatStates+"'/>")) +
				result("", id, "6", "") +
				result("", id, "7", odd("error", "")) +
				result("", "another", "8", odd("chat", "<body>"+large+"</body>")) + // an answer that is late
				result(" from='eve@b.test'", id, "9", odd("chat", "<body>"+large+"</body>")) +
				resultOf(query, "<fin xmlns='"+nsMAM+"' complete='true'><set xmlns='"+nsRSM+"'><first>1</first><last>7</last></set></fin>"))
			p.drain()
		})
		acc := tokenAccount
		acc.JID = "me@a.test"
		c, err := s.d.Dial(context.Background(), acc, nil)
		if err != nil {
			t.Fatalf("s.d.Dial(): got error %v, want none", err)
		}
		t.Cleanup(func() { c.Abort(); _ = c.join(context.Background()) })
		b := &recorder{}
		c.Start(b.sink, func() {})
		page, err := c.Archive(context.Background(), perch.ArchiveQuery{With: "bo@b.test", Limit: 20})
		if err != nil {
			t.Fatalf("c.Archive(): got error %v, want none", err)
		}
		var got []string
		for _, it := range page.Items {
			got = append(got, strings.Join([]string{it.StanzaID, it.ID, string(it.From), it.Body, it.Dropped}, "|"))
		}
		want := []string{"1|m-1|bo@b.test/x|hi|", "2|m-1|bo@b.test/x||call", "3|m-1|bo@b.test/x||too_large", "4|m-1|bo@b.test/x||too_deep"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		var dropped []perch.JID
		for _, in := range b.take() {
			if d, ok := in.(*perch.DroppedIn); ok {
				dropped = append(dropped, d.From)
			}
		}
		if len(dropped) != 1 || dropped[0] != "eve@b.test" {
			t.Errorf("got drops from %q, want the one that is no result of the archive", dropped)
		}
		n := s.d.counters
		if n.Silent.Load() != 2 || n.Malformed.Load() != 1 || n.ForgedOther.Load() != 1 || n.Skipped.Load() != 4 {
			t.Errorf("got %d silent, %d malformed, %d forged, %d skipped; want 2, 1, 1, 4", n.Silent.Load(), n.Malformed.Load(), n.ForgedOther.Load(), n.Skipped.Load())
		}
	})
}

// odd is a message of some type with this in it.
func odd(typ, inner string) string {
	return "<message xmlns='jabber:client' from='bo@b.test/x' to='me@a.test/home' type='" + typ + "' id='m-1'>" + inner + "</message>"
}
