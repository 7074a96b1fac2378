package sessions_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/cache"
	"github.com/perch-im/perch/internal/fakexmpp"
	"github.com/perch-im/perch/sessions"
)

// The tests of this file measure how long a session waits for what does not come. The times are
// written out, never taken from the constants of the code.

// silentStore is a store of which some methods have no answer: they wait as long as they may.
type silentStore struct {
	sessions.Store
	mu     sync.Mutex
	silent string      // the method
	calls  []time.Time // of the method that is watched
	watch  string
}

func (l *silentStore) set(silent, watch string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.silent, l.watch, l.calls = silent, watch, nil
}

// called notes a call, and waits for the end of ctx when the method is silent.
func (l *silentStore) called(ctx context.Context, method string) error {
	l.mu.Lock()
	if l.watch == method {
		l.calls = append(l.calls, time.Now())
	}
	silent := l.silent == method
	l.mu.Unlock()
	if !silent {
		return nil
	}
	<-ctx.Done()
	return perch.Wrap(perch.KindStorageUnavailable, ctx.Err(), "no answer")
}

// times are when the watched method was called.
func (l *silentStore) times() []time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]time.Time{}, l.calls...)
}

func (l *silentStore) Forget(ctx context.Context, id sessions.ID) error {
	if err := l.called(ctx, "Forget"); err != nil {
		return err
	}
	return l.Store.Forget(ctx, id)
}

func (l *silentStore) Reserve(ctx context.Context, key string, q sessions.Quota) (sessions.Allowance, error) {
	if err := l.called(ctx, "Reserve"); err != nil {
		return sessions.Allowance{}, err
	}
	return l.Store.Reserve(ctx, key, q)
}

func (l *silentStore) Refund(ctx context.Context, key string, q sessions.Quota) error {
	if err := l.called(ctx, "Refund"); err != nil {
		return err
	}
	return l.Store.Refund(ctx, key, q)
}

func (l *silentStore) Beat(ctx context.Context, self sessions.Node) (sessions.Membership, error) {
	if err := l.called(ctx, "Beat"); err != nil {
		return sessions.Membership{}, err
	}
	return l.Store.Beat(ctx, self)
}

func (l *silentStore) Leave(ctx context.Context, id sessions.NodeID) error {
	if err := l.called(ctx, "Leave"); err != nil {
		return err
	}
	return l.Store.Leave(ctx, id)
}

func (l *silentStore) Agree(ctx context.Context, name, value string, instead ...string) (string, error) {
	if err := l.called(ctx, "Agree"); err != nil {
		return "", err
	}
	return l.Store.Agree(ctx, name, value, instead...)
}

func (l *silentStore) Message(ctx context.Context, id sessions.ID, msg string) (*perch.MessageRecord, error) {
	if err := l.called(ctx, "Message"); err != nil {
		return nil, err
	}
	return l.Store.Message(ctx, id, msg)
}

func (l *silentStore) Log(ctx context.Context, id sessions.ID, after uint64, limit int) (sessions.LogPage, error) {
	_ = l.called(ctx, "Log")
	return l.Store.Log(ctx, id, after, limit)
}

func (l *silentStore) Commit(id sessions.ID, c *sessions.Commit, done func(sessions.Result)) {
	_ = l.called(context.Background(), "Commit")
	l.Store.Commit(id, c, done)
}

// inWorldOfSilentStore is inWorld with a store of which methods can be stopped.
func inWorldOfSilentStore(t *testing.T, f func(w *world, l *silentStore), change ...func(*sessions.Options)) {
	t.Helper()
	l := &silentStore{}
	inWorld(t, func(w *world) { f(w, l); l.set("", "") },
		append(change, func(o *sessions.Options) { l.Store, o.Store = o.Store, l })...)
}

// wantTook checks how long something has taken in the bubble's time.
func wantTook(t tb, what string, want time.Duration, f func()) {
	t.Helper()
	began := time.Now()
	if f(); time.Since(began) != want {
		t.Errorf("%s: got an end after %v, want it after %v", what, time.Since(began), want)
	}
}

