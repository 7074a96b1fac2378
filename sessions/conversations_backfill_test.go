package sessions_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/fakexmpp"
	"github.com/perch-im/perch/sessions"
)

// older archives what an account had before it signed in here: messages of so many conversations in
// turns.
func (a *mam) older(messages, conversations int) {
	for i := range messages {
		a.addAt(from(perch.JID(fmt.Sprintf("b%02d@example.net", i%conversations)), fmt.Sprint(i)), perch.At(time.Now())-perch.Time(1000*(messages-i)))
	}
}

// TestFirstListWithinBounds: 3,000 messages in 60 conversations, on a device that has none of them.
func TestFirstListWithinBounds(t *testing.T) {
	inWorld(t, func(w *world) {
		a := w.archived()
		a.older(3000, 60)
		s := w.open()
		login := len(a.asked())
		began := time.Now()
		p := w.chats(s, sessions.ConversationQuery{})
		queries := len(a.asked()) - login
		if len(p.Items) < 30 || len(p.Items) > 60 || p.Complete || p.Next == "" {
			t.Errorf("first list: got %d conversations, complete %v, next %q; want 30 or a page more, and more to come", len(p.Items), p.Complete, p.Next)
		}
		if queries > 20 || time.Since(began) > 10*time.Second {
			t.Errorf("first list: got %d queries in %v, want at most 1,000 messages in 10 s", queries, time.Since(began))
		}
		for i := range p.Items {
			if c := &p.Items[i]; c.UnreadExact || c.LastMessage == nil || c.Unread == 0 {
				t.Errorf("got %+v, want some unread, not exact, and a last message", c)
			}
		}
		seen := map[perch.JID]bool{}
		for range 100 {
			for _, c := range p.Items {
				seen[c.JID] = true
			}
			if p.Next == "" {
				break
			}
			before := len(a.asked())
			p = w.chats(s, sessions.ConversationQuery{Cursor: p.Next})
			if n := len(a.asked()) - before; n > 20 {
				t.Errorf("a page: got %d queries, want at most 20", n)
			}
		}
		if len(seen) != 60 || !p.Complete {
			t.Errorf("all pages: got %d conversations, complete %v; want 60, true", len(seen), p.Complete)
		}
		wantUnread(t, w.chat(s, "b07@example.net"), 50, true)
		w.receive(a, from("b07@example.net", "live"))
		wantUnread(t, w.chat(s, "b07@example.net"), 51, true)
		done := len(a.asked())
		w.chats(s, sessions.ConversationQuery{})
		if n := len(a.asked()) - done; n != 0 {
			t.Errorf("a list that is complete: got %d queries, want none", n)
		}
	})
}

// TestFirstListKnowsWhatWasRead: by the positions of other devices, and by own messages.
func TestFirstListKnowsWhatWasRead(t *testing.T) {
	inWorld(t, func(w *world) {
		a := w.archived()
		a.add(from(bob, "1"))
		read := a.add(from(bob, "2"))
		a.add(from(bob, "3"))
		a.add(from(carol, "1"))
		a.add(to(carol, "2"))
		a.add(from(carol, "3"))
		a.add(from(carol, "4"))
		w.up.Edit(func(d *fakexmpp.Data) { d.Read = []perch.ReadIn{{Conversation: bob, StanzaID: read.StanzaID}} })
		s := w.open()
		live := from(bob, "4")
		w.receive(a, live)
		p := w.chats(s, sessions.ConversationQuery{})
		if len(p.Items) != 2 || !p.Complete {
			t.Fatalf("got %+v, want two conversations, complete", p)
		}
		b, c := w.chat(s, bob), w.chat(s, carol)
		wantUnread(t, b, 2, true)
		wantUnread(t, c, 2, true)
		if b.Read == nil || b.Read.Ref != perch.RefOf(&read.Message, false) || b.LastMessage.ID != live.ID {
			t.Errorf("bob: got read %+v, last_message %+v; want those of %s and %s", b.Read, b.LastMessage, read.ID, live.ID)
		}
	})
}

// TestListWithoutArchive: the log alone, and it is complete.
func TestListWithoutArchive(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		w.deliver(from(bob, "1"), from(carol, "1"), to(carol, "2"), from(bob, "2"))
		p := w.chats(s, sessions.ConversationQuery{})
		if len(p.Items) != 2 || !p.Complete || p.Next != "" {
			t.Fatalf("got %+v, want two conversations and no more", p)
		}
		wantUnread(t, w.chat(s, bob), 2, true)
		wantUnread(t, w.chat(s, carol), 0, true)
	})
}

// TestListWhileOffline: what the log has, and the rest once there is a stream.
func TestListWhileOffline(t *testing.T) {
	inWorld(t, func(w *world) {
		a := w.archived()
		a.older(10, 5)
		s := w.open()
		w.receive(a, from(bob, "1"))
		w.up.Edit(func(d *fakexmpp.Data) {
			d.SignIn = nil
		})
		w.conn().Fail(linkLost)
		p := w.chats(s, sessions.ConversationQuery{})
		if len(p.Items) != 1 || p.Complete || p.Next != "" {
			t.Errorf("offline: got %+v, want bob alone, not complete, and no page to wait for", p)
		}
		pass(time.Minute)
		w.receive(a, from(bob, "2"))
		p = w.chats(s, sessions.ConversationQuery{})
		if len(p.Items) != 6 || !p.Complete {
			t.Errorf("online: got %d conversations, complete %v; want 6, true", len(p.Items), p.Complete)
		}
		wantUnread(t, w.chat(s, bob), 2, true)
	})
}

