package sessions_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/conversations"
	"github.com/perch-im/perch/sessions"
)

// TestNoConversationsCostNothing: a session whose list nobody asks for has none.
func TestNoConversationsCostNothing(t *testing.T) {
	inArchivedWorld(t, func(w *world, a *mam, s *sessions.Session) {
		w.receive(a, from(bob, "1"))
		w.up.newest().Deliver(&perch.ReadIn{Conversation: bob, StanzaID: "s1"})
		if sessions.HasConversations(s) {
			t.Error("before the first list: got a list of chats, want none")
		}
		w.chats(s, sessions.ConversationQuery{})
		if !sessions.HasConversations(s) {
			t.Error("after the first list: got no list of chats, want one")
		}
	})
}

// TestConversation: the list shows what has come, in the order of activity.
func TestConversation(t *testing.T) {
	inArchivedWorld(t, func(w *world, a *mam, s *sessions.Session) {
		w.chats(s, sessions.ConversationQuery{})
		w.receive(a, from(carol, "hello"))
		pass(time.Second)
		last := from(bob, strings.Repeat("ü", 300))
		w.receive(a, from(bob, "1"), last)
		p := w.chats(s, sessions.ConversationQuery{})
		if len(p.Items) != 2 || p.Items[0].JID != bob || p.Items[1].JID != carol || !p.Complete || p.Next != "" {
			t.Fatalf("List: got %+v, want bob before carol, and no more", p)
		}
		b := p.Items[0]
		wantUnread(t, &b, 2, true)
		if b.Kind != perch.ChatConversation || b.Name != "bob" || b.Notify != perch.NotifyAll || b.Read != nil || b.Draft != nil {
			t.Errorf("got %+v, want a chat with bob that nothing was done to", b)
		}
		if m := b.LastMessage; m == nil || m.ID != last.ID || m.Ref != perch.RefOf(&last.Message, false) || m.Body != strings.Repeat("ü", 100) {
			t.Errorf("last_message: got %+v, want %s with 200 bytes", b.LastMessage, last.ID)
		}
		if b.LastActivityAt != w.chat(s, bob).LastActivityAt || b.LastActivityAt <= p.Items[1].LastActivityAt {
			t.Errorf("last_activity_at: got %v, want it after that of carol, %v", b.LastActivityAt, p.Items[1].LastActivityAt)
		}
	})
}

// TestOwnMessagesRead: what the account sends, here or elsewhere, reads the conversation.
func TestOwnMessagesRead(t *testing.T) {
	inArchivedWorld(t, func(w *world, a *mam, s *sessions.Session) {
		w.chats(s, sessions.ConversationQuery{})
		c := w.attach(s, sessions.SubscribeOptions{Types: []string{"conversation.read"}})
		w.receive(a, from(bob, "1"), to(bob, "2"))
		wantUnread(t, w.chat(s, bob), 0, true)
		w.receive(a, from(bob, "3"))
		wantUnread(t, w.chat(s, bob), 1, true)
		_, err := s.SendMessage(w.ctx(), sessions.NewMessage{ID: "mine", To: bob, Body: "4"})
		must(t, "SendMessage", err)
		b := w.chat(s, bob)
		wantUnread(t, b, 0, true)
		if want := (perch.Ref{ID: "mine", Sent: true}).String(); b.Read == nil || b.Read.Ref != want || b.LastMessage.ID != "mine" {
			t.Errorf("got read %+v and last_message %+v, want both of the message that was sent", b.Read, b.LastMessage)
		}
		if evs := c.next(); len(evs) != 2 {
			t.Errorf("got events %v, want conversation.read twice", types(evs))
		}
	})
}

