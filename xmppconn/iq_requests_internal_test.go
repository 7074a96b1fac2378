package xmppconn

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

func TestM15AnswersFor(t *testing.T) {
	const me = perch.JID("me@a.test/home")
	for _, tt := range []struct {
		to, from perch.JID
		ok       bool
	}{
		// Row M15: requests to the own account or server, four ways to answer, and no fifth.
		{"", "", true}, {"", "me@a.test", true}, {"", "me@a.test/home", true}, {"", "a.test", true},
		{"", "me@a.test/other", false}, {"", "eve@a.test", false}, {"", "b.test", false}, {"", "a.test/x", false},
		{"me@a.test", "", true}, {"me@a.test", "a.test", true}, {"a.test", "", true}, {"a.test", "a.test", true}, {"a.test", "eve@a.test", false},
		{"bob@b.test", "bob@b.test", true}, {"bob@b.test", "", false}, {"bob@b.test", "a.test", false}, {"bob@b.test", "bob@b.test/x", false},
		{"bob@b.test/x", "bob@b.test/x", true}, {"bob@b.test/x", "bob@b.test", false}, {"bob@b.test", "me@a.test", false},
		// Another spelling is the same address; a resource has a case.
		{"", "Me@A.test", true}, {"", "ME@a.test/home", true}, {"", "me@a.test/HOME", false}, {"ME@a.test", "a.test", true}, {"", "A.test", true},
		{"bob@b.test", "Bob@B.test", true}, {"Bob@b.test", "bob@b.test", true}, {"müller@b.test", "Mu\u0308ller@b.test", true},
		{"user name@b.test", "user name@B.test", true}, {"user name@b.test", "User Name@b.test", false},
	} {
		if got := stanza.AnswersFor(me, tt.to, tt.from); got != tt.ok {
			t.Errorf("asked %q, answered by %q: got %v; want %v", tt.to, tt.from, got, tt.ok)
		}
	}
	seen := map[string]bool{}
	for range 1000 {
		id := stanza.NewID()
		if len(id) != 22 || seen[id] {
			t.Fatalf("stanza.NewID() = %q, want 22 characters that were not there before", id)
		}
		seen[id] = true
	}
}

// answer runs f, a request, and lets the server answer its IQ with what reply makes of it.
func answer(p *fakeServer, reply func(iq *xmlstream.Element) string) {
	p.script(func(p *fakeServer) { p.send(reply(p.expect(nsClient, "iq"))) })
}

func resultOf(iq *xmlstream.Element, payload string) string {
	return "<iq type='result' id='" + iq.Attr("id") + "'>" + payload + "</iq>"
}

func errorOf(iq *xmlstream.Element, condition string) string {
	return "<iq type='error' id='" + iq.Attr("id") + "' from='" + iq.Attr("to") + "'><error type='cancel'><" + condition + " xmlns='" + nsStanzas + "'/></error></iq>"
}

