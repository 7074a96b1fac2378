package sessions_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/fakexmpp"
	"github.com/perch-im/perch/sessions"
)

// A buddy is one contact in whatever spelling the server names it, and its JID is the one that the
// roster spelled it first.
func TestSpellingsOfABuddy(t *testing.T) {
	for _, c := range []struct{ roster, other perch.JID }{
		{"Up.Case@example.net", "up.case@example.net"},
		{"up.case@example.net", "UP.CASE@Example.NET"},
		{"Müller@example.net", "mu\u0308ller@example.net"},
		{"bob@bücher.example", "bob@xn--bcher-kva.example"},
		{"User Name@icq.example.net", "User Name@ICQ.example.net"},
	} {
		t.Run(string(c.roster), func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.roster(bob, c.roster)
				s := w.open()
				cl := w.attach(s, sessions.SubscribeOptions{})
				w.deliver(here(c.other+"/Café", "away", 0))
				if p := w.presence(s, c.other); p.JID != c.roster || p.Show != perch.ShowAway {
					t.Errorf("presence: got %+v, want one of %s that is away", p, c.roster)
				}
				w.deliver(away(c.roster + "/Cafe\u0301"))
				if p := w.presence(s, c.roster); p.Available {
					t.Errorf("presence: got %+v, want unavailable", p)
				}
				cl.wantTypes(perch.EventPresence, perch.EventPresence)

				w.deliver(&perch.RosterPush{Item: perch.Buddy{JID: c.other, Name: "renamed", Subscription: perch.SubscriptionBoth}})
				items, _ := s.Buddies()
				if i := slices.IndexFunc(items, func(b perch.Buddy) bool { return b.JID == c.roster }); len(items) != 2 || i < 0 || items[i].Name != "renamed" {
					t.Errorf("buddies: got %+v, want bob and %s with a new name", items, c.roster)
				}
				cl.wantTypes(perch.EventRosterItem)

				w.deliver(&perch.MessageIn{Message: perch.Message{ID: "m", From: c.other + "/x", To: alice, Kind: perch.ChatMessage, Body: "hi", ReceiptRequested: true}})
				if out := sent[*perch.ReceiptOut](w.conn()); len(out) != 1 || out[0].To != c.other+"/x" {
					t.Errorf("receipts: got %+v, want one to %s/x", out, c.other)
				}
				evs := cl.wantTypes(perch.EventMessageReceived)
				var m perch.Message
				if evs[0].into(t, &m); m.From != c.other+"/x" {
					t.Errorf("from: got %s, want it as the server wrote it", m.From)
				}

				w.deliver(&perch.RosterPush{Item: perch.Buddy{JID: c.other, Subscription: perch.SubscriptionRemove}})
				evs = cl.wantTypes(perch.EventRosterRemoved)
				var gone perch.Removed
				if evs[0].into(t, &gone); gone.JID != c.roster {
					t.Errorf("removed: got %s, want %s", gone.JID, c.roster)
				}
			})
		})
	}
}

// The full roster of a later login may spell a buddy in another way, and name it twice.
func TestSpellingsInALaterRoster(t *testing.T) {
	inWorld(t, func(w *world) {
		w.roster("Up.Case@example.net")
		s := w.open()
		cl := w.attach(s, sessions.SubscribeOptions{})
		w.deliver(here("up.case@example.net/x", "", 0))
		cl.wantTypes(perch.EventPresence)
		w.up.Edit(func(d *fakexmpp.Data) {
			d.Roster = []perch.Buddy{{JID: "up.case@example.net", Name: "Up.Case", Subscription: perch.SubscriptionBoth}}
		})
		w.lose(linkLost)
		cl.wantTypes(perch.EventSessionState, perch.EventSessionGap, perch.EventSessionState)
		w.deliver(here("UP.case@example.net/x", "", 0))
		pass(10 * time.Second) // the presence is confirmed
		if p := w.presence(s, "up.case@example.net"); !p.Available || p.Stale || p.JID != "Up.Case@example.net" {
			t.Errorf("presence: got %+v, want Up.Case, available", p)
		}
		cl.wantTypes()
	})
}