// TestWhatCountsAsUnread: messages, and nothing else.
func TestWhatCountsAsUnread(t *testing.T) {
	inArchivedWorld(t, func(w *world, a *mam, s *sessions.Session) {
		w.chats(s, sessions.ConversationQuery{})
		headline := from(bob, "news")
		headline.Kind = perch.HeadlineMessage
		w.deliver(headline)
		if _, err := sessions.ConversationsOf(s).Get(w.ctx(), bob); perch.KindOf(err) != perch.KindNotFound {
			t.Errorf("after a headline: got error %v, want kind %s", err, perch.KindNotFound)
		}
		named, other := from(bob, "alice!"), from(bob, "carol!")
		named.MessageDetails = &perch.MessageDetails{Mentions: []perch.Mention{{JID: alice}}}
		other.MessageDetails = &perch.MessageDetails{Mentions: []perch.Mention{{JID: carol}}}
		w.receive(a, named, other)
		b := w.chat(s, bob)
		wantUnread(t, b, 2, true)
		if b.Mentions != 1 {
			t.Errorf("mentions: got %d, want 1", b.Mentions)
		}
		for range 1000 {
			w.up.newest().Deliver(from(bob, "more"))
		}
		wantUnread(t, w.chat(s, bob), 999, true)
	})
}

// TestPreviewFollows: an edit or a retraction of the last message changes what is shown of it, one of an
// earlier message does not, and neither changes what is unread.
func TestPreviewFollows(t *testing.T) {
	inArchivedWorld(t, func(w *world, a *mam, s *sessions.Session) {
		w.chats(s, sessions.ConversationQuery{})
		first, last := from(bob, "1"), from(bob, "2")
		w.receive(a, first, last)
		edit := func(m *perch.MessageIn, body string) {
			e := m.Message
			e.Body, e.Ref, e.MessageDetails = body, perch.RefOf(&m.Message, false), &perch.MessageDetails{Edited: &perch.Edited{Count: 1, At: 5}}
			sessions.MakeEvent(s, perch.EventMessageEdited, &e)
		}
		edit(first, "one")
		if m := w.chat(s, bob).LastMessage; m.Body != "2" {
			t.Errorf("after an edit of an earlier message: got %+v, want 2", m)
		}
		edit(last, "two")
		if m := w.chat(s, bob).LastMessage; m.Body != "two" || m.MessageDetails == nil || m.Edited == nil || m.ID != last.ID {
			t.Errorf("after an edit: got %+v, want two, edited", m)
		}
		retract := func(m *perch.MessageIn) {
			sessions.MakeEvent(s, perch.EventMessageRetracted, perch.MessageRetracted{
				Ref: perch.RefOf(&m.Message, false), ID: m.ID, Conversation: bob, Retracted: perch.Retracted{At: 6, By: bob}})
		}
		retract(first)
		retract(last)
		b := w.chat(s, bob)
		if m := b.LastMessage; m.Body != "" || m.MessageDetails == nil || m.Retracted == nil || m.ID != last.ID || m.From != bob {
			t.Errorf("after a retraction: got %+v, want nothing of the text", m)
		}
		wantUnread(t, b, 2, true)
		if r := w.read(s, bob, first); r.Unread != 1 {
			t.Errorf("read up to the first: got %d unread, want 1: a message that was taken back counts", r.Unread)
		}
		sessions.MakeEvent(s, perch.EventMessageReactions, perch.MessageReactions{Ref: perch.RefOf(&last.Message, false), Conversation: bob, From: bob})
		wantUnread(t, w.chat(s, bob), 1, true)
	})
}

// TestPeerRead: what the other side has seen.
func TestPeerRead(t *testing.T) {
	inArchivedWorld(t, func(w *world, a *mam, s *sessions.Session) {
		w.chats(s, sessions.ConversationQuery{})
		w.receive(a, to(bob, "1"))
		sessions.MakeEvent(s, perch.EventMessageRead, perch.MessageRead{Conversation: bob, By: bob, Ref: "oabc"})
		if r := w.chat(s, bob).PeerRead; r == nil || r.Ref != "oabc" || r.Time == 0 {
			t.Errorf("peer_read: got %+v, want oabc and a time", r)
		}
	})
}

