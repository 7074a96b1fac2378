package app_test

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/perch-im/perch/internal/testkit"
)

// ledger is what a client has seen over all its sockets. It takes the frames in order and
// leaves none out.
type ledger struct {
	stream *testkit.Stream
	frames []testkit.Frame
	ids    []string // of durable events
	bodies []string // of received messages
}

// open resumes from the client's cursor; a fresh ledger has none.
func (l *ledger) open(t *testing.T, g *testkit.Gateway) {
	t.Helper()
	l.stream = g.Stream(t, l.cursor())
	hello := l.until(t, "hello", func(f testkit.Frame) bool { return f.Type == "hello" })
	if want := len(l.ids) > 0; hello.Data.Bool("resumed") != want {
		t.Errorf("resumed should be %v: %s, want %v", want, hello.Raw, want)
	}
}

// until reads to the first frame that fits.
func (l *ledger) until(t *testing.T, what string, fits func(testkit.Frame) bool) testkit.Frame {
	t.Helper()
	for {
		f := l.stream.Expect(t, what, func(testkit.Frame) bool { return true })
		l.frames = append(l.frames, f)
		if f.ID != "" {
			l.ids = append(l.ids, f.ID)
		}
		if f.Type == "live" && len(l.ids) == 0 {
			l.ids = append(l.ids, f.Data.Str("tip")) // the cursor of a client that has seen no event
		}
		if f.Type == "message.received" {
			l.bodies = append(l.bodies, f.Data.Str("body"))
		}
		if fits(f) {
			return f
		}
	}
}

// all reads until each of the wanted frames has come, in whatever order.
func (l *ledger) all(t *testing.T, wanted map[string]func(testkit.Frame) bool) {
	t.Helper()
	for len(wanted) > 0 {
		l.until(t, fmt.Sprint(slices.Sorted(maps.Keys(wanted))), func(f testkit.Frame) bool {
			for what, fits := range wanted {
				if fits(f) {
					delete(wanted, what)
				}
			}
			return true
		})
	}
}

func (l *ledger) received(t *testing.T, body string) {
	t.Helper()
	l.until(t, "message "+body, message("message.received", body))
}

// cursor is the last durable event that was seen.
func (l *ledger) cursor() string {
	if len(l.ids) == 0 {
		return ""
	}
	return l.ids[len(l.ids)-1]
}

// about lists the frames of a type that are about an account.
func (l *ledger) about(jid string, types ...string) (list []string) {
	for _, f := range l.frames {
		if slices.Contains(types, f.Type) && f.Data.Str("jid") == jid {
			list = append(list, f.Raw)
		}
	}
	return list
}

// wantWhole checks that there is one log without a hole or a repetition, and exactly these
// messages in it.
func (l *ledger) wantWhole(t *testing.T, bodies []string) {
	t.Helper()
	var epoch string
	var last uint64
	for i, id := range l.ids {
		e, text, _ := strings.Cut(id, "-")
		offset, err := strconv.ParseUint(text, 10, 64)
		if err != nil || i > 0 && (e != epoch || offset != last+1) {
			t.Errorf("event %s follows %s-%d: %v, want the next one of its epoch", id, epoch, last, err)
		}
		epoch, last = e, offset
	}
	if !slices.Equal(l.bodies, bodies) {
		t.Errorf("received %q\nbob sent %q, want them equal", l.bodies, bodies)
	}
}
