package storetest

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

var logCases = []Case{
	{"log pages and bounds", pages},
	{"events are read as they were written", eventsKept},
	{"retention by count", byCount},
	{"retention by bytes", byBytes},
	{"retention by age", byAge},
}

func pages(t testing.TB, h Harness) {
	o := open(t, h.Store, "a1")
	o.bounds(1, 0)
	o.append(7)
	o.append(3)
	for _, c := range []struct {
		after uint64
		limit int
		want  []uint64
	}{
		{0, 3, []uint64{1, 2, 3}}, {3, 3, []uint64{4, 5, 6}}, {6, 100, []uint64{7, 8, 9, 10}},
		{9, 5, []uint64{10}}, {10, 5, nil}, {11, 5, nil}, {math.MaxUint64, 5, nil}, {0, 0, nil}, {5, -1, nil},
	} {
		p := o.page(c.after, c.limit)
		same(t, "page", offsets(p.Events), c.want)
		if p.First != 1 || p.Tip != 10 {
			t.Errorf("after %d: the log goes from %d to %d, want 1 and 10", c.after, p.First, p.Tip)
		}
	}
}

func eventsKept(t testing.TB, h Harness) {
	o := open(t, h.Store, "a1")
	want := []*perch.Event{
		o.event(1, "plain"),
		o.event(2, "\x00 \u2028 \U0001F426 \"quoted\" \r\n"),
		o.event(3, strings.Repeat("long ", 2000)),
		perch.NewEvent(perch.Position{Epoch: o.Epoch, Offset: 4}, perch.EventSessionState, 0, perch.StateChange{State: perch.StateOnline}),
	}
	o.ok(&sessions.Commit{Events: want})
	same(t, "events", o.page(0, 10).Events, want)
}

func byCount(t testing.TB, h Harness) {
	o := open(t, h.Store, "a1")
	o.append(Keep.Events)
	o.bounds(1, 50)
	o.append(1)
	o.bounds(2, 51)
	o.append(Keep.Events + 20) // more at once than may stay
	o.bounds(72, 121)
	same(t, "a page after a lost offset", offsets(o.page(3, 2).Events), []uint64{72, 73})
	if s := o.openAgain(); s.Tip != 121 {
		t.Errorf("tip %d, want 121", s.Tip)
	}
	o.append(1)
	o.bounds(73, 122)
}

func byBytes(t testing.TB, h Harness) {
	o := open(t, h.Store, "a1")
	big := func(n int) { // events of about a quarter of what may stay
		for range n {
			o.ok(&sessions.Commit{Events: []*perch.Event{o.event(o.tip+1, strings.Repeat("x", Keep.Bytes/4-400))}})
		}
	}
	o.append(2)
	big(3)
	o.bounds(1, 5)
	big(2)
	o.bounds(4, 7)
	o.ok(&sessions.Commit{Events: []*perch.Event{o.event(8, strings.Repeat("x", Keep.Bytes))}})
	o.bounds(9, 8) // it is too large for the log, but it was there
	o.append(2)
	o.bounds(9, 10)
	big(5)
	o.bounds(12, 15)
}

func byAge(t testing.TB, h Harness) {
	o := open(t, h.Store, "a1")
	o.append(3)
	h.Advance(Keep.Age / 2)
	o.append(2)
	h.Advance(Keep.Age/2 - time.Minute)
	o.bounds(1, 5)
	h.Advance(2 * time.Minute)
	o.bounds(4, 5)
	h.Advance(Keep.Age)
	o.bounds(6, 5)
	if s := o.openAgain(); s.Tip != 5 {
		t.Errorf("tip %d after all events have gone, want 5", s.Tip)
	}
	o.append(2)
	o.bounds(6, 7)
	h.Advance(Keep.Age / 2)
	o.append(Keep.Events - 1) // count and age together
	o.bounds(7, 56)
	h.Advance(Keep.Age/2 + time.Minute)
	o.append(1)
	o.bounds(8, 57)
}