// TestConversationSettings: what the user wants of a conversation stays over a restart; a message
// un-archives it.
func TestConversationSettings(t *testing.T) {
	inArchivedWorld(t, func(w *world, a *mam, s *sessions.Session) {
		w.receive(a, from(bob, "1"))
		list := sessions.ConversationsOf(s)
		yes, muted, draft := true, perch.NotifyNone, "Dear Bob"
		text := &draft
		b, err := list.Change(w.ctx(), bob, sessions.ConversationChange{Notify: &muted, Pinned: &yes, Archived: &yes, Draft: &text})
		must(t, "Change", err)
		want := func(b *perch.Conversation, archived bool, draft *string) {
			t.Helper()
			if b.Notify != muted || !b.Pinned || b.Archived != archived || (b.Draft == nil) != (draft == nil) || draft != nil && *b.Draft != *draft {
				t.Errorf("got %+v, want it silent, pinned, archived %v, with the draft %v", b, archived, draft)
			}
		}
		want(b, true, text)
		w.close()
		w.start()
		s = w.open()
		want(w.chat(s, bob), true, text)
		w.receive(a, from(bob, "2"))
		want(w.chat(s, bob), false, text)
		var none *string
		b, err = sessions.ConversationsOf(s).Change(w.ctx(), bob, sessions.ConversationChange{Draft: &none})
		must(t, "Change", err)
		want(b, false, nil)
		long, bad := strings.Repeat("x", 4097), perch.Notify("loud")
		text = &long
		_, err = sessions.ConversationsOf(s).Change(w.ctx(), bob, sessions.ConversationChange{Draft: &text})
		kindOf(t, err, perch.KindValidation)
		_, err = sessions.ConversationsOf(s).Change(w.ctx(), bob, sessions.ConversationChange{Notify: &bad})
		kindOf(t, err, perch.KindValidation)
		if _, err := sessions.ConversationsOf(s).Change(w.ctx(), "dora@example.net", sessions.ConversationChange{Pinned: &yes}); err != nil {
			t.Errorf("Change of an account without a conversation: got error %v, want none", err)
		}
	})
}

// TestConversationPages: every conversation is on one page, pinned ones first; filters and cursors that
// are none.
func TestConversationPages(t *testing.T) {
	inArchivedWorld(t, func(w *world, a *mam, s *sessions.Session) {
		w.chats(s, sessions.ConversationQuery{})
		for i := range 25 {
			jid := perch.JID(fmt.Sprintf("b%02d@example.net", i))
			w.receive(a, from(jid, "x"))
			if i%2 == 0 {
				w.receive(a, to(jid, "y"))
			}
			pass(time.Second)
		}
		yes := true
		_, err := sessions.ConversationsOf(s).Change(w.ctx(), "b03@example.net", sessions.ConversationChange{Pinned: &yes})
		must(t, "Change", err)
		all := func(q sessions.ConversationQuery) (list []perch.JID) {
			for range 100 {
				p := w.chats(s, q)
				for _, c := range p.Items {
					list = append(list, c.JID)
				}
				if q.Cursor = p.Next; q.Cursor == "" {
					break
				}
			}
			return list
		}
		got := all(sessions.ConversationQuery{Limit: 4})
		if len(got) != 25 || got[0] != "b03@example.net" || got[1] != "b24@example.net" || got[24] != "b00@example.net" {
			t.Errorf("pages: got %v, want 25, the pinned one first and then the latest", got)
		}
		if got := all(sessions.ConversationQuery{Limit: 5, Unread: true}); len(got) != 12 || slices.Contains(got, "b02@example.net") {
			t.Errorf("unread: got %v, want the 12 with an odd number", got)
		}
		if got := all(sessions.ConversationQuery{Kind: perch.RoomConversation}); len(got) != 0 {
			t.Errorf("rooms: got %v, want none", got)
		}
		for _, bad := range []string{"x", "!", "dHJ1ZQ", "eCAxIGE", "dHJ1ZSB4IGE"} {
			_, err := sessions.ConversationsOf(s).List(w.ctx(), sessions.ConversationQuery{Cursor: bad})
			kindOf(t, err, perch.KindValidation)
		}
	})
}