// TestStoreThatDoesNotAnswer: nothing waits for a store for ever.
func TestStoreThatDoesNotAnswer(t *testing.T) {
	quota := sessions.Quota{Burst: 1, Every: time.Second}
	for _, tt := range []struct {
		method string
		want   time.Duration
		do     func(w *world, s *sessions.Session)
	}{
		{"Reserve", time.Second, func(w *world, _ *sessions.Session) { _, _ = w.m.Reserve(w.ctx(), "k", quota) }},
		{"Refund", time.Second, func(w *world, _ *sessions.Session) { _ = w.m.Refund(w.ctx(), "k", quota) }},
		{"Forget", 10 * time.Second, func(w *world, s *sessions.Session) { _ = w.m.SignOut(w.ctx(), s) }},
		{"Beat", 2 * time.Second, func(w *world, _ *sessions.Session) {
			if w.m.Join(w.ctx(), sessions.Node{ID: "a/1", URL: "http://a.test"}, lease) == nil {
				w.t.Error("Join without an answer of the store: got no error, want one")
			}
		}},
	} {
		t.Run(tt.method, func(t *testing.T) {
			inWorldOfSilentStore(t, func(w *world, l *silentStore) {
				s := w.open()
				l.set(tt.method, "")
				wantTook(t, tt.method, tt.want, func() { tt.do(w, s) })
			})
		})
	}
}

// TestNodeEdges: the lease is renewed every second and the fingerprint of the secret every
// hour; a node that leaves waits two seconds for the store.
func TestNodeEdges(t *testing.T) {
	inWorldOfSilentStore(t, func(w *world, l *silentStore) {
		must(t, "Join", w.m.Join(w.ctx(), sessions.Node{ID: "a/1", URL: "http://a.test"}, lease))
		l.set("", "Beat")
		pass(10 * time.Second)
		if n := len(l.times()); n != 10 {
			t.Errorf("got %d renewals of the lease in 10 s, want 10", n)
		}
		l.set("", "Agree")
		pass(3 * time.Hour)
		if n := len(l.times()); n != 3 && n != 2 {
			t.Errorf("got %d renewals of the fingerprint in 3 h, want one an hour", n)
		}
		l.set("Leave", "")
		wantTook(t, "leaving", 2*time.Second, w.close)
		w.start()
	})
}

// silentConn is a connection that waits as long as it may with its end, and with its archive.
type silentConn struct {
	*conn
	closing, archive bool
}

func (s silentConn) Close(ctx context.Context) error {
	if s.closing {
		<-ctx.Done()
		return ctx.Err()
	}
	return s.conn.Close(ctx)
}

func (s silentConn) Archive(ctx context.Context, q perch.ArchiveQuery) (perch.ArchivePage, error) {
	if s.archive {
		<-ctx.Done()
		return perch.ArchivePage{}, perch.Wrap(perch.KindUpstreamTimeout, ctx.Err(), "no answer")
	}
	return s.conn.Archive(ctx, q)
}

// silentConns makes every connection that is dialled a silentConn.
func silentConns(closing, archive bool) func(*sessions.Options) {
	return func(o *sessions.Options) {
		dial := o.Dial
		o.Dial = func(ctx context.Context, req sessions.DialRequest) (sessions.Conn, error) {
			c, err := dial(ctx, req)
			if err != nil {
				return nil, err
			}
			return silentConn{c.(*conn), closing, archive}, nil
		}
	}
}

// TestStreamEndEdge: a stream has five seconds to end.
func TestStreamEndEdge(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		wantTook(t, "signing out", 5*time.Second, func() { _ = w.m.SignOut(w.ctx(), s) })
	}, silentConns(true, false))
}

