package sessions_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// TestFirstStreamHasWhatCameBefore: what came since the sign-in is with the first stream that has no
// cursor, after the snapshots and without the state that these show; then with no other.
func TestFirstStreamHasWhatCameBefore(t *testing.T) {
	inWorld(t, func(w *world) {
		w.roster(bob)
		s := w.open()
		w.deliver(text("1", "one"), &perch.SubscriptionIn{From: "eve@example.net", Type: "subscribe"}, text("2", "two"), here(bob+"/a", "dnd", 0))
		first := w.attach(s, sessions.SubscribeOptions{})
		want := slices.Insert(slices.Clone(resetPreamble), 3, perch.EventMessageReceived, perch.EventMessageReceived)
		if got := types(first.preamble); !slices.Equal(got, want) || !slices.Equal(received(t, first.preamble), []string{"live one", "live two"}) {
			t.Errorf("the first stream: got %v with %v, want %v with one and two", got, received(t, first.preamble), want)
		}
		w.deliver(text("3", "three"))
		if got := received(t, first.next()); !slices.Equal(got, []string{"live three"}) {
			t.Errorf("then: got messages %v, want three alone", got)
		}
		if got := types(w.attach(s, sessions.SubscribeOptions{}).preamble); !slices.Equal(got, resetPreamble) {
			t.Errorf("the second stream: got %v, want %v", got, resetPreamble)
		}
	})
}

// TestUnstreamedUntilAStreamHasIt: a stream that filters messages out, or ends before it has them, leaves
// them to the next; so does the process.
func TestUnstreamedUntilAStreamHasIt(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		w.deliver(text("1", "one"), text("2", "two"))
		if got := received(t, w.attach(s, sessions.SubscribeOptions{Types: []string{"presence"}}).preamble); len(got) != 0 {
			t.Errorf("a stream of presence: got messages %v, want none", got)
		}
		sub, err := s.Subscribe(w.ctx(), sessions.SubscribeOptions{})
		must(t, "Subscribe", err)
		var cursor perch.Position
		gone := errors.New("the client has gone")
		if err := sub.Preamble(w.ctx(), func(e *perch.Event) error {
			if !cursor.IsZero() {
				return gone
			}
			cursor = e.Position
			return nil
		}); !errors.Is(err, gone) {
			t.Errorf("Preamble of a client that goes: got error %v, want %v", err, gone)
		}
		sub.Close()
		if got := received(t, w.attach(s, sessions.SubscribeOptions{Since: cursor.String()}).preamble); !slices.Equal(got, []string{"live two"}) {
			t.Errorf("resumed from where it had come: got messages %v, want two", got)
		}
		w.restart()
		s = w.open()
		if got := received(t, w.attach(s, sessions.SubscribeOptions{}).preamble); !slices.Equal(got, []string{"live one", "live two"}) {
			t.Errorf("the first whole stream, after a restart: got messages %v, want one and two", got)
		}
		w.restart()
		s = w.open()
		if got := received(t, w.attach(s, sessions.SubscribeOptions{}).preamble); len(got) != 0 {
			t.Errorf("after another restart: got messages %v, want none", got)
		}
	}, durable)
}

// TestUnstreamedOfALogThatWasTrimmed begins where the log does.
func TestUnstreamedOfALogThatWasTrimmed(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		for i := range 20 {
			w.deliver(text(fmt.Sprint(i), fmt.Sprint(i)))
		}
		want := strings.Split("live 10,live 11,live 12,live 13,live 14,live 15,live 16,live 17,live 18,live 19", ",")
		if got := received(t, w.attach(s, sessions.SubscribeOptions{}).preamble); !slices.Equal(got, want) {
			t.Errorf("got messages %v, want %v", got, want)
		}
	}, keeping(10))
}

// TestUnstreamedOfALogThatIsTrimmedMeanwhile leaves out what is gone, and does not end the stream.
func TestUnstreamedOfALogThatIsTrimmedMeanwhile(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		say := func(from, to int) {
			for i := range to - from {
				w.deliver(text(fmt.Sprint(from+i), fmt.Sprint(from+i)))
			}
		}
		say(0, 300)
		sub, err := s.Subscribe(w.ctx(), sessions.SubscribeOptions{})
		must(t, "Subscribe", err)
		n, last := 0, perch.EventType("")
		must(t, "Preamble", sub.Preamble(w.ctx(), func(e *perch.Event) error {
			if last = e.Type; e.Type == perch.EventMessageReceived {
				if n++; n == 1 {
					say(300, 620)
				}
			}
			return nil
		}))
		if n == 0 || n >= 300 || last != perch.EventLive {
			t.Errorf("got %d messages and %s in the end, want some of 300 and live", n, last)
		}
	}, keeping(300))
}
