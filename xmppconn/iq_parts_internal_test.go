package xmppconn

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/streamtest"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

func rosterAnswer(iq *xmlstream.Element, from, items string) string {
	return "<iq type='result'" + from + " id='" + iq.Attr("id") + "'><query xmlns='" + nsRoster + "' ver='v7'>" + items + "</query></iq>"
}

func TestLargeRoster(t *testing.T) {
	ctx := context.Background()
	smBubble(t, "arrives whole and is counted once", func(t *testing.T, s *smServer) {
		c, b, p := s.connect(nil)
		p.send("<presence from='bob@a.test/x'/>")
		items := streamtest.RosterItems(8000)
		if len(items) <= xmlstream.DefaultLimits().Stanza {
			t.Fatalf("got %d bytes are no large roster, want more than %v", len(items), xmlstream.DefaultLimits().Stanza)
		}
		answer(p, func(iq *xmlstream.Element) string { return rosterAnswer(iq, "", items) })
		r, err := c.Roster(ctx, "")
		if err != nil || len(r.Items) != 8000 || r.Version != "v7" || r.LeftOut != 0 {
			t.Fatalf("got %d items, version %q, %d left out, %v; want 8000 items, v7, 0", len(r.Items), r.Version, r.LeftOut, err)
		}
		if last := r.Items[7999]; last.JID != "buddy-number-07999@example.net" || last.Name != "Buddy & Number 07999" || len(last.Groups) != 2 {
			t.Errorf("the last item is %+v, want JID buddy-number-07999@example.net, Name Buddy & Number 07999, 2 groups", last)
		}
		p.send(chat("m1", "after"))
		if in := b.take(); len(in) != 2 {
			t.Fatalf("the session got %d things, want the presence and the message", len(in))
		}
		c.Handled(2)
		p.wantH(t, "3")
	})
	bubble(t, "from a stranger it is skipped", func(t *testing.T) {
		w, c, _, p := online(t, messengerUp())
		answer(p, func(iq *xmlstream.Element) string {
			return rosterAnswer(iq, " from='eve@evil.test'", streamtest.RosterItems(8000)) + rosterAnswer(iq, "", "<item jid='bob@a.test'/>")
		})
		r, err := c.Roster(ctx, "")
		if err != nil || len(r.Items) != 1 {
			t.Errorf("got %d items, %v; want the one of the server", len(r.Items), err)
		}
		if n := w.d.counters.ForgedAnswers.Load(); n != 1 {
			t.Errorf("%d forged answers counted, want 1", n)
		}
	})
	bubble(t, "over the limit of answers it fails at once, and the connection does not end", func(t *testing.T) {
		_, c, b, p := online(t, messengerUp())
		c.fr.Limits.Answer = 3 << 20
		failed := make(chan struct{})
		done := p.script(func(p *fakeServer) {
			iq := p.expect(nsClient, "iq")
			p.send("<iq type='result' id='" + iq.Attr("id") + "'><query xmlns='" + nsRoster + "'>" + streamtest.RosterItems(30_000))
			<-failed // before its end
			p.send("</query></iq>" + chat("m1", "alive"))
		})
		began := time.Now()
		_, err := c.Roster(ctx, "")
		if !errors.Is(err, perch.ErrAnswerTooLarge) || time.Since(began) > time.Second {
			t.Errorf("after %v: %v, want %v at once", time.Since(began), err, perch.ErrAnswerTooLarge)
		}
		close(failed)
		<-done
		if in := b.take(); len(in) != 1 {
			t.Errorf("the session got %d things, want the message", len(in))
		}
	})
	bubble(t, "one item over the limit of a stanza fails it", func(t *testing.T) {
		_, c, _, p := online(t, messengerUp())
		answer(p, func(iq *xmlstream.Element) string {
			return rosterAnswer(iq, "", streamtest.RosterItems(8000)+"<item jid='x@a.test' name='"+strings.Repeat("n", 1<<20+64<<10)+"'/>"+streamtest.RosterItems(8000))
		})
		if _, err := c.Roster(ctx, ""); !errors.Is(err, perch.ErrAnswerTooLarge) {
			t.Errorf("got %v, want %v", err, perch.ErrAnswerTooLarge)
		}
	})
	for name, item := range map[string]string{
		"too deep":            strings.Repeat("<a>", 31) + strings.Repeat("</a>", 31),
		"too many attributes": "<item " + strings.Repeat("a:b='' ", 70) + "/>",
	} {
		bubble(t, name, func(t *testing.T) {
			_, c, _, p := online(t, messengerUp())
			answer(p, func(iq *xmlstream.Element) string { return rosterAnswer(iq, "", streamtest.RosterItems(16_000)+item) })
			if _, err := c.Roster(ctx, ""); !errors.Is(err, perch.ErrAnswerTooLarge) {
				t.Errorf("got %v, want %v", err, perch.ErrAnswerTooLarge)
			}
		})
	}
	bubble(t, "what is not well-formed ends the stream", func(t *testing.T) {
		_, c, _, p := online(t, messengerUp())
		answer(p, func(iq *xmlstream.Element) string {
			return rosterAnswer(iq, "", streamtest.RosterItems(16_000)+"<item></iten>"+streamtest.RosterItems(1000))
		})
		if _, err := c.Roster(ctx, ""); perch.KindOf(err) != perch.KindSessionOffline {
			t.Errorf("got %v, want the end of the connection", err)
		}
	})
}

