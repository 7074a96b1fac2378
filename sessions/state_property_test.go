package sessions_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/fakexmpp"
	"github.com/perch-im/perch/sessions"
)

// view is what a client makes of snapshots and events.
type view struct {
	roster, presence, invites map[string]map[string]any
}

func newView() *view {
	return &view{map[string]map[string]any{}, map[string]map[string]any{}, map[string]map[string]any{}}
}

// apply is all the logic that a client needs.
func (v *view) apply(e event) {
	var one map[string]any
	var many struct{ Items []map[string]any }
	_ = json.Unmarshal(e.Data, &one)
	_ = json.Unmarshal(e.Data, &many)
	put := func(m map[string]map[string]any, items ...map[string]any) {
		for _, i := range items {
			m[i["jid"].(string)] = i
		}
	}
	switch e.Type {
	case perch.EventRosterSnapshot:
		put(v.roster, many.Items...)
	case perch.EventInvitationsSnapshot:
		put(v.invites, many.Items...)
	case perch.EventPresenceSnapshot:
		put(v.presence, many.Items...)
	case perch.EventRosterItem:
		put(v.roster, one)
	case perch.EventPresence:
		put(v.presence, one)
	case perch.EventInvitationReceived:
		put(v.invites, one)
	case perch.EventRosterRemoved:
		delete(v.roster, one["jid"].(string))
		delete(v.presence, one["jid"].(string))
	case perch.EventInvitationAccepted, perch.EventInvitationDeclined, perch.EventInvitationCancelled:
		delete(v.invites, one["jid"].(string))
	}
}

// visible drops what is about the age of something only, and buddies that are not there: a
// client treats "never received" and "not there" alike.
func (v *view) visible() map[string]any {
	out := map[string]any{}
	for _, p := range v.presence {
		delete(p, "stale")
		if p["available"] == true || p["status"] != "" {
			out["presence "+p["jid"].(string)] = p
		}
	}
	for j, b := range v.roster {
		out["buddy "+j] = b
	}
	for j, i := range v.invites {
		out["invitation "+j] = i
	}
	return out
}

func jidGen() *rapid.Generator[perch.JID] {
	return rapid.Custom(func(t *rapid.T) perch.JID {
		return perch.JID(fmt.Sprintf("b%d@example.net", rapid.IntRange(0, 4).Draw(t, "buddy")))
	})
}

// change makes one random thing happen to the account.
func (w *world) change(rt *rapid.T, s *sessions.Session) {
	jid := jidGen().Draw(rt, "jid")
	full := jid + perch.JID(fmt.Sprintf("/r%d", rapid.IntRange(0, 2).Draw(rt, "resource")))
	switch rapid.IntRange(0, 10).Draw(rt, "what") {
	case 0, 1, 2:
		w.up.newest().Deliver(here(full, rapid.SampledFrom([]string{"", "away", "dnd"}).Draw(rt, "show"), int8(rapid.IntRange(-1, 2).Draw(rt, "prio"))))
	case 3:
		w.up.newest().Deliver(away(full))
	case 4:
		w.up.newest().Deliver(&perch.PresenceIn{From: jid, Status: rapid.SampledFrom([]string{"", "bye"}).Draw(rt, "status")})
	case 5:
		w.up.newest().Deliver(&perch.SubscriptionIn{From: jid, Type: "subscribe", Nick: rapid.SampledFrom([]string{"", "N", "M"}).Draw(rt, "nick")})
	case 6:
		w.up.newest().Deliver(&perch.SubscriptionIn{From: jid, Type: "unsubscribe"})
	case 7, 8:
		b := perch.Buddy{JID: jid, Name: rapid.SampledFrom([]string{"", "A", "B"}).Draw(rt, "name"),
			Subscription: rapid.SampledFrom([]perch.Subscription{perch.SubscriptionNone, perch.SubscriptionTo, perch.SubscriptionBoth, perch.SubscriptionRemove}).Draw(rt, "subscription")}
		w.up.Edit(func(d *fakexmpp.Data) {
			var rest []perch.Buddy
			for _, x := range d.Roster {
				if x.JID != jid {
					rest = append(rest, x)
				}
			}
			if d.Roster = rest; b.Subscription != perch.SubscriptionRemove {
				d.Roster = append(d.Roster, b)
			}
		})
		w.up.newest().Deliver(&perch.RosterPush{Item: b})
	case 9:
		if rapid.Bool().Draw(rt, "accept") {
			_, _ = s.AcceptInvitation(w.ctx(), jid, sessions.AcceptOptions{Reciprocate: true})
		} else {
			_, _ = s.DeclineInvitation(w.ctx(), jid)
		}
	case 10:
		if rapid.Bool().Draw(rt, "lose the link") {
			w.up.newest().Fail(linkLost)
			pass(time.Duration(rapid.IntRange(2, 10).Draw(rt, "seconds")) * time.Second)
		}
	}
	if rapid.Bool().Draw(rt, "wait") {
		synctest.Wait()
	}
}

// An old snapshot and the events after it are a fresh snapshot, whatever happened.
func TestStateProperty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rapid.Check(bubbled{t}, func(rt *rapid.T) {
			w := newWorld(rt)
			defer w.close()
			s := w.open()
			change := func(label string) {
				for range rapid.IntRange(0, 25).Draw(rt, label) {
					w.change(rt, s)
				}
			}
			change("before")
			old := newView()
			sub, err := s.Subscribe(w.ctx(), sessions.SubscribeOptions{})
			must(rt, "Subscribe", err)
			change("between hello and preamble")
			var evs []*perch.Event
			must(rt, "Preamble", sub.Preamble(w.ctx(), func(e *perch.Event) error { evs = append(evs, e); return nil }))
			c := &client{t: rt, sub: sub}
			change("after")
			pass(20 * time.Second)
			for _, e := range append(decode(rt, evs), c.next()...) {
				old.apply(e)
			}
			fresh := newView()
			for _, e := range w.attach(s, sessions.SubscribeOptions{}).preamble {
				fresh.apply(e)
			}
			if a, b := old.visible(), fresh.visible(); !reflect.DeepEqual(a, b) {
				rt.Fatalf("old snapshot and events: got\n%v\nwant the fresh snapshot\n%v", a, b)
			}
		})
	})
}
