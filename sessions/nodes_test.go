package sessions_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/cache"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/fakexmpp"
	"github.com/perch-im/perch/sessions"
)

const lease = 15 * time.Second

// node is one process among several over one Store, with its own way to it.
type node struct {
	*sessions.Manager
	id    sessions.NodeID
	store *store
	tally *tally
}

// cluster is a world with nodes in it instead of one manager.
type cluster struct {
	*world
	nodes []*node
	runs  int
}

// inCluster runs a test with nodes a, b, ... that have joined.
func inCluster(t *testing.T, n int, f func(c *cluster), change ...func(*sessions.Options)) {
	t.Helper()
	inWorld(t, func(w *world) {
		w.up.set(func(u *upstream) { u.resume = true })
		c := &cluster{world: w}
		for i := range n {
			c.join(string(rune('a' + i)))
		}
		defer func() {
			for _, x := range c.nodes {
				c.stop(x)
			}
		}()
		f(c)
	}, append([]func(*sessions.Options){durable}, change...)...)
}

// join starts a process under a name.
func (c *cluster) join(name string) *node {
	c.t.Helper()
	c.runs++
	x := &node{id: sessions.NodeID(fmt.Sprintf("%s/%d", name, c.runs)), store: &store{Store: c.store.Store, durable: true}, tally: &tally{}}
	o := c.opts
	o.Store, o.Observer = x.store, x.tally
	m, err := sessions.NewManager(o)
	must(c.t, "sessions.NewManager", err)
	must(c.t, "Join", m.Join(c.ctx(), sessions.Node{ID: x.id, URL: "http://" + name + ".test"}, lease))
	x.Manager = m
	c.nodes = append(c.nodes, x)
	return x
}

// stop ends a node as at SIGTERM.
func (c *cluster) stop(x *node) {
	c.t.Helper()
	x.store.set(func(s *store) { s.down, s.held = nil, false })
	ctx, cancel := timeout(time.Minute)
	defer cancel()
	if err := x.Close(ctx); err != nil {
		c.t.Errorf("Close of %s: got error %v, want none", x.id, err)
	}
}

// cutOff takes the Store away from a node, or gives it back.
func (x *node) cutOff(err error) {
	x.store.set(func(s *store) { s.down = err })
}

func (c *cluster) authenticate(x *node) *sessions.Session {
	c.t.Helper()
	s, err := x.Authenticate(c.ctx(), goodToken)
	if err != nil {
		c.t.Fatalf("Authenticate at %s: got error %v, want none", x.id, err)
	}
	synctest.Wait()
	return s
}

func (c *cluster) wantElsewhere(x *node, token perch.Secret, at *node) {
	c.t.Helper()
	_, err := x.Authenticate(c.ctx(), token)
	e, ok := errors.AsType[*sessions.NotOwnerError](err)
	if !ok || e.Node.ID != at.id || e.Node.URL != at.Self().URL || perch.KindOf(err) != perch.KindSessionOffline {
		c.t.Errorf("Authenticate at %s: got error %v, want node %s", x.id, err, at.id)
	}
}

// Any node finds out who has a session; no other node signs in.
func TestOneNodeOwnsASession(t *testing.T) {
	inCluster(t, 2, func(c *cluster) {
		a, b := c.nodes[0], c.nodes[1]
		token, s, _, err := a.SignIn(c.ctx(), password("good"))
		must(t, "SignIn", err)
		c.authenticate(a)
		synctest.Wait()
		for range 2 { // the second time it is remembered
			c.wantElsewhere(b, goodToken, a)
			c.wantElsewhere(b, token, a)
		}
		if _, _, _, err := b.SignIn(c.ctx(), password("good")); !errors.As(err, new(*sessions.NotOwnerError)) {
			t.Errorf("SignIn at another node: got error %v, want the owner", err)
		}
		if _, err := b.Owned(c.ctx(), s.ID()); !errors.As(err, new(*sessions.NotOwnerError)) {
			t.Errorf("Owned at another node: got error %v, want the owner", err)
		}
		if got, err := a.Owned(c.ctx(), s.ID()); err != nil || got != s {
			t.Errorf("Owned at the owner: got session %p, error %v, want %p", got, err, s)
		}
		synctest.Wait()
		if n := c.up.logins(); n != 2 || b.Len() != 0 {
			t.Errorf("got %d logins, %d sessions at b, want 2, none", n, b.Len())
		}
		if n, _ := b.Nodes(); n != 2 {
			t.Errorf("Nodes: got %d from b, want 2", n)
		}
	})
}

