package storetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/conversations"
	"github.com/perch-im/perch/sessions"
)

var conversationCases = []Case{
	{"conversations change", conversationsChange},
	{"details of conversations change", detailsChange},
	{"two spellings are one conversation", conversationSpellings},
	{"conversations are written with their event", conversationsWithEvent},
	{"a commit that is refused changes no conversation", conversationsRefused},
	{"conversations are forgotten", conversationsForgotten},
	{"many conversations", manyConversations},
}

// chat is a state with a bit of everything, made of its JID and a number.
func chat(jid perch.JID, n uint16) conversations.State {
	return conversations.State{
		JID: jid, Kind: perch.ChatConversation, Notify: perch.NotifyMentions, Pinned: true, Open: true, At: 1_700_000_000_000 + perch.Time(n),
		Last: 7, Unread: n, Mentions: 2, Read: 8, ReadID: 9, ReadAt: 1_600_000_000_000, PeerRead: 10, PeerReadAt: 5,
	}
}

// chatting is a table with states that are put into it, and what changes by that.
func chatting(t conversations.Table, list ...conversations.State) (c conversations.Change) {
	for i := range list {
		t = t.Put(&list[i])
		c.Note(t, list[i].Key(), nil)
	}
	return c
}

func leaving(t conversations.Table, list ...perch.JID) (c conversations.Change) {
	for _, jid := range list {
		t = t.Remove(jid)
		c.Removed(t, jid.Key())
	}
	return c
}

func allChats(t conversations.Table) []conversations.State { return slices.Collect(t.All()) }

// conversationsChange takes the table through all that a change can say, and reads it back through Open.
func conversationsChange(t testing.TB, h Harness) {
	type table = conversations.Table
	a, b, c := chat("a@x", 1), chat("b@x", 1), chat("c@x", 1)
	whole := func(list ...conversations.State) (c conversations.Change) {
		c.Replace(conversations.Of(list))
		return c
	}
	for i, step := range []struct {
		name string
		next func(table) conversations.Change
		want []conversations.State
	}{
		{"put", func(t table) conversations.Change { return chatting(t, b, a) }, []conversations.State{a, b}},
		{"replace", func(t table) conversations.Change { return chatting(t, chat("b@x", 2)) }, []conversations.State{a, chat("b@x", 2)}},
		{"nothing", func(table) conversations.Change { return conversations.Change{} }, []conversations.State{a, chat("b@x", 2)}},
		{"remove", func(t table) conversations.Change { return leaving(t, "a@x", "nobody@x") }, []conversations.State{chat("b@x", 2)}},
		{"put and remove", func(t table) conversations.Change {
			ch := chatting(t, a, c)
			t = ch.Table.Remove("a@x")
			ch.Removed(t, "a@x")
			return ch
		}, []conversations.State{chat("b@x", 2), c}},
		{"all anew", func(table) conversations.Change { return whole(a, c) }, []conversations.State{a, c}},
		{"all anew, then put", func(table) conversations.Change {
			ch := whole(a)
			ch.Note(ch.Table.Put(&b), "b@x", nil)
			return ch
		}, []conversations.State{a, b}},
		{"all go", func(table) conversations.Change { return whole() }, nil},
		{"put again", func(t table) conversations.Change { return chatting(t, a) }, []conversations.State{a}},
		{"the last one goes", func(t table) conversations.Change { return leaving(t, "a@x") }, nil},
	} {
		o := open(t, h.Store, "a1")
		o.ok(&sessions.Commit{Conversations: step.next(o.Conversations)})
		same(t, fmt.Sprintf("%d: %s", i, step.name), allChats(o.openAgain().Conversations), step.want)
	}
	o := open(t, h.Store, "a1")
	o.ok(&sessions.Commit{Conversations: chatting(o.Conversations, a)}) // for Endless to look at
}

// detailsChange: each text is what was put last, whatever else changes; with a conversation its details
// go.
func detailsChange(t testing.TB, h Harness) {
	o := open(t, h.Store, "a1")
	a, b := chat("a@x", 1), chat("b@x", 1)
	check := func(what string, want ...string) {
		t.Helper()
		list, err := h.Store.Conversations(t.Context(), o.id, []perch.JID{"b@x", "a@x", "nobody@x"})
		if err != nil {
			t.Fatalf("%s: Conversations: got error %v, want none", what, err)
		}
		var got []string
		for _, d := range list {
			parts := []string{string(d.Key)}
			for _, text := range d.Texts() {
				if *text == nil {
					*text = new("")
				}
				parts = append(parts, **text)
			}
			got = append(got, strings.TrimRight(strings.Join(parts, " "), " "))
		}
		same(t, what, got, append(want, "nobody@x"))
	}
	table := conversations.Of([]conversations.State{a, b})
	commit := func(f func(c *conversations.Change)) {
		var c conversations.Change
		f(&c)
		table = c.Table
		o.ok(&sessions.Commit{Conversations: c})
	}
	commit(func(c *conversations.Change) {
		c.Note(table, "a@x", &conversations.Details{Last: new(`{"body":"ü"}`), Draft: new("d")})
		c.Note(table, "b@x", &conversations.Details{Read: new("r"), PeerRead: new("p")})
	})
	check("put", "b@x  r p", `a@x {"body":"ü"}   d`)
	commit(func(c *conversations.Change) {
		c.Note(table, "a@x", &conversations.Details{Last: new("2"), Draft: new("")})
	})
	check("replace and remove a text", "b@x  r p", "a@x 2")
	commit(func(c *conversations.Change) { c.Note(table, "a@x", nil) })
	check("the state alone", "b@x  r p", "a@x 2")
	commit(func(c *conversations.Change) {
		c.Replace(table)
		c.Note(table, "a@x", &conversations.Details{Read: new("r2")})
	})
	check("all states anew", "b@x  r p", "a@x 2 r2")
	commit(func(c *conversations.Change) { c.Replace(table.Remove("b@x")) })
	check("one is not among all", "b@x", "a@x 2 r2")
	commit(func(c *conversations.Change) { c.Removed(table.Remove("a@x"), "a@x") })
	check("removed", "b@x", "a@x")
	commit(func(c *conversations.Change) { c.Note(table.Put(&a), "a@x", &conversations.Details{Last: new("3")}) })
	check("put again", "b@x", "a@x 3")
}

