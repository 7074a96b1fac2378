package sessions_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/sessions"
)

// errLater is what the Store says of a session that a later version has written.
var errLater = &perch.Error{Kind: perch.KindStorageUnavailable, RetryAfter: time.Second, Detail: "a later version has it",
	Err: &sessions.LaterVersionError{Key: "perch:{x}:roster", Record: "contact", Stored: 2, Reads: []int{0, 1}}}

// TestSessionOfALaterVersion: a node that cannot read a session leaves it to one that can, in the
// requests of its client too, and says so in one line a minute.
func TestSessionOfALaterVersion(t *testing.T) {
	var log bytes.Buffer
	inCluster(t, 2, func(c *cluster) {
		a, b := c.nodes[0], c.nodes[1]
		s := c.authenticate(b)
		b.Drain()
		s.HandOver()
		pass(time.Second)
		b.Resume()
		pass(2 * time.Second) // a knows that b takes sessions again
		a.store.set(func(s *store) { s.later = errLater })
		if _, err := a.Authenticate(c.ctx(), goodToken); !errors.Is(err, errLater) {
			t.Errorf("Authenticate at a: got error %v, want %v", err, errLater)
		}
		c.wantElsewhere(a, goodToken, b) // which is to open it
		c.authenticate(b)
		c.wantElsewhere(a, goodToken, b)
		for range 3 {
			pass(20 * time.Second)
		}
		if n := strings.Count(log.String(), "session is of a later version"); n != 1 || !strings.Contains(log.String(), "record=contact version=2") {
			t.Errorf("got the log %s, want one line about contacts of version 2", log.String())
		}
		if a.Len() != 0 || b.Len() != 1 {
			t.Errorf("got %d sessions at a and %d at b, want it at b", a.Len(), b.Len())
		}
	}, func(o *sessions.Options) { o.Logger = canary.Logger(slog.NewTextHandler(&log, nil)) })
}

// TestSessionOfALaterVersionIsAdopted by the node that can read it, whoever was asked first; the other
// does not look for it over and over.
func TestSessionOfALaterVersionIsAdopted(t *testing.T) {
	inCluster(t, 3, func(c *cluster) {
		a, b, d := c.nodes[0], c.nodes[1], c.nodes[2]
		s := c.authenticate(b)
		a.store.set(func(s *store) { s.later = errLater })
		pass(2 * time.Second)
		b.Drain()
		s.HandOver()
		pass(3 * time.Second)
		if a.Len() != 0 || d.Len() != 1 {
			t.Fatalf("got %d sessions at a and %d at d, want it at d", a.Len(), d.Len())
		}
		pass(5 * lease)
		a.tally.want(t, map[string]int{"owner taken": 0, "owner failed": 0})
	}, sealing(1))
}

// TestLaterVersionInWords: an operator reads what stands where, and what this program reads.
func TestLaterVersionInWords(t *testing.T) {
	e := &sessions.LaterVersionError{Key: "perch:format", Record: "room", Stored: 3, Reads: []int{1, 2}, By: "1.4.0"}
	if got, want := e.Error(), "perch:format: version 3 of room (perch 1.4.0), and this program reads [1 2]"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
