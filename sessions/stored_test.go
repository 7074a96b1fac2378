package sessions_test

import (
	"errors"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// stored lists what a node takes for only stored.
func (c *cluster) stored(x *node, f sessions.Filter) []sessions.StoredSession {
	c.t.Helper()
	list, more, err := x.ListStored(c.ctx(), f, 10)
	if err != nil || more {
		c.t.Fatalf("ListStored at %s: got more %v, error %v, want neither", x.id, more, err)
	}
	return list
}

// TestStoredSessions: what no node has is listed by every node, and what a node has by none, also while
// that node is silent for less than a lease.
func TestStoredSessions(t *testing.T) {
	inCluster(t, 2, func(c *cluster) {
		a, b := c.nodes[0], c.nodes[1]
		s := c.authenticate(b)
		pass(2 * lease)
		if got := c.stored(a, sessions.Filter{}); len(got) != 0 {
			t.Fatalf("while b has it: got %v, want none", got)
		}
		b.cutOff(errDown)
		pass(lease - 5*time.Second)
		if got := c.stored(a, sessions.Filter{}); len(got) != 0 {
			t.Errorf("while b is silent: got %v, want none", got)
		}
		pass(20 * time.Second)
		got := c.stored(a, sessions.Filter{})
		if len(got) != 1 || got[0].ID != s.ID() || got[0].Owner != b.id || got[0].Upstream == "" || got[0].Tip == 0 {
			t.Fatalf("when b is dead: got %+v, want its session", got)
		}
		for name, tt := range map[string]struct {
			f    sessions.Filter
			want int
		}{
			"its account": {sessions.Filter{JID: got[0].JID.Bare()}, 1}, "another": {sessions.Filter{JID: "x@example.net"}, 0},
			"its upstream": {sessions.Filter{Upstream: got[0].Upstream}, 1}, "another upstream": {sessions.Filter{Upstream: "x"}, 0},
			"its id": {sessions.Filter{Prefix: got[0].ID[:8]}, 1}, "after it": {sessions.Filter{After: got[0].ID}, 0},
		} {
			if n := len(c.stored(a, tt.f)); n != tt.want {
				t.Errorf("%s: got %d, want %d", name, n, tt.want)
			}
		}
		if list, more, err := a.ListStored(c.ctx(), sessions.Filter{}, 0); len(list) != 0 || !more || err != nil {
			t.Errorf("a page of none: got %v, more %v, error %v, want more", list, more, err)
		}
		c.authenticate(a)
		if got := c.stored(a, sessions.Filter{}); len(got) != 0 {
			t.Errorf("opened at a: got %v, want none", got)
		}
	})
}

// TestStoredSessionIsSignedOut by a node that never had it: its tokens lead nowhere. One that a node has is
// left to that.
func TestStoredSessionIsSignedOut(t *testing.T) {
	inCluster(t, 3, func(c *cluster) {
		a, b := c.nodes[0], c.nodes[1]
		token, s, _, err := b.SignIn(c.ctx(), password("good"))
		must(t, "SignIn", err)
		if err := a.SignOutStored(c.ctx(), s.ID()); !errors.As(err, new(*sessions.NotOwnerError)) {
			t.Errorf("while b has it: got error %v, want where it is", err)
		}
		b.Drain()
		s.HandOver()
		pass(time.Second)
		if tokens, err := a.TokensOfStored(c.ctx(), s.ID()); err != nil || len(tokens) != 2 {
			t.Errorf("got the tokens %v, error %v, want that of the sign-in and the credential", tokens, err)
		}
		if _, err := a.FindStored(c.ctx(), "00000000"); perch.KindOf(err) != perch.KindNotFound {
			t.Errorf("FindStored of nothing: got error %v, want KindNotFound", err)
		}
		found, err := a.FindStored(c.ctx(), s.ID()[:8])
		must(t, "FindStored", err)
		must(t, "SignOutStored", a.SignOutStored(c.ctx(), found.ID))
		if got := c.stored(a, sessions.Filter{}); len(got) != 0 {
			t.Errorf("signed out: got %v, want none", got)
		}
		for _, x := range c.nodes {
			if x == b {
				continue // it drains
			}
			if _, err := x.Authenticate(c.ctx(), token); perch.KindOf(err) != perch.KindUnauthorized {
				t.Errorf("its token at %s: got error %v, want it unknown", x.id, err)
			}
		}
	})
}
