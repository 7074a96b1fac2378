package sessions_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/fakexmpp"
	"github.com/perch-im/perch/sessions"
)

// archive is a XEP-0313 archive: ids are "a001" and so on.
type archive struct {
	mu    sync.Mutex
	items []perch.ArchiveItem
	made  int // ids that were given out
	size  int // of a page
	onAsk func()
}

func (a *archive) add(body, direction, id string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.made++
	n := fmt.Sprintf("a%04d", a.made)
	from, to := bob+"/x", alice
	if direction == "out" {
		from, to = alice+"/perch", bob
	}
	a.items = append(a.items, item(n, id, from, to, body))
	return n
}

// item is an archived message, as of now; one from alice was sent.
func item(archiveID, id string, from, to perch.JID, body string) perch.ArchiveItem {
	now := perch.At(time.Now())
	return perch.ArchiveItem{Time: now, MessageIn: perch.MessageIn{Sent: from.Bare() == alice, Message: perch.Message{
		ID: id, StanzaID: archiveID, From: from, To: to, Kind: perch.ChatMessage, Body: body,
		Delay: &perch.Delay{Stamp: now}, Source: perch.SourceArchive,
	}}}
}

func (a *archive) page(q perch.ArchiveQuery) (perch.ArchivePage, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.onAsk != nil {
		f := a.onAsk
		a.mu.Unlock()
		f()
		a.mu.Lock()
	}
	from := max(0, len(a.items)-q.Limit)
	if q.Start != 0 {
		from = 0
		for from < len(a.items) && a.items[from].Time < q.Start {
			from++
		}
	}
	if q.After != "" {
		i := slices.IndexFunc(a.items, func(it perch.ArchiveItem) bool { return it.StanzaID == q.After })
		if i < 0 {
			return perch.ArchivePage{}, &perch.Error{Kind: perch.KindXMPP, XMPP: &perch.XMPPError{Condition: "item-not-found"}}
		}
		from = i + 1
	}
	items := slices.Clone(a.items[from:min(len(a.items), from+min(q.Limit, a.size))])
	p := perch.ArchivePage{Items: items, Complete: from+len(items) == len(a.items)}
	if len(items) > 0 {
		p.First, p.Last = items[0].StanzaID, items[len(items)-1].StanzaID
	}
	return p, nil
}

func withArchive(w *world) *archive {
	a := &archive{size: 10}
	w.up.Edit(func(d *fakexmpp.Data) { d.Capabilities.Archive = "313" })
	w.up.set(func(u *upstream) { u.pages = a.page })
	return a
}

func received(t tb, evs []event) (list []string) {
	for _, e := range evs {
		var m perch.Message
		if e.Type == perch.EventMessageReceived || e.Type == perch.EventMessageSent {
			e.into(t, &m)
			list = append(list, string(m.Source)+" "+m.Body)
		}
	}
	return list
}

func live(id, body string) *perch.MessageIn {
	m := text("m-"+id, body)
	m.StanzaID = id
	return m
}

// Without an archive, a new login after an outage is a gap.
func TestGapWithoutAnArchive(t *testing.T) {
	for _, archive := range []string{"", "136"} {
		inWorld(t, func(w *world) {
			w.up.Edit(func(d *fakexmpp.Data) { d.Capabilities.Archive = archive })
			s := w.open()
			c := w.attach(s, sessions.SubscribeOptions{})
			lost := time.Now()
			w.lose(linkLost)
			evs := c.wantTypes(perch.EventSessionState, perch.EventSessionGap, perch.EventSessionState)
			var g perch.Gap
			if evs[1].into(t, &g); g.From != perch.At(lost) || g.To < g.From || g.To > perch.At(time.Now()) {
				t.Errorf("got gap %+v, want it from the loss at %d until now", g, perch.At(lost))
			}
			if n := len(w.conn().queries); n != 0 {
				t.Errorf("got %d archive queries, want none", n)
			}
		})
	}
}

