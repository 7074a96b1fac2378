package xmppconn

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

var _ sessions.BlockingConn = (*Conn)(nil)

// TestBlockingByProfile sends nothing to a service that has nothing but text between two.
func TestBlockingByProfile(t *testing.T) {
	bubble(t, "a service of chat alone", func(t *testing.T) {
		_, c, _, p := online(t, messengerUp())
		p.script(func(p *fakeServer) { t.Errorf("got %s, want nothing", p.raw()) })
		ctx := context.Background()
		for i, err := range []error{c.FetchBlockList(ctx), c.Block(ctx, "eve@a.test", nil), c.Unblock(ctx, "eve@a.test"), c.UnblockAll(ctx)} {
			if perch.KindOf(err) != perch.KindFeatureUnsupported {
				t.Errorf("request %d: got %v, want %s", i, err, perch.KindFeatureUnsupported)
			}
		}
	})
}

// TestBlockingInOrder: what an answer means arrives between what came before it and what came after it.
func TestBlockingInOrder(t *testing.T) {
	const push = "<iq type='set' id='p' from='me@a.test'><unblock xmlns='urn:xmpp:blocking'><item jid='eve@a.test'/></unblock></iq>"
	bubble(t, "a list, and changes around it", func(t *testing.T) {
		_, c, b, p := online(t, messengerUp())
		c.login.Capabilities = perch.Capabilities{}
		answer(p, func(iq *xmlstream.Element) string {
			return push + resultOf(iq, "<blocklist xmlns='urn:xmpp:blocking'><item jid='eve@a.test'/></blocklist>") + push
		})
		if err := c.FetchBlockList(context.Background()); err != nil {
			t.Errorf("FetchBlockList(): got error %v, want none", err)
		}
		p.script(func(p *fakeServer) {
			iq := p.expect(nsClient, "iq")
			for iq.Attr("type") != "set" { // before it: the answers to the pushes
				iq = p.expect(nsClient, "iq")
			}
			p.send(resultOf(iq, "") + push)
		})
		if err := c.Block(context.Background(), "bob@a.test", nil); err != nil {
			t.Errorf("Block(): got error %v, want none", err)
		}
		gone := &perch.BlockListIn{Removed: []perch.JID{"eve@a.test"}}
		want := []perch.Inbound{
			gone, &perch.BlockListIn{All: true, Added: []perch.JID{"eve@a.test"}}, gone, &perch.BlockListIn{Added: []perch.JID{"bob@a.test"}}, gone,
		}
		var got []perch.Inbound
		for _, in := range b.take() {
			if _, ok := in.(*perch.BlockListIn); ok {
				got = append(got, in)
			}
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("delivered %+v, want %+v", got, want)
		}
	})
	bubble(t, "a list of more than a stanza may have", func(t *testing.T) {
		_, c, b, p := online(t, messengerUp())
		c.login.Capabilities = perch.Capabilities{}
		answer(p, func(iq *xmlstream.Element) string {
			var items strings.Builder
			for i := range 40_000 {
				fmt.Fprintf(&items, "<item jid='somebody-%d@b.test'/>", i)
			}
			return resultOf(iq, "<blocklist xmlns='urn:xmpp:blocking'>"+items.String()+"</blocklist>")
		})
		if err := c.FetchBlockList(context.Background()); err != nil {
			t.Errorf("FetchBlockList(): got error %v, want none", err)
		}
		in := b.take()
		if list, ok := in[0].(*perch.BlockListIn); !ok || len(list.Added) != 2000 || !list.Partial {
			t.Errorf("delivered %+v, want a list of 2000, partial", in)
		}
	})
}

// TestBlockPushes: a push is believed of the own account and its server, and of nobody else; each is answered,
// but those of strangers.
func TestBlockPushes(t *testing.T) {
	const block = "<block xmlns='urn:xmpp:blocking'><item jid='eve@a.test'/></block>"
	for _, tt := range []struct {
		from, payload string
		delivered     int
		answer        string // its type; "": none
		forged        int64
	}{
		{"", block, 1, "result", 0},
		{"me@a.test", block, 1, "result", 0},
		{"a.test", block, 1, "result", 0},
		{"me@a.test/other", block, 0, "", 1},
		{"eve@a.test", block, 0, "", 1},
		{"b.test", block, 0, "", 1},
		{"eve@a.test", "<unblock xmlns='urn:xmpp:blocking'/>", 0, "", 1},
		{"eve@a.test", "<query xmlns='jabber:iq:privacy'><list name='x'/></query>", 0, "", 1},
		{"me@a.test", "<query xmlns='jabber:iq:privacy'><list name='x'/></query>", 0, "result", 0},
		{"me@a.test", "<block xmlns='urn:xmpp:blocking'/>", 0, "error", 0},
	} {
		bubble(t, tt.from+" "+tt.payload, func(t *testing.T) {
			w, _, b, p := online(t, messengerUp())
			from := ""
			if tt.from != "" {
				from = " from='" + tt.from + "'"
			}
			got := make(chan string, 1)
			p.script(func(p *fakeServer) {
				p.send("<iq type='set' id='p'" + from + ">" + tt.payload + "</iq><iq type='get' id='end' from='a.test'><ping xmlns='urn:xmpp:ping'/></iq>")
				iq := p.expect(nsClient, "iq")
				if iq.Attr("id") == "p" {
					got <- iq.Attr("type")
				} else {
					got <- ""
				}
			})
			if in := b.take(); len(in) != tt.delivered {
				t.Errorf("delivered %+v, want %d", in, tt.delivered)
			}
			if typ := <-got; typ != tt.answer {
				t.Errorf("answered with %q, want %q", typ, tt.answer)
			}
			if n := w.d.counters.ForgedPushes.Load(); n != tt.forged {
				t.Errorf("counted %d forged pushes, want %d", n, tt.forged)
			}
		})
	}
}
