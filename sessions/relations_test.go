package sessions_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// edit, retract and react are control messages of bob's.
func edit(id, target, body string) *perch.MessageIn {
	m := text(id, body)
	m.Relation = &perch.Relation{Kind: perch.RelationEdit, Target: target}
	return m
}

func retract(id, target string) *perch.MessageIn {
	m := text(id, "")
	m.Relation = &perch.Relation{Kind: perch.RelationRetraction, Target: target}
	return m
}

func react(id, target string, emojis ...string) *perch.MessageIn {
	m := text(id, "")
	m.Relation = &perch.Relation{Kind: perch.RelationReactions, Target: target, Emojis: emojis}
	return m
}

// byPhone is m as another device of alice's has sent it to bob.
func byPhone(m *perch.MessageIn) *perch.MessageIn {
	m.Sent, m.From, m.To = true, alice+"/phone", bob
	return m
}

// by is m from somebody else.
func by(from perch.JID, m *perch.MessageIn) *perch.MessageIn {
	m.From = from + "/x"
	return m
}

// put archives a message, whatever it is, and returns its id there.
func (a *archive) put(m *perch.MessageIn) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.made++
	id := fmt.Sprintf("a%04d", a.made)
	it := item(id, m.ID, m.From, m.To, m.Body)
	it.Relation, it.MessageDetails = m.Relation, m.MessageDetails
	a.items = append(a.items, it)
	return id
}

// shown is a message as a client shows it, from events or from a page.
type shown struct {
	body      string
	edits     int
	retracted bool
	reactions map[string][]perch.JID
}

func (s *shown) String() string {
	var list []string
	for _, e := range slices.Sorted(maps.Keys(s.reactions)) {
		list = append(list, fmt.Sprint(e, slices.Sorted(slices.Values(s.reactions[e]))))
	}
	return fmt.Sprintf("%q edits=%d retracted=%v %s", s.body, s.edits, s.retracted, strings.Join(list, " "))
}

// take replaces what is shown by a whole message.
func (s *shown) take(m *perch.Message) {
	*s = shown{body: m.Body}
	if d := m.MessageDetails; d != nil {
		if d.Edited != nil {
			s.edits = d.Edited.Count
		}
		s.retracted = d.Retracted != nil
		s.react(d.Reactions)
	}
}

func (s *shown) react(list []perch.Reaction) {
	s.reactions = map[string][]perch.JID{}
	for _, r := range list {
		s.reactions[r.Emoji] = r.By
	}
}

// chat are the messages that a client shows, by their refs.
type chat map[string]*shown

func (c chat) at(ref string) *shown {
	if c[ref] == nil {
		c[ref] = &shown{}
	}
	return c[ref]
}

func (c chat) String() string {
	var lines []string
	for ref, s := range c {
		r, _ := perch.ParseRef(ref)
		lines = append(lines, fmt.Sprintf("%s sent=%v %s", r.ID, r.Sent, s))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// chatOf is all that a client needs to do with the events.
func chatOf(t tb, evs []event) chat {
	c := chat{}
	for _, e := range evs {
		switch e.Type {
		case perch.EventMessageReceived, perch.EventMessageSent, perch.EventMessageEdited:
			var m perch.Message
			e.into(t, &m)
			c.at(m.Ref).take(&m)
		case perch.EventMessageRetracted:
			var d perch.MessageRetracted
			e.into(t, &d)
			*c.at(d.Ref) = shown{retracted: true}
		case perch.EventMessageReactions:
			var d perch.MessageReactions
			e.into(t, &d)
			c.at(d.Ref).react(d.Reactions)
		}
	}
	return c
}

func (w *world) wantChat(s *sessions.Session, want string) {
	w.t.Helper()
	if got := chatOf(w.t, w.durable(s)).String(); got != want {
		w.t.Errorf("messages as events show them: got\n%s\nwant\n%s", got, want)
	}
}

// TestRelationsByEveryWay: whatever way control messages come, and however often, a client shows the
// same.
func TestRelationsByEveryWay(t *testing.T) {
	all := func() []*perch.MessageIn {
		return []*perch.MessageIn{
			text("m1", "one"), byPhone(text("p1", "mine")), text("m2", "two"),
			edit("c1", "m1", "one, corrected"), edit("c2", "m1", "one, twice"), byPhone(edit("c3", "p1", "mine, corrected")),
			react("r1", "p1", "👍", "🎉"), byPhone(react("r2", "m1", "❤")), react("r3", "p1", "🎉"), react("r4", "m1", "❤"), retract("t1", "m2"),
		}
	}
	const want = `m1 sent=false "one, twice" edits=2 retracted=false ❤[alice@example.net bob@example.net]
m2 sent=false "" edits=0 retracted=true ` + `
p1 sent=true "mine, corrected" edits=1 retracted=false 🎉[bob@example.net]`
	for name, run := range map[string]func(w *world, a *archive){
		"live": func(w *world, a *archive) {
			for _, m := range all() {
				m.StanzaID = a.put(m)
				w.deliver(m)
			}
		},
		"live, and again from the archive": func(w *world, a *archive) {
			for _, m := range all() {
				a.put(m)
				w.deliver(m)
			}
			w.cut(func() {})
		},
		"from the archive after a gap": func(w *world, a *archive) {
			w.cut(func() {
				for _, m := range all() {
					a.put(m)
				}
			})
		},
		"half live, half after a restart": func(w *world, a *archive) {
			for i, m := range all() {
				if i == 6 {
					w.close()
				}
				if m.StanzaID = a.put(m); i < 6 {
					w.deliver(m)
				}
			}
			w.start()
			w.open()
			pass(time.Second)
		},
		"live while the archive is read": func(w *world, a *archive) {
			w.cut(func() {
				a.onAsk = func() {
					a.onAsk = nil
					for _, m := range all() {
						m.StanzaID = a.put(m)
						w.up.newest().Deliver(m)
					}
				}
			})
		},
		"on a resumed stream": func(w *world, _ *archive) {
			w.up.set(func(u *upstream) { u.resume = true })
			w.cut(func() {})
			w.cut(func() {})
			for _, m := range all() {
				m.Source = perch.SourceResumed
				w.deliver(m)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				a := withArchive(w)
				a.size = 3
				a.add("old", "in", "")
				w.open()
				pass(time.Hour)
				run(w, a)
				w.wantChat(w.open(), want)
			}, durable)
		})
	}
}