// With an archive, what was missed comes from it, in order and before live messages, and
// nothing comes twice.
func TestCatchUp(t *testing.T) {
	inWorld(t, func(w *world) {
		a := withArchive(w)
		a.add("old", "in", "m-a0001")
		s := w.open()
		if n := len(received(t, w.durable(s))); n != 0 {
			t.Errorf("got %d messages at the first login, want none", n)
		}
		w.deliver(live(a.add("before", "in", "m-a0002"), "before"))
		w.refuse(linkLost)
		w.conn().Fail(linkLost)
		synctest.Wait()
		for i := range 35 {
			a.add(fmt.Sprint("missed ", i), "in", "")
		}
		a.add("by another device", "out", "other")
		asked := 0
		a.onAsk = func() {
			// Live messages arrive while the archive is read: one that it has, one that it has not.
			if asked++; asked == 2 {
				w.up.newest().Deliver(live("a0005", "missed 2"))
				w.up.newest().Deliver(live("a9000", "live"))
				w.up.newest().Deliver(&perch.ChatStateIn{From: bob, State: perch.StateActive})
				synctest.Wait()
				if n := w.up.newest().HandledSeq(); n != 0 {
					t.Errorf("HandledSeq: got %d while messages are held back, want 0", n)
				}
			}
		}
		w.refuse(nil)
		pass(time.Minute)
		w.deliver(live("a0030", "missed 27"))
		var want []string
		want = append(want, "live before")
		for i := range 35 {
			want = append(want, fmt.Sprint("archive missed ", i))
		}
		want = append(want, "archive by another device", "live live")
		got := received(t, w.durable(s))
		if !slices.Equal(got, want) {
			t.Errorf("messages: got %q\nwant %q", got, want)
		}
		for _, e := range w.durable(s) {
			if e.Type == perch.EventSessionGap {
				t.Error("got a gap, want none: the archive was complete")
			}
		}
		if c := w.conn(); c.HandledSeq() != c.Delivered() {
			t.Errorf("HandledSeq: got %d, want %d", c.HandledSeq(), c.Delivered())
		}
	})
}

// A server may deliver a message after a later one. When the stream is lost in between, the
// archive has the one that is missing, in front of what was logged last.
func TestArchiveBeforeTheLastMessage(t *testing.T) {
	inWorld(t, func(w *world) {
		a := withArchive(w)
		a.add("old", "in", "")
		s := w.open()
		first := a.add("first", "in", "")
		a.add("late", "in", "")
		a.add("by another device", "out", "other")
		second := a.add("second", "in", "")
		w.deliver(live(first, "first"))
		sent := text("other", "by another device") // its copy has no id of the archive
		sent.Sent, sent.From, sent.To = true, alice+"/perch", bob
		w.deliver(sent)
		w.deliver(live(second, "second"))
		for range 2 {
			w.lose(linkLost)
			pass(time.Second)
			a.add("missed", "in", "")
		}
		w.deliver(live("a0003", "late")) // now that it is not waited for any more
		want := []string{"live first", "live by another device", "live second", "archive late", "archive missed"}
		if got := received(t, w.durable(s)); !slices.Equal(got, want) {
			t.Errorf("messages: got %q\nwant %q", got, want)
		}
	})
}

// Nothing was logged before the outage: the archive is read from then on.
func TestCatchUpByTime(t *testing.T) {
	inWorld(t, func(w *world) {
		a := withArchive(w)
		s := w.open()
		pass(time.Hour)
		id := w.send(s, hi("from here"))
		a.add("from here", "out", id)
		w.refuse(linkLost)
		w.conn().Fail(linkLost)
		synctest.Wait()
		var want []string
		for i := range 25 {
			a.add(fmt.Sprint("missed ", i), "in", "")
			want = append(want, fmt.Sprint("archive missed ", i))
		}
		w.restart()
		w.refuse(nil)
		s = w.open()
		pass(time.Minute)
		if got := received(t, w.durable(s)); !slices.Equal(got, append([]string{"live from here"}, want...)) {
			t.Errorf("got messages %q, want %q after one that was live", got, want)
		}
		if h := w.history(s, id); h != "accepted sent acked " {
			t.Errorf("history of the message: got %q, want accepted, sent, acked", h)
		}
		for _, e := range w.durable(s) {
			if e.Type == perch.EventSessionGap {
				t.Error("got a gap, want none: the archive was complete")
			}
		}
	}, durable)
}

// The archive was empty until just now, between the question and the initial presence.
func TestCatchUpBeforePresence(t *testing.T) {
	inWorld(t, func(w *world) {
		a := withArchive(w)
		s := w.open()
		asked := 0
		a.onAsk = func() {
			if asked++; asked == 2 {
				a.add("just now", "in", "")
			}
		}
		w.lose(linkLost)
		if got := received(t, w.durable(s)); !slices.Equal(got, []string{"archive just now"}) {
			t.Errorf("got messages %q after %d questions, want the one of the archive", got, asked)
		}
	})
}