// A node that stops hands its sessions over: another one resumes their streams, at once
// when the credential is stored, with the client's next request when not.
func TestDrainHandsOver(t *testing.T) {
	for _, stored := range []bool{true, false} {
		var change []func(*sessions.Options)
		if stored {
			change = append(change, sealing(1))
		}
		inCluster(t, 2, func(c *cluster) {
			a, b := c.nodes[0], c.nodes[1]
			s := c.authenticate(a)
			client := c.attach(s, sessions.SubscribeOptions{})
			pass(2 * time.Second)
			a.Drain()
			c.wantElsewhere(b, goodToken, a) // as long as it is there
			b.LookAgain(t.Context(), goodToken)
			if !s.HandOver() {
				t.Fatal("HandOver: got false, want true")
			}
			synctest.Wait()
			if _, err := client.sub.Take(); !errors.Is(err, sessions.ErrMoved) {
				t.Errorf("Take after the hand-off: got error %v, want %v", err, sessions.ErrMoved)
			}
			if c.conn().Closed() || c.conn().Err() == nil {
				t.Errorf("the stream handed over: got closed %v, error %v; want it dropped and not closed", c.conn().Closed(), c.conn().Err())
			}
			pass(2 * time.Second)
			if !stored {
				if b.Len() != 0 {
					t.Errorf("got %d sessions at b without a credential, want none", b.Len())
				}
				c.authenticate(b)
			}
			if d := c.up.Dials(); len(d) != 2 || d[1].Resume == nil {
				t.Fatalf("got %d logins, want 2, the second resumed", len(d))
			}
			c.wantElsewhere(a, goodToken, b) // a node that stops knows where
			b.tally.want(t, map[string]int{"owner taken": 1, "owner adopted": 0})
			a.tally.want(t, map[string]int{"owner taken": 1, "owner released": 1, "owner fenced": 0})
		}, change...)
	}
}

// The sessions of a dead node are taken over when its lease has expired, and it gives them up
// when it continues: every fence has one owner.
func TestTakeoverFromDeadNode(t *testing.T) {
	inCluster(t, 2, func(c *cluster) {
		a, b := c.nodes[0], c.nodes[1]
		s := c.authenticate(a)
		pass(2 * lease) // a node younger than a lease takes none for dead
		a.cutOff(errDown)
		pass(lease - 2*time.Second)
		c.wantElsewhere(b, goodToken, a)
		pass(5 * time.Second)
		if b.Len() != 1 || c.up.logins() != 2 || c.up.Dials()[1].Resume == nil {
			t.Fatalf("got %d sessions at b, %d logins, want 1, 2, the second resumed", b.Len(), c.up.logins())
		}
		b.tally.want(t, map[string]int{"owner adopted": 1})

		a.cutOff(nil)
		pass(2 * time.Second)
		if a.Len() != 0 || s.Info().State == perch.StateOnline {
			t.Errorf("the old owner: got %d sessions, state %s, want none, not online", a.Len(), s.Info().State)
		}
		a.tally.want(t, map[string]int{"owner fenced": 1})
		a.LookAgain(t.Context(), goodToken)
		c.wantElsewhere(a, goodToken, b)
		pass(time.Minute)
		if n := c.up.logins(); n != 2 {
			t.Errorf("got %d logins, want 2: no stream is replaced", n)
		}
	}, sealing(1))
}

