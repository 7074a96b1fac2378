package sessions

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/contacts"
)

// rosterWorld is a roster without a session: what it asks of its host, the log and the server
// is written down, in order.
type rosterWorld struct {
	recorder

	ro     *roster
	rec    Record
	link   *link
	commit Commit
	at     perch.Time
	timers []func()
}

func newRosterWorld() *rosterWorld {
	w := &rosterWorld{at: 1000}
	w.ro = &roster{host: w, journal: w, cards: allCards{}}
	w.link = &link{conn: &rosterWire{w: w}, live: true}
	return w
}

func (w *rosterWorld) now() perch.Time                  { return w.at }
func (w *rosterWorld) post(f func())                    { f() }
func (w *rosterWorld) background(func(context.Context)) {}
func (w *rosterWorld) stream() *link                    { return w.link }
func (w *rosterWorld) Online() bool                     { return w.link != nil }
func (w *rosterWorld) errOffline() error                { return perch.Errorf(perch.KindSessionOffline, "offline") }
func (w *rosterWorld) Send(out ...perch.Outbound) error {
	if w.link == nil {
		return w.errOffline()
	}
	for _, o := range out {
		_, _ = w.link.conn.Send(o)
	}
	return nil
}
func (w *rosterWorld) record() *Record                     { return &w.rec }
func (w *rosterWorld) saveRecord()                         { w.note("save record") }
func (w *rosterWorld) rememberAddress(jid perch.JID)       { w.note("remember %s", jid) }
func (w *rosterWorld) overBudget(what string, _ perch.JID) { w.note("left out %s", what) }
func (w *rosterWorld) dropped(d perch.Dropped)             { w.note("dropped %s", d.Reason) }
func (w *rosterWorld) countDropped(reason string, n int)   { w.note("count %s %d", reason, n) }
func (w *rosterWorld) rosterMissing(reason string)         { w.note("missing %s", reason) }
func (w *rosterWorld) Change() *Commit                     { return &w.commit }
func (w *rosterWorld) AfterCommit(func(Result))            {}
func (w *rosterWorld) Exclusive(Commit, func(Result))      {}
func (w *rosterWorld) after(_ time.Duration, f func()) *time.Timer {
	w.timers = append(w.timers, f)
	return nil
}

func (w *rosterWorld) Durable(typ perch.EventType, data any) {
	switch d := data.(type) {
	case perch.Buddy:
		w.note("%s %s %s", typ, d.JID, d.Subscription)
	case *perch.Invitation:
		w.note("%s %s %s", typ, d.JID, d.Nick)
	case perch.Removed:
		w.note("%s %s", typ, d.JID)
	default:
		w.note("%s", typ)
	}
}

func (w *rosterWorld) Ephemeral(typ perch.EventType, key string, data any) {
	p := data.(*perch.Presence)
	w.note("%s %s %v %s", typ, key, p.Available, p.Show)
}

// rosterWire is a connection that writes down what is sent on it.
type rosterWire struct {
	Conn
	w *rosterWorld
}

func (c *rosterWire) Send(out perch.Outbound) (uint64, error) {
	if o, ok := out.(*perch.SubscriptionOut); ok {
		c.w.note("send %s %s", o.Type, o.To)
	}
	return 0, nil
}

func buddy(jid perch.JID, s perch.Subscription) perch.Buddy {
	return perch.Buddy{JID: jid, Subscription: s, Groups: []string{}}
}

func (w *rosterWorld) is(jid perch.JID, available bool, show perch.Show) {
	w.ro.applyPresence(&perch.PresenceIn{From: jid, Available: available, Show: show})
}

// presence is that of a contact, as clients see it.
func (w *rosterWorld) presence(jid perch.JID) perch.Presence {
	return w.ro.view().presence(w.ro.contacts.Get(jid))
}

// TestRosterPushes: what a push changes is an event, and what it repeats is none.
func TestRosterPushes(t *testing.T) {
	w := newRosterWorld()
	push := func(b perch.Buddy) { w.ro.applyPush(&perch.RosterPush{Item: b}) }
	push(buddy("Bob@example.net", perch.SubscriptionTo))
	push(buddy("bob@example.net", perch.SubscriptionTo)) // another spelling changes nothing
	push(buddy("bob@example.net", perch.SubscriptionBoth))
	push(buddy("bob@example.net", perch.SubscriptionRemove))
	push(buddy("bob@example.net", perch.SubscriptionRemove))
	w.want(t, "roster.item Bob@example.net to", "roster.item Bob@example.net both", "remember Bob@example.net", "roster.removed Bob@example.net")
	if c := w.commit.Contacts; c.Table.Len() != 0 || !slices.Equal(c.Keys, []perch.JID{"bob@example.net"}) || w.ro.use != (usage{}) {
		t.Errorf("got the commit %+v and the usage %+v, want one contact removed and nothing used", c, w.ro.use)
	}
}

