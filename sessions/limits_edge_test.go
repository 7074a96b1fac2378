package sessions_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/fakexmpp"
	"github.com/perch-im/perch/sessions"
)

// The tests of this file use each budget of docs/operations.md ("Limits") up to its edge, and
// once more. The numbers are those of the document, never the constants of the code.

// crowdOf gives the account n buddies without names, and returns their JIDs.
func (w *world) crowdOf(n int) []perch.JID {
	list := make([]perch.JID, n)
	for i := range list {
		list[i] = perch.JID(fmt.Sprintf("b%05d@example.net", i))
	}
	w.up.Edit(func(d *fakexmpp.Data) {
		d.Roster = make([]perch.Buddy, n)
		for i, j := range list {
			d.Roster[i] = perch.Buddy{JID: j, Subscription: perch.SubscriptionBoth}
		}
	})
	return list
}

// padded is a text of n bytes that begins with a number, so that no two are alike.
func padded(i, n int) string {
	head := fmt.Sprintf("%06d", i)
	return head + strings.Repeat("x", n-len(head))
}

// TestRosterEdge: a roster has 50,000 items, and one more is left out and named.
func TestRosterEdge(t *testing.T) {
	const most = 50_000
	inWorld(t, func(w *world) {
		w.crowdOf(most)
		s := w.open()
		if b, _ := s.Buddies(); len(b) != most {
			t.Errorf("Buddies: got %d, want all %d", len(b), most)
		}
		wantFeature(t, s, sessions.RosterPartial, false)
		w.deliver(&perch.RosterPush{Item: perch.Buddy{JID: carol, Subscription: perch.SubscriptionBoth}})
		if b, _ := s.Buddies(); len(b) != most {
			t.Errorf("Buddies after one more: got %d, want %d", len(b), most)
		}
		wantFeature(t, s, sessions.RosterPartial, true)
	})
}

// budget is a limit of a session in bytes. Fill offers row i of what it bounds, and used is
// how many bytes of that are stored.
type budget struct {
	most, row int // bytes
	buddies   int
	fill      func(w *world, s *sessions.Session, buddies []perch.JID, i int)
	used      func(s *sessions.Session) int
}

var budgets = map[string]budget{
	"roster": {most: 16 << 20, row: 100 << 10,
		fill: func(w *world, _ *sessions.Session, _ []perch.JID, i int) {
			w.conn().Deliver(&perch.RosterPush{Item: perch.Buddy{JID: perch.JID(fmt.Sprintf("n%d@example.net", i)), Name: padded(i, 100<<10)}})
		},
		used: func(s *sessions.Session) (n int) {
			list, _ := s.Buddies()
			for _, b := range list {
				n += len(b.Name)
			}
			return n
		}},
	"presence": {most: 16 << 20, row: 32 << 10, buddies: 1000,
		fill: func(w *world, _ *sessions.Session, buddies []perch.JID, i int) {
			w.conn().Deliver(&perch.PresenceIn{From: buddies[i] + "/" + perch.JID(padded(i, 32<<10)), Available: true})
		},
		used: func(s *sessions.Session) (n int) {
			list, _ := s.Presences()
			for _, p := range list.Items() {
				for _, r := range p.Resources {
					n += len(r.Resource)
				}
			}
			return n
		}},
	"status": {most: 4 << 20, row: 4 << 10, buddies: 1100,
		fill: func(w *world, _ *sessions.Session, buddies []perch.JID, i int) {
			w.conn().Deliver(&perch.PresenceIn{From: buddies[i] + "/r", Available: true, Status: padded(i, 4<<10)})
		},
		used: func(s *sessions.Session) (n int) {
			list, _ := s.Presences()
			for _, p := range list.Items() {
				n += len(p.Status)
			}
			return n
		}},
	"names": {most: 4 << 20, row: 1 << 10, buddies: 4200,
		fill: func(w *world, s *sessions.Session, buddies []perch.JID, i int) {
			w.up.Edit(func(d *fakexmpp.Data) { d.Cards[buddies[i]] = perch.VCard{FullName: padded(i, 1<<10)} })
			if _, err := s.VCard(w.ctx(), buddies[i], false); err != nil {
				w.t.Fatalf("VCard: got error %v, want none", err)
			}
		},
		used: func(s *sessions.Session) (n int) {
			list, _ := s.Buddies()
			for _, b := range list {
				n += len(b.Name)
			}
			return n
		}},
	"invitations": {most: 2 << 20, row: 5 << 10,
		fill: func(w *world, _ *sessions.Session, _ []perch.JID, i int) {
			w.conn().Deliver(&perch.SubscriptionIn{From: perch.JID(fmt.Sprintf("i%d@example.net", i)), Type: "subscribe", Nick: padded(i, 1<<10), Message: padded(i, 4<<10)})
		},
		used: func(s *sessions.Session) (n int) {
			for _, i := range invitations(s) {
				n += len(i.Nick) + len(i.Message)
			}
			return n
		}},
}

