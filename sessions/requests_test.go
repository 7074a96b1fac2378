package sessions_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/fakexmpp"
	"github.com/perch-im/perch/sessions"
)

func TestAddBuddy(t *testing.T) {
	inWorld(t, func(w *world) {
		w.roster(bob)
		w.up.Edit(func(d *fakexmpp.Data) { d.JIDs["carol@contoso.com"] = carol })
		s := w.open()
		b, created, err := s.AddBuddy(w.ctx(), sessions.NewBuddy{Account: "carol@contoso.com", Name: "Carol", Groups: []string{"x"}, Nick: "Al", Message: "hi"})
		if err != nil || !created || b.JID != carol || b.Name != "Carol" || b.Ask != perch.AskSubscribe || len(b.Groups) != 1 {
			t.Errorf("AddBuddy of an account: got %+v, created %v, error %v, want carol, asked", b, created, err)
		}
		out := sent[*perch.SubscriptionOut](w.conn())
		if len(out) != 1 || *out[0] != (perch.SubscriptionOut{To: carol, Type: "subscribe", Nick: "Al", Message: "hi"}) {
			t.Errorf("AddBuddy of an account: got requests %+v, want one to carol", out)
		}
		b, created, err = s.AddBuddy(w.ctx(), sessions.NewBuddy{JID: bob})
		if err != nil || created || b.JID != bob || b.Ask != perch.AskNone || len(sent[*perch.SubscriptionOut](w.conn())) != 1 {
			t.Errorf("AddBuddy of bob: got %+v, created %v, error %v, want him as he is, with no request", b, created, err)
		}
		_, _, err = s.AddBuddy(w.ctx(), sessions.NewBuddy{JID: alice})
		kindOf(t, err, perch.KindValidation)
		_, _, err = s.AddBuddy(w.ctx(), sessions.NewBuddy{Account: "nobody@contoso.com"})
		kindOf(t, err, perch.KindXMPP)
		name := "Bobby"
		if b, err := s.UpdateBuddy(w.ctx(), bob, &name, nil); err != nil || b.Name != name {
			t.Errorf("UpdateBuddy: got %+v, error %v, want name %s", b, err, name)
		}
		if b, err := s.Buddy(bob); err != nil || b.Name != name {
			t.Errorf("Buddy: got %+v, error %v, want name %s", b, err, name)
		}
		// The caller has what the upstream pushed before it answered.
		for i := range 50 {
			name := fmt.Sprint("name ", i)
			if _, err := s.UpdateBuddy(w.ctx(), bob, &name, nil); err != nil {
				t.Fatalf("UpdateBuddy: got error %v, want none", err)
			}
			if b, err := s.Buddy(bob); err != nil || b.Name != name {
				t.Fatalf("Buddy: got %+v, error %v, want name %s", b, err, name)
			}
		}
		if err := s.RemoveBuddy(w.ctx(), bob); err != nil {
			t.Errorf("RemoveBuddy: got error %v, want none", err)
		}
		kindOf(t, s.RemoveBuddy(w.ctx(), bob), perch.KindItemNotFound)
		_, err = s.UpdateBuddy(w.ctx(), bob, &name, nil)
		kindOf(t, err, perch.KindItemNotFound)
	})
}

// What the upstream cannot do is refused before anything is sent, online and offline.
func TestCapabilities(t *testing.T) {
	inWorld(t, func(w *world) {
		asked := 0
		w.up.Edit(func(d *fakexmpp.Data) {
			d.Capabilities = perch.Capabilities{}
			d.Refuse = func(m string) error {
				if m != "Roster" && m != "FetchBlockList" { // which a login asks for
					asked++
				}
				return nil
			}
		})
		w.roster(bob)
		s := w.open()
		check := func(when string) {
			t.Helper()
			name := "x"
			_, err := s.UpdateBuddy(w.ctx(), bob, &name, nil)
			kindOf(t, err, perch.KindFeatureUnsupported)
			kindOf(t, s.RemoveBuddy(w.ctx(), bob), perch.KindFeatureUnsupported)
			kindOf(t, s.SetVCard(w.ctx(), perch.VCard{}), perch.KindFeatureUnsupported)
			_, err = s.Archive(w.ctx(), perch.ArchiveQuery{With: bob})
			kindOf(t, err, perch.KindFeatureUnsupported)
			_, err = s.LookupJID(w.ctx(), "a@b")
			kindOf(t, err, perch.KindFeatureUnsupported)
			_, _, err = s.AddBuddy(w.ctx(), sessions.NewBuddy{Account: "a@b"})
			kindOf(t, err, perch.KindFeatureUnsupported)
			if asked != 0 {
				t.Errorf("%s: got %d requests at the upstream, want none", when, asked)
			}
		}
		check("online")
		w.refuse(linkLost)
		w.conn().Fail(linkLost)
		check("offline")
	})
}

