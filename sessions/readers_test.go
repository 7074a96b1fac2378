package sessions_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// TestReaderGetsEveryEvent: each event that comes after a webhook was put is brought to it, in order and once.
func TestReaderGetsEveryEvent(t *testing.T) {
	c := &receiver{}
	inWorld(t, func(w *world) {
		s := w.open()
		before := w.say(s, 2)
		made := w.putReader(s, hook("a"))
		if made.State != perch.ReaderActive || made.Cursor.Offset != before {
			t.Errorf("PutReader: got state %s, cursor %v, want %s at %d", made.State, made.Cursor, perch.ReaderActive, before)
		}
		w.say(s, 3)
		calls := c.next()
		if got, want := offsets(calls), "[4][5][6]"; got != want {
			t.Errorf("got the events %s, want %s", got, want)
		}
		if k := calls[2]; k.cursor != (perch.Position{Epoch: made.Cursor.Epoch, Offset: 6}) || k.keys != 1 || !strings.Contains(k.bodies[0], "text 5") {
			t.Errorf("got %+v, want the cursor 6, one secret, and the last message", k)
		}
		if r := w.reader(s, perch.WebhookReader, "a"); r.Cursor.Offset != before+3 || r.Last.Status != 200 {
			t.Errorf("got cursor %v, last attempt %+v, want %d and 200", r.Cursor, r.Last, before+3)
		}
	}, withReceiver(c))
}

// TestReaderIsTriedAgain: what does not arrive is sent again under the same ID, later and later, and nothing
// overtakes it.
func TestReaderIsTriedAgain(t *testing.T) {
	c := &receiver{}
	inWorld(t, func(w *world) {
		s := w.open()
		w.putReader(s, hook("a"))
		c.answers(failing(500))
		begun := time.Now()
		w.say(s, 1)
		pass(time.Minute)
		w.say(s, 2)
		pass(time.Hour)
		r := w.reader(s, perch.WebhookReader, "a")
		if r.State != perch.ReaderRetrying || r.Last.Status != 500 || r.Last.Error != "the answer was 500" || r.Since != perch.At(begun) || r.Next <= perch.At(time.Now()) || r.Failures < 10 {
			t.Errorf("got %+v, want one that is tried again since the first failure", r)
		}
		calls := c.next()
		if len(calls) < 10 || len(calls) > 60 { // a few within a minute, then one in 5 minutes or so
			t.Errorf("got %d attempts in an hour, want 10 to 60", len(calls))
		}
		c.answers(nil)
		pass(10 * time.Minute)
		calls = append(calls, c.next()...)
		last := len(calls) - 2
		for i, k := range calls[:last+1] {
			if k.id != calls[0].id || fmt.Sprint(k.events) != "[2]" || !slices.Equal(k.bodies, calls[0].bodies) {
				t.Errorf("attempt %d: got %s %v, want %s and the event [2] alone", i, k.id, k.events, calls[0].id)
			}
			if i > 0 && k.at.Sub(calls[i-1].at) > 10*time.Minute {
				t.Errorf("attempt %d: got it %v after the one before, want 10 minutes at most", i, k.at.Sub(calls[i-1].at))
			}
		}
		if got := calls[last+1]; got.id == calls[0].id || fmt.Sprint(got.events) != "[3 4]" {
			t.Errorf("after that: got %s %v, want another ID with [3 4]", got.id, got.events)
		}
		if r := w.reader(s, perch.WebhookReader, "a"); r.State != perch.ReaderActive || r.Failures != 0 || r.Since != 0 || r.Next != 0 {
			t.Errorf("got %+v, want no failure", r)
		}
	}, withReceiver(c))
}

// TestReaderAsksForTime: Retry-After is obeyed, up to an hour.
func TestReaderAsksForTime(t *testing.T) {
	for asked, want := range map[time.Duration]time.Duration{30 * time.Minute: 30 * time.Minute, 5 * time.Hour: time.Hour} {
		c := &receiver{}
		inWorld(t, func(w *world) {
			s := w.open()
			w.putReader(s, hook("a"))
			c.answers(func(sessions.Delivery) sessions.Outcome {
				return sessions.Outcome{Status: 503, Err: errors.New("busy"), RetryAfter: asked}
			})
			w.say(s, 1)
			pass(want - time.Second)
			if got := len(c.next()); got != 1 {
				t.Errorf("asked for %v: got %d attempts before, want 1", asked, got)
			}
			pass(2 * time.Second)
			if got := len(c.next()); got != 1 {
				t.Errorf("asked for %v: got %d attempts after %v, want 1 more", asked, got, want)
			}
		}, withReceiver(c))
	}
}