func TestRequests(t *testing.T) {
	ctx := context.Background()
	bubble(t, "a forged answer, then the right one", func(t *testing.T) {
		w, c, _, p := online(t, messengerUp())
		answer(p, func(iq *xmlstream.Element) string {
			forged := "<iq type='result' id='" + iq.Attr("id") + "' from='eve@a.test/x'><query xmlns='" + nsRoster + "'><item jid='eve@a.test'/></query></iq>"
			return forged + "<iq type='result' id='" + iq.Attr("id") + "' from='a.test'><query xmlns='" + nsRoster + "'><item jid='bob@a.test' subscription='both'/></query></iq>"
		})
		r, err := c.Roster(ctx, "v1")
		if err != nil || len(r.Items) != 1 || r.Items[0].JID != "bob@a.test" {
			t.Errorf("got %+v, %v; want no error, 1 items, JID bob@a.test", r, err)
		}
		if w.d.counters.ForgedAnswers.Load() != 1 {
			t.Error("not counted, want ForgedAnswers 1")
		}
		if c.iqs != nil {
			t.Error("an empty table is kept, want no open requests")
		}
	})
	bubble(t, "an empty roster", func(t *testing.T) {
		_, c, _, p := online(t, messengerUp())
		answer(p, func(iq *xmlstream.Element) string { return resultOf(iq, "") })
		if r, err := c.Roster(ctx, "v1"); err != nil || r.Unchanged || r.Items == nil {
			t.Errorf("Roster() = %+v, %v; want no items, and not unchanged: the server knows no versions", r, err)
		}
	})
	bubble(t, "roster set", func(t *testing.T) {
		_, c, _, p := online(t, messengerUp())
		answer(p, func(iq *xmlstream.Element) string {
			if iq.Attr("type") != "set" || iq.Children()[0].Children()[0].Attr("jid") != "bob@a.test" {
				t.Errorf("got %+v, want a set of bob@a.test", iq)
			}
			return resultOf(iq, "")
		})
		if err := c.SetRosterItem(ctx, "bob@a.test", "Bob", []string{"Friends"}); err != nil {
			t.Errorf("c.SetRosterItem(): got error %v, want none", err)
		}
		answer(p, func(iq *xmlstream.Element) string { return errorOf(iq, "not-allowed") })
		err := c.SetRosterItem(ctx, "bob@a.test", "Bob", nil)
		if e, ok := errors.AsType[*perch.Error](err); !ok || e.Kind != perch.KindXMPP || e.XMPP.Condition != "not-allowed" {
			t.Errorf("got %v, want Kind %s, Condition not-allowed", err, perch.KindXMPP)
		}
	})
}

func TestRequestsByProfile(t *testing.T) {
	ctx := context.Background()
	bubble(t, "what the profile cannot do is not sent", func(t *testing.T) {
		_, c, _, _ := online(t, messengerUp())
		for _, err := range []error{c.RemoveRosterItem(ctx, "bob@a.test"), c.SetVCard(ctx, perch.VCard{})} {
			if perch.KindOf(err) != perch.KindFeatureUnsupported {
				t.Errorf("got %v, want %s", err, perch.KindFeatureUnsupported)
			}
		}
		c.login.Capabilities = perch.Capabilities{}
		_, err := c.LookupJID(ctx, "bob@a.test")
		_, err2 := c.Archive(ctx, perch.ArchiveQuery{With: "bob@a.test"})
		if perch.KindOf(err) != perch.KindFeatureUnsupported || perch.KindOf(err2) != perch.KindFeatureUnsupported {
			t.Errorf("got %v, %v; want %s, %s", err, err2, perch.KindFeatureUnsupported, perch.KindFeatureUnsupported)
		}
	})
	bubble(t, "what a standard server can", func(t *testing.T) {
		_, c, _, p := online(t, messengerUp())
		c.login.Capabilities = perch.Capabilities{EditRoster: true, StoreVCard: true}
		answer(p, func(iq *xmlstream.Element) string { return resultOf(iq, "") })
		if err := c.RemoveRosterItem(ctx, "bob@a.test"); err != nil {
			t.Errorf("c.RemoveRosterItem(): got error %v, want none", err)
		}
		answer(p, func(iq *xmlstream.Element) string { return resultOf(iq, "") })
		if err := c.SetVCard(ctx, perch.VCard{FullName: "Me"}); err != nil {
			t.Errorf("c.SetVCard(): got error %v, want none", err)
		}
	})
}

func TestVCardRequests(t *testing.T) {
	ctx := context.Background()
	bubble(t, "vCards", func(t *testing.T) {
		_, c, _, p := online(t, messengerUp())
		answer(p, func(iq *xmlstream.Element) string {
			if iq.Attr("to") != "bob@a.test" {
				t.Errorf("asked %q, want to bob@a.test", iq.Attr("to"))
			}
			return "<iq type='result' from='bob@a.test' id='" + iq.Attr("id") + "'><vCard xmlns='vcard-temp'><FN>Bob</FN></vCard></iq>"
		})
		if v, err := c.VCard(ctx, "bob@a.test/x"); err != nil || v.FullName != "Bob" || v.FetchedAt.IsZero() || v.JID != "bob@a.test" {
			t.Errorf("got %+v, %v; want no error, FullName Bob, not v.FetchedAt.IsZero(), JID bob@a.test", v, err)
		}
		answer(p, func(iq *xmlstream.Element) string {
			if iq.Attr("to") != "" {
				t.Errorf("the own card was asked of %q, want to none", iq.Attr("to"))
			}
			return errorOf(iq, "item-not-found")
		})
		if _, err := c.VCard(ctx, testSelf); perch.KindOf(err) != perch.KindItemNotFound {
			t.Errorf("got %v, want %s", err, perch.KindItemNotFound)
		}
	})
}