// TestRelationOfSomebodyElse: who may not change a message does not, by whatever way it is tried.
// That the message is another one's shows as long as it is one of the last.
func TestRelationOfSomebodyElse(t *testing.T) {
	forged := func() []*perch.MessageIn {
		return []*perch.MessageIn{
			edit("f1", "p1", "forged"), retract("f2", "p1"), // bob, of alice's
			byPhone(edit("f3", "m1", "forged")), // alice, of bob's
			by(carol, edit("f4", "m1", "forged")), by(carol, retract("f5", "p1")), by(carol, react("f6", "m1", "💩")), by(carol, react("f7", "p1", "💩")),
		}
	}
	for name, run := range map[string]func(w *world, a *archive){
		"live": func(w *world, a *archive) {
			for _, m := range forged() {
				m.StanzaID = a.put(m)
				w.deliver(m)
			}
			w.cut(func() {})
		},
		"from the archive": func(w *world, a *archive) {
			w.cut(func() {
				for _, m := range forged() {
					a.put(m)
				}
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := &tally{}
			inWorld(t, func(w *world) {
				a := withArchive(w)
				s := w.open()
				for _, m := range []*perch.MessageIn{text("m1", "one"), byPhone(text("p1", "mine"))} {
					m.StanzaID = a.put(m)
					w.deliver(m)
				}
				run(w, a)
				w.wantChat(s, `m1 sent=false "one" edits=0 retracted=false `+"\n"+`p1 sent=true "mine" edits=0 retracted=false `)
				w.restart()
				s = w.open()
				pass(time.Second)
				w.wantChat(s, `m1 sent=false "one" edits=0 retracted=false `+"\n"+`p1 sent=true "mine" edits=0 retracted=false `)
			}, watched(c), durable)
			c.want(t, map[string]int{"dropped not_author": 7, "event event.dropped": 7})
		})
	}
}

// TestRelationOfAnUnknownMessage is shown by its ref alone: a correction as a message, with the whole
// new text; reactions as ones to a message of the other side.
func TestRelationOfAnUnknownMessage(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		w.deliver(edit("c1", "long ago", "new text"), retract("t1", "older"), react("r1", "of alice", "👍"), byPhone(react("r2", "of bob", "👍")))
		w.wantChat(s, `long ago sent=false "new text" edits=1 retracted=false `+`
of alice sent=true "" edits=0 retracted=false 👍[bob@example.net]
of bob sent=false "" edits=0 retracted=false 👍[alice@example.net]
older sent=false "" edits=0 retracted=true `)
	})
}

// TestRelationComesBeforeItsMessage: a server may hand over what was on its way to an old connection
// later than what came to the new one. Then a client shows what it would show otherwise.
func TestRelationComesBeforeItsMessage(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		sent := now()
		pass(10 * time.Second)
		corrected := now()
		w.deliver(edit("c2", "m1", "second"))
		pass(10 * time.Second)
		w.deliver(react("r2", "p1", "👎"), delayed(edit("c1", "m1", "first"), corrected-5000), delayed(react("r1", "p1", "👍"), corrected), delayed(text("m1", "zeroth"), sent))
		w.wantChat(s, `m1 sent=false "second" edits=2 retracted=false `+"\n"+`p1 sent=true "" edits=0 retracted=false 👎[bob@example.net]`)

		pass(10 * time.Second)
		w.deliver(delayed(text("m1", "another message with this id"), now()))
		w.wantChat(s, `m1 sent=false "another message with this id" edits=0 retracted=false `+"\n"+`p1 sent=true "" edits=0 retracted=false 👎[bob@example.net]`)
	})
}