// TestReaderIsGivenUp: a reader that nothing arrives at is disabled, visibly and for a reason, and works again
// once it is put anew, from where it was.
func TestReaderIsGivenUp(t *testing.T) {
	for why, tt := range map[string]struct {
		out      sessions.Outcome
		attempts int // 0: as many as there are in a day
		after    time.Duration
	}{
		perch.ReaderGone:    {sessions.Outcome{Status: 410, Err: errors.New("gone"), Gone: true}, 1, time.Second},
		perch.ReaderPolicy:  {sessions.Outcome{Err: errors.New("the address is not public"), Refused: true}, 3, time.Minute},
		perch.ReaderFailing: {sessions.Outcome{Status: 500, Err: errors.New("broken")}, 0, 25 * time.Hour},
	} {
		t.Run(why, func(t *testing.T) {
			c := &receiver{}
			inWorld(t, func(w *world) {
				s := w.open()
				w.putReader(s, hook("a"))
				stream := w.attach(s, sessions.SubscribeOptions{Types: []string{"webhook.*"}})
				c.answers(func(sessions.Delivery) sessions.Outcome { return tt.out })
				w.say(s, 1)
				pass(tt.after - 2*time.Hour*time.Duration(tt.after/(25*time.Hour)))
				if r := w.reader(s, perch.WebhookReader, "a"); tt.attempts == 0 && r.State != perch.ReaderRetrying {
					t.Errorf("after 23 hours: got %s, want %s", r.State, perch.ReaderRetrying)
				}
				pass(2 * time.Hour)
				r := w.reader(s, perch.WebhookReader, "a")
				if r.State != perch.ReaderDisabled || r.Why != why {
					t.Errorf("got %s, why %q, want %s, %q", r.State, r.Why, perch.ReaderDisabled, why)
				}
				if n := len(c.next()); tt.attempts != 0 && n != tt.attempts {
					t.Errorf("got %d attempts, want %d", n, tt.attempts)
				}
				var end perch.ReaderEnd
				stream.wantTypes(perch.EventWebhookDisabled)[0].into(t, &end)
				if end != (perch.ReaderEnd{ID: "a", Reason: why}) {
					t.Errorf("got the event %+v, want of a for %s", end, why)
				}
				w.say(s, 1)
				pass(25 * time.Hour)
				if n := len(c.next()); n != 0 {
					t.Errorf("got %d attempts at a reader that is disabled, want none", n)
				}
				c.answers(nil)
				if r := w.putReader(s, hook("a")); r.State != perch.ReaderActive {
					t.Errorf("put anew: got %s, want %s", r.State, perch.ReaderActive)
				}
				if got := offsets(c.next()); got != "[2 4]" && got != "[]"+sessions.ResetExpired {
					t.Errorf("put anew: got %s, want what it has missed", got)
				}
			}, withReceiver(c))
		})
	}
}

// TestRefusalsInARow: an address that may be dialled now and then is not given up for that.
func TestRefusalsInARow(t *testing.T) {
	c := &receiver{}
	inWorld(t, func(w *world) {
		s := w.open()
		w.putReader(s, hook("a"))
		n := 0
		c.answers(func(sessions.Delivery) sessions.Outcome {
			n++
			return sessions.Outcome{Err: errors.New("refused"), Refused: n%3 != 0}
		})
		w.say(s, 1)
		pass(time.Hour)
		if r := w.reader(s, perch.WebhookReader, "a"); r.State != perch.ReaderRetrying {
			t.Errorf("got %s, why %q, want %s", r.State, r.Why, perch.ReaderRetrying)
		}
	}, withReceiver(c))
}

// TestPushThatIsGone: a subscription that a browser has ended is removed, without an event.
func TestPushThatIsGone(t *testing.T) {
	c := &receiver{}
	inWorld(t, func(w *world) {
		s := w.open()
		n := hook("a")
		n.Kind, n.Spec.Types = perch.PushReader, nil
		w.putReader(s, n)
		c.answers(func(sessions.Delivery) sessions.Outcome {
			return sessions.Outcome{Status: 410, Err: errors.New("gone"), Gone: true}
		})
		tip := w.say(s, 1)
		synctest.Wait()
		list, err := w.m.Readers(w.ctx(), access(s), perch.PushReader)
		if err != nil || len(list) != 0 {
			t.Errorf("Readers: got %v, error %v, want none", list, err)
		}
		if evs := w.durable(s); !strings.HasSuffix(evs[len(evs)-1].ID, fmt.Sprint("-", tip)) {
			t.Errorf("got the event %s, want none about it", evs[len(evs)-1].Type)
		}
	}, withReceiver(c))
}

