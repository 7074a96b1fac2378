package sessions_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// slowStore takes a fixed time for every commit, as one store that all sessions share: a
// commit waits for those before it.
type slowStore struct {
	sessions.Store
	mu   sync.Mutex
	free time.Time // when it has done what it was given
}

const commitTime = time.Millisecond

func (s *slowStore) Commit(id sessions.ID, c *sessions.Commit, done func(sessions.Result)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := time.Now(); s.free.Before(now) {
		s.free = now
	}
	s.free = s.free.Add(commitTime)
	time.AfterFunc(time.Until(s.free), func() { s.Store.Commit(id, c, done) })
}

// TestFloodAtOneAccount: while one account gets messages as fast as its session takes them, a
// message to a neighbour is published after a handful of commits, however many wait in the flood.
func TestFloodAtOneAccount(t *testing.T) {
	const flood, most = 20_000, 4
	inWorld(t, func(w *world) {
		both := w.crowd(2)
		conns := w.everyConn()
		quiet := w.attach(both[1], sessions.SubscribeOptions{Types: []string{"message.received"}})
		deliver := func(c *conn, to perch.JID, id, body string) {
			c.Deliver(&perch.MessageIn{Message: perch.Message{StanzaID: id, From: bob + "/x", To: to, Body: body, Kind: perch.ChatMessage}})
		}
		var taken atomic.Int64
		done := make(chan struct{})
		go func() {
			defer close(done)
			for i := range flood {
				deliver(conns[0], "user0@example.net", fmt.Sprint("f", i), "flood")
				taken.Add(1)
			}
		}()
		for i := range 10 {
			pass(3 * commitTime)
			deliver(conns[1], "user1@example.net", fmt.Sprint("q", i), "hello")
			pass(most * commitTime)
			quiet.wantTypes(perch.EventMessageReceived)
		}
		if n := taken.Load(); n < 1000 || n >= flood {
			t.Errorf("got %d of %d messages of the flood taken meanwhile, want some and not all", n, flood)
		}
		<-done
	}, func(o *sessions.Options) { o.Store = &slowStore{Store: o.Store} })
}