// TestBudgetEdges: of what is offered a session stores as many bytes as a budget has, and what
// goes beyond is counted and named by an event. Its estimates may be a fifth above the texts.
func TestBudgetEdges(t *testing.T) {
	for name, b := range budgets {
		t.Run(name, func(t *testing.T) {
			c := &tally{}
			inWorld(t, func(w *world) {
				buddies := w.crowdOf(b.buddies)
				s := w.open()
				some := b.most / b.row * 4 / 5
				for i := range some {
					b.fill(w, s, buddies, i)
				}
				if synctest.Wait(); b.used(s) != some*b.row || c.get("dropped over_budget") != 0 {
					t.Errorf("four fifths of the budget: got %d of %d bytes stored and %d rows left out, want all", b.used(s), some*b.row, c.get("dropped over_budget"))
				}
				for i := some; i < b.most/b.row+2; i++ {
					b.fill(w, s, buddies, i)
				}
				if synctest.Wait(); b.used(s) > b.most || c.get("dropped over_budget") == 0 {
					t.Errorf("more than the budget: got %d bytes stored and %d rows left out, want at most %d bytes and some", b.used(s), c.get("dropped over_budget"), b.most)
				}
				if got := dropReasons(t, w.durable(s)); len(got) == 0 || got[0] != "over_budget" || slices.Contains(got[1:], "over_budget") {
					t.Errorf("event.dropped: got reasons %v, want over_budget once", got)
				}
			}, watched(c))
		})
	}
}

// TestNamesAreClipped: a nickname and the name of a card are cut after 1,024 bytes; a photo
// hash of 128 bytes is stored, a longer one left out.
func TestNamesAreClipped(t *testing.T) {
	inWorld(t, func(w *world) {
		w.crowdOf(2)
		s := w.open()
		for i, n := range []int{1024, 1025} {
			jid := perch.JID(fmt.Sprintf("b%05d@example.net", i))
			w.deliver(&perch.SubscriptionIn{From: perch.JID(fmt.Sprintf("s%d@example.net", i)), Type: "subscribe", Nick: strings.Repeat("n", n)})
			if got := len(invitations(s)[i].Nick); got != 1024 {
				t.Errorf("a nickname of %d bytes: got %d of them, want 1024", n, got)
			}
			w.up.Edit(func(d *fakexmpp.Data) { d.Cards[jid] = perch.VCard{FullName: strings.Repeat("f", n)} })
			if _, err := s.VCard(w.ctx(), jid, false); err != nil {
				t.Fatalf("VCard: got error %v, want none", err)
			}
			if b, err := s.Buddy(jid); err != nil || len(b.Name) != 1024 {
				t.Errorf("a name of %d bytes in a card: got %d of them, error %v, want 1024", n, len(b.Name), err)
			}
		}
		hash := func(n int) *perch.PresenceIn {
			h := strings.Repeat("a", n)
			return &perch.PresenceIn{From: "b00000@example.net/r", Available: true, PhotoHash: &h}
		}
		c := w.attach(s, sessions.SubscribeOptions{})
		w.deliver(hash(127), hash(128))
		c.wantTypes(perch.EventPresence, perch.EventVCardChanged)
		w.deliver(hash(129))
		c.wantTypes(perch.EventDropped)
	})
}