func conversationSpellings(t testing.TB, h Harness) {
	o := open(t, h.Store, "a1")
	first, second := chat("Up.Case@example.net", 1), chat("up.case@EXAMPLE.net", 2)
	var c conversations.Change
	c.Note(o.Conversations.Put(&first), first.Key(), &conversations.Details{Last: new("1")})
	o.ok(&sessions.Commit{Conversations: c})
	o.ok(&sessions.Commit{Conversations: chatting(c.Table, second)})
	same(t, "conversations", allChats(o.openAgain().Conversations), []conversations.State{second})
	list, err := h.Store.Conversations(t.Context(), o.id, []perch.JID{first.Key()})
	if err != nil || list[0].Last == nil || *list[0].Last != "1" {
		t.Errorf("Conversations: got %v, error %v; want the last message, none", list, err)
	}
}

// conversationsWithEvent: the next owner finds the event of a message and its conversation, or neither.
func conversationsWithEvent(t testing.TB, h Harness) {
	o := open(t, h.Store, "a1")
	var table conversations.Table
	var answers []<-chan sessions.Result
	for i := range uint16(20) {
		var c conversations.Change
		s := chat("a@x", i+1)
		table = table.Put(&s)
		c.Note(table, "a@x", &conversations.Details{Last: new(fmt.Sprint(i + 1))})
		answers = append(answers, o.start(&sessions.Commit{Events: []*perch.Event{o.event(uint64(i+1), "m")}, Conversations: c}))
	}
	for i, ch := range answers {
		if r := await(t, ch); r.Err != nil {
			t.Errorf("commit %d: got error %v, want none", i, r.Err)
		}
	}
	saved := o.openAgain()
	s, _ := saved.Conversations.Get("a@x")
	list, err := h.Store.Conversations(t.Context(), o.id, []perch.JID{"a@x"})
	if saved.Tip != 20 || s.Unread != 20 || err != nil || *list[0].Last != "20" {
		t.Errorf("got the tip %d, %d unread, details %v, error %v; want 20, 20, 20, none", saved.Tip, s.Unread, list, err)
	}
}

func conversationsRefused(t testing.TB, h Harness) {
	o := open(t, h.Store, "a1")
	a := chat("a@x", 1)
	var c conversations.Change
	c.Note(o.Conversations.Put(&a), "a@x", &conversations.Details{Last: new("1")})
	if r := await(t, o.start(&sessions.Commit{Events: []*perch.Event{o.event(5, "m")}, Conversations: c})); r.Err == nil {
		t.Error("a commit with a hole: got no error, want one")
	}
	saved := o.openAgain()
	list, err := h.Store.Conversations(t.Context(), o.id, []perch.JID{"a@x"})
	if saved.Conversations.Len() != 0 || err != nil || !list[0].Empty() {
		t.Errorf("got %d conversations, details %v, error %v; want none", saved.Conversations.Len(), list, err)
	}
}

func conversationsForgotten(t testing.TB, h Harness) {
	o := open(t, h.Store, "a1")
	a := chat("a@x", 1)
	var c conversations.Change
	c.Note(o.Conversations.Put(&a), "a@x", &conversations.Details{Last: new("1"), Draft: new("d")})
	o.ok(&sessions.Commit{Conversations: c})
	if err := h.Store.Forget(t.Context(), o.id); err != nil {
		t.Fatalf("Forget: got error %v, want none", err)
	}
	saved := open(t, h.Store, "a1")
	list, err := h.Store.Conversations(t.Context(), o.id, []perch.JID{"a@x"})
	if saved.Conversations.Len() != 0 || err != nil || !list[0].Empty() {
		t.Errorf("got %d conversations, details %v, error %v; want none", saved.Conversations.Len(), list, err)
	}
}

func manyConversations(t testing.TB, h Harness) {
	o := open(t, h.Store, "a1")
	var c conversations.Change
	var table conversations.Table
	var keys []perch.JID
	for i := range uint16(2000) {
		s := chat(perch.JID(fmt.Sprintf("u%05d@x", i)), i+1)
		keys = append(keys, s.Key())
		table = table.Put(&s)
		c.Note(table, s.Key(), &conversations.Details{Last: new(fmt.Sprint("last ", i))})
	}
	o.ok(&sessions.Commit{Conversations: c})
	saved := o.openAgain()
	same(t, "conversations", allChats(saved.Conversations), allChats(table))
	list, err := h.Store.Conversations(t.Context(), o.id, keys)
	if err != nil {
		t.Fatalf("Conversations: got error %v, want none", err)
	}
	for i, d := range list {
		if d.Key != keys[i] || d.Last == nil || *d.Last != fmt.Sprint("last ", i) {
			t.Fatalf("details %d: got %+v, want those of %s", i, d, keys[i])
		}
	}
}
