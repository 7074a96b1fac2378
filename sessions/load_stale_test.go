package sessions_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/fakexmpp"
	"github.com/perch-im/perch/sessions"
)

// staleStore is a Store that has what it had when it was made, under a new log, as Redis has
// when its last writes are lost and no node runs that knows of them.
type staleStore struct {
	sessions.Store
	saved *sessions.Saved
	first chan *sessions.Commit // the first commit
}

// backup copies what is stored of a session now.
func (w *world) backup(id sessions.ID) *staleStore {
	w.t.Helper()
	synctest.Wait()
	saved, err := w.store.Store.Open(w.ctx(), id, sessions.OpenOptions{})
	must(w.t, "Open", err)
	return &staleStore{saved: saved, first: make(chan *sessions.Commit, 1)}
}

// restoreBackup ends the process without a shutdown, as kill -9 does, and begins the next one.
func (w *world) restoreBackup(b *staleStore, id sessions.ID) {
	w.t.Helper()
	w.store.set(func(s *store) { s.down = errDown })
	w.close()
	b.Store = w.store.Store
	must(w.t, "Forget", b.Store.Forget(w.ctx(), id))
	w.store.Store = b
	w.start()
}

func (b *staleStore) Open(ctx context.Context, id sessions.ID, t sessions.OpenOptions) (*sessions.Saved, error) {
	fresh, err := b.Store.Open(ctx, id, t)
	if err != nil {
		return nil, err
	}
	saved := *b.saved
	saved.Fence, saved.Epoch, saved.Tip = fresh.Fence, fresh.Epoch, 0
	saved.Stale, saved.StaleSince = true, perch.At(time.Now().Add(-time.Hour))
	return &saved, nil
}

func (b *staleStore) Commit(id sessions.ID, c *sessions.Commit, done func(sessions.Result)) {
	select {
	case b.first <- c:
	default:
	}
	b.Store.Commit(id, c, done)
}

// What is stored may be older than what the upstream has: the stream is not resumed with an
// old counter, nothing of the outbox is sent again before the archive was asked, what is missing
// is read from the archive, clients start over, and all is written before anything else.
func TestStaleStore(t *testing.T) {
	for _, archive := range []string{"", "313"} {
		t.Run("archive "+archive, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.up.set(func(u *upstream) {
					u.resume = true
					u.pages = func(perch.ArchiveQuery) (perch.ArchivePage, error) { return perch.ArchivePage{Complete: true}, nil }
				})
				w.up.Edit(func(d *fakexmpp.Data) { d.Capabilities.Archive = archive })
				w.roster(bob)
				s := w.open()
				w.deliver(text("1", "one"))
				w.refuse(linkLost)
				w.conn().Fail(linkLost)
				synctest.Wait()
				id := w.send(s, hi("accepted, perhaps sent since"))
				cursor := w.durable(s)[0].ID
				b := w.backup(s.ID())
				if len(b.saved.Outbox) != 1 || b.saved.Outbox[0].Sent || b.saved.Record.Stream == nil {
					t.Fatalf("the stored session: got %+v, want a message that was not sent, and a stream", b.saved)
				}
				w.refuse(nil)
				w.restoreBackup(b, s.ID())

				logins := w.up.logins()
				s = w.open()
				pass(time.Second)
				for _, d := range w.up.Dials()[logins:] {
					if d.Resume != nil {
						t.Errorf("got a resumption with %q, want a new bind", d.Resume)
					}
				}
				if c := <-b.first; c.Record == nil || c.Record.Stream != nil || !c.Outbox.Reset || len(c.Outbox.Put) != 1 || !c.Outbox.Put[0].Sent {
					t.Errorf("got first commit %+v, want all of the session, without a stream", c)
				}
				if c := w.attach(s, sessions.SubscribeOptions{Since: cursor}); c.sub.Resumed || c.sub.ResetReason != sessions.ResetEpoch {
					t.Errorf("got resumed %v, reason %q; want a reset", c.sub.Resumed, c.sub.ResetReason)
				}
				m, err := s.Message(w.ctx(), id)
				must(t, "Message", err)
				if archive == "" {
					if len(bodies(w.conn())) != 0 || m.Status != perch.StatusUnknown {
						t.Errorf("got messages %v sent, status %s; want nothing sent, unknown", bodies(w.conn()), m.Status)
					}
					return
				}
				w.conn().mu.Lock()
				asked := slices.ContainsFunc(w.conn().queries, func(q perch.ArchiveQuery) bool { return q.With == bob })
				w.conn().mu.Unlock()
				if !asked || len(bodies(w.conn())) != 1 {
					t.Errorf("got archive asked %v, messages %v sent; want it sent when the archive does not have it", asked, bodies(w.conn()))
				}
			}, durable)
		})
	}
}