// TestPartsAreBounded: at most 100 events and 256 KiB at once; a larger event comes alone.
func TestPartsAreBounded(t *testing.T) {
	c := &receiver{}
	inWorld(t, func(w *world) {
		s := w.open()
		w.putReader(s, hook("a"))
		release := c.hold()
		w.say(s, 1) // it is under way while the others come
		w.say(s, 230)
		release()
		var sizes []int
		for _, k := range c.next() {
			sizes = append(sizes, len(k.events))
		}
		if fmt.Sprint(sizes) != "[1 100 100 30]" {
			t.Errorf("got parts of %v events, want 1, 100, 100 and 30", sizes)
		}
		release = c.hold()
		w.sayBody("first")
		for _, size := range []int{200 << 10, 50 << 10, 20 << 10, 300 << 10, 10, 10} {
			w.sayBody(strings.Repeat("x", size))
		}
		release()
		sizes = nil
		for _, k := range c.next() {
			sizes = append(sizes, len(k.events))
		}
		if fmt.Sprint(sizes) != "[1 2 1 1 2]" {
			t.Errorf("got parts of %v events, want those before and after 256 KiB", sizes)
		}
	}, withReceiver(c))
}

// TestReaderTimesOut: an attempt without an answer ends after 10 seconds, and has failed.
func TestReaderTimesOut(t *testing.T) {
	c := &receiver{}
	inWorld(t, func(w *world) {
		s := w.open()
		w.putReader(s, hook("a"))
		release := c.hold()
		defer release()
		w.say(s, 1)
		pass(10*time.Second - time.Millisecond)
		if calls := c.seen(); len(calls) != 1 || calls[0].lost {
			t.Errorf("before 10 s: got %+v, want one attempt that waits", calls)
		}
		pass(time.Millisecond)
		if r := w.reader(s, perch.WebhookReader, "a"); r.Failures != 1 || r.Last.Error != "no answer in time" {
			t.Errorf("got %+v, want one failure", r)
		}
	}, withReceiver(c))
}

// TestReaderPanic: a fault in a sender fails the delivery, and nothing else.
func TestReaderPanic(t *testing.T) {
	c := &receiver{}
	inWorld(t, func(w *world) {
		s := w.open()
		w.putReader(s, hook("a"))
		c.answers(func(sessions.Delivery) sessions.Outcome { panic("a fault") })
		w.say(s, 1)
		if r := w.reader(s, perch.WebhookReader, "a"); r.Failures != 1 {
			t.Errorf("got %+v, want one failure", r)
		}
		c.answers(nil)
		pass(time.Minute)
		if calls := c.next(); len(calls) < 2 || calls[len(calls)-1].id != calls[0].id {
			t.Errorf("got %+v, want the same delivery again", calls)
		}
	}, withReceiver(c))
}

// TestReadersAreCounted: each attempt by its kind and what became of it.
func TestReadersAreCounted(t *testing.T) {
	c, seen := &receiver{}, &tally{}
	inWorld(t, func(w *world) {
		s := w.open()
		w.putReader(s, hook("a"))
		w.say(s, 1)
		outs := []sessions.Outcome{{Status: 500, Err: errors.New("x")}, {Err: errors.New("x"), Refused: true}, {Status: 410, Err: errors.New("x"), Gone: true}}
		c.answers(func(sessions.Delivery) sessions.Outcome {
			out := outs[0]
			outs = outs[1:]
			return out
		})
		w.say(s, 1)
		pass(time.Minute)
		for _, want := range sessions.DeliveryResults {
			if got := seen.get("delivered webhook " + want); got != 1 {
				t.Errorf("%s: got %d, want 1", want, got)
			}
		}
	}, withReceiver(c), func(o *sessions.Options) { o.Observer = seen })
}

// TestStoreThatIsAway: without the Store nothing is begun, and with it everything goes on.
func TestStoreThatIsAway(t *testing.T) {
	c := &receiver{}
	inWorld(t, func(w *world) {
		s := w.open()
		w.putReader(s, hook("a"))
		w.store.set(func(s *store) { s.held = true })
		w.deliver(&perch.MessageIn{Message: perch.Message{ID: "x", From: bob, Body: "held"}})
		pass(time.Minute)
		if calls := c.next(); len(calls) != 0 {
			t.Errorf("got %+v of what is not committed, want nothing", calls)
		}
		w.store.set(func(s *store) { s.held = false })
		pass(time.Minute)
		if got := offsets(c.next()); got != "[2]" {
			t.Errorf("got %s, want [2]", got)
		}
		w.store.set(func(s *store) { s.logDown = errDown })
		w.sayBody("more")
		pass(time.Minute)
		if calls := c.next(); len(calls) != 0 {
			t.Errorf("got %+v of a log that cannot be read, want nothing", calls)
		}
		w.store.set(func(s *store) { s.logDown = nil })
		pass(10 * time.Second)
		if got := offsets(c.next()); got != "[3]" {
			t.Errorf("got %s, want [3]", got)
		}
	}, withReceiver(c))
}