// TestOutboxBytes: messages of 8 MiB wait to be sent; the next one is refused.
func TestOutboxBytes(t *testing.T) {
	const most, row = 8 << 20, 100 << 10
	inWorld(t, func(w *world) {
		s := w.open()
		w.refuse(linkLost)
		w.conn().Fail(linkLost)
		synctest.Wait()
		waiting := 0
		var err error
		for i := range 2 * most / row {
			if _, err = s.SendMessage(w.ctx(), hi(padded(i, row))); err != nil {
				break
			}
			waiting += row
		}
		if kindOf(t, err, perch.KindQuotaExceeded); waiting > most || waiting < most-2*row {
			t.Errorf("got %d bytes that wait, want up to %d", waiting, most)
		}
	})
}

// TestOutboxBytesBeingCommitted: those that the store has not yet count as well.
func TestOutboxBytesBeingCommitted(t *testing.T) {
	const most, row = 8 << 20, 100 << 10
	inWorld(t, func(w *world) {
		s := w.open()
		w.store.set(func(s *store) { s.held = true })
		ctx, cancel := context.WithCancel(w.ctx())
		ended := make(chan error)
		for i := range most/row + 10 {
			go func() {
				_, err := s.SendMessage(ctx, hi(padded(i, row)))
				ended <- err
			}()
		}
		refused := 0
		for synctest.Wait(); ; refused++ {
			select {
			case err := <-ended:
				kindOf(t, err, perch.KindQuotaExceeded)
				synctest.Wait()
				continue
			default:
			}
			break
		}
		if refused < 10 || refused > 12 {
			t.Errorf("got %d messages refused, want the 10 beyond 8 MiB", refused)
		}
		cancel()
		for range most/row + 10 - refused {
			<-ended
		}
	})
}

// TestBufferEdges: while the archive is read, 1,000 live messages or 4 MiB of them wait. With
// one more the archive is read once more, because what waits is dropped for it.
func TestBufferEdges(t *testing.T) {
	const usual = 2 // questions at a login: from a little before the last logged message, and from there
	for name, tt := range map[string]struct {
		n, size int
		again   bool
	}{
		"as many as may": {1000, 10, false},
		"one more":       {1001, 10, true},
		"3.9 MiB":        {39, 100 << 10, false},
		"4.1 MiB":        {41, 100 << 10, true},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				a := withArchive(w)
				s := w.open()
				w.deliver(live(a.add("before", "in", ""), "before"))
				asked := 0
				a.onAsk = func() {
					if asked++; asked > 1 {
						return
					}
					for i := range tt.n { // they are not in the archive yet
						w.up.newest().Deliver(live(fmt.Sprintf("l%04d", i), padded(i, tt.size)))
					}
				}
				w.lose(linkLost)
				pass(time.Second)
				if again := asked > usual; again != tt.again {
					t.Errorf("got %d archive queries while %d messages wait, want more than %d: %v", asked, tt.n, usual, tt.again)
				}
				if got := len(received(t, w.durable(s))) - 1; !tt.again && got != tt.n {
					t.Errorf("got %d messages in the log, want all %d that waited", got, tt.n)
				}
			})
		})
	}
}