// A process that was stopped for longer than its lease, between the commit of a message and its
// writing, does not write it: the new owner does.
func TestStoppedProcessWritesNothing(t *testing.T) {
	inCluster(t, 2, func(c *cluster) {
		c.up.set(func(u *upstream) { // the message never left
			u.known = func() (map[string]uint64, bool) { return nil, false }
		})
		a, b := c.nodes[0], c.nodes[1]
		s := c.authenticate(a)
		pass(2 * lease)
		a.store.set(func(s *store) { s.stopped = true })
		accepted := make(chan error, 1)
		go func() {
			_, err := s.SendMessage(c.ctx(), hi("x"))
			accepted <- err
		}()
		pass(lease + 5*time.Second)
		if got := bodies(c.conn()); b.Len() != 1 || !slices.Equal(got, []string{"x"}) {
			t.Fatalf("the new owner: got %d sessions and %v sent, want 1 and [x]", b.Len(), got)
		}
		a.store.set(func(s *store) { s.stopped = false })
		if err := <-accepted; err != nil {
			t.Errorf("SendMessage, the message was committed: got error %v, want none", err)
		}
		pass(2 * time.Second)
		if got := bodies(c.firstConn()); len(got) > 0 || a.Len() != 0 {
			t.Errorf("the old owner: got %v sent and %d sessions, want nothing and none", got, a.Len())
		}
	}, sealing(1))
}

// A node that cannot renew its lease, while its commits are accepted, is still the owner: it asks
// the Store, writes, and does not ask without end.
func TestMessagesWithoutLeaseRenewal(t *testing.T) {
	inCluster(t, 1, func(c *cluster) {
		a := c.nodes[0]
		s := c.authenticate(a)
		a.store.set(func(s *store) { s.mute = true })
		pass(2 * lease)
		before := 0
		a.store.set(func(s *store) { before = s.commits })
		c.send(s, hi("x"))
		c.send(s, hi("y"))
		after := 0
		a.store.set(func(s *store) { after = s.commits })
		if got := bodies(c.conn()); !slices.Equal(got, []string{"x", "y"}) || after-before > 10 {
			t.Errorf("got %v sent with %d commits, want [x y] with at most 10", got, after-before)
		}
	}, sealing(1))
}

// A node that lost its lease and renewed it may die after all: what it had by then is
// taken over as well.
func TestNodeDiesTwice(t *testing.T) {
	inCluster(t, 2, func(c *cluster) {
		a, b := c.nodes[0], c.nodes[1]
		pass(2 * lease)
		a.cutOff(errDown)
		pass(lease + 5*time.Second)
		if n, _ := b.Nodes(); n != 1 {
			t.Fatalf("Nodes while a is silent: got %d from b, want 1", n)
		}
		a.cutOff(nil)
		pass(2 * time.Second)
		c.authenticate(a)
		pass(2 * lease)
		c.wantElsewhere(b, goodToken, a)
		a.cutOff(errDown)
		pass(lease + 5*time.Second)
		if b.Len() != 1 {
			t.Errorf("got %d sessions at b, want 1", b.Len())
		}
	}, sealing(1))
}

// Without stored credentials the client's next request takes the session over, and until the
// lease has expired it is asked to wait.
func TestDeadNodeWithoutCredentials(t *testing.T) {
	inCluster(t, 2, func(c *cluster) {
		a, b := c.nodes[0], c.nodes[1]
		c.authenticate(a)
		pass(2 * lease)
		a.cutOff(errDown)
		pass(lease + 5*time.Second)
		if b.Len() != 0 {
			t.Errorf("got %d sessions at b without a credential, want none", b.Len())
		}
		if b.authenticated(c) != 2 {
			t.Errorf("got %d logins, want 2", c.up.logins())
		}
		if _, err := b.Owned(c.ctx(), c.authenticate(b).ID()); err != nil {
			t.Errorf("Owned: got error %v, want none", err)
		}
	})
}

func (x *node) authenticated(c *cluster) int {
	c.t.Helper()
	c.authenticate(x)
	return c.up.logins()
}