// TestRosterReplaced: the first roster is no event, later ones are as far as they differ.
func TestRosterReplaced(t *testing.T) {
	w := newRosterWorld()
	w.ro.applyRoster(perch.RosterResult{Version: "1", Items: []perch.Buddy{buddy("bob@example.net", perch.SubscriptionTo), buddy("carol@example.net", perch.SubscriptionTo)}})
	w.want(t, "save record")
	if c := w.commit.Contacts; !c.Whole || !c.Table.Equal(w.ro.contacts) || c.Table.Len() != 2 {
		t.Errorf("after the first roster: got the change %+v, want both contacts written", c)
	}
	w.rec.RosterKnown = true
	w.ro.applyRoster(perch.RosterResult{Version: "2", Items: []perch.Buddy{buddy("bob@example.net", perch.SubscriptionTo), buddy("dave@example.net", perch.SubscriptionTo)}})
	w.want(t, "roster.item dave@example.net to", "save record", "remember carol@example.net", "roster.removed carol@example.net")
	w.ro.applyRoster(perch.RosterResult{LeftOut: 3, Version: "3"})
	w.want(t, "count "+DroppedOverBudget+" 3", "save record", "dropped "+DroppedRosterPart)
	if w.ro.contacts.Len() != 2 || w.rec.RosterVersion != "" {
		t.Errorf("after a partial roster: got %d contacts, version %q; want 2 and none", w.ro.contacts.Len(), w.rec.RosterVersion)
	}
}

// TestRosterPresence: the resource with the highest priority counts, the latest among equals;
// strangers and repetitions are no events.
func TestRosterPresence(t *testing.T) {
	w := newRosterWorld()
	w.ro.putBuddy(buddy("bob@example.net", perch.SubscriptionBoth), true)
	w.is("bob@example.net/a", true, perch.ShowAway)
	w.is("bob@example.net/a", true, perch.ShowAway)
	w.is("Bob@example.net/b", true, perch.ShowDND)
	w.is("eve@example.net/x", true, 0)
	w.is("bob@example.net/b", false, 0)
	w.ro.applyPresenceError(&perch.PresenceError{From: "bob@example.net"})
	w.want(t, "presence bob@example.net true away", "presence bob@example.net true dnd", "presence bob@example.net true away", "presence bob@example.net false ")
}

// TestRosterConfirmsPresence: after a login the presence of before stays until a deadline; what the
// server has not confirmed by then is removed.
func TestRosterConfirmsPresence(t *testing.T) {
	w := newRosterWorld()
	for _, jid := range []perch.JID{"bob@example.net", "carol@example.net"} {
		w.ro.putBuddy(buddy(jid, perch.SubscriptionBoth), true)
		w.is(jid+"/a", true, 0)
	}
	w.ro.offline(w.link)
	w.did = nil
	if p := w.presence("bob@example.net"); !p.Stale || !p.Available {
		t.Errorf("presence of bob after the link was lost: got %+v, want available and stale", p)
	}
	w.ro.settleSoon()
	w.is("bob@example.net/a", true, 0)
	w.want(t)
	if bob, carol := w.presence("bob@example.net"), w.presence("carol@example.net"); bob.Stale || !carol.Stale {
		t.Errorf("presence while the server names the resources: got stale %v of bob, who said something, and %v of carol; want false, true", bob.Stale, carol.Stale)
	}
	w.timers[0]()
	w.want(t, "presence carol@example.net false ")
	if bob, carol := w.presence("bob@example.net"), w.presence("carol@example.net"); bob.Stale || carol.Stale {
		t.Errorf("presence then: got stale %v of bob and %v of carol, want neither", bob.Stale, carol.Stale)
	}
}

