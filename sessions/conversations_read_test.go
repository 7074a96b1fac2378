package sessions_test

import (
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/fakexmpp"
	"github.com/perch-im/perch/sessions"
)

// TestReadIsForwardOnly: reading up to a message leaves what came after it; an earlier one changes
// nothing, and the answer is what holds.
func TestReadIsForwardOnly(t *testing.T) {
	inArchivedWorld(t, func(w *world, a *mam, s *sessions.Session) {
		w.chats(s, sessions.ConversationQuery{})
		first, second, third := from(bob, "1"), from(bob, "2"), from(bob, "3")
		w.receive(a, first, second, from(carol, "x"), third)
		c := w.attach(s, sessions.SubscribeOptions{Types: []string{"conversation.read"}})
		want := func(r perch.ConversationRead, m *perch.MessageIn, unread int) {
			t.Helper()
			if r.JID != bob || r.Unread != unread || r.Read == nil || r.Read.Ref != perch.RefOf(&m.Message, false) || r.Read.Time == 0 {
				t.Errorf("got %+v, want %d unread after %s", r, unread, m.ID)
			}
		}
		want(w.read(s, bob, second), second, 1)
		want(w.read(s, bob, first), second, 1)
		want(w.read(s, bob, second), second, 1)
		want(w.read(s, bob, third), third, 0)
		evs := c.wantTypes(perch.EventConversationRead, perch.EventConversationRead)
		for i, m := range []*perch.MessageIn{second, third} {
			var r perch.ConversationRead
			evs[i].into(t, &r)
			want(r, m, 1-i)
		}
		wantUnread(t, w.chat(s, carol), 1, true)
		_, err := sessions.ConversationsOf(s).Read(w.ctx(), bob, perch.Ref{ID: "unknown"}, false)
		kindOf(t, err, perch.KindNotFound)
		_, err = sessions.ConversationsOf(s).Read(w.ctx(), "dora@example.net", perch.Ref{ID: first.ID}, false)
		kindOf(t, err, perch.KindNotFound)
	})
}

// TestReadOfTheArchive: a message that the log does not have any more is looked for in the archive.
func TestReadOfTheArchive(t *testing.T) {
	inArchivedWorld(t, func(w *world, a *mam, s *sessions.Session) {
		w.chats(s, sessions.ConversationQuery{})
		first := from(bob, "1")
		w.receive(a, first, from(bob, "2"))
		pass(25 * time.Hour)
		w.receive(a, from(bob, "3"))
		wantUnread(t, w.chat(s, bob), 3, true)
		if r := w.read(s, bob, first); r.Unread != 2 {
			t.Errorf("got %+v, want 2 unread", r)
		}
	})
}

// TestReadElsewhere: another device moves the position, by the id in the archive or by the id of a
// message, also before the message has come.
func TestReadElsewhere(t *testing.T) {
	inArchivedWorld(t, func(w *world, a *mam, s *sessions.Session) {
		w.chats(s, sessions.ConversationQuery{})
		c := w.attach(s, sessions.SubscribeOptions{Types: []string{"conversation.read"}})
		first, second := from(bob, "1"), from(bob, "2")
		w.receive(a, first, second, from(bob, "3"))
		w.deliver(&perch.ReadIn{Conversation: bob, StanzaID: second.StanzaID})
		wantUnread(t, w.chat(s, bob), 1, true)
		w.deliver(&perch.ReadIn{Conversation: bob, StanzaID: first.StanzaID})
		w.deliver(&perch.ReadIn{Conversation: bob, ID: first.ID})
		wantUnread(t, w.chat(s, bob), 1, true)
		w.deliver(&perch.ReadIn{Conversation: bob, StanzaID: "s5"})
		wantUnread(t, w.chat(s, bob), 1, true)
		w.receive(a, from(bob, "4"), from(bob, "5"), from(bob, "6"))
		b := w.chat(s, bob)
		wantUnread(t, b, 1, true)
		w.receive(a, to(bob, "7"))
		wantUnread(t, w.chat(s, bob), 0, true)
		if got := len(c.next()); got != 3 {
			t.Errorf("got %d events, want 3: for each time that the position moved", got)
		}
		if got := w.up.newest().Published(); len(got) != 0 {
			t.Errorf("published: got %v, want none: the others know it", got)
		}
	})
}

// TestReadIsPublished: soon, and once for several; again after an error, and by the next process.
func TestReadIsPublished(t *testing.T) {
	inArchivedWorld(t, func(w *world, a *mam, s *sessions.Session) {
		w.chats(s, sessions.ConversationQuery{})
		first, second, third := from(bob, "1"), from(bob, "2"), from(bob, "3")
		w.receive(a, first, second, third)
		published := func(n int) string {
			t.Helper()
			list := w.conn().Published()
			if len(list) != n {
				t.Fatalf("published: got %v, want %d", list, n)
			}
			if n == 0 {
				return ""
			}
			return list[n-1].StanzaID
		}
		w.read(s, bob, first)
		pass(time.Second)
		w.read(s, bob, second)
		published(0)
		pass(2 * time.Second)
		if id := published(1); id != second.StanzaID {
			t.Errorf("published: got %s, want %s", id, second.StanzaID)
		}
		refuse := func(f func(string) error) { w.up.Edit(func(d *fakexmpp.Data) { d.Refuse = f }) }
		refuse(func(method string) error {
			if method == "PublishRead" {
				return perch.Errorf(perch.KindUpstreamTimeout, "no answer")
			}
			return nil
		})
		w.read(s, bob, third)
		pass(10 * time.Second)
		published(1)
		w.close()
		refuse(nil)
		w.start()
		w.open()
		pass(3 * time.Second)
		if id := published(1); id != third.StanzaID {
			t.Errorf("published by the next process: got %s, want %s", id, third.StanzaID)
		}
		pass(time.Hour)
		published(1)
		w.close()
		w.start()
		w.open()
		pass(time.Hour)
		published(0)
	})
}

