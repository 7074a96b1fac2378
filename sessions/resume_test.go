package sessions_test

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/fakexmpp"
	"github.com/perch-im/perch/sessions"
)

// What a resumed connection knows decides about each message: it is with the server, on its
// way, never sent, or unknown.
func TestResumedConnectionKnows(t *testing.T) {
	for _, tt := range []struct {
		name    string
		written uint64
		on      bool // the message was on the stream
		more    bool
		again   bool // it is written by the session
		acked   bool // after the server has acknowledged what is on the stream
		want    string
	}{
		{name: "with the server", on: true, want: "accepted sent acked "},
		{name: "written again by the connection", on: true, written: 1, want: "accepted sent ", acked: true},
		{name: "never left", again: true, want: "accepted sent ", acked: true},
		{name: "unknown", more: true, want: "accepted sent unknown "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				var id string
				w.up.set(func(u *upstream) {
					u.resume = true
					u.known = func() (map[string]uint64, bool) {
						if tt.on {
							return map[string]uint64{id: tt.written}, tt.more
						}
						return nil, tt.more
					}
				})
				s := w.open()
				id = w.send(s, hi("x"))
				w.lose(linkLost)
				if h := w.history(s, id); h != tt.want {
					t.Errorf("history: got %q, want %q", h, tt.want)
				}
				if got := bodies(w.conn()); (len(got) == 1) != tt.again {
					t.Errorf("got messages %v sent again, want one %v", got, tt.again)
				}
				if tt.acked {
					w.deliver(&perch.AckIn{Through: 1})
					if h := w.history(s, id); h != "accepted sent acked " {
						t.Errorf("history after the acknowledgement: got %q, want accepted, sent, acked", h)
					}
				}
			})
		})
	}
}

// A server that refuses to resume may send its count of stanzas: then the messages are decided by
// that, and no archive is needed.
func TestFailedResumeWithACount(t *testing.T) {
	for _, tt := range []struct {
		name string
		has  map[string]bool
		more bool
		want [2]string
		sent []string
	}{
		{name: "neither arrived", has: map[string]bool{}, want: [2]string{"accepted sent ", "accepted sent "}, sent: []string{"1", "2"}},
		{name: "the first arrived", has: map[string]bool{"1": true}, want: [2]string{"accepted sent acked ", "accepted sent "}, sent: []string{"2"}},
		{name: "both arrived", has: map[string]bool{"1": true, "2": true}, want: [2]string{"accepted sent acked ", "accepted sent acked "}},
		{name: "more than is known", has: map[string]bool{"1": true}, more: true, want: [2]string{"accepted sent acked ", "accepted sent unknown "}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				ids := map[string]string{}
				w.up.set(func(u *upstream) {
					u.known = func() (map[string]uint64, bool) {
						known := map[string]uint64{}
						for body := range tt.has {
							known[ids[body]] = 0
						}
						return known, tt.more
					}
				})
				s := w.open()
				for _, body := range []string{"1", "2"} {
					ids[body] = w.send(s, hi(body))
				}
				w.lose(linkLost)
				pass(time.Second)
				for i, body := range []string{"1", "2"} {
					if h := w.history(s, ids[body]); h != tt.want[i] {
						t.Errorf("history of %s: got %q, want %q", body, h, tt.want[i])
					}
				}
				if got := bodies(w.conn()); !slices.Equal(got, tt.sent) {
					t.Errorf("got messages %v sent again, want %v", got, tt.sent)
				}
			})
		})
	}
}

// The server has more than the stored state of the stream: the archive knows whether a message
// is among that.
func TestResumedWithAnOlderState(t *testing.T) {
	inWorld(t, func(w *world) {
		w.up.set(func(u *upstream) {
			u.resume = true
			u.known = func() (map[string]uint64, bool) { return nil, true }
		})
		a := withArchive(w)
		a.add("old", "in", "")
		s := w.open()
		arrived, lost := w.send(s, hi("arrived")), w.send(s, hi("lost"))
		a.add("arrived", "out", arrived)
		w.lose(linkLost)
		pass(time.Second)
		if h := w.history(s, arrived); h != "accepted sent acked " {
			t.Errorf("history of the message that arrived: got %q, want accepted, sent, acked", h)
		}
		if got := sent[*perch.MessageOut](w.conn()); len(got) != 1 || got[0].ID != lost {
			t.Errorf("got messages %v sent again, want %s alone", got, lost)
		}
	})
}