// TestLastTenEdge: an archive of the last messages has ten seconds in all; then live messages
// are applied.
func TestLastTenEdge(t *testing.T) {
	inWorld(t, func(w *world) {
		a := withLastTen(w)
		s := w.open()
		a.both(bob, "1", "before")
		c := w.attach(s, sessions.SubscribeOptions{Types: []string{"session.gap"}})
		w.lose(linkLost)
		began := time.Now()
		for range 3000 {
			if len(c.next()) > 0 {
				break
			}
			pass(10 * time.Millisecond)
		}
		if took := time.Since(began); took < 9900*time.Millisecond || took > 10*time.Second {
			t.Errorf("got the gap after %v, want it 10 s after the login", took)
		}
	}, silentConns(false, true))
}

// TestReopenedLoginEdge: a session that was online before is waited for two seconds.
func TestReopenedLoginEdge(t *testing.T) {
	inWorld(t, func(w *world) {
		w.open()
		w.restart()
		w.up.Edit(func(d *fakexmpp.Data) {
			d.SignIn = func(ctx context.Context, _ sessions.DialRequest) (perch.Login, error) {
				<-ctx.Done()
				return perch.Login{}, ctx.Err()
			}
		})
		wantTook(t, "the first request", 2*time.Second, func() {
			if _, err := w.m.Authenticate(w.ctx(), goodToken); err != nil {
				t.Errorf("Authenticate: got error %v, want none", err)
			}
		})
	}, durable)
}

// TestRecordRefreshEdge: a session in which nothing happens is written every twelve hours.
func TestRecordRefreshEdge(t *testing.T) {
	inWorldOfSilentStore(t, func(w *world, l *silentStore) {
		s := w.open()
		w.attach(s, sessions.SubscribeOptions{Types: []string{"session.gap"}}) // else it is idle for too long
		pass(time.Hour)
		l.set("", "Commit")
		if pass(10*time.Hour + 50*time.Minute); len(l.times()) != 0 {
			t.Errorf("got %d writes in 11 h 50 min, want none", len(l.times()))
		}
		if pass(11 * time.Minute); len(l.times()) != 1 {
			t.Errorf("got %d writes in 12 h, want 1", len(l.times()))
		}
	})
}

// TestStoreRetryEdges: a write that fails is retried after 100 ms, twice as long each time,
// and five seconds at the most.
func TestStoreRetryEdges(t *testing.T) {
	inWorldOfSilentStore(t, func(w *world, l *silentStore) {
		w.open()
		w.store.set(func(s *store) { s.down = errDown })
		l.set("", "Commit")
		w.deliver(text("1", "x"))
		pass(30 * time.Second)
		w.store.set(func(s *store) { s.down = nil })
		var got []string
		at := l.times()
		for i := 1; i < len(at) && i < 9; i++ {
			got = append(got, at[i].Sub(at[i-1]).String())
		}
		if got, want := strings.Join(got, " "), "100ms 200ms 400ms 800ms 1.6s 3.2s 5s 5s"; got != want {
			t.Errorf("got retries after %s, want %s", got, want)
		}
		pass(10 * time.Second)
	})
}

// TestReportsEdge: 64 reports of messages that are not in memory wait for the store; one more
// is dropped, and counted.
func TestReportsEdge(t *testing.T) {
	c := &tally{}
	inWorldOfSilentStore(t, func(w *world, l *silentStore) {
		w.open()
		l.set("Message", "")
		for i := range 64 {
			w.deliver(&perch.ReceiptIn{ID: fmt.Sprint("m", i%40), From: bob + "/x"})
		}
		if n := c.get("dropped unmatched"); n != 0 {
			t.Errorf("got %d of 64 reports dropped, want none", n)
		}
		w.deliver(&perch.ReceiptIn{ID: "m1", From: bob + "/x"}, &perch.ReceiptIn{ID: "other", From: bob + "/x"})
		if n := c.get("dropped unmatched"); n != 2 {
			t.Errorf("got %d reports dropped, want the 2 beyond 64", n)
		}
	}, watched(c))
}