// TestReadIsNotPublished: where the upstream cannot keep it.
func TestReadIsNotPublished(t *testing.T) {
	inWorld(t, func(w *world) {
		w.archived()
		w.up.Edit(func(d *fakexmpp.Data) { d.Capabilities.ReadSync = false })
		w.roster(bob)
		s := w.open()
		w.chats(s, sessions.ConversationQuery{})
		m := from(bob, "1")
		m.StanzaID = "s1"
		w.deliver(m)
		w.read(s, bob, m)
		w.up.Edit(func(d *fakexmpp.Data) {
			d.Refuse = func(method string) error { t.Errorf("%s was called, want no request", method); return nil }
		})
		pass(time.Minute)
		w.up.Edit(func(d *fakexmpp.Data) { d.Refuse = nil })
	})
}

// TestDisplayedMarkers: the other side is told what was read when its message asks for it and the user
// lets it; also when there is no stream just then.
func TestDisplayedMarkers(t *testing.T) {
	inArchivedWorld(t, func(w *world, a *mam, s *sessions.Session) {
		w.chats(s, sessions.ConversationQuery{})
		markable := func(body string) *perch.MessageIn {
			m := from(bob, body)
			m.MessageDetails = &perch.MessageDetails{Markable: true}
			return m
		}
		list := sessions.ConversationsOf(s)
		read := func(m *perch.MessageIn, receipts bool) {
			t.Helper()
			_, err := list.Read(w.ctx(), bob, perch.Ref{ID: m.ID}, receipts)
			must(t, "Read", err)
		}
		silent, plain, asked, offline := markable("1"), from(bob, "2"), markable("3"), markable("4")
		w.receive(a, silent, plain, asked, offline)
		read(silent, false)
		read(plain, true)
		if got := sent[*perch.DisplayedOut](w.conn()); len(got) != 0 {
			t.Errorf("got markers %v, want none", got)
		}
		read(asked, true)
		if got := sent[*perch.DisplayedOut](w.conn()); len(got) != 1 || got[0].ID != asked.ID || got[0].To != bob {
			t.Errorf("got markers %v, want one for %s", got, asked.ID)
		}
		w.conn().Fail(linkLost)
		pass(time.Millisecond)
		read(offline, true)
		pass(time.Minute)
		if got := sent[*perch.DisplayedOut](w.conn()); len(got) != 1 || got[0].ID != offline.ID {
			t.Errorf("after the login: got markers %v, want one for %s", got, offline.ID)
		}
	})
}

// TestNoMarkersOnAChatOnlyUpstream: it would not know them.
func TestNoMarkersOnAChatOnlyUpstream(t *testing.T) {
	inWorld(t, func(w *world) {
		w.up.Edit(func(d *fakexmpp.Data) { d.Capabilities = perch.Capabilities{ChatOnly: true} })
		w.roster(bob)
		s := w.open()
		w.chats(s, sessions.ConversationQuery{})
		m := from(bob, "1")
		m.MessageDetails = &perch.MessageDetails{Markable: true}
		w.deliver(m)
		r, err := sessions.ConversationsOf(s).Read(w.ctx(), bob, perch.Ref{ID: m.ID}, true)
		must(t, "Read", err)
		if got := sent[*perch.DisplayedOut](w.conn()); r.Unread != 0 || len(got) != 0 {
			t.Errorf("got %d unread and markers %v, want none of either", r.Unread, got)
		}
	})
}

// TestPositionsAtLogin: what was read elsewhere while there was no stream is asked for.
func TestPositionsAtLogin(t *testing.T) {
	inArchivedWorld(t, func(w *world, a *mam, s *sessions.Session) {
		w.chats(s, sessions.ConversationQuery{})
		first := from(bob, "1")
		w.receive(a, first, from(bob, "2"))
		w.conn().Fail(linkLost)
		pass(time.Millisecond)
		missed := a.add(from(bob, "3"))
		a.add(from(bob, "4"))
		w.up.Edit(func(d *fakexmpp.Data) { d.Read = []perch.ReadIn{{Conversation: bob, StanzaID: missed.StanzaID}} })
		pass(time.Minute)
		wantUnread(t, w.chat(s, bob), 1, true)
	})
}

// TestReadInACluster: another node goes on with what the first one has committed.
func TestReadInACluster(t *testing.T) {
	inCluster(t, 2, func(c *cluster) {
		a := c.archived()
		c.roster(bob)
		s := c.authenticate(c.nodes[0])
		c.chats(s, sessions.ConversationQuery{})
		first := from(bob, "1")
		c.receive(a, first, from(bob, "2"))
		c.read(s, bob, first)
		c.stop(c.nodes[0])
		s = c.authenticate(c.nodes[1])
		pass(time.Minute)
		b := c.chat(s, bob)
		wantUnread(t, b, 1, true)
		if b.Read == nil || b.Read.Ref != perch.RefOf(&first.Message, false) || b.LastMessage == nil || b.LastMessage.Body != "2" {
			t.Errorf("got read %+v and last_message %+v, want those of the first node", b.Read, b.LastMessage)
		}
		c.receive(a, from(bob, "3"))
		wantUnread(t, c.chat(s, bob), 2, true)
		if r := c.read(s, bob, first); r.Unread != 2 {
			t.Errorf("read up to the first: got %d unread, want 2", r.Unread)
		}
	})
}
