package sessions_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/fakexmpp"
	"github.com/perch-im/perch/sessions"
)

func names(list []perch.Buddy) string {
	var b []string
	for _, x := range list {
		b = append(b, string(x.JID.Local())+"="+x.Name)
	}
	return strings.Join(b, " ")
}

// The first roster is no event; of later ones the differences are.
func TestRosterDifferences(t *testing.T) {
	inWorld(t, func(w *world) {
		w.roster(carol, bob)
		s := w.open()
		if evs := types(w.durable(s)); len(evs) != 1 {
			t.Errorf("got the log %v, want 1 event", evs)
		}
		items, _ := s.Buddies()
		if names(items) != "bob=bob carol=carol" || items[0].Groups == nil {
			t.Errorf("Buddies: got %+v, want bob and carol, with groups that are no null", items)
		}
		c := w.attach(s, sessions.SubscribeOptions{})
		w.up.Edit(func(d *fakexmpp.Data) {
			d.Roster = []perch.Buddy{
				{JID: bob, Name: "bob", Subscription: perch.SubscriptionBoth},
				{JID: "dave@example.net", Groups: []string{"b", "a", "b"}},
			}
		})
		w.lose(linkLost)
		evs := c.wantTypes(perch.EventSessionState, perch.EventRosterItem, perch.EventRosterRemoved, perch.EventSessionGap, perch.EventSessionState)
		if got := string(evs[1].Data); got != `{"jid":"dave@example.net","name":"","groups":["a","b"],"subscription":"none","ask":null,"approved":false}` {
			t.Errorf("roster.item: got %s, want dave in a and b", got)
		}
		if got := string(evs[2].Data); got != `{"jid":"carol@example.net"}` {
			t.Errorf("roster.removed: got %s, want carol", got)
		}
		if after, _ := s.Buddies(); names(after) != "bob=bob dave=" {
			t.Errorf("Buddies after a change: got %+v, want bob and dave", after)
		}
		w.lose(linkLost)
		c.wantTypes(perch.EventSessionState, perch.EventSessionGap, perch.EventSessionState)
	})
}

func TestRosterPushes(t *testing.T) {
	inWorld(t, func(w *world) {
		w.roster(bob)
		s := w.open()
		before, _ := s.Buddies()
		w.deliver(here(bob+"/x", "", 0))
		c := w.attach(s, sessions.SubscribeOptions{})
		same := perch.Buddy{JID: bob, Name: "bob", Subscription: perch.SubscriptionBoth}
		w.deliver(&perch.RosterPush{Item: same, Version: "v2"})
		c.wantTypes()
		if after, _ := s.Buddies(); !reflect.DeepEqual(after, before) {
			t.Errorf("Buddies after no change: got %+v, want %+v", after, before)
		}
		renamed := same
		renamed.Name = "Robert"
		w.deliver(&perch.RosterPush{Item: renamed}, &perch.RosterPush{Item: perch.Buddy{JID: bob, Subscription: perch.SubscriptionRemove}},
			&perch.RosterPush{Item: perch.Buddy{JID: bob, Subscription: perch.SubscriptionRemove}})
		c.wantTypes(perch.EventRosterItem, perch.EventRosterRemoved)
		if _, err := s.Buddy(bob); perch.KindOf(err) != perch.KindItemNotFound {
			t.Errorf("Buddy that was removed: got error %v, want kind %s", err, perch.KindItemNotFound)
		}
		w.deliver(&perch.RosterPush{Item: same})
		if got := brief(w.presence(s, bob)); got != `false "" 0 "" [] stale=false` {
			t.Errorf("presence of a buddy removed and added: got %s, want none", got)
		}
	})
}