func TestRequestsOffline(t *testing.T) {
	inWorld(t, func(w *world) {
		w.roster(bob)
		s := w.open()
		w.refuse(linkLost)
		w.conn().Fail(linkLost)
		pass(time.Millisecond)
		_, _, err := s.AddBuddy(w.ctx(), sessions.NewBuddy{JID: carol})
		kindOf(t, err, perch.KindSessionOffline)
		kindOf(t, s.RemoveBuddy(w.ctx(), bob), perch.KindSessionOffline)
		kindOf(t, s.SetChatState(w.ctx(), bob, perch.StateActive), perch.KindSessionOffline)
		_, err = s.VCard(w.ctx(), bob, false)
		kindOf(t, err, perch.KindSessionOffline)
		if e, ok := err.(*perch.Error); !ok || e.RetryAfter <= 0 {
			t.Errorf("VCard: got error %v, want one that says when to try again", err)
		}
	})
}

func TestChatStates(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		must(t, "SetChatState", s.SetChatState(w.ctx(), bob, perch.StateComposing))
		if out := sent[*perch.ChatStateOut](w.conn()); len(out) != 1 || *out[0] != (perch.ChatStateOut{To: bob, State: perch.StateComposing}) {
			t.Errorf("got chat states %+v, want composing to bob", out)
		}
		kindOf(t, s.SetChatState(w.ctx(), bob, "thinking"), perch.KindValidation)
	})
}

func TestVCards(t *testing.T) {
	inWorld(t, func(w *world) {
		asked := 0
		w.up.Edit(func(d *fakexmpp.Data) {
			d.Roster = []perch.Buddy{{JID: bob, Subscription: perch.SubscriptionBoth}}
			d.Cards[bob] = perch.VCard{FullName: "Bob B.", Photo: &perch.Photo{Hash: "aa"}}
			d.Refuse = func(m string) error {
				if m == "VCard" {
					asked++
				}
				return nil
			}
		})
		s := w.open()
		get := func(refresh bool, wantAsked int) {
			t.Helper()
			card, err := s.VCard(w.ctx(), bob, refresh)
			if err != nil || card.FullName != "Bob B." || card.JID != bob || card.FetchedAt == 0 || asked != wantAsked {
				t.Errorf("VCard: got %+v, error %v, asked %d times, want bob's, asked %d times", card, err, asked, wantAsked)
			}
		}
		c := w.attach(s, sessions.SubscribeOptions{})
		get(false, 1)
		c.wantTypes(perch.EventRosterItem) // the name of the card is used where the roster has none
		if b, err := s.Buddy(bob); err != nil || b.Name != "Bob B." {
			t.Errorf("Buddy: got %+v, error %v, want the name of the card", b, err)
		}
		get(false, 1)
		get(true, 2)
		pass(25 * time.Hour)
		get(false, 3)
		other := here(bob+"/x", "", 0)
		hash := "bb"
		other.PhotoHash = &hash
		w.deliver(other)
		get(false, 4)
		w.refuse(linkLost)
		w.conn().Fail(linkLost)
		pass(48 * time.Hour)
		get(true, 4)
	})
}

func TestSetVCard(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		must(t, "SetVCard", s.SetVCard(w.ctx(), perch.VCard{FullName: "Alice"}))
		if card, err := s.VCard(w.ctx(), alice, false); err != nil || card.FullName != "Alice" || card.JID != alice {
			t.Errorf("VCard: got %+v, error %v, want the card just set", card, err)
		}
	})
}

func TestArchiveAndInfo(t *testing.T) {
	inWorld(t, func(w *world) {
		w.up.Edit(func(d *fakexmpp.Data) {
			d.Capabilities.Archive = "136"
			d.Archive = perch.ArchivePage{Items: []perch.ArchiveItem{item("1", "", bob, alice, "x")}}
		})
		s := w.open()
		if p, err := s.Archive(w.ctx(), perch.ArchiveQuery{With: bob}); err != nil || len(p.Items) != 1 {
			t.Errorf("Archive: got %+v, error %v, want 1 item", p, err)
		}
		if i := s.Info(); i.Delivery != "D" || i.Upstream != "net" || len(i.Features) == 0 {
			t.Errorf("Info: got %+v, want delivery D, upstream net, and features", i)
		}
		if w.m.Len() != 1 {
			t.Errorf("Len: got %d, want 1", w.m.Len())
		}
	})
}
