package sessions_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// tally counts by kind and word, as "event message.received".
type tally struct {
	mu sync.Mutex
	n  map[string]int
}

func (c *tally) add(word string, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n == nil {
		c.n = map[string]int{}
	}
	c.n[word] += n
}

func (c *tally) get(word string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n[word]
}

func (c *tally) Event(t perch.EventType)      { c.add("event "+string(t), 1) }
func (c *tally) Dropped(reason string, n int) { c.add("dropped "+reason, n) }
func (c *tally) Subscribed(result string)     { c.add("subscribed "+result, 1) }
func (c *tally) Reconnecting(upstream, reason string) {
	c.add("reconnecting "+reason, 1)
	c.add("reconnecting "+upstream+" "+reason, 1)
}
func (c *tally) Refused(upstream, limit string) { c.add("refused "+upstream+" "+limit, 1) }
func (c *tally) Owner(change string)            { c.add("owner "+change, 1) }

func (c *tally) Delivered(kind perch.ReaderKind, result string) {
	c.add("delivered "+string(kind)+" "+result, 1)
}

func (c *tally) want(t tb, want map[string]int) {
	t.Helper()
	for word, n := range want {
		if got := c.get(word); got != n {
			t.Errorf("%s: got %d, want %d", word, got, n)
		}
	}
}

func watched(c *tally) func(*sessions.Options) {
	return func(o *sessions.Options) { o.Observer = c }
}

func TestObserver(t *testing.T) {
	c := &tally{}
	inWorld(t, func(w *world) {
		w.roster(bob)
		s := w.open()
		first := w.attach(s, sessions.SubscribeOptions{})
		w.attach(s, sessions.SubscribeOptions{})
		w.deliver(text("1", "x"), here(bob+"/x", "away", 0), &perch.DroppedIn{Dropped: perch.Dropped{Reason: "too_large"}})
		evs := first.next()
		c.want(t, map[string]int{
			// It goes to two streams, and counts once.
			"event message.received": 1, "event presence": 1, "event event.dropped": 1,
			"dropped too_large": 1, "subscribed first": 2, "subscribed resumed": 0,
		})
		w.attach(s, sessions.SubscribeOptions{Since: evs[0].ID})
		w.attach(s, sessions.SubscribeOptions{Since: "garbage"})
		w.lose(linkLost)
		c.want(t, map[string]int{
			"subscribed resumed": 1, "subscribed unknown": 1, "reconnecting link-lost": 1, "reconnecting net link-lost": 1, "event session.state": 3,
		})
	}, watched(c))
}

func TestObserverSeesWhatASlowStreamLoses(t *testing.T) {
	c := &tally{}
	inWorld(t, func(w *world) {
		w.roster(bob)
		s := w.open()
		slow := w.attach(s, sessions.SubscribeOptions{})
		for i := range 127 {
			w.deliver(text(fmt.Sprint(i), "x"))
		}
		typing := &perch.ChatStateIn{From: bob, State: perch.StateActive}
		// The queue is half full with the first of them; then the second one is left out, and
		// with the third presence the first of them and the chat state go.
		w.deliver(typing, typing, here(bob+"/x", "away", 0), here(bob+"/x", "dnd", 0))
		c.want(t, map[string]int{"dropped chat_state": 2, "dropped coalesced": 1, "dropped slow": 0})
		for i := range 129 {
			w.deliver(text(fmt.Sprint("more", i), "x"))
		}
		if _, err := slow.sub.Take(); err == nil {
			t.Error("Take of the slow stream: got no error, want it cut")
		}
		c.want(t, map[string]int{"dropped slow": 256})
	}, watched(c))
}

func TestStates(t *testing.T) {
	inWorld(t, func(w *world) {
		states := func(want map[perch.State]int) {
			t.Helper()
			got := w.m.States()
			for s, n := range got {
				if n == 0 {
					delete(got, s)
				}
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		}
		states(map[perch.State]int{})
		s := w.open()
		states(map[perch.State]int{perch.StateOnline: 1})
		w.lose(linkLost)
		states(map[perch.State]int{perch.StateOnline: 1})
		w.conn().Fail(perch.Errorf(perch.KindUnauthorized, "revoked"))
		w.conn()
		states(map[perch.State]int{perch.StateSuspended: 1})
		if err := w.m.SignOut(w.ctx(), s); err != nil {
			t.Errorf("SignOut: got error %v, want none", err)
		}
		states(map[perch.State]int{})

		_, err := w.m.Authenticate(w.ctx(), perch.NewSecret("bad-token"))
		kindOf(t, err, perch.KindUnauthorized)
		w.conn()
		states(map[perch.State]int{}) // a login that was refused
	})
}
