package cluster_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch/internal/testkit"
)

// reader is alice's front end: one socket through nginx at a time, which reconnects with
// its cursor whenever it ends.
type reader struct {
	t      *testing.T
	k      *world
	stream *testkit.Stream
	cursor string
	ids    []string
	bodies []string
	gap    time.Duration // the longest time between a message that bob sent and its arrival
}

// attach opens the next socket.
func (c *reader) attach() {
	c.t.Helper()
	testkit.Eventually(c.t, comeBack, func() (err error) {
		c.stream, err = c.k.alice.TryStream(c.t, c.cursor)
		return err
	})
}

// next takes a frame, from the next socket when this one has ended.
func (c *reader) next() (testkit.Frame, bool) {
	f, ok := c.stream.Next(50 * time.Millisecond)
	switch {
	case ok:
	case c.stream.Ended():
		if code := c.stream.Closed(c.t); code < 4200 || code > 4299 {
			c.t.Errorf("a socket was closed with %d, want at least 4200 and at most 4299", code)
		}
		c.attach()
		return f, false
	default:
		return f, false
	}
	if f.Type == "hello" && c.cursor != "" && !f.Data.Bool("resumed") {
		c.t.Errorf("not resumed: %s, want resumed true", f.Raw)
	}
	if f.Type == "hello" && c.cursor == "" {
		c.cursor = f.Data.Str("tip") // a socket may end before an event with an id has come
	}
	if f.ID != "" {
		c.cursor = f.ID
		c.ids = append(c.ids, f.ID)
	}
	if f.Type == "message.received" {
		c.bodies = append(c.bodies, f.Data.Str("body"))
	}
	return f, true
}

// read reads until a message has come, and notes how long that took.
func (c *reader) read(body string) {
	c.t.Helper()
	begun := time.Now()
	for time.Since(begun) < comeBack {
		if f, ok := c.next(); ok && received(body)(f) {
			c.gap = max(c.gap, time.Since(begun))
			return
		}
	}
	c.t.Fatalf("want %s, got %q alone", body, c.bodies)
}

// readWhile sends messages from bob, and reads them, as long as on reports true.
func (c *reader) readWhile(on func() bool) {
	c.t.Helper()
	for on() {
		c.read(c.k.say(c.t))
	}
}

// whole checks that every message came once and in order, and that the ids have no hole and
// no repetition.
func (c *reader) whole() {
	c.t.Helper()
	var want []string
	for i := range c.k.said {
		want = append(want, fmt.Sprint("message ", i+1))
	}
	if !slices.Equal(c.bodies, want) {
		c.t.Errorf("received %q\nbob sent %q, want them equal", c.bodies, want)
	}
	for i := 1; i < len(c.ids); i++ {
		e, offset, _ := strings.Cut(c.ids[i-1], "-")
		var n int
		_, _ = fmt.Sscan(offset, &n)
		if c.ids[i] != fmt.Sprintf("%s-%d", e, n+1) {
			c.t.Errorf("event %s follows %s, want %v", c.ids[i], c.ids[i-1], fmt.Sprintf("%s-%d", e, n+1))
		}
	}
}