// TestListAndSilentArchive: an archive that does not answer costs the time of one call, and nothing that
// the log has.
func TestListAndSilentArchive(t *testing.T) {
	inWorld(t, func(w *world) {
		a := w.archived()
		s := w.open()
		w.receive(a, from(bob, "1"))
		w.up.set(func(u *upstream) {
			u.pages = func(perch.ArchiveQuery) (perch.ArchivePage, error) { return perch.ArchivePage{}, errSilent }
		})
		began := time.Now()
		p := w.chats(s, sessions.ConversationQuery{})
		if len(p.Items) != 1 || p.Complete || time.Since(began) > 10*time.Second {
			t.Errorf("got %+v after %v, want bob, not complete, within 10 s", p, time.Since(began))
		}
	})
}

// TestListOfTheLastMessages: an archive of the last ten with each contact, without ids.
func TestListOfTheLastMessages(t *testing.T) {
	inWorld(t, func(w *world) {
		w.up.Edit(func(d *fakexmpp.Data) {
			d.Capabilities = perch.Capabilities{ChatOnly: true, Archive: "136", ArchiveMax: 10}
		})
		w.up.set(func(u *upstream) {
			u.pages = func(q perch.ArchiveQuery) (p perch.ArchivePage, err error) {
				n := 0
				switch q.With {
				case carol:
					n, p.Complete = 3, true
				case "dora@example.net":
					n = 10
				}
				for i := range n {
					m := from(q.With, fmt.Sprint(i))
					m.ID = ""
					at := perch.At(time.Now()) - perch.Time(1000*(n-i))
					m.Source, m.Delay = perch.SourceArchive, &perch.Delay{Stamp: at}
					p.Items = append(p.Items, perch.ArchiveItem{MessageIn: *m, Time: at})
				}
				return p, nil
			}
		})
		w.roster(bob, carol, "dora@example.net", "eve@example.net")
		s := w.open()
		w.deliver(from(bob, "live"))
		p := w.chats(s, sessions.ConversationQuery{})
		if len(p.Items) != 3 || !p.Complete {
			t.Fatalf("got %+v, want bob, carol and dora, complete", p)
		}
		wantUnread(t, w.chat(s, bob), 1, false)
		wantUnread(t, w.chat(s, carol), 3, true)
		if c := w.chat(s, "dora@example.net"); c.Unread != 10 || c.LastMessage == nil || c.LastMessage.Body != "9" {
			t.Errorf("got %+v, want 10 unread and the last message", c)
		} else {
			wantUnread(t, c, 10, false)
		}
	})
}

// TestFirstListShowsEdits: what was said of a last message later is in its preview, from the log and from
// the archive, also where a page lies between.
func TestFirstListShowsEdits(t *testing.T) {
	for name, archived := range map[string]bool{"log": false, "archive": true} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				a := w.archived()
				about := func(m *perch.MessageIn, kind perch.RelationKind, body string) *perch.MessageIn {
					in := from(m.From.Bare(), body)
					in.Relation = &perch.Relation{Kind: kind, Target: m.ID}
					return in
				}
				edited, gone := from(bob, "1"), from(carol, "2")
				all := []*perch.MessageIn{edited, gone}
				for i := range 60 {
					all = append(all, from("dora@example.net", fmt.Sprint(i)))
				}
				all = append(all, about(edited, perch.RelationEdit, "one"), about(edited, perch.RelationEdit, "one!"),
					about(gone, perch.RelationRetraction, ""), about(edited, perch.RelationReactions, ""))
				var s *sessions.Session
				if archived {
					for _, m := range all {
						a.add(m)
					}
					s = w.open()
				} else {
					s = w.open()
					w.receive(a, all...)
				}
				w.chats(s, sessions.ConversationQuery{})
				b, c := w.chat(s, bob), w.chat(s, carol)
				wantUnread(t, b, 1, true)
				wantUnread(t, c, 1, true)
				if m := b.LastMessage; m == nil || m.Body != "one!" || m.ID != edited.ID || m.MessageDetails == nil || m.Edited == nil {
					t.Errorf("edited: got %+v, want one!, edited", m)
				}
				if m := c.LastMessage; m == nil || m.Body != "" || m.ID != gone.ID || m.MessageDetails == nil || m.Retracted == nil {
					t.Errorf("taken back: got %+v, want nothing of the text", m)
				}
			})
		})
	}
}

// TestLiveRelations: corrections and retractions that come live change the preview, and count nothing.
func TestLiveRelations(t *testing.T) {
	inArchivedWorld(t, func(w *world, a *mam, s *sessions.Session) {
		w.chats(s, sessions.ConversationQuery{})
		m := from(bob, "1")
		edit, retract := from(bob, "one"), from(bob, "")
		edit.Relation = &perch.Relation{Kind: perch.RelationEdit, Target: m.ID}
		retract.Relation = &perch.Relation{Kind: perch.RelationRetraction, Target: m.ID}
		w.receive(a, m, edit)
		if got := w.chat(s, bob); got.LastMessage.Body != "one" || got.Unread != 1 {
			t.Errorf("after a correction: got %+v, %d unread; want one, 1", got.LastMessage, got.Unread)
		}
		w.receive(a, retract)
		if got := w.chat(s, bob); got.LastMessage.Body != "" || got.LastMessage.Retracted == nil || got.Unread != 1 {
			t.Errorf("after a retraction: got %+v, %d unread; want no text, 1", got.LastMessage, got.Unread)
		}
	})
}