// TestRetractedIsFinal: nothing is left to change of a message that was retracted.
func TestRetractedIsFinal(t *testing.T) {
	c := &tally{}
	inWorld(t, func(w *world) {
		s := w.open()
		w.deliver(text("m1", "one"), react("r0", "m1", "👍"), retract("t1", "m1"))
		w.deliver(edit("c1", "m1", "back"), byPhone(react("r1", "m1", "👍")), retract("t2", "m1"))
		w.wantChat(s, `m1 sent=false "" edits=0 retracted=true `)
	}, watched(c))
	c.want(t, map[string]int{"dropped superseded": 3, "event message.retracted": 1, "event event.dropped": 0})
}

// TestRelationMovesTheArchivePosition: after a control message the archive is read from it on.
func TestRelationMovesTheArchivePosition(t *testing.T) {
	for name, m := range map[string]*perch.MessageIn{"edit": edit("c1", "m1", "new"), "retraction": retract("t1", "m1"), "reactions": react("r1", "m1", "👍")} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				a := withArchive(w)
				w.open()
				m.StanzaID = a.put(m)
				w.deliver(m)
				got := ""
				w.store.set(func(s *store) { got = s.record.ArchiveID })
				if got != m.StanzaID {
					t.Errorf("place in the archive: got %q, want %q", got, m.StanzaID)
				}
			})
		})
	}
}

// TestRelationAsksForAReceipt as a message does.
func TestRelationAsksForAReceipt(t *testing.T) {
	inWorld(t, func(w *world) {
		w.roster(bob)
		w.open()
		m := edit("c1", "m1", "new")
		m.ReceiptRequested = true
		w.deliver(m)
		got := sent[*perch.ReceiptOut](w.conn())
		if len(got) != 1 || got[0].ID != "c1" {
			t.Errorf("receipts: got %+v, want one of c1", got)
		}
	})
}

// TestMessagesHaveRefs: every logged message has the handle that follows from its id.
func TestMessagesHaveRefs(t *testing.T) {
	inWorld(t, func(w *world) {
		a := withArchive(w)
		s := w.open()
		id := w.send(s, hi("sent here"))
		w.deliver(live(a.put(text("m1", "one")), "one"), byPhone(text("p1", "mine")))
		w.cut(func() { a.put(text("m3", "three")); a.put(text("", "without an id")) })
		var got []string
		for _, e := range w.durable(s) {
			var m perch.Message
			if e.Type == perch.EventMessageReceived || e.Type == perch.EventMessageSent {
				e.into(t, &m)
				got = append(got, m.Ref)
			}
		}
		want := []string{perch.Ref{ID: id, Sent: true}.String(), perch.Ref{ID: "m-a0001"}.String(), perch.Ref{ID: "p1", Sent: true}.String(),
			perch.Ref{ID: "m3"}.String(), perch.Ref{StanzaID: "a0003"}.String()}
		if !slices.Equal(got, want) {
			t.Errorf("refs: got %q, want %q", got, want)
		}
	}, durable)
}

// TestReplyNamesItsMessage, where it is one of the two sides or of a room.
func TestReplyNamesItsMessage(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		for _, tt := range []struct {
			kind perch.MessageKind
			to   perch.JID
			want string
		}{
			{perch.ChatMessage, alice + "/phone", perch.Ref{ID: "q", Sent: true}.String()},
			{perch.ChatMessage, bob, perch.Ref{ID: "q"}.String()},
			{perch.ChatMessage, "Bob@Example.net/phone", perch.Ref{ID: "q"}.String()},
			{perch.ChatMessage, carol, ""},
			{perch.ChatMessage, "", ""},
			{perch.GroupchatMessage, "room@example.net/bob", perch.Ref{StanzaID: "q", Room: true}.String()},
			{perch.GroupchatMessage, "", perch.Ref{StanzaID: "q", Room: true}.String()},
		} {
			id := "m-" + string(tt.kind) + string(tt.to)
			m := text(id, "yes")
			m.Kind, m.MessageDetails = tt.kind, &perch.MessageDetails{ReplyTo: &perch.Reply{ID: "q", From: tt.to}}
			w.deliver(m)
			events := w.durable(s)
			var got perch.Message
			events[len(events)-1].into(t, &got)
			if got.ID != id || got.MessageDetails == nil || got.ReplyTo.Ref != tt.want {
				t.Errorf("a reply in a %s to %q: got %+v, want a reply to the message %q", tt.kind, tt.to, got, tt.want)
			}
		}
	})
}

// TestSameReactionAgain: what says the same as a control message of before is another one, over a
// restart too, when it has another id.
func TestSameReactionAgain(t *testing.T) {
	inWorld(t, func(w *world) {
		a := withArchive(w)
		w.open()
		w.deliver(live(a.put(text("m-a0001", "one")), "one"))
		for _, m := range []*perch.MessageIn{byPhone(react("r1", "m-a0001", "❤")), byPhone(react("r2", "m-a0001"))} {
			a.put(m)
			w.deliver(m) // without the id of the archive, as what other devices send often is
		}
		w.close()
		pass(10 * time.Second)
		a.put(byPhone(react("r3", "m-a0001", "❤")))
		w.start()
		s := w.open()
		pass(time.Second)
		w.wantChat(s, `m-a0001 sent=false "one" edits=0 retracted=false ❤[alice@example.net]`)
	}, durable)
}