// After an outage of the Store the leases of all nodes have expired, and none is dead.
func TestStoreOutageDeclaresNoNodeDead(t *testing.T) {
	inCluster(t, 2, func(c *cluster) {
		a, b := c.nodes[0], c.nodes[1]
		s := c.authenticate(a)
		pass(2 * lease)
		a.cutOff(errDown)
		b.cutOff(errDown)
		pass(time.Minute)
		b.cutOff(nil)
		pass(3 * time.Second)
		c.wantElsewhere(b, goodToken, a)
		a.cutOff(nil)
		pass(2 * lease)
		if b.Len() != 0 || c.up.logins() != 1 || s.Info().State != perch.StateOnline {
			t.Errorf("got %d sessions at b, %d logins, state %s at a; want none, 1, online", b.Len(), c.up.logins(), s.Info().State)
		}
		c.deliver(text("1", "still here"))
		if evs := c.durable(s); len(evs) != 2 {
			t.Errorf("got the log %v, want 2 events", types(evs))
		}
	}, sealing(1))
}

// A process that is started again under its name takes over at once: the one before is dead.
func TestSameNameReplaces(t *testing.T) {
	inCluster(t, 1, func(c *cluster) {
		a := c.nodes[0]
		c.authenticate(a)
		next := c.join("a")
		must(t, "Restore", next.Restore(c.ctx()))
		synctest.Wait()
		if next.Len() != 1 || c.up.logins() != 2 || c.up.Dials()[1].Resume == nil {
			t.Errorf("got %d sessions, %d logins, want 1, 2, the second resumed", next.Len(), c.up.logins())
		}
		pass(2 * time.Second)
		select {
		case <-a.Replaced():
		default:
			t.Error("Replaced of the first process: got nothing, want it closed")
		}
		if a.Len() != 0 {
			t.Errorf("got %d sessions at the first process, want none", a.Len())
		}
		kindOf(t, a.Ready(c.ctx()), perch.KindDraining)
	}, sealing(1))
}

// Restore leaves alone what another node has, and what one that may be alive has; when the
// latter is known to be dead, it is taken over after all.
func TestRestoreAmongOthers(t *testing.T) {
	inCluster(t, 1, func(c *cluster) {
		a := c.nodes[0]
		c.authenticate(a)
		pass(lease)
		a.cutOff(errDown) // killed, for other nodes
		b := c.join("b")
		if err := b.Restore(c.ctx()); err != nil || b.Len() != 0 {
			t.Errorf("Restore: got error %v, %d sessions, want none of both", err, b.Len())
		}
		pass(lease - 2*time.Second)
		if b.Len() != 0 {
			t.Errorf("before the lease has expired: got %d sessions at b, want none", b.Len())
		}
		pass(5 * time.Second)
		if b.Len() != 1 {
			t.Errorf("after the lease has expired: got %d sessions at b, want 1", b.Len())
		}
	}, sealing(1))
}

// A Store that was emptied knows no token; that is no reason to refuse one.
func TestFlushedStoreRefusesNoToken(t *testing.T) {
	inCluster(t, 2, func(c *cluster) {
		a, b := c.nodes[0], c.nodes[1]
		token, s, _, err := a.SignIn(c.ctx(), password("good"))
		must(t, "SignIn", err)
		pass(2500 * time.Millisecond)
		empty := cache.NewMemory(cache.MemoryOptions{})
		for _, x := range c.nodes {
			x.store.mu.Lock()
			x.store.Store = empty
			x.store.mu.Unlock()
		}
		_, err = b.Authenticate(c.ctx(), token)
		kindOf(t, err, perch.KindStorageUnavailable)
		_, err = b.Authenticate(c.ctx(), goodToken)
		kindOf(t, err, perch.KindStorageUnavailable)
		pass(2 * time.Second)
		if got, err := a.Authenticate(c.ctx(), token); err != nil || got != s {
			t.Errorf("Authenticate at the owner: got session %p, error %v, want %p", got, err, s)
		}
		c.wantElsewhere(b, token, a) // written again
		pass(lostForTest)
		_, err = b.Authenticate(c.ctx(), perch.NewSecret("perch_made-up"))
		kindOf(t, err, perch.KindUnauthorized)
	})
}

const lostForTest = 11 * time.Second

