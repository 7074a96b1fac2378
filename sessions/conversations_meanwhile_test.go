package sessions_test

import (
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// meanwhile lets a message come while the archive answers the next question that fits: before the answer
// is put together, so that it has the message too, or after that.
func (w *world) meanwhile(a *mam, m *perch.MessageIn, inAnswer bool, fits func(perch.ArchiveQuery) bool) {
	done := false
	w.up.set(func(u *upstream) {
		u.pages = func(q perch.ArchiveQuery) (perch.ArchivePage, error) {
			if done || !fits(q) {
				return a.page(q)
			}
			done = true
			if inAnswer {
				a.add(m)
			}
			p, err := a.page(q)
			if !inAnswer {
				a.add(m)
			}
			c := *m
			w.up.newest().Deliver(&c)
			return p, err
		}
	})
}

// TestMessageWhileThePositionIsLookedFor: what comes meanwhile is unread once, whether the archive has
// it already or not.
func TestMessageWhileThePositionIsLookedFor(t *testing.T) {
	for name, inAnswer := range map[string]bool{"in the answer": true, "after the answer": false} {
		t.Run(name, func(t *testing.T) {
			inArchivedWorld(t, func(w *world, a *mam, s *sessions.Session) {
				w.chats(s, sessions.ConversationQuery{})
				first := from(bob, "1")
				w.receive(a, first, from(bob, "2"))
				pass(25 * time.Hour) // the log has neither any more
				w.receive(a, from(bob, "3"))
				w.meanwhile(a, from(bob, "4"), inAnswer, func(q perch.ArchiveQuery) bool { return q.With == bob })
				if r := w.read(s, bob, first); r.Unread != 3 {
					t.Errorf("read up to the first: got %d unread, want 3", r.Unread)
				}
				wantUnread(t, w.chat(s, bob), 3, true)
			})
		})
	}
}

// TestMessageWhileTheListIsFilled: the same, of the first list.
func TestMessageWhileTheListIsFilled(t *testing.T) {
	for name, inAnswer := range map[string]bool{"in the answer": true, "after the answer": false} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				a := w.archived()
				a.add(from(bob, "1"))
				s := w.open()
				last := from(bob, "2")
				w.meanwhile(a, last, inAnswer, func(q perch.ArchiveQuery) bool { return q.Limit > 1 })
				w.chats(s, sessions.ConversationQuery{})
				b := w.chat(s, bob)
				wantUnread(t, b, 2, true)
				if b.LastMessage == nil || b.LastMessage.ID != last.ID {
					t.Errorf("got the last message %+v, want %s", b.LastMessage, last.ID)
				}
			})
		})
	}
}

// TestMessageAfterTheListWasFilled: what the archive has brought comes live a moment later.
func TestMessageAfterTheListWasFilled(t *testing.T) {
	inWorld(t, func(w *world) {
		a := w.archived()
		s := w.open()
		m := a.add(from(bob, "1"))
		w.chats(s, sessions.ConversationQuery{})
		wantUnread(t, w.chat(s, bob), 1, true)
		c := *m
		w.deliver(&c)
		wantUnread(t, w.chat(s, bob), 1, true)
	})
}

// TestListThatIsFilledLate: what came since the list began is counted already, also when the log does not
// have it any more.
func TestListThatIsFilledLate(t *testing.T) {
	inWorld(t, func(w *world) {
		a := w.archived()
		a.add(from(bob, "0"))
		s := w.open()
		pass(time.Second)
		w.conn().Fail(linkLost)
		w.chats(s, sessions.ConversationQuery{})
		pass(time.Minute)
		w.receive(a, from(bob, "1"), from(bob, "2"))
		pass(25 * time.Hour)
		w.receive(a, from(bob, "3"))
		w.chats(s, sessions.ConversationQuery{})
		wantUnread(t, w.chat(s, bob), 4, true)
	})
}

// TestReadElsewhereUpToAnOwnMessage: a message of this device has no id of the archive in the log, and another
// device may have read up to it all the same.
func TestReadElsewhereUpToAnOwnMessage(t *testing.T) {
	inArchivedWorld(t, func(w *world, a *mam, s *sessions.Session) {
		w.chats(s, sessions.ConversationQuery{})
		w.receive(a, from(bob, "1"))
		own := to(bob, "2")
		archived := *own
		a.add(&archived)
		w.deliver(own) // as a carbon without the id
		w.receive(a, from(bob, "3"), from(bob, "4"))
		w.deliver(&perch.ReadIn{Conversation: bob, StanzaID: archived.StanzaID})
		wantUnread(t, w.chat(s, bob), 2, true)
		w.deliver(&perch.ReadIn{Conversation: bob, StanzaID: "s3"})
		wantUnread(t, w.chat(s, bob), 1, true)
	})
}