// TestCardsThatWait: while the store takes nothing, vCards of 8 MiB wait to be cached, and
// those beyond are given out without it.
func TestCardsThatWait(t *testing.T) {
	const most, row = 8 << 20, 600 << 10
	c := &tally{}
	inWorld(t, func(w *world) {
		buddies := w.crowdOf(20)
		s := w.open()
		w.store.set(func(s *store) { s.held = true })
		w.deliver(text("1", "the store is asked")) // later commits wait for this one
		for i, jid := range buddies {
			w.up.Edit(func(d *fakexmpp.Data) {
				d.Cards[jid] = perch.VCard{Photo: &perch.Photo{Data: []byte(padded(i, row))}}
			})
			if card, err := s.VCard(w.ctx(), jid, false); err != nil || len(card.Photo.Data) != row {
				t.Fatalf("VCard, card %d: got error %v, want none and %d bytes", i, err, row)
			}
		}
		if got, want := c.get("dropped over_budget"), len(buddies)-most/row; got != want {
			t.Errorf("got %d cards without room in the queue, want %d", got, want)
		}
		w.store.set(func(s *store) { s.held = false })
		synctest.Wait()
		cached := 0
		for _, jid := range buddies {
			if _, err := w.store.VCard(w.ctx(), s.ID(), jid); err == nil {
				cached++
			}
		}
		if want := most / row; cached != want {
			t.Errorf("got %d cards in the cache, want the %d of 8 MiB", cached, want)
		}
	}, watched(c))
}

// TestBackpressure: while the store takes nothing, a session takes so much from its connection
// and no more: 4,096 stanzas without events, 256 events, or 1 MiB of them. All of it comes when
// the store is back.
func TestBackpressure(t *testing.T) {
	const queued = 8 // between the reader and the owner
	for name, tt := range map[string]struct {
		offered, atLeast, atMost int
		stanza                   func(i int) perch.Inbound
	}{
		"stanzas": {4300, 4096, 4096, func(i int) perch.Inbound {
			return &perch.PresenceIn{From: bob + "/r", Available: true, Status: fmt.Sprint(i)}
		}},
		"events": {400, 256, 256, func(i int) perch.Inbound { return text(fmt.Sprint(i), "x") }},
		"bytes":  {60, 10, 11, func(i int) perch.Inbound { return text(fmt.Sprint(i), padded(i, 100<<10)) }},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.roster(bob)
				w.open()
				w.store.set(func(s *store) { s.held = true })
				c, taken := w.conn(), make(chan int, tt.offered)
				go func() {
					for i := range tt.offered {
						c.Deliver(tt.stanza(i))
						taken <- i
					}
				}()
				synctest.Wait()
				if n := len(taken) - queued; n < tt.atLeast || n > tt.atMost {
					t.Errorf("got %d stanzas taken, want %d to %d", n, tt.atLeast, tt.atMost)
				}
				w.store.set(func(s *store) { s.held = false })
				synctest.Wait()
				if n := len(taken); n != tt.offered || c.HandledSeq() != c.Delivered() {
					t.Errorf("got %d of %d stanzas taken and %d of %d handled, want all", n, tt.offered, c.HandledSeq(), c.Delivered())
				}
			})
		})
	}
}

// TestReplacedCredentialsEdge: of seven replaced credentials the first one and the last four stay refused,
// also for a process that remembers nothing; about the others the upstream decides.
func TestReplacedCredentialsEdge(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		all := []string{goodToken.Reveal(), "t1", "t2", "t3", "t4", "t5", "t6", "t7"}
		for _, text := range all[1:] {
			must(t, "ReplaceCredentials", w.m.ReplaceCredentials(w.ctx(), s, perch.Account{Token: perch.NewSecret(text)}))
		}
		w.restart()
		refused := []string{}
		for _, text := range all[:len(all)-1] {
			if _, err := w.m.Authenticate(w.ctx(), perch.NewSecret(text)); perch.KindOf(err) == perch.KindUnauthorized {
				refused = append(refused, text)
			}
		}
		if got, want := strings.Join(refused, " "), goodToken.Reveal()+" t3 t4 t5 t6"; got != want {
			t.Errorf("got %d credentials refused, want the first and the last four", len(refused))
		}
	}, durable, sealing(1))
}