func TestInvitations(t *testing.T) {
	inWorld(t, func(w *world) {
		eve, joe := perch.JID("eve@example.net"), perch.JID("joe@example.net")
		ask := func(from perch.JID, nick, text string) *perch.SubscriptionIn {
			return &perch.SubscriptionIn{From: from, Type: "subscribe", Nick: nick, Message: text}
		}
		s := w.open()
		c := w.attach(s, sessions.SubscribeOptions{})
		w.deliver(ask(joe, "Joe", ""), ask(eve, "Eve", "it is me"), ask(eve, "", ""), ask(eve, "Eve", "it is me"))
		c.wantTypes(perch.EventInvitationReceived, perch.EventInvitationReceived)
		list, _ := s.Invitations()
		if len(list) != 2 || list[0].JID != eve || list[0].Nick != "Eve" || list[0].Message != "it is me" || list[0].ReceivedAt == 0 {
			t.Errorf("Invitations: got %+v, want eve's with nick, text and time, and another", list)
		}
		w.deliver(ask(eve, "Eve", "please"))
		c.wantTypes(perch.EventInvitationReceived)
		w.lose(linkLost)
		w.deliver(ask(eve, "Eve", "please"), ask(joe, "", ""))
		c.wantTypes(perch.EventSessionState, perch.EventSessionGap, perch.EventSessionState)
		w.deliver(&perch.SubscriptionIn{From: joe, Type: "unsubscribe"}, &perch.SubscriptionIn{From: joe, Type: "unsubscribe"})
		c.wantTypes(perch.EventInvitationCancelled)
		w.deliver(&perch.RosterPush{Item: perch.Buddy{JID: eve, Subscription: perch.SubscriptionFrom}})
		c.wantTypes(perch.EventRosterItem, perch.EventInvitationAccepted)
		if list, _ := s.Invitations(); len(list) != 0 {
			t.Errorf("Invitations: got %+v, want none", list)
		}
	})
}

func TestAcceptAndDecline(t *testing.T) {
	eve := perch.JID("eve@example.net")
	asked := func(w *world) (*sessions.Session, *client) {
		s := w.open()
		w.deliver(&perch.SubscriptionIn{From: eve, Type: "subscribe", Nick: "Eve"})
		return s, w.attach(s, sessions.SubscribeOptions{})
	}
	inWorld(t, func(w *world) {
		s, c := asked(w)
		inv, err := s.AcceptInvitation(w.ctx(), eve, sessions.AcceptOptions{Reciprocate: true, Groups: []string{"new"}})
		if err != nil || inv.Nick != "Eve" {
			t.Fatalf("AcceptInvitation: got %+v, error %v, want eve's", inv, err)
		}
		c.wantTypes(perch.EventRosterItem, perch.EventInvitationAccepted)
		if b, err := s.Buddy(eve); err != nil || b.Name != "Eve" || len(b.Groups) != 1 {
			t.Errorf("Buddy: got %+v, error %v, want Eve in one group", b, err)
		}
		out := sent[*perch.SubscriptionOut](w.conn())
		if len(out) != 2 || out[0].Type != "subscribed" || out[1].Type != "subscribe" || out[0].To != eve {
			t.Errorf("got subscriptions %+v sent, want subscribed and subscribe to eve", out)
		}
		_, err = s.AcceptInvitation(w.ctx(), eve, sessions.AcceptOptions{})
		kindOf(t, err, perch.KindNotFound)
	})
	inWorld(t, func(w *world) {
		s, c := asked(w)
		if _, err := s.AcceptInvitation(w.ctx(), eve, sessions.AcceptOptions{}); err != nil {
			t.Fatalf("AcceptInvitation: got error %v, want none", err)
		}
		c.wantTypes(perch.EventInvitationAccepted)
		if out := sent[*perch.SubscriptionOut](w.conn()); len(out) != 1 || out[0].Type != "subscribed" {
			t.Errorf("got subscriptions %+v sent, want subscribed alone", out)
		}
	})
	inWorld(t, func(w *world) {
		s, c := asked(w)
		if _, err := s.DeclineInvitation(w.ctx(), eve); err != nil {
			t.Fatalf("DeclineInvitation: got error %v, want none", err)
		}
		c.wantTypes(perch.EventInvitationDeclined)
		if out := sent[*perch.SubscriptionOut](w.conn()); len(out) != 1 || out[0].Type != "unsubscribed" {
			t.Errorf("got subscriptions %+v sent, want unsubscribed alone", out)
		}
	})
	inWorld(t, func(w *world) {
		s, c := asked(w)
		w.refuse(linkLost)
		w.conn().Fail(linkLost)
		c.next()
		_, err := s.AcceptInvitation(w.ctx(), eve, sessions.AcceptOptions{})
		kindOf(t, err, perch.KindSessionOffline)
		_, err = s.DeclineInvitation(w.ctx(), eve)
		kindOf(t, err, perch.KindSessionOffline)
		if len(invitations(s)) != 1 {
			t.Errorf("Invitations without an answer: got %v, want the one", invitations(s))
		}
	})
}

func TestInvitationsAreBounded(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		for i := range 1100 {
			w.deliver(&perch.SubscriptionIn{From: perch.JID("u" + strings.Repeat("x", i) + "@example.net"), Type: "subscribe"})
		}
		if n := len(invitations(s)); n != 1000 {
			t.Errorf("Invitations: got %d, want 1000", n)
		}
	})
}

func invitations(s *sessions.Session) []perch.Invitation {
	list, _ := s.Invitations()
	return list
}
