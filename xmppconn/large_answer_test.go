package xmppconn

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
)

// manyItems is the inside of a roster of n buddies, with groups, of about 170 bytes each.
func manyItems(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "<item jid='buddy-number-%05d@example.net' name='Buddy &amp; Number %05d' subscription='both'><group>Friends</group><group>Work &#x2014; %d</group></item>\n", i, i, i%7)
	}
	return b.String()
}

func rosterAnswer(iq *element, from, items string) string {
	return "<iq type='result'" + from + " id='" + iq.attr("id") + "'><query xmlns='" + nsRoster + "' ver='v7'>" + items + "</query></iq>"
}

func TestLargeRoster(t *testing.T) {
	ctx := context.Background()
	smBubble(t, "arrives whole and is counted once", func(t *testing.T, s *smServer) {
		c, b, p := s.connect(nil)
		p.send("<presence from='bob@a.test/x'/>")
		items := manyItems(8000)
		if len(items) <= defaultLimits.stanza {
			t.Fatalf("%d bytes are no large roster", len(items))
		}
		answer(p, func(iq *element) string { return rosterAnswer(iq, "", items) })
		r, err := c.Roster(ctx, "")
		if err != nil || len(r.Items) != 8000 || r.Version != "v7" || r.LeftOut != 0 {
			t.Fatalf("got %d items, version %q, %d left out, %v; want 8000 items, v7, 0", len(r.Items), r.Version, r.LeftOut, err)
		}
		if last := r.Items[7999]; last.JID != "buddy-number-07999@example.net" || last.Name != "Buddy & Number 07999" || len(last.Groups) != 2 {
			t.Errorf("the last item is %+v", last)
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
		answer(p, func(iq *element) string {
			return rosterAnswer(iq, " from='eve@evil.test'", manyItems(8000)) + rosterAnswer(iq, "", "<item jid='bob@a.test'/>")
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
		c.fr.lim.answer = 3 << 20
		failed := make(chan struct{})
		done := p.script(func(p *peer) {
			iq := p.expect(nsClient, "iq")
			p.send("<iq type='result' id='" + iq.attr("id") + "'><query xmlns='" + nsRoster + "'>" + manyItems(30_000))
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
		answer(p, func(iq *element) string {
			return rosterAnswer(iq, "", manyItems(8000)+"<item jid='x@a.test' name='"+strings.Repeat("n", 1<<20+64<<10)+"'/>"+manyItems(8000))
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
			answer(p, func(iq *element) string { return rosterAnswer(iq, "", manyItems(16_000)+item) })
			if _, err := c.Roster(ctx, ""); !errors.Is(err, perch.ErrAnswerTooLarge) {
				t.Errorf("got %v, want %v", err, perch.ErrAnswerTooLarge)
			}
		})
	}
	bubble(t, "what is not well-formed ends the stream", func(t *testing.T) {
		_, c, _, p := online(t, messengerUp())
		answer(p, func(iq *element) string {
			return rosterAnswer(iq, "", manyItems(16_000)+"<item></iten>"+manyItems(1000))
		})
		if _, err := c.Roster(ctx, ""); perch.KindOf(err) != perch.KindSessionOffline {
			t.Errorf("got %v, want the end of the connection", err)
		}
	})
}

// TestLargeRosterThatTakesLong: the wait lasts while parts come.
func TestLargeRosterThatTakesLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, c, _, p := online(t, messengerUp())
		p.script(func(p *peer) {
			iq := p.expect(nsClient, "iq")
			p.send("<iq type='result' id='" + iq.attr("id") + "'><query xmlns='" + nsRoster + "'>" + manyItems(16_000))
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

// TestLargeRosterOnAWaryConnection: a stanza that ended two connections is passed on the third,
// also when it is an answer that is taken in parts.
func TestLargeRosterOnAWaryConnection(t *testing.T) {
	smBubble(t, "a malformed roster", func(t *testing.T, s *smServer) {
		c, b, p := s.connect(nil)
		c.wary = true
		answer(p, func(iq *element) string {
			return rosterAnswer(iq, "", manyItems(16_000)+"<item></iten>"+manyItems(8000)) + chat("m1", "alive")
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
		p.script(func(p *peer) {
			iq := p.expect(nsClient, "iq")
			p.send("<iq type='result' from='bob@a.test' id='" + iq.attr("id") + "'><vCard xmlns='vcard-temp'><FN>" + strings.Repeat("x", 2<<20))
			p.drain()
		})
		began := time.Now()
		_, err := c.VCard(context.Background(), "bob@a.test")
		if !errors.Is(err, perch.ErrAnswerTooLarge) || time.Since(began) > time.Second {
			t.Errorf("after %v: %v, want %v at once", time.Since(began), err, perch.ErrAnswerTooLarge)
		}
	})
}

func TestRosterCollectorIsBounded(t *testing.T) {
	item := func(i, size int) *element {
		return &element{space: nsRoster, local: "item", attrs: []attr{{"", "jid", fmt.Sprintf("b%d@a.test", i)}, {"", "name", strings.Repeat("n", size)}}}
	}
	for _, tt := range []struct {
		name    string
		n, size int
	}{{"by number", 50_001, 0}, {"by bytes", 40, 1 << 19}} {
		t.Run(tt.name, func(t *testing.T) {
			var c rosterCollector
			for i := range tt.n {
				c.add(&element{space: nsRoster, local: "query", children: []*element{item(i, tt.size)}})
			}
			r := c.result()
			if r.LeftOut == 0 || len(r.Items)+r.LeftOut != tt.n || len(r.Items) > 50_000 || c.bytes > 16<<20 {
				t.Errorf("%d items of %d bytes, %d left out", len(r.Items), c.bytes, r.LeftOut)
			}
		})
	}
}

// inParts reads the first stanza of a stream whose limit makes it a large answer, and what its
// roster is.
func inParts(stream string, n, limit int) (r perch.RosterResult, left bool, err error) {
	lim := fuzzLimits
	lim.stanza, lim.answer = limit, 1<<30
	f := newFramer(chunks(stream, n), lim)
	f.takesLarge = func(*skipped) bool { return true }
	var all rosterCollector
	for {
		fr, err := f.next()
		if err != nil {
			return r, false, err
		}
		switch fr.kind {
		case frameSkipped, frameEnd:
			return r, true, nil
		case frameElement, framePart, frameLastPart:
			el, err := fr.parse()
			if err != nil {
				return r, false, err
			}
			in, _ := parseIQ(el)
			all.add(in.payload)
			if fr.kind != framePart {
				return all.result(), false, nil
			}
		}
	}
}

// FuzzLargeAnswer compares a roster that is taken in parts with the same one as a whole.
func FuzzLargeAnswer(f *testing.F) {
	open := "<iq type='result' id='r'><query xmlns='" + nsRoster + "' ver='v'>"
	for _, s := range []string{
		open + manyItems(4) + "</query></iq>",
		open + "<item jid='a@b'/>x<![CDATA[</query>]]><item jid='a@b' name='>'><group>g</group></item></query><x><y/></x></iq>",
		"<iq id='r' type='result'><foo/><query xmlns='" + nsRoster + "'><item jid='a@b'/></query></iq>",
		"<p:iq xmlns:p='jabber:client' xmlns:q='" + nsRoster + "' id='r' type='result'>&amp;<q:query ><q:item jid='a@b' /></q:query ></p:iq>",
		open + "<item jid='a@b'></iten></query></iq>", open + "<item jid='&bogus;'/></query></iq>", open + "</query></iq>",
		"<iq type='result' id='r'/>", open + "<item jid='a@b'/><a:b/></query></iq>", "<iq><a></b></iq>",
	} {
		f.Add(s, 7, 64)
		f.Add(s, 0, 1)
	}
	f.Fuzz(func(t *testing.T, stanza string, n, limit int) {
		stream := testHeader + stanza
		n, limit = (n&0x7fffffff)%70, len(testHeader)+(limit&0x7fffffff)%300
		whole, wholeSkipped, wholeErr := inParts(stream, 0, 1<<30)
		parts, left, err := inParts(stream, n, limit)
		switch {
		case left: // one child is over the limit
		case wholeErr != nil:
			if err == nil {
				t.Fatalf("in parts %d items, as a whole %v", len(parts.Items), wholeErr)
			}
		case wholeSkipped || err != nil:
			t.Fatalf("in parts %v, as a whole %d items", err, len(whole.Items))
		default:
			if diff := cmp.Diff(whole, parts); diff != "" {
				t.Fatalf("in parts it is another roster: %s", diff)
			}
		}
	})
}

func TestOpenRequestsAreBounded(t *testing.T) {
	bubble(t, "the next one is refused", func(t *testing.T) {
		_, c, _, _ := online(t, messengerUp())
		c.mu.Lock()
		c.iqs = map[string]*openIQ{}
		for i := range 1000 {
			c.iqs[fmt.Sprint(i)] = &openIQ{answer: func(iqIn, error) {}}
		}
		c.mu.Unlock()
		if _, err := c.VCard(context.Background(), "bob@a.test"); perch.KindOf(err) != perch.KindTryLater {
			t.Errorf("got %v, want %s", err, perch.KindTryLater)
		}
	})
}