func TestSpellingsOfAnInvitation(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		cl := w.attach(s, sessions.SubscribeOptions{})
		w.deliver(&perch.SubscriptionIn{From: "Eve@example.net", Type: "subscribe", Nick: "Eve"},
			&perch.SubscriptionIn{From: "eve@example.net", Type: "subscribe"})
		cl.wantTypes(perch.EventInvitationReceived)
		if list := invitations(s); len(list) != 1 || list[0].JID != "Eve@example.net" {
			t.Errorf("Invitations: got %+v, want one of Eve", list)
		}
		if _, err := s.DeclineInvitation(w.ctx(), "eve@EXAMPLE.net"); err != nil {
			t.Fatalf("DeclineInvitation: got error %v, want none", err)
		}
		if out := sent[*perch.SubscriptionOut](w.conn()); len(out) != 1 || out[0].To != "Eve@example.net" {
			t.Errorf("got subscriptions %+v sent, want one to Eve@example.net", out)
		}
		cl.wantTypes(perch.EventInvitationDeclined)
	})
}

// Whatever a client asks for in another spelling is answered, and sent in that of the roster.
func TestRequestsInAnotherSpelling(t *testing.T) {
	inWorld(t, func(w *world) {
		w.roster("Up.Case@example.net")
		w.up.Edit(func(d *fakexmpp.Data) { d.Cards["up.case@example.net"] = perch.VCard{FullName: "U"} })
		s := w.open()
		name := "new"
		if b, err := s.UpdateBuddy(w.ctx(), "up.case@example.net", &name, nil); err != nil || b.JID != "Up.Case@example.net" {
			t.Errorf("UpdateBuddy: got %+v, error %v, want Up.Case@example.net", b, err)
		}
		b, created, err := s.AddBuddy(w.ctx(), sessions.NewBuddy{JID: "UP.CASE@example.net"})
		if err != nil || created || b.JID != "Up.Case@example.net" {
			t.Errorf("added: got %+v %v %v, want the buddy that is there", b, created, err)
		}
		_, _, err = s.AddBuddy(w.ctx(), sessions.NewBuddy{JID: "ALICE@example.net"})
		kindOf(t, err, perch.KindValidation)
		if _, err := s.VCard(w.ctx(), "up.case@example.net", false); err != nil {
			t.Fatalf("VCard: got error %v, want none", err)
		}
		synctest.Wait()
		card, err := w.store.VCard(w.ctx(), s.ID(), "UP.case@example.net")
		if err != nil || card.FullName != "U" {
			t.Errorf("VCard of the store: got %+v, error %v, want U", card, err)
		}
		if err := s.RemoveBuddy(w.ctx(), "up.CASE@example.net"); err != nil {
			t.Errorf("RemoveBuddy: got error %v, want none", err)
		}
		if items, _ := s.Buddies(); len(items) != 0 {
			t.Errorf("Buddies: got %+v, want none", items)
		}
	})
}

// What is stored of a buddy goes with it, whatever the spelling.
func TestStoredRowsOfASpelling(t *testing.T) {
	inWorld(t, func(w *world) {
		w.store.durable = true
		w.roster("Up.Case@example.net")
		w.open()
		w.deliver(here("up.case@example.net/x", "", 0), &perch.SubscriptionIn{From: "Eve@example.net", Type: "subscribe"})
		w.close()
		w.start()
		w.roster()
		s := w.open()
		if items, _ := s.Buddies(); len(items) != 0 {
			t.Errorf("Buddies: got %+v, want none, as in the later roster", items)
		}
		w.close()
		saved, err := w.store.Open(w.ctx(), s.ID(), sessions.OpenOptions{})
		if err != nil || saved.Contacts.Len() != 0 || len(saved.Invitations) != 1 {
			t.Errorf("Open: got %+v, error %v, want one invitation", saved, err)
		}
		w.start()
	})
}