// Offline messages that the server delivers after the initial presence are in the archive
// as well.
func TestOfflineMessagesAreNotDoubled(t *testing.T) {
	inWorld(t, func(w *world) {
		a := withArchive(w)
		s := w.open()
		w.deliver(live(a.add("before", "in", ""), "before"))
		w.refuse(linkLost)
		w.conn().Fail(linkLost)
		synctest.Wait()
		var offline []*perch.MessageIn
		for i := range 5 {
			offline = append(offline, live(a.add(fmt.Sprint(i), "in", ""), fmt.Sprint(i)))
		}
		w.refuse(nil)
		old := w.conn()
		for w.conn() == old {
			pass(100 * time.Millisecond)
		}
		for _, m := range offline {
			w.deliver(m)
		}
		if got := received(t, w.durable(s)); len(got) != 6 {
			t.Errorf("got messages %q, want 6", got)
		}
	})
}

// Too many live messages while the archive is read: they are read from it instead.
func TestBufferOverflow(t *testing.T) {
	inWorld(t, func(w *world) {
		a := withArchive(w)
		s := w.open()
		w.deliver(live(a.add("before", "in", ""), "before"))
		asked := 0
		a.onAsk = func() {
			if asked++; asked == 1 {
				for i := range 1500 {
					body := fmt.Sprint(i)
					w.up.newest().Deliver(live(a.add(body, "in", ""), body))
				}
			}
		}
		w.lose(linkLost)
		pass(time.Second)
		got := received(t, w.durable(s))
		if len(got) != 1501 {
			t.Fatalf("got %d messages, want 1501", len(got))
		}
		for i, m := range got[1:] {
			if m != fmt.Sprint("archive ", i) && m != fmt.Sprint("live ", i) {
				t.Fatalf("message %d: got %q, want the one with its number", i, m)
			}
		}
	})
}

// The archive proves that a sent message arrived whose stream was lost, and that another one
// did not: that one is sent again, with its id.
func TestArchiveReconcilesOutbox(t *testing.T) {
	inWorld(t, func(w *world) {
		a := withArchive(w)
		a.add("old", "in", "")
		s := w.open()
		arrived, lost := w.send(s, hi("arrived")), w.send(s, hi("lost"))
		a.add("arrived", "out", arrived)
		w.lose(linkLost)
		pass(time.Second)
		if h := w.history(s, arrived); h != "accepted sent acked " {
			t.Errorf("history of the message that arrived: got %q, want accepted, sent, acked", h)
		}
		if h := w.history(s, lost); h != "accepted sent " {
			t.Errorf("history of the message that was lost: got %q, want accepted, sent", h)
		}
		if again := sent[*perch.MessageOut](w.conn()); len(again) != 1 || again[0].ID != lost {
			t.Errorf("sent again: got %+v, want %s alone", again, lost)
		}
		w.conn().Ack()
		if h := w.history(s, lost); h != "accepted sent acked " {
			t.Errorf("history of the message that was sent again: got %q, want accepted, sent, acked", h)
		}
		if got := received(t, w.durable(s)); !slices.Equal(got, []string{"live arrived", "live lost"}) {
			t.Errorf("got messages %q, want each of the two once", got)
		}
	})
}

// The place to read on from was trimmed from the archive: that is a gap, and reading begins
// again from the newest message.
func TestTrimmedArchive(t *testing.T) {
	inWorld(t, func(w *world) {
		a := withArchive(w)
		s := w.open()
		w.deliver(live(a.add("before", "in", ""), "before"))
		a.items = nil // and a0001 with it
		for range 3 {
			a.add("x", "in", "")
		}
		c := w.attach(s, sessions.SubscribeOptions{})
		w.lose(linkLost)
		c.wantTypes(perch.EventSessionState, perch.EventSessionGap, perch.EventSessionState)
		a.add("y", "in", "")
		w.lose(linkLost)
		c.wantTypes(perch.EventSessionState, perch.EventMessageReceived, perch.EventSessionState)
	})
}

// An archive that is never complete, or repeats itself, does not delay the login.
func TestOddArchives(t *testing.T) {
	for name, p := range map[string]perch.ArchivePage{
		"empty":     {},
		"same":      {Items: []perch.ArchiveItem{item("1", "", bob, alice, "x")}, Last: "1"},
		"no text":   {Last: "1"},
		"no paging": {Items: []perch.ArchiveItem{item("1", "", bob, alice, "x")}},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.up.Edit(func(d *fakexmpp.Data) { d.Capabilities.Archive, d.Archive = "313", p })
				s := w.open()
				w.lose(linkLost)
				if st := s.Info().State; st != perch.StateOnline {
					t.Errorf("Info: got state %s, want online", st)
				}
				if n := len(received(t, w.durable(s))); n != 0 {
					t.Errorf("got %d messages, want none", n)
				}
			})
		})
	}
}