// Messages that are accepted while the archive is asked wait for the earlier ones.
func TestOrderWhileTheArchiveIsAsked(t *testing.T) {
	inWorld(t, func(w *world) {
		a := withArchive(w)
		a.add("old", "in", "")
		s := w.open()
		w.send(s, hi("1"))
		w.send(s, hi("2"))
		asked := 0
		a.onAsk = func() {
			if asked++; asked == 3 { // after both of the login
				go func() { _, _ = s.SendMessage(w.ctx(), hi("3")) }()
				<-time.After(time.Second)
			}
		}
		w.lose(linkLost)
		pass(5 * time.Second)
		if got := bodies(w.conn()); !slices.Equal(got, []string{"1", "2", "3"}) {
			t.Errorf("got messages %v sent, want 1 to 3", got)
		}
	})
}

// A stream that was lost before its login was complete is resumed, and the login completed.
func TestResumedBeforeOnline(t *testing.T) {
	inWorld(t, func(w *world) {
		w.up.set(func(u *upstream) { u.resume = true })
		w.roster(bob)
		w.up.Edit(func(d *fakexmpp.Data) {
			d.Refuse = func(m string) error {
				if m == "Roster" {
					return linkLost
				}
				return nil
			}
		})
		done := make(chan *sessions.Session, 1)
		go func() { done <- w.open() }()
		synctest.Wait()
		w.up.Edit(func(d *fakexmpp.Data) { d.Refuse = nil })
		pass(5 * time.Second)
		s := <-done
		dials := w.up.Dials()
		if n := len(dials); n < 2 || dials[1].Resume == nil {
			t.Fatalf("got %d dials, want a second that resumes", n)
		}
		if got := sent[*perch.PresenceOut](w.conn()); len(got) != 1 {
			t.Errorf("got %d presences on the resumed stream, want 1", len(got))
		}
		if items, _ := s.Buddies(); len(items) != 1 || s.Info().State != perch.StateOnline {
			t.Errorf("got buddies %v, state %s, want bob, online", items, s.Info().State)
		}
	})
}

// A stream that was lost while its archive was read brings, when it is resumed, what the
// archive has given already: however much that was, nothing comes twice.
func TestResumedDuringCatchUp(t *testing.T) {
	inWorld(t, func(w *world) {
		a := withArchive(w)
		a.size = 50
		a.add("old", "in", "")
		s := w.open()
		w.deliver(live(a.add("first", "in", ""), "first"))
		w.conn().Fail(linkLost)
		synctest.Wait()

		const missed = 200
		want := []string{"live first"}
		ids := make([]string, missed)
		for i := range missed {
			ids[i] = a.add(fmt.Sprint("missed ", i), "in", "")
			want = append(want, fmt.Sprint("archive missed ", i))
		}
		var refused, again atomic.Bool
		w.up.set(func(u *upstream) { u.resume = true })
		w.up.Edit(func(d *fakexmpp.Data) {
			d.Refuse = func(m string) error {
				if m != "Roster" || refused.Swap(true) {
					return nil
				}
				return linkLost
			}
		})
		a.mu.Lock()
		a.onAsk = func() {
			if !refused.Load() || again.Swap(true) {
				return
			}
			for i, id := range ids {
				m := live(id, fmt.Sprint("missed ", i))
				m.Source = perch.SourceResumed
				w.up.newest().Deliver(m)
			}
		}
		a.mu.Unlock()
		pass(time.Minute)
		if !refused.Load() || !again.Load() || s.Info().State != perch.StateOnline {
			t.Fatalf("got refused %v, resumed %v, state %s; want true, true, online", refused.Load(), again.Load(), s.Info().State)
		}
		if got := received(t, w.durable(s)); !slices.Equal(got, want) {
			t.Errorf("got %d messages in the log %q, want %d", len(got), got, len(want))
		}
	})
}