func TestRequestsWithoutAnAnswer(t *testing.T) {
	ctx := context.Background()
	bubble(t, "no answer", func(t *testing.T) {
		w, c, _, p := online(t, messengerUp())
		p.script((*fakeServer).drain)
		began := time.Now()
		_, err := c.VCard(ctx, "bob@a.test")
		if perch.KindOf(err) != perch.KindUpstreamTimeout || time.Since(began) != w.d.up.RequestTimeout {
			t.Errorf("after %v: got %v, want %s, time.Since(began) %v", time.Since(began), err, perch.KindUpstreamTimeout, w.d.up.RequestTimeout)
		}
		if c.iqs != nil {
			t.Error("the request is still open, want no open requests")
		}
	})
	bubble(t, "the caller gives up", func(t *testing.T) {
		w, c, b, p := online(t, messengerUp())
		ctx, cancel := context.WithCancel(ctx)
		var late string
		done := p.script(func(p *fakeServer) {
			iq := p.expect(nsClient, "iq")
			cancel()
			late = "<iq type='result' from='bob@a.test' id='" + iq.Attr("id") + "'/>"
		})
		if _, err := c.VCard(ctx, "bob@a.test"); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want %v", err, context.Canceled)
		}
		<-done
		p.send(late)
		if b.take(); w.d.counters.StrayAnswers.Load() != 1 {
			t.Error("the late answer was not counted as stray, want StrayAnswers 1")
		}
	})
	bubble(t, "an answer that is too large", func(t *testing.T) {
		_, c, b, p := online(t, messengerUp())
		answer(p, func(iq *xmlstream.Element) string {
			return "<iq type='result' from='bob@a.test' id='" + iq.Attr("id") + "'><vCard xmlns='vcard-temp'><FN>" + strings.Repeat("x", 2<<20) + "</FN></vCard></iq>"
		})
		if _, err := c.VCard(ctx, "bob@a.test"); perch.KindOf(err) != perch.KindXMPP {
			t.Errorf("got %v, want %s", err, perch.KindXMPP)
		}
		if in := b.take(); len(in) != 0 {
			t.Errorf("delivered %v to the session, want nothing", in)
		}
	})
}

func TestPing(t *testing.T) {
	ctx := context.Background()
	bubble(t, "ping", func(t *testing.T) {
		_, c, _, p := online(t, messengerUp())
		p.script(func(p *fakeServer) {
			iq := p.expect(nsClient, "iq")
			time.Sleep(70 * time.Millisecond) // virtual
			p.send(errorOf(iq, "service-unavailable"))
		})
		if took, err := c.Ping(ctx); err != nil || took != 70*time.Millisecond || c.Stats().PingRTT != took {
			t.Errorf("got %v, %v; want no error, took %v, PingRTT %v", took, err, 70*time.Millisecond, took)
		}
	})
}