// What is accepted while a session is handed over is sent by the next owner, once.
func TestHandOverFlushesTheOutbox(t *testing.T) {
	inCluster(t, 2, func(c *cluster) {
		a, b := c.nodes[0], c.nodes[1]
		s := c.authenticate(a)
		var ids []string
		for i := range 3 {
			st, err := s.SendMessage(c.ctx(), hi(fmt.Sprint(i)))
			must(t, "SendMessage", err)
			ids = append(ids, st.ID)
		}
		a.Drain()
		pass(2 * time.Second)
		s.HandOver()
		_, err := s.SendMessage(c.ctx(), hi("too late"))
		if err == nil {
			t.Error("SendMessage at a node that hands the session over: got no error, want one")
		}
		pass(3 * time.Second)
		var wrote []string
		for _, m := range sent[*perch.MessageOut](c.firstConn()) {
			wrote = append(wrote, m.ID)
		}
		if !slices.Equal(wrote, ids) {
			t.Errorf("got messages %v sent, want %v", wrote, ids)
		}
		if b.Len() != 1 {
			t.Errorf("got %d sessions at the other node, want 1", b.Len())
		}
	}, sealing(1))
}

func (c *cluster) firstConn() *conn {
	c.up.mu.Lock()
	defer c.up.mu.Unlock()
	return c.up.conns[0]
}

// AwaitMessage returns when the server has the message, and with what is known when the
// caller's time ends.
func TestAwaitMessage(t *testing.T) {
	inWorld(t, func(w *world) {
		w.up.Edit(func(d *fakexmpp.Data) { d.Capabilities.StreamResume = true })
		s := w.open()
		st, err := s.SendMessage(w.ctx(), hi("x"))
		must(t, "SendMessage", err)
		short, cancel := timeout(time.Second)
		defer cancel()
		if r, err := s.AwaitMessage(short, st.ID); err != nil || r.Status != perch.StatusSent {
			t.Errorf("AwaitMessage when its time ends: got %+v, error %v, want sent", r, err)
		}
		got := make(chan *perch.MessageRecord, 2)
		for range 2 {
			go func() {
				r, err := s.AwaitMessage(context.Background(), st.ID)
				if err != nil {
					t.Errorf("AwaitMessage: got error %v, want none", err)
				}
				got <- r
			}()
		}
		synctest.Wait()
		w.deliver(&perch.AckIn{Through: 1000})
		for range 2 {
			if r := <-got; r.Status != perch.StatusAcked {
				t.Errorf("AwaitMessage: got %+v, want acked", r)
			}
		}
		if r, err := s.AwaitMessage(w.ctx(), st.ID); err != nil || r.Status != perch.StatusAcked {
			t.Errorf("AwaitMessage later: got %+v, error %v, want acked", r, err)
		}
		_, err = s.AwaitMessage(w.ctx(), "none")
		kindOf(t, err, perch.KindNotFound)
	})
}

// A process with another secret is refused before it does anything in the Store, with an error
// that names what to do; one with the same secret joins.
func TestOtherSecretIsRefused(t *testing.T) {
	inCluster(t, 1, func(c *cluster) {
		o := c.opts
		o.Secret = []byte(canary.Mark + "another-secret-0123456789")
		o.Store = &store{Store: c.store.Store, durable: true}
		m, err := sessions.NewManager(o)
		must(t, "sessions.NewManager", err)
		err = m.Join(c.ctx(), sessions.Node{ID: "a/9", URL: "http://a.test"}, lease)
		if kindOf(t, err, perch.KindValidation); err == nil || !strings.Contains(err.Error(), "PERCH_SECRET") || strings.Contains(err.Error(), canary.Mark) {
			t.Errorf("Join: got error %v, want one that names PERCH_SECRET", err)
		}
		pass(3 * time.Second)
		select {
		case <-c.nodes[0].Replaced():
			t.Error("Replaced: got it closed by a process that was refused, want it open")
		default:
		}
		if err := m.Close(c.ctx()); err != nil {
			t.Errorf("Close: got error %v, want none", err)
		}
		c.join("b")
	})
}
