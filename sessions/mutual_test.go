package sessions_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/fakexmpp"
	"github.com/perch-im/perch/sessions"
)

func push(jid perch.JID, sub perch.Subscription, ask perch.Ask) *perch.RosterPush {
	return &perch.RosterPush{Item: perch.Buddy{JID: jid, Subscription: sub, Ask: ask}}
}

func asks(jid perch.JID) *perch.SubscriptionIn {
	return &perch.SubscriptionIn{From: jid, Type: "subscribe", Nick: "C"}
}

// added has carol added, and the server push that she was asked.
func added(w *world, oneSided bool) *sessions.Session {
	w.t.Helper()
	s := w.open()
	b, _, err := s.AddBuddy(w.ctx(), sessions.NewBuddy{JID: carol, OneSided: oneSided})
	if err != nil || b.Mutual == oneSided {
		w.t.Fatalf("AddBuddy: got %+v, error %v, want mutual %v", b, err, !oneSided)
	}
	w.deliver(push(carol, perch.SubscriptionNone, perch.AskSubscribe))
	return s
}

// accepts counts what was sent to accept carol's request.
func accepts(w *world) (n int) {
	for _, o := range sent[*perch.SubscriptionOut](w.conn()) {
		if o.Type == "subscribed" && o.To.Equal(carol) {
			n++
		}
	}
	return n
}

func wantAccepted(w *world, s *sessions.Session, accepted bool) {
	w.t.Helper()
	want := map[bool]int{true: 1}[accepted]
	if n, invitations := accepts(w), len(invitations(s)); n != want || invitations != 1-want {
		w.t.Errorf("got %d acceptances and %d invitations, want %d and %d", n, invitations, want, 1-want)
	}
}

// The request in return is accepted without an invitation, until the roster item has no
// request pending.
func TestMutual(t *testing.T) {
	for name, c := range map[string]struct {
		oneSided bool
		between  []perch.Inbound
		accepted bool
	}{
		"asked":          {false, nil, true},
		"accepted":       {false, []perch.Inbound{push(carol, perch.SubscriptionTo, perch.AskNone)}, true},
		"other spelling": {false, []perch.Inbound{push("CAROL@example.net", perch.SubscriptionTo, perch.AskNone)}, true},
		"said again":     {false, []perch.Inbound{push(carol, perch.SubscriptionNone, perch.AskSubscribe)}, true},
		"one-sided":      {true, []perch.Inbound{push(carol, perch.SubscriptionTo, perch.AskNone)}, false},
		"declined":       {false, []perch.Inbound{push(carol, perch.SubscriptionNone, perch.AskNone)}, false},
		"taken back": {false, []perch.Inbound{push(carol, perch.SubscriptionTo, perch.AskNone),
			push(carol, perch.SubscriptionNone, perch.AskNone)}, false},
		"ended on their side": {false, []perch.Inbound{push(carol, perch.SubscriptionBoth, perch.AskNone),
			push(carol, perch.SubscriptionTo, perch.AskNone)}, false},
		"removed": {false, []perch.Inbound{push(carol, perch.SubscriptionRemove, perch.AskNone)}, false},
		"removed, and there again": {false, []perch.Inbound{push(carol, perch.SubscriptionRemove, perch.AskNone),
			push(carol, perch.SubscriptionNone, perch.AskSubscribe)}, false},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				s := added(w, c.oneSided)
				w.deliver(c.between...)
				w.deliver(asks(carol))
				wantAccepted(w, s, c.accepted)
			})
		})
		t.Run(name+", after a restart", func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.store.durable = true
				added(w, c.oneSided)
				w.deliver(c.between...)
				w.close()
				last := perch.Buddy{JID: carol, Subscription: perch.SubscriptionRemove}
				for _, in := range append([]perch.Inbound{push(carol, perch.SubscriptionNone, perch.AskSubscribe)}, c.between...) {
					last = in.(*perch.RosterPush).Item
				}
				w.up.Edit(func(d *fakexmpp.Data) {
					if d.Roster = []perch.Buddy{last}; last.Subscription == perch.SubscriptionRemove {
						d.Roster = nil
					}
				})
				w.start()
				s := w.open()
				w.deliver(asks(carol))
				wantAccepted(w, s, c.accepted)
			})
		})
	}
}

// The roster of a login ends the mark too: the answer may have come while the session was
// offline.
func TestDeclinedWhileAway(t *testing.T) {
	inWorld(t, func(w *world) {
		s := added(w, false)
		w.up.Edit(func(d *fakexmpp.Data) {
			d.Roster = []perch.Buddy{{JID: carol, Subscription: perch.SubscriptionNone}}
		})
		w.lose(linkLost)
		w.deliver(asks(carol))
		wantAccepted(w, s, false)
		if b, err := s.Buddy(carol); err != nil || b.Mutual {
			t.Errorf("Buddy: got %+v, error %v, want it not mutual", b, err)
		}
	})
}