func TestM14LookupJID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		w, c, _, p := online(t, messengerUp())
		var asked []string
		known := nsLookupShort
		p.script(func(p *fakeServer) {
			for {
				iq := p.expect(nsClient, "iq")
				space := iq.Children()[0].Space()
				asked = append(asked, space)
				if iq.Attr("to") != "mary@contoso.test" {
					t.Errorf("asked %q, want to mary@contoso.test", iq.Attr("to"))
				}
				switch {
				case known == "":
					p.send(errorOf(iq, "item-not-found"))
				case space != known:
					p.send(errorOf(iq, "feature-not-implemented"))
				default:
					p.send("<iq type='result' from='mary@contoso.test' id='" + iq.Attr("id") + "'><getjid xmlns='" + space + "'><jid>12345@a.test</jid></getjid></iq>")
				}
			}
		})
		for range 2 {
			if jid, err := c.LookupJID(ctx, "Mary@contoso.test"); jid != "12345@a.test" || err != nil {
				t.Errorf("got %q, %v; want jid 12345@a.test, no error", jid, err)
			}
		}
		if got := strings.Join(asked, " "); got != nsLookup+" "+nsLookupShort+" "+nsLookupShort {
			t.Errorf("asked %s, want %v", got, nsLookup+" "+nsLookupShort+" "+nsLookupShort)
		}
		known = ""
		if _, err := c.LookupJID(ctx, "mary@contoso.test"); perch.KindOf(err) != perch.KindItemNotFound {
			t.Errorf("got %v, want %s", err, perch.KindItemNotFound)
		}
		known, asked = "neither", nil
		if _, err := c.LookupJID(ctx, "mary@contoso.test"); perch.KindOf(err) != perch.KindXMPP || len(asked) != 2 {
			t.Errorf("got %v, asked %q; want %s, two requests", err, asked, perch.KindXMPP)
		}
		if _, err := c.LookupJID(ctx, "not an account"); perch.KindOf(err) != perch.KindJIDMalformed {
			t.Errorf("got %v, want %s", err, perch.KindJIDMalformed)
		}
		if !w.d.lookupShort.Load() {
			t.Error("the short name is forgotten, want it remembered")
		}
	})
}

func TestM10Archive(t *testing.T) {
	ctx := context.Background()
	q := perch.ArchiveQuery{With: "bob@a.test", Limit: 10}
	bubble(t, "XEP-0136", func(t *testing.T) {
		_, c, _, p := online(t, messengerUp())
		answer(p, func(iq *xmlstream.Element) string {
			return "<iq from='a.test' type='result' id='" + iq.Attr("id") + "'><chat xmlns='" + nsArchive + "' with='bob@a.test' start='2012-05-01T10:00:00Z'>" +
				"<from secs='0'><body>hi</body></from><to secs='11'><body>hello</body></to></chat></iq>"
		})
		if page, err := c.Archive(ctx, q); err != nil || len(page.Items) != 2 || page.Items[1].Body != "hello" || !page.Items[1].Sent {
			t.Errorf("got %+v, %v; want no error, 2 items, Body hello, Sent", page, err)
		}
		answer(p, func(iq *xmlstream.Element) string { return errorOf(iq, "item-not-found") })
		if page, err := c.Archive(ctx, q); err != nil || len(page.Items) != 0 || page.Items == nil {
			t.Errorf("an unknown contact: got %+v, %v; want no error, 0 items, a Items", page, err)
		}
		answer(p, func(iq *xmlstream.Element) string { return errorOf(iq, "forbidden") })
		if _, err := c.Archive(ctx, q); perch.KindOf(err) != perch.KindXMPP {
			t.Errorf("got %v, want %s", err, perch.KindXMPP)
		}
	})
	bubble(t, "XEP-0313", func(t *testing.T) {
		w, c, b, p := online(t, messengerUp())
		c.login.Capabilities.Archive = "313"
		answer(p, func(iq *xmlstream.Element) string {
			id := iq.Children()[0].Attr("queryid")
			hit := func(from, query, n, inner string) string {
				return "<message" + from + "><result xmlns='" + nsMAM + "' queryid='" + query + "' id='" + n + "'><forwarded xmlns='" + nsForward +
					"'><delay xmlns='" + nsDelay + "' stamp='2024-01-01T00:00:0" + n + "Z'/><message xmlns='jabber:client' from='bob@a.test/x' to='me@a.test'>" + inner +
					"</message></forwarded></result></message>"
			}
			return hit("", id, "1", "<body>one</body>") + hit(" from='me@a.test'", id, "2", "<body>two</body>") +
				hit(" from='eve@a.test'", id, "3", "<body>forged</body>") + hit("", "other", "4", "<body>of no query</body>") +
				hit("", id, "5", "<active xmlns='"+nsChatStates+"'/>") +
				resultOf(iq, "<fin xmlns='"+nsMAM+"' complete='true'><set xmlns='"+nsRSM+"'><first>1</first><last>2</last></set></fin>")
		})
		page, err := c.Archive(ctx, q)
		if err != nil || len(page.Items) != 2 || page.Items[0].Body != "one" || page.Items[1].Body != "two" || !page.Complete || page.Last != "2" {
			t.Errorf("got %+v, %v; want no error, 2 items, Body one, Body two, Complete, Last 2", page, err)
		}
		if w.d.counters.ForgedOther.Load() != 2 {
			t.Errorf("counted %d forgeries, want ForgedOther 2", w.d.counters.ForgedOther.Load())
		}
		if in := b.take(); len(in) != 0 {
			t.Errorf("results were delivered as messages: got %v, want nothing delivered", in)
		}
		answer(p, func(iq *xmlstream.Element) string { return resultOf(iq, "") })
		if _, err := c.Archive(ctx, q); perch.KindOf(err) != perch.KindXMPP {
			t.Errorf("an answer without fin: got %v, want %s", err, perch.KindXMPP)
		}
	})
}