// TestRosterViewStays: what was taken of a roster is as it was, whatever happens then.
func TestRosterViewStays(t *testing.T) {
	w := newRosterWorld()
	for _, jid := range []perch.JID{"bob@example.net", "carol@example.net"} {
		w.ro.putBuddy(buddy(jid, perch.SubscriptionBoth), true)
		w.is(jid+"/a", true, 0)
	}
	w.ro.offline(w.link)
	w.is("bob@example.net/a", true, 0)
	v := w.ro.view()
	w.is("carol@example.net/a", true, perch.ShowAway)
	w.ro.removeBuddy("bob@example.net")
	w.ro.fresh.right()
	var got []string
	for p := range v.presences() {
		got = append(got, fmt.Sprintf("%s %v %s %v", p.JID, p.Available, p.Show, p.Stale))
	}
	if want := []string{"bob@example.net true  false", "carol@example.net true  true"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestRosterPhotos: another photo than before is an event, and each is stored, also without a
// change of the presence.
func TestRosterPhotos(t *testing.T) {
	w := newRosterWorld()
	w.ro.putBuddy(buddy("bob@example.net", perch.SubscriptionBoth), true)
	w.is("bob@example.net/a", true, 0)
	w.did = nil
	for _, hash := range []string{"aa", "aa", "bb"} {
		w.commit = Commit{}
		w.ro.applyPresence(&perch.PresenceIn{From: "bob@example.net/a", Available: true, PhotoHash: &hash})
		if got := w.ro.contacts.Get("bob@example.net").Photo; got != hash {
			t.Errorf("photo of bob: got %q, want %q", got, hash)
		}
		if c := w.commit.Contacts; !c.Empty() && c.Table.Get("bob@example.net").Photo != hash {
			t.Errorf("the change of the contacts: got photo %q, want %q", c.Table.Get("bob@example.net").Photo, hash)
		}
	}
	w.want(t, "vcard.changed")
}

// TestRosterRequests: a request of a stranger is an invitation until it is answered or taken
// back, once; one of a buddy who was asked is accepted.
func TestRosterRequests(t *testing.T) {
	w := newRosterWorld()
	ask := func(from perch.JID, typ, nick string) {
		w.ro.applySubscription(&perch.SubscriptionIn{From: from, Type: typ, Nick: nick})
	}
	ask("eve@example.net", "subscribe", "Eve")
	ask("Eve@example.net", "subscribe", "") // repeated at the next login, without the nickname
	w.want(t, "invitation.received eve@example.net Eve")
	ask("eve@example.net", "unsubscribe", "")
	ask("eve@example.net", "unsubscribe", "")
	w.want(t, "remember eve@example.net", "invitation.cancelled eve@example.net Eve")

	w.ro.wantMutual("bob@example.net")
	item := buddy("bob@example.net", perch.SubscriptionNone)
	item.Ask = perch.AskSubscribe
	w.ro.putBuddy(item, true)
	ask("bob@example.net", "subscribe", "Bob")
	w.want(t, "send subscribed bob@example.net")
	w.ro.endMutual("bob@example.net")
	w.did = nil
	ask("bob@example.net", "subscribe", "Bob")
	w.want(t, "invitation.received bob@example.net Bob")
}

// TestRosterMovesStoredRows: what an earlier version stored is put in order and written anew, and
// rows by the text of a JID move to its key.
func TestRosterMovesStoredRows(t *testing.T) {
	w := newRosterWorld()
	b, i := buddy("Bob@example.net", perch.SubscriptionTo), perch.Invitation{JID: "EVE@example.net"}
	b.Groups = []string{"b", "a", "b"}
	bob := &contacts.Contact{Buddy: b, Presence: contacts.Aggregate(b.JID, []perch.Resource{{Resource: "y"}, {Resource: "x"}}, "", 1)}
	saved := &Saved{Contacts: contacts.Of([]*contacts.Contact{bob}), OldRows: true, Invitations: []*perch.Invitation{&i}}
	if err := w.ro.restore(t.Context(), saved); err != nil {
		t.Fatalf("restore: got error %v, want none", err)
	}
	if got := w.commit.Contacts; !got.Whole || !got.Table.Equal(w.ro.contacts) {
		t.Errorf("got the change %+v of the contacts, want all of them written", got)
	}
	if got := w.commit.Invitations; !slices.Equal(got.Del, []string{"EVE@example.net"}) || len(got.Put) != 1 {
		t.Errorf("got the rows %+v of the invitations, want EVE@example.net moved", got)
	}
	k := w.ro.contacts.Get("BOB@example.net")
	if k == nil || !slices.Equal(k.Buddy.Groups, []string{"a", "b"}) || len(k.Presence.Resources) != 2 || k.Presence.Resources[0].Resource != "x" {
		t.Errorf("contact of bob: got %+v, want it in order", k)
	}
	if k.CardName != "Name of Bob@example.net" {
		t.Errorf("name in the vCard: got %q, want that of the stored card", k.CardName)
	}
}

// TestRosterTakesTheTable: what this version stored is taken over as it is, and nothing is written.
func TestRosterTakesTheTable(t *testing.T) {
	w := newRosterWorld()
	saved := &Saved{Contacts: contacts.Of([]*contacts.Contact{{Buddy: buddy("bob@example.net", perch.SubscriptionTo)}})}
	if err := w.ro.restore(t.Context(), saved); err != nil {
		t.Fatalf("restore: got error %v, want none", err)
	}
	if !w.ro.contacts.Equal(saved.Contacts) || !w.commit.Contacts.Empty() {
		t.Errorf("got %d contacts, the change %+v; want the stored one, and nothing written", w.ro.contacts.Len(), w.commit.Contacts)
	}
	if k := w.ro.contacts.Get("bob@example.net"); k.CardName != "" {
		t.Errorf("got the name %q, want no card read", k.CardName)
	}
}

// allCards has a card of everybody.
type allCards struct{}

func (allCards) VCard(_ context.Context, _ ID, jid perch.JID) (*perch.VCard, error) {
	return &perch.VCard{JID: jid, FullName: "Name of " + string(jid)}, nil
}