// An invitation that waits already is accepted by adding who sent it, unless one-sided.
func TestAddBuddyAcceptsItsInvitation(t *testing.T) {
	for _, oneSided := range []bool{false, true} {
		inWorld(t, func(w *world) {
			s := w.open()
			w.deliver(asks("Carol@example.net"))
			c := w.attach(s, sessions.SubscribeOptions{})
			if _, _, err := s.AddBuddy(w.ctx(), sessions.NewBuddy{JID: carol, OneSided: oneSided}); err != nil {
				t.Fatalf("AddBuddy: got error %v, want none", err)
			}
			wantAccepted(w, s, !oneSided)
			if oneSided {
				c.wantTypes(perch.EventRosterItem)
			} else {
				c.wantTypes(perch.EventRosterItem, perch.EventInvitationAccepted)
			}
		})
	}
}

// Adding once more sets the mark and removes it; a buddy with a subscription needs none.
func TestAddBuddyChangesMutual(t *testing.T) {
	inWorld(t, func(w *world) {
		s := added(w, false)
		want := func(oneSided, mutual bool) {
			t.Helper()
			b, created, err := s.AddBuddy(w.ctx(), sessions.NewBuddy{JID: carol, OneSided: oneSided})
			if err != nil || created || b.Mutual != mutual {
				t.Errorf("AddBuddy: got %+v, created %v, error %v, want mutual %v", b, created, err, mutual)
			}
		}
		want(true, false)
		want(true, false)
		want(false, true)
		w.deliver(push(carol, perch.SubscriptionFrom, perch.AskNone))
		want(false, false)
	})
}

// A request that the upstream refuses leaves no mark.
func TestMutualOfARefusedItem(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		w.up.Edit(func(d *fakexmpp.Data) {
			d.Refuse = func(method string) error {
				if method == "SetRosterItem" {
					return perch.Errorf(perch.KindXMPP, "no")
				}
				return nil
			}
		})
		_, _, err := s.AddBuddy(w.ctx(), sessions.NewBuddy{JID: carol})
		kindOf(t, err, perch.KindXMPP)
		w.deliver(push(carol, perch.SubscriptionNone, perch.AskNone), asks(carol))
		wantAccepted(w, s, false)
	})
}

// The answer to accepting is the roster item: at once when it is there, and after
// a while when nothing comes.
func TestAcceptReturnsTheRosterItem(t *testing.T) {
	for name, c := range map[string]struct {
		pushes []perch.Inbound
		sub    perch.Subscription
		ask    perch.Ask
		late   bool
	}{
		"both":         {[]perch.Inbound{push(carol, perch.SubscriptionFrom, perch.AskNone), push(carol, perch.SubscriptionBoth, perch.AskNone)}, perch.SubscriptionBoth, perch.AskNone, false},
		"asked":        {[]perch.Inbound{push(carol, perch.SubscriptionFrom, perch.AskNone), push(carol, perch.SubscriptionFrom, perch.AskSubscribe)}, perch.SubscriptionFrom, perch.AskSubscribe, false},
		"only half":    {[]perch.Inbound{push(carol, perch.SubscriptionFrom, perch.AskNone)}, perch.SubscriptionFrom, perch.AskNone, true},
		"nothing came": {nil, perch.SubscriptionNone, perch.AskNone, true},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				s := w.open()
				w.deliver(asks(carol))
				began := time.Now()
				var a sessions.Accepted
				var err error
				done := make(chan struct{})
				go func() {
					defer close(done)
					a, err = s.AcceptInvitation(w.ctx(), carol, sessions.AcceptOptions{Reciprocate: true})
				}()
				synctest.Wait()
				w.deliver(c.pushes...)
				<-done
				if err != nil || a.JID != carol || a.Subscription != c.sub || a.Ask != c.ask {
					t.Errorf("AcceptInvitation: got %+v, error %v, want %s, ask %q", a, err, c.sub, c.ask)
				}
				if took := time.Since(began); (took > 0) != c.late || took > 2*time.Second {
					t.Errorf("AcceptInvitation: got an answer after %s, want it late %v", took, c.late)
				}
			})
		})
	}
	inWorld(t, func(w *world) { // a session that ends meanwhile
		s := w.open()
		w.deliver(asks(carol))
		done := make(chan error, 1)
		go func() {
			_, err := s.AcceptInvitation(w.ctx(), carol, sessions.AcceptOptions{Reciprocate: true})
			done <- err
		}()
		synctest.Wait()
		must(t, "SignOut", w.m.SignOut(w.ctx(), s))
		if err := <-done; err == nil {
			t.Error("a request to a session that has ended: got no error, want one")
		}
	})
}