// What leaves no trace in the log is acknowledged in portions, each with a state that is committed.
func TestStreamStateIsCommittedWithoutEvents(t *testing.T) {
	inWorld(t, func(w *world) {
		w.up.set(func(u *upstream) { u.resume = true })
		w.open()
		for range 100 {
			w.deliver(&perch.ChatStateIn{From: bob, State: perch.StateActive})
		}
		synctest.Wait()
		w.store.mu.Lock()
		defer w.store.mu.Unlock()
		if got := string(w.store.record.Stream); got != fmt.Sprint("stream ", 96) {
			t.Errorf("got stream state %q in the record, want stream 96", got)
		}
	}, durable)
}

// However many messages are unsure, the archive is read once for each contact; when it does
// not answer the query is retried, and a stream that ends meanwhile decides nothing.
func TestArchiveIsQueriedOncePerContact(t *testing.T) {
	inWorld(t, func(w *world) {
		w.up.set(func(u *upstream) {
			u.resume = true
			u.known = func() (map[string]uint64, bool) { return nil, true }
		})
		a := withArchive(w)
		a.add("old", "in", "")
		s := w.open()
		var ids []string
		for i := range 20 {
			ids = append(ids, w.send(s, hi(fmt.Sprint(i))))
		}
		for _, id := range ids[:15] {
			a.add("arrived "+id, "out", id)
		}
		lookUps := 0
		w.up.set(func(u *upstream) {
			u.pages = func(q perch.ArchiveQuery) (perch.ArchivePage, error) {
				if q.With == "" {
					return a.page(q)
				}
				switch lookUps++; lookUps {
				case 1:
					return perch.ArchivePage{}, perch.Errorf(perch.KindUpstreamTimeout, "slow today")
				case 2:
					w.lose(linkLost)
					return perch.ArchivePage{}, perch.Errorf(perch.KindSessionOffline, "the connection has ended")
				}
				return a.page(q)
			}
		})
		w.lose(linkLost)
		pass(time.Minute)
		for i, id := range ids {
			want := "accepted sent acked "
			if i >= 15 {
				want = "accepted sent "
			}
			if h := w.history(s, id); h != want {
				t.Errorf("history of message %d: got %q, want %q", i, h, want)
			}
		}
		if got := sent[*perch.MessageOut](w.conn()); len(got) != 5 || got[0].ID != ids[15] {
			t.Errorf("got messages %v sent again, want the last 5", got)
		}
		if pages := 2 + 2; lookUps != pages { // 16 messages by tens, after the two that failed
			t.Errorf("got %d archive queries, want %d", lookUps, pages)
		}
	})
}

// A process that was stopped while it signed in may find that its session was taken over: what
// it had accepted is sent by the new owner.
func TestNothingIsSentBeforeACommit(t *testing.T) {
	inWorld(t, func(w *world) {
		var id sessions.ID
		taken := false
		w.up.set(func(u *upstream) {
			u.resume = true
			u.known = func() (map[string]uint64, bool) { // while the stream is resumed
				if id != "" && !taken {
					taken = true
					if _, err := w.store.Open(w.ctx(), id, sessions.OpenOptions{}); err != nil {
						t.Errorf("Open by the new owner: got error %v, want none", err)
					}
				}
				return nil, false // the message never left
			}
		})
		s := w.open()
		id = s.ID()
		w.send(s, hi("x"))
		w.lose(linkLost)
		if !taken {
			t.Fatal("got no resumed stream, want one")
		}
		if got := bodies(w.conn()); len(got) > 0 {
			t.Errorf("got messages %v sent by a process that has lost the session, want none", got)
		}
		if n := w.m.Len(); n != 0 {
			t.Errorf("got %d sessions, want none", n)
		}
	})
}