// TestTooManyConversations: the one that was active least recently goes, and never a pinned one; what
// comes of it later is said not to be exact.
func TestTooManyConversations(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		w.chats(s, sessions.ConversationQuery{})
		jid := func(i int) perch.JID { return perch.JID(fmt.Sprintf("b%04d@example.net", i)) }
		for i := range 2000 {
			w.up.newest().Deliver(from(jid(i), "x"))
			pass(time.Millisecond)
		}
		yes := true
		_, err := sessions.ConversationsOf(s).Change(w.ctx(), jid(0), sessions.ConversationChange{Pinned: &yes})
		must(t, "Change", err)
		wantUnread(t, w.chat(s, jid(1)), 1, true)
		w.deliver(from(jid(2000), "x"), from(jid(2001), "x"))
		for _, gone := range []int{1, 2} {
			_, err := sessions.ConversationsOf(s).Get(w.ctx(), jid(gone))
			kindOf(t, err, perch.KindNotFound)
		}
		for _, kept := range []int{0, 3, 2000, 2001} {
			w.chat(s, jid(kept))
		}
		w.deliver(from(jid(1), "again"))
		wantUnread(t, w.chat(s, jid(1)), 1, false)
	})
}

// TestGapIsNotExact: after a gap it is not known how much is unread, until a later message is read.
func TestGapIsNotExact(t *testing.T) {
	inWorld(t, func(w *world) {
		w.roster(bob)
		s := w.open()
		w.chats(s, sessions.ConversationQuery{})
		w.deliver(from(bob, "1"))
		wantUnread(t, w.chat(s, bob), 1, true)
		w.lose(linkLost)
		pass(time.Minute)
		wantUnread(t, w.chat(s, bob), 1, false)
		m := from(bob, "2")
		w.deliver(m)
		wantUnread(t, w.chat(s, bob), 2, false)
		w.read(s, bob, m)
		wantUnread(t, w.chat(s, bob), 0, true)
	})
}

// TestConversationChanged: subscribers hear of a change once for several, without the last message.
func TestConversationChanged(t *testing.T) {
	inArchivedWorld(t, func(w *world, a *mam, s *sessions.Session) {
		w.chats(s, sessions.ConversationQuery{})
		c := w.attach(s, sessions.SubscribeOptions{Types: []string{"conversation.changed"}})
		for i := range 10 {
			w.receive(a, from(bob, fmt.Sprint(i)))
		}
		pass(time.Second)
		evs := c.next()
		if len(evs) != 1 || strings.Contains(string(evs[0].Data), "last_message") {
			t.Fatalf("got %d events, %s; want one, without a last message", len(evs), evs)
		}
		var b perch.Conversation
		evs[0].into(t, &b)
		if b.JID != bob || b.Unread != 10 || b.Name != "bob" {
			t.Errorf("got %+v, want bob and 10 unread", b)
		}
	})
}

// TestMemoryOfConversations: what a session has in memory of 200 of them.
func TestMemoryOfConversations(t *testing.T) {
	const n, most = 200, 80
	var list []conversations.State
	for i := range n {
		list = append(list, conversations.State{
			JID: perch.JID(fmt.Sprintf("user.number.%04d@messenger.example", i)), Kind: perch.ChatConversation, Notify: perch.NotifyAll,
			At: 1_700_000_000_000 + perch.Time(i), Last: uint32(i + 1), Unread: uint16(i % 9), Read: 1, ReadID: 2, ReadAt: 1_699_999_000_000, PeerRead: 3, PeerReadAt: 1_699_000_000_000,
		})
	}
	each := sessions.ConversationMemory(list)
	t.Logf("%.1f bytes a conversation", each)
	if each > most {
		t.Errorf("got %.1f bytes a conversation, want at most %d", each, most)
	}
}