// An error answer to presence means that it did not reach the buddy, or the resource.
func TestPresenceErrors(t *testing.T) {
	unreachable := perch.XMPPError{Condition: "remote-server-not-found", Type: "cancel"}
	inWorld(t, func(w *world) {
		w.roster(bob)
		s := w.open()
		w.deliver(here(bob+"/a", "", 1), here(bob+"/b", "dnd", 0))
		cl := w.attach(s, sessions.SubscribeOptions{})
		w.deliver(&perch.PresenceError{From: bob + "/a", Error: unreachable})
		if got := brief(w.presence(s, bob)); got != `true "dnd" 0 "" [b] stale=false` {
			t.Errorf("after an error of one resource: got %s, want the other resource", got)
		}
		w.deliver(&perch.PresenceError{From: "Bob@example.net", Error: unreachable})
		if got := brief(w.presence(s, bob)); got != `false "" 0 "" [] stale=false` {
			t.Errorf("after an error of the account: got %s, want unavailable", got)
		}
		w.deliver(&perch.PresenceError{From: bob, Error: unreachable}, &perch.PresenceError{From: carol, Error: unreachable})
		cl.wantTypes(perch.EventPresence, perch.EventPresence)
	})
}

// Addresses that are no valid JIDs, or spelled in their own way, are known once the upstream
// has named them: also after a restart, and only so many.
func TestForeignAddresses(t *testing.T) {
	inWorld(t, func(w *world) {
		w.store.durable = true
		w.up.Edit(func(d *fakexmpp.Data) {
			d.Capabilities.Archive = "136"
			d.Archive = perch.ArchivePage{Items: []perch.ArchiveItem{item("1", "", "in archive@icq.example.net", alice, "x")}}
			d.JIDs["mary@contoso.com"] = "looked up@icq.example.net"
		})
		w.roster("in roster@icq.example.net")
		s := w.open()
		known := func(jids ...perch.JID) {
			t.Helper()
			for _, j := range jids {
				if got, ok := s.Known(j); !ok || got != j {
					t.Errorf("Known(%q): got %q, %v, want it as it is", j, got, ok)
				}
			}
		}
		text := func(from, to perch.JID) *perch.MessageIn {
			return &perch.MessageIn{Message: perch.Message{From: from, To: to, Kind: perch.ChatMessage, Body: "x"}}
		}
		w.deliver(text("user name@icq.example.net/x", alice), text(alice, "☺@example.net"), text("Spelled@example.net", alice),
			&perch.ChatStateIn{From: "is typing@icq.example.net", State: perch.StateComposing},
			&perch.SubscriptionIn{From: "has asked@icq.example.net", Type: "subscribe"})
		if _, err := s.Archive(w.ctx(), perch.ArchiveQuery{With: bob}); err != nil {
			t.Fatalf("Archive: got error %v, want none", err)
		}
		if _, err := s.LookupJID(w.ctx(), "mary@contoso.com"); err != nil {
			t.Fatalf("LookupJID: got error %v, want none", err)
		}
		if _, err := s.DeclineInvitation(w.ctx(), "has asked@icq.example.net"); err != nil {
			t.Fatalf("DeclineInvitation: got error %v, want none", err)
		}
		must(t, "RemoveBuddy", s.RemoveBuddy(w.ctx(), "in roster@icq.example.net"))
		all := []perch.JID{"user name@icq.example.net", "☺@example.net", "Spelled@example.net", "is typing@icq.example.net",
			"in archive@icq.example.net", "looked up@icq.example.net", "has asked@icq.example.net", "in roster@icq.example.net", alice}
		known(all...)
		if got, ok := s.Known("user name@ICQ.example.net"); !ok || got != "user name@icq.example.net" {
			t.Errorf("Known in another spelling: got %q, %v, want user name@icq.example.net", got, ok)
		}
		for _, j := range []perch.JID{"never seen@icq.example.net", bob} {
			if got, ok := s.Known(j); ok {
				t.Errorf("Known(%q): got %q, want nothing", j, got)
			}
		}
		w.close()
		w.start()
		w.roster()
		s = w.open()
		known(all...)
		for i := range 1000 {
			w.deliver(text(perch.JID(fmt.Sprintf("stranger %d@example.net", i)), alice))
		}
		if _, ok := s.Known("user name@icq.example.net"); ok {
			t.Error("Known, the oldest address: got it, want it evicted")
		}
		known("stranger 999@example.net")
		if n := foreign(w); n != 128 {
			t.Errorf("got %d addresses, want 128", n)
		}
	})
}

// foreign is how many addresses the newest record holds.
func foreign(w *world) (n int) {
	w.store.set(func(s *store) { n = len(s.record.Foreign) })
	return n
}
