package sessions_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
)

// hide makes the newest item of an archive one that cannot be an event.
func (a *archive) hide(reason string) string {
	id := a.add("", "in", "")
	a.mu.Lock()
	defer a.mu.Unlock()
	it := &a.items[len(a.items)-1]
	it.Dropped, it.ID = reason, "m-"+id
	return id
}

// unseen is what live is the item of an archive with this id; without it, what a server sends
// that adds no stanza-ids.
func unseen(reason, id string, withID bool) *perch.DroppedIn {
	d := &perch.DroppedIn{
		Dropped: perch.Dropped{Reason: reason, From: bob + "/x"},
		Of:      perch.Message{ID: "m-" + id, From: bob + "/x", To: alice, Kind: perch.ChatMessage, Source: perch.SourceLive},
	}
	if withID {
		d.StanzaID, d.Of.StanzaID = id, id
	}
	return d
}

// drops are the events of a log for stanzas that were dropped.
func drops(t tb, evs []event) (list []string) {
	for _, e := range evs {
		var d perch.Dropped
		switch e.Type {
		case perch.EventDropped:
			e.into(t, &d)
			list = append(list, d.Reason+" "+string(d.From)+" "+d.StanzaID)
		case perch.EventMessageReceived:
			var m perch.Message
			e.into(t, &m)
			list = append(list, m.Body)
		}
	}
	return list
}

// TestArchivedDrops catches up on an archive with stanzas that are dropped: each is the
// event that it would be live, in its place and once, however often the archive is read, over a
// restart too.
func TestArchivedDrops(t *testing.T) {
	for _, tt := range []struct {
		name   string
		withID bool // live stanzas have the ids of the archive
	}{{"with ids", true}, {"without ids", false}} {
		t.Run(tt.name, func(t *testing.T) {
			c := &tally{}
			inWorld(t, func(w *world) {
				a := withArchive(w)
				w.open()
				w.deliver(live(a.add("before", "in", ""), "before"))
				pass(time.Minute)
				first := a.hide(perch.DroppedEncrypted)
				w.deliver(unseen(perch.DroppedEncrypted, first, tt.withID))
				pass(time.Minute)
				w.refuse(linkLost)
				w.conn().Fail(linkLost)
				synctest.Wait()
				call := a.hide(perch.DroppedCall)
				a.add("between", "in", "")
				odd := a.hide(perch.DroppedUnsupported)
				asked := 0
				a.onAsk = func() { // it comes live, too, while the archive is read
					if asked++; asked == 2 {
						w.up.newest().Deliver(unseen(perch.DroppedUnsupported, odd, tt.withID))
						synctest.Wait()
					}
				}
				w.refuse(nil)
				pass(time.Minute)
				w.lose(linkLost)
				w.restart()
				s := w.open()
				pass(time.Minute)
				w.lose(linkLost)
				stanzaID := ""
				if tt.withID {
					stanzaID = first
				}
				want := []string{"before", "encrypted bob@example.net/x " + stanzaID, "call bob@example.net/x " + call, "between", "unsupported bob@example.net/x " + odd}
				got := drops(t, w.durable(s))
				if !slices.Equal(got, want) {
					t.Errorf("the log: got %q\nwant %q", got, want)
				}
				c.want(t, map[string]int{"dropped encrypted": 1, "dropped call": 1, "dropped unsupported": 1})
			}, durable, watched(c))
		})
	}
}

// TestCatchUpAfterADrop reads the archive on from stanzas that were dropped, if these came
// last: not all of it is read again because nothing in it is a message.
func TestCatchUpAfterADrop(t *testing.T) {
	inWorld(t, func(w *world) {
		a := withArchive(w)
		w.open()
		first := a.add("before", "in", "")
		w.deliver(live(first, "before"))
		for range 150 {
			w.deliver(unseen(perch.DroppedEncrypted, a.hide(perch.DroppedEncrypted), true))
		}
		w.lose(linkLost)
		if q := w.conn().queries; len(q) == 0 || q[0].After <= first {
			t.Errorf("got queries %+v, want the first one to continue after one of the last stanzas", q)
		}
	})
}

// TestDropOfALostLink logs the drop of a stanza that a reader still had when its link was
// lost, where no archive has it.
func TestDropOfALostLink(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		old := w.conn()
		w.lose(linkLost)
		old.Deliver(unseen(perch.DroppedEncrypted, "9", true))
		if got, want := drops(t, w.durable(s)), []string{"encrypted bob@example.net/x 9"}; !slices.Equal(got, want) {
			t.Errorf("drops: got %q, want %q", got, want)
		}
	})
}

// TestOversizeStanzaInTheArchive takes a stanza over a limit for the same whether it came live, with
// the sender's id alone, or from the archive, with the id that it has there.
func TestOversizeStanzaInTheArchive(t *testing.T) {
	for _, liveFirst := range []bool{true, false} {
		t.Run(fmt.Sprint("live first ", liveFirst), func(t *testing.T) {
			inWorld(t, func(w *world) {
				a := withArchive(w)
				s := w.open()
				w.deliver(live(a.add("before", "in", ""), "before"))
				cut := func(id string) *perch.DroppedIn {
					return &perch.DroppedIn{Dropped: perch.Dropped{Reason: perch.DroppedTooLarge, From: bob + "/x", StanzaID: "m-" + id}}
				}
				if liveFirst {
					w.deliver(cut(a.hide(perch.DroppedTooLarge)))
				} else {
					w.refuse(linkLost)
					w.conn().Fail(linkLost)
					synctest.Wait()
					a.hide(perch.DroppedTooLarge)
					w.refuse(nil)
					pass(time.Minute)
				}
				for range 2 {
					w.restart()
					s = w.open()
					pass(time.Minute)
					w.lose(linkLost)
				}
				if got := drops(t, w.durable(s)); len(got) != 2 {
					t.Errorf("the log: got %q, want one message and one drop", got)
				}
			}, durable)
		})
	}
}

// TestDropsAreDistinct logs each of several stanzas that are dropped, from the same
// sender and in the same moment.
func TestDropsAreDistinct(t *testing.T) {
	inWorld(t, func(w *world) {
		a := withArchive(w)
		s := w.open()
		w.deliver(live(a.add("before", "in", ""), "before"))
		for range 3 {
			w.deliver(unseen(perch.DroppedEncrypted, a.hide(perch.DroppedEncrypted), false))
		}
		w.refuse(linkLost)
		w.conn().Fail(linkLost)
		synctest.Wait()
		for range 3 {
			a.hide(perch.DroppedEncrypted)
		}
		w.refuse(nil)
		pass(time.Minute)
		if got := drops(t, w.durable(s)); len(got) != 7 {
			t.Errorf("the log: got %q, want one message and six drops", got)
		}
	})
}