// TestReplayedIdentitiesEdge: 10,000 events of a log are replayed for what a new stream may
// repeat.
func TestReplayedIdentitiesEdge(t *testing.T) {
	inWorldOfSilentStore(t, func(w *world, l *silentStore) {
		w.open()
		conn := w.conn()
		for i := range 12_000 {
			conn.Deliver(text(fmt.Sprint(i), "x"))
		}
		synctest.Wait()
		l.set("", "Log")
		w.lose(linkLost)
		pass(time.Minute)
		if n := len(l.times()); n != 40 {
			t.Errorf("got %d pages of 256 events read, want the 40 with 10,000", n)
		}
	}, func(o *sessions.Options) {
		o.Store = &store{Store: cache.NewMemory(cache.MemoryOptions{Retention: sessions.Retention{Events: 50_000, Bytes: 1 << 30, Age: 24 * time.Hour}})}
	})
}

// TestNamesStay: the names that cards gave are stored with the buddies.
func TestNamesStay(t *testing.T) {
	inWorld(t, func(w *world) {
		buddies := w.crowdOf(510)
		s := w.open()
		for i, jid := range buddies {
			w.up.Edit(func(d *fakexmpp.Data) { d.Cards[jid] = perch.VCard{FullName: fmt.Sprint("Buddy ", i)} })
			if _, err := s.VCard(w.ctx(), jid, false); err != nil {
				t.Fatalf("VCard: got error %v, want none", err)
			}
		}
		w.restart()
		list, _ := w.open().Buddies()
		n := 0
		for _, b := range list {
			if b.Name != "" {
				n++
			}
		}
		if n != len(buddies) {
			t.Errorf("got names for %d of %d buddies, want all", n, len(buddies))
		}
	}, durable)
}

// TestRetentionEdge: what a log retains when no option sets it.
func TestRetentionEdge(t *testing.T) {
	want := sessions.Retention{Events: 10_000, Bytes: 8_388_608, Age: 24 * time.Hour}
	if got := sessions.DefaultRetention; got != want {
		t.Errorf("DefaultRetention: got %+v, want %+v", got, want)
	}
}

// TestArchiveOverlapEdge: for ten seconds after the archive was read, a message that comes live may be
// one that was in it.
func TestArchiveOverlapEdge(t *testing.T) {
	for after, want := range map[time.Duration]int{9 * time.Second: 2, 11 * time.Second: 3} {
		inWorld(t, func(w *world) {
			a := withArchive(w)
			s := w.open()
			w.deliver(live(a.add("before", "in", ""), "before"))
			w.refuse(linkLost)
			w.conn().Fail(linkLost)
			pass(time.Second)
			a.add("during", "in", "")
			w.refuse(nil)
			for n := w.up.logins(); w.up.logins() == n || s.Info().State != perch.StateOnline; {
				pass(10 * time.Millisecond)
			}
			pass(after)
			w.deliver(&perch.MessageIn{Message: perch.Message{From: bob + "/x", To: alice, Kind: perch.ChatMessage, Body: "during"}})
			if got := received(t, w.durable(s)); len(got) != want {
				t.Errorf("%v after the archive: got messages %q, want %d", after, got, want)
			}
		})
	}
}

// TestLastTenBytesEdge: 4 MiB are read of an archive of the last messages after an outage.
func TestLastTenBytesEdge(t *testing.T) {
	const row = 900 << 10
	inWorld(t, func(w *world) {
		a := withLastTen(w)
		s := w.open()
		peers := make([]perch.JID, 6)
		for i := range peers {
			peers[i] = perch.JID(fmt.Sprintf("p%d@example.net", i))
			a.both(peers[i], fmt.Sprint(i), "before")
		}
		before := len(received(t, w.durable(s)))
		w.outage(func() {
			for i, p := range peers {
				a.items = append(a.items, item(fmt.Sprint("large", i), "", p, alice, padded(i, row)))
			}
		})
		if got, want := len(received(t, w.durable(s)))-before, 4<<20/row; got != want {
			t.Errorf("got %d messages of %d bytes read, want the %d within 4 MiB", got, row, want)
		}
	})
}