// TestRosterIsThatOfItsAnswer: what is read where it lies is of the answer to the request, and
// stays when the buffer is used again.
func TestRosterIsThatOfItsAnswer(t *testing.T) {
	bubble(t, "beside others", func(t *testing.T) {
		w, c, _, p := online(t, messengerUp())
		answer(p, func(iq *xmlstream.Element) string {
			return rosterAnswer(iq, " from='eve@evil.test'", "<item jid='eve@evil.test'/>") +
				strings.Replace(rosterAnswer(iq, "", "<item jid='set@a.test'/>"), "result", "set", 1) +
				rosterAnswer(iq, " from='me@a.test'", "<item jid='bob@a.test' name='Bob &amp; Alice'><group> Work </group></item>") +
				rosterAnswer(iq, "", "<item jid='late@a.test'/>")
		})
		r, err := c.Roster(context.Background(), "")
		if err != nil || r.Version != "v7" || len(r.Items) != 1 || r.Items[0].JID != "bob@a.test" || r.Items[0].Name != "Bob & Alice" || !slices.Equal(r.Items[0].Groups, []string{"Work"}) {
			t.Errorf("got %+v, %v; want v7 with Bob & Alice, in Work, alone", r, err)
		}
		synctest.Wait()
		if forged, stray := w.d.counters.ForgedAnswers.Load(), w.d.counters.StrayAnswers.Load(); forged != 1 || stray != 1 {
			t.Errorf("counted %d forged and %d stray answers, want 1 and 1", forged, stray)
		}
	})
	bubble(t, "an error", func(t *testing.T) {
		_, c, _, p := online(t, messengerUp())
		answer(p, func(iq *xmlstream.Element) string {
			return "<iq type='error' id='" + iq.Attr("id") + "'><query xmlns='" + nsRoster + "'/><error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
		})
		if r, err := c.Roster(context.Background(), ""); perch.KindOf(err) != perch.KindItemNotFound {
			t.Errorf("got %+v, %v; want %s", r, err, perch.KindItemNotFound)
		}
	})
}

// TestLargeRosterThatTakesLong: the wait lasts while parts come.
func TestLargeRosterThatTakesLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, c, _, p := online(t, messengerUp())
		p.script(func(p *fakeServer) {
			iq := p.expect(nsClient, "iq")
			p.send("<iq type='result' id='" + iq.Attr("id") + "'><query xmlns='" + nsRoster + "'>" + streamtest.RosterItems(16_000))
			time.Sleep(7 * time.Second) // of the 8 that a roster has
			p.send("<item jid='slow@a.test'/>")
			time.Sleep(7 * time.Second) // of the 8 that a roster has
			p.send("</query></iq>")
		})
		if r, err := c.Roster(context.Background(), ""); err != nil || len(r.Items) != 16_001 {
			t.Errorf("got %d items, %v; want 16001", len(r.Items), err)
		}
	})
}

// TestLargeRosterWhileQuarantining: a stanza that ended two connections is passed on the third,
// also when it is an answer that is taken in parts.
func TestLargeRosterWhileQuarantining(t *testing.T) {
	smBubble(t, "a malformed roster", func(t *testing.T, s *smServer) {
		c, b, p := s.connect(nil)
		c.quarantining = true
		answer(p, func(iq *xmlstream.Element) string {
			return rosterAnswer(iq, "", streamtest.RosterItems(16_000)+"<item></iten>"+streamtest.RosterItems(8000)) + chat("m1", "alive")
		})
		if _, err := c.Roster(context.Background(), ""); !errors.Is(err, perch.ErrAnswerTooLarge) {
			t.Errorf("got %v, want a failed request", err)
		}
		if in := b.take(); len(in) != 1 {
			t.Fatalf("the session got %d things, want the message", len(in))
		}
		c.Handled(1)
		p.wantH(t, "2") // the answer and the message
	})
}

// TestOversizeAnswerFailsAtOnce: not at its end, which may never come.
func TestOversizeAnswerFailsAtOnce(t *testing.T) {
	bubble(t, "a vCard", func(t *testing.T) {
		_, c, _, p := online(t, messengerUp())
		p.script(func(p *fakeServer) {
			iq := p.expect(nsClient, "iq")
			p.send("<iq type='result' from='bob@a.test' id='" + iq.Attr("id") + "'><vCard xmlns='vcard-temp'><FN>" + strings.Repeat("x", 2<<20))
			p.drain()
		})
		began := time.Now()
		_, err := c.VCard(context.Background(), "bob@a.test")
		if !errors.Is(err, perch.ErrAnswerTooLarge) || time.Since(began) > time.Second {
			t.Errorf("after %v: %v, want %v at once", time.Since(began), err, perch.ErrAnswerTooLarge)
		}
	})
}

func TestOpenRequestsAreBounded(t *testing.T) {
	bubble(t, "the next one is refused", func(t *testing.T) {
		_, c, _, _ := online(t, messengerUp())
		c.mu.Lock()
		c.iqs = map[string]*openIQ{}
		for i := range 1000 {
			c.iqs[fmt.Sprint(i)] = &openIQ{answer: func(stanza.IQ, error) {}}
		}
		c.mu.Unlock()
		if _, err := c.VCard(context.Background(), "bob@a.test"); perch.KindOf(err) != perch.KindTryLater {
			t.Errorf("got %v, want %s", err, perch.KindTryLater)
		}
	})
}