// TestAck: the answer to a request says that everything before it arrived.
func TestAck(t *testing.T) {
	msg := func(c *Conn, id string) {
		if _, err := c.Send(&perch.MessageOut{ID: id, To: "bob@a.test", Kind: perch.ChatMessage, Body: "x"}); err != nil {
			t.Errorf("c.Send(): got error %v, want none", err)
		}
	}
	bubble(t, "by any answer", func(t *testing.T) {
		_, c, b, p := online(t, messengerUp())
		msg(c, "1")
		msg(c, "2")
		p.script(func(p *fakeServer) {
			p.next()
			p.next()
			iq := p.expect(nsClient, "iq")
			p.next() // was sent after the request, whose answer does not cover it
			p.send(resultOf(iq, ""))
		})
		done := make(chan struct{})
		go func() { defer close(done); _, _ = c.Roster(context.Background(), "") }()
		synctest.Wait()
		msg(c, "3") // the server reads it before it answers
		<-done
		in := b.take()
		if len(in) != 1 || in[0].(*perch.AckIn).Through != 2 {
			t.Fatalf("got %v, want one delivery, Through 2", in)
		}
	})
	bubble(t, "by a ping, soon", func(t *testing.T) {
		w, c, b, p := online(t, messengerUp())
		p.script(func(p *fakeServer) {
			for {
				if el := p.next(); el.Local() == "iq" {
					p.send("<iq type='result' from='a.test' id='" + el.Attr("id") + "'/>")
				}
			}
		})
		msg(c, "1")
		time.Sleep(w.d.up.AckDelay / 2)
		msg(c, "2")
		time.Sleep(w.d.up.AckDelay/2 - 1)
		if in := b.take(); len(in) != 0 {
			t.Errorf("too early: got %v, want nothing delivered", in)
		}
		time.Sleep(time.Nanosecond)
		if in := b.take(); len(in) != 1 || in[0].(*perch.AckIn).Through != 2 {
			t.Errorf("got %v, want one delivery, Through 2", in)
		}
		time.Sleep(10 * w.d.up.AckDelay)
		if in := b.take(); len(in) != 0 || w.d.counters.Pings.Load() != 1 {
			t.Errorf("got %v, %d pings; want nothing delivered, Pings 1", in, w.d.counters.Pings.Load())
		}
	})
}

// The own account is known in whatever spelling its server names it; no other address is
// taken for it.
func TestSpellingsOfTheOwnAccount(t *testing.T) {
	c := &Conn{login: perch.Login{JID: "Me@a.test/home"}}
	for from, want := range map[perch.JID]bool{"": true, "me@a.test": true, "ME@A.test": true, "me@a.test/home": false, "eve@a.test": false} {
		if got := c.fromOwnAccount(from); got != want {
			t.Errorf("fromOwnAccount(%q) = %v, want %v", from, got, want)
		}
	}
}
