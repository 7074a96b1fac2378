package sessions_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/perch-im/perch/sessions"
)

// The Store is down for ten minutes, and after five of them the server has waited long enough
// for an acknowledgement: what it had given, and what came since, is read from its archive.
func TestStoreDownForTenMinutes(t *testing.T) {
	inWorld(t, func(w *world) {
		a := withArchive(w)
		w.up.set(func(u *upstream) { u.resume = true })
		s := w.open()
		w.deliver(live(a.add("0", "in", "m-0"), "0"))
		c := w.attach(s, sessions.SubscribeOptions{})
		w.store.set(func(s *store) { s.down = errDown })
		want := []string{"0"}
		for i := 1; i <= 20; i++ {
			body := fmt.Sprint(i)
			id := a.add(body, "in", "")
			if want = append(want, body); i <= 10 {
				w.up.newest().Deliver(live(id, body))
			}
			if pass(30 * time.Second); i == 10 {
				w.up.newest().Fail(linkLost)
				pass(time.Second)
				w.up.set(func(u *upstream) { u.resume = false }) // it has forgotten the stream
			}
		}
		c.wantTypes() // nothing is published before it is committed
		if n := w.up.logins(); n != 1 {
			t.Errorf("got %d logins, want 1: to resume is to acknowledge, and nothing is committed", n)
		}
		w.store.set(func(s *store) { s.down = nil })
		pass(2 * time.Minute)
		var got []string
		for _, text := range received(t, w.durable(s)) {
			var source, body string
			if _, err := fmt.Sscan(text, &source, &body); err != nil {
				t.Fatalf("the message %q: got error %v, want source and body", text, err)
			}
			got = append(got, body)
		}
		if !slices.Equal(got, want) {
			t.Errorf("got the messages %v, want %v", got, want)
		}
	}, durable)
}
