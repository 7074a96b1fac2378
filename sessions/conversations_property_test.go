package sessions_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/fakexmpp"
	"github.com/perch-im/perch/sessions"
)

// unreadModel is what is unread, by the rule alone: what was received after the furthest of what was
// read and of what the account has sent.
type unreadModel struct {
	messages map[perch.JID][]*perch.MessageIn
	read     map[perch.JID]int // so many of them
}

func (m *unreadModel) add(jid perch.JID, in *perch.MessageIn) {
	m.messages[jid] = append(m.messages[jid], in)
	if in.Sent {
		m.read[jid] = len(m.messages[jid])
	}
}

func (m *unreadModel) readUpTo(jid perch.JID, i int) { m.read[jid] = max(m.read[jid], i+1) }

func (m *unreadModel) unread(jid perch.JID) int { return len(m.messages[jid]) - m.read[jid] }

// unreadWorld is an account with two devices: this gateway, and one that moves its markers.
type unreadWorld struct {
	*world
	rt    *rapid.T
	a     *mam
	s     *sessions.Session
	model unreadModel
}

func (w *unreadWorld) online() bool {
	synctest.Wait()
	return w.s.Info().State == perch.StateOnline
}

// some draws a message of a conversation that has one.
func (w *unreadWorld) some(jid perch.JID) (*perch.MessageIn, int) {
	list := w.model.messages[jid]
	if len(list) == 0 {
		return nil, 0
	}
	i := rapid.IntRange(0, len(list)-1).Draw(w.rt, "message")
	return list[i], i
}

// step makes one random thing happen to the account.
func (w *unreadWorld) step() {
	jid := perch.JID(fmt.Sprintf("b%d@example.net", rapid.IntRange(0, 2).Draw(w.rt, "buddy")))
	switch rapid.IntRange(0, 9).Draw(w.rt, "what") {
	case 0, 1, 2, 3:
		w.message(jid, from(jid, "x"))
	case 4:
		w.message(jid, to(jid, "y"))
	case 5:
		if m, i := w.some(jid); m != nil {
			_, err := sessions.ConversationsOf(w.s).Read(w.ctx(), jid, perch.Ref{ID: m.ID, Sent: m.Sent}, false)
			if err == nil {
				w.model.readUpTo(jid, i)
			} else if perch.KindOf(err) != perch.KindNotFound {
				w.rt.Fatalf("Read: got error %v, want none, or that it is not known yet", err)
			}
		}
	case 6:
		w.readElsewhere(jid)
	case 7:
		w.chats(w.s, sessions.ConversationQuery{})
	case 8:
		w.conn().Fail(linkLost)
		if rapid.Bool().Draw(w.rt, "wait for the login") {
			pass(time.Minute)
		}
	case 9:
		w.close()
		w.start()
		w.s = w.world.open()
	}
	if rapid.Bool().Draw(w.rt, "time passes") {
		pass(time.Duration(rapid.IntRange(1, 90).Draw(w.rt, "seconds")) * time.Second)
	}
}

// message archives a message, and delivers it while there is a stream; else the archive brings it.
func (w *unreadWorld) message(jid perch.JID, in *perch.MessageIn) {
	in = w.a.add(in)
	w.model.add(jid, in)
	if w.online() {
		c := *in
		w.deliver(&c)
	}
}

// readElsewhere moves the marker of the other device, if that is forward. The event may overtake the
// message.
func (w *unreadWorld) readElsewhere(jid perch.JID) {
	m, i := w.some(jid)
	if rapid.IntRange(0, 3).Draw(w.rt, "a message that is on its way") == 0 {
		m = w.a.add(from(jid, "z"))
		w.model.add(jid, m)
		i = len(w.model.messages[jid]) - 1
		defer func() {
			if w.online() {
				c := *m
				w.deliver(&c)
			}
		}()
	}
	if m == nil || i < w.model.read[jid] {
		return
	}
	w.model.readUpTo(jid, i)
	read := perch.ReadIn{Conversation: jid, StanzaID: m.StanzaID}
	w.up.Edit(func(d *fakexmpp.Data) {
		var rest []perch.ReadIn
		for _, r := range d.Read {
			if r.Conversation != jid {
				rest = append(rest, r)
			}
		}
		d.Read = append(rest, read)
	})
	if w.online() {
		w.deliver(&read)
	}
}

// TestUnreadProperty: whatever comes in whatever order, with cuts and restarts, what is unread is exact.
func TestUnreadProperty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rapid.Check(bubbled{t}, func(rt *rapid.T) {
			w := &unreadWorld{world: newWorld(rt), rt: rt, model: unreadModel{map[perch.JID][]*perch.MessageIn{}, map[perch.JID]int{}}}
			defer func() { w.close() }()
			w.a = w.archived()
			w.s = w.open()
			for range rapid.IntRange(0, 40).Draw(rt, "steps") {
				w.step()
			}
			pass(5 * time.Minute)
			got := map[perch.JID]perch.Conversation{}
			for _, c := range w.chats(w.s, sessions.ConversationQuery{}).Items {
				got[c.JID] = c
			}
			for jid, messages := range w.model.messages {
				c, last := got[jid], messages[len(messages)-1]
				if want := w.model.unread(jid); c.Unread != want || !c.UnreadExact {
					rt.Errorf("%s: got %d unread, exact %v; want %d, true", jid, c.Unread, c.UnreadExact, want)
				}
				if c.LastMessage == nil || c.LastMessage.ID != last.ID {
					rt.Errorf("%s: got the last message %+v, want %s", jid, c.LastMessage, last.ID)
				}
			}
			if len(got) != len(w.model.messages) {
				rt.Errorf("got %d conversations, want %d", len(got), len(w.model.messages))
			}
		})
	})
}
