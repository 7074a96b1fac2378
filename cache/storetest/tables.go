package storetest

import (
	"fmt"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/contacts"
	"github.com/perch-im/perch/sessions"
)

var tableCases = []Case{
	{"invitation changes", func(t testing.TB, h Harness) {
		changes(t, h, func(jid perch.JID, s string) *perch.Invitation { return &perch.Invitation{JID: jid, Message: s} },
			func(d sessions.Delta[perch.Invitation]) *sessions.Commit { return &sessions.Commit{Invitations: d} },
			func(s *sessions.Saved) []*perch.Invitation { return s.Invitations })
	}},
	{"outbox changes", func(t testing.TB, h Harness) {
		seq := map[perch.JID]uint64{"a@x": 1, "b@x": 2, "c@x": 3, "d@x": 4, "e@x": 5}
		changes(t, h, func(id perch.JID, s string) *sessions.OutboxEntry { return entry(string(id), seq[id], s) },
			func(d sessions.Delta[sessions.OutboxEntry]) *sessions.Commit { return &sessions.Commit{Outbox: d} },
			func(s *sessions.Saved) []*sessions.OutboxEntry { return s.Outbox })
	}},
	{"vcard changes", vcards},
	{"two spellings are one row", spellings},
	{"vcards are bounded", vcardsBounded},
	{"the outbox is in order", outboxOrder},
}

// changes takes a table through all that a Delta can say. A row is made of its key and a
// word; the table is read back through Open.
func changes[T any](t testing.TB, h Harness, row func(perch.JID, string) *T,
	commit func(sessions.Delta[T]) *sessions.Commit, saved func(*sessions.Saved) []*T,
) {
	type delta = sessions.Delta[T]
	rows := func(r ...*T) []*T { return r }
	for i, step := range []struct {
		name  string
		delta delta
		want  []*T
	}{
		{"put", delta{Put: rows(row("b@x", "1"), row("a@x", "1"))}, rows(row("a@x", "1"), row("b@x", "1"))},
		{"replace", delta{Put: rows(row("b@x", "2"))}, rows(row("a@x", "1"), row("b@x", "2"))},
		{"delete", delta{Del: []string{"a@x", "nobody@x"}}, rows(row("b@x", "2"))},
		{"delete, then put", delta{Del: []string{"b@x", "c@x"}, Put: rows(row("c@x", "3"))}, rows(row("c@x", "3"))},
		{"reset, then put", delta{Reset: true, Put: rows(row("d@x", "4"), row("e@x", "4"))}, rows(row("d@x", "4"), row("e@x", "4"))},
		{"put twice", delta{Put: rows(row("d@x", "5"), row("d@x", "6"))}, rows(row("d@x", "6"), row("e@x", "4"))},
		{"nothing", delta{}, rows(row("d@x", "6"), row("e@x", "4"))},
		{"reset, delete and put", delta{Reset: true, Del: []string{"a@x"}, Put: rows(row("a@x", "7"))}, rows(row("a@x", "7"))},
		{"reset", delta{Reset: true}, nil},
		{"put again", delta{Put: rows(row("a@x", "8"))}, rows(row("a@x", "8"))},
		{"delete the last", delta{Del: []string{"a@x"}}, nil},
	} {
		o := open(t, h.Store, "a1")
		o.ok(commit(step.delta))
		same(t, fmt.Sprintf("%d: %s", i, step.name), saved(o.openAgain()), step.want)
	}
	open(t, h.Store, "a1").ok(commit(delta{Put: rows(row("a@x", "9"))})) // for Endless to look at
}

func vcards(t testing.TB, h Harness) {
	type delta = sessions.Delta[perch.VCard]
	o := open(t, h.Store, "a1")
	check := func(what string, want map[perch.JID]string) {
		t.Helper()
		for _, jid := range []perch.JID{"a@x", "b@x"} {
			card, err := h.Store.VCard(t.Context(), o.id, jid)
			name, kept := want[jid]
			switch {
			case !kept && perch.KindOf(err) != perch.KindNotFound:
				t.Errorf("%s: %s gave %v, %v, want an error of the kind %v", what, jid, card, err, perch.KindNotFound)
			case kept && err != nil:
				t.Errorf("%s: %s gave %v, want no error", what, jid, err)
			case kept:
				same(t, what, card, vcard(jid, name))
			}
		}
	}
	o.ok(&sessions.Commit{VCards: delta{Put: []*perch.VCard{vcard("a@x", "A"), vcard("b@x", "B")}}})
	check("put", map[perch.JID]string{"a@x": "A", "b@x": "B"})
	o.ok(&sessions.Commit{VCards: delta{Del: []string{"b@x"}, Put: []*perch.VCard{vcard("a@x", "AA")}}})
	check("replace and delete", map[perch.JID]string{"a@x": "AA"})
	o.ok(&sessions.Commit{VCards: delta{Reset: true, Put: []*perch.VCard{vcard("b@x", "BB")}}})
	check("reset", map[perch.JID]string{"b@x": "BB"})
}

// vcardsBounded: of too many cards, or too large ones, those go that were put longest ago.
func vcardsBounded(t testing.TB, h Harness) {
	o := open(t, h.Store, "a1")
	put := func(jid string, size int) {
		c := vcard(perch.JID(jid), jid)
		c.Photo = &perch.Photo{Type: "image/png", Size: size, Data: make([]byte, size)}
		o.ok(&sessions.Commit{VCards: sessions.Delta[perch.VCard]{Put: []*perch.VCard{c}}})
	}
	has := func(jid string, want bool) {
		t.Helper()
		if _, err := h.Store.VCard(t.Context(), o.id, perch.JID(jid)); (err == nil) != want {
			t.Errorf("card of %s: %v, want it kept: %v", jid, err, want)
		}
	}
	for i := range 20 {
		put(fmt.Sprintf("large%d@x", i), 600_000)
		put("again@x", 10)
	}
	has("large0@x", false)
	has("large19@x", true)
	has("again@x", true)
	var many []*perch.VCard
	for i := range 1000 {
		many = append(many, vcard(perch.JID(fmt.Sprintf("small%d@x", i)), "s"))
	}
	o.ok(&sessions.Commit{VCards: sessions.Delta[perch.VCard]{Put: many}})
	has("again@x", false)
	has("small0@x", true)
	put("one-more@x", 10)
	has("small0@x", false)
	has("one-more@x", true)
}

func outboxOrder(t testing.TB, h Harness) {
	type delta = sessions.Delta[sessions.OutboxEntry]
	o := open(t, h.Store, "a1")
	var want []*sessions.OutboxEntry
	for i := range 30 { // ids that sort otherwise than the sequence
		e := entry(fmt.Sprintf("m%02d", (i*7)%30), uint64(100+i), "x")
		want = append(want, e)
	}
	o.ok(&sessions.Commit{Outbox: delta{Put: want[20:]}})
	for _, e := range want[:20] {
		o.ok(&sessions.Commit{Outbox: delta{Put: []*sessions.OutboxEntry{e}}})
	}
	same(t, "outbox", o.openAgain().Outbox, want)
	sent := *want[3]
	sent.Sent = true
	o.ok(&sessions.Commit{Outbox: delta{Put: []*sessions.OutboxEntry{&sent}, Del: []string{want[0].ID, want[1].ID, want[2].ID}}})
	same(t, "outbox after sending", o.openAgain().Outbox, append([]*sessions.OutboxEntry{&sent}, want[4:]...))
}

// spellings puts, reads and deletes rows under several spellings of a JID.
func spellings(t testing.TB, h Harness) {
	o := open(t, h.Store, "a1")
	for _, c := range []struct{ first, second perch.JID }{
		{"Up.Case@example.net", "up.case@EXAMPLE.net"},
		{"M\u00fcller@example.net", "mu\u0308ller@example.net"},
		{"user name@icq.example.net", "user name@ICQ.example.net"},
	} {
		for _, jid := range []perch.JID{c.first, c.second} {
			k := contact(jid, "x")
			table := o.Contacts.Put(k)
			o.Contacts = table
			o.ok(&sessions.Commit{
				Contacts:    contacts.Change{Table: table, Keys: []perch.JID{k.Key()}},
				Invitations: sessions.Delta[perch.Invitation]{Put: []*perch.Invitation{{JID: jid}}},
				VCards:      sessions.Delta[perch.VCard]{Put: []*perch.VCard{vcard(jid, "x")}},
			})
		}
		if card, err := h.Store.VCard(t.Context(), o.id, c.first); err != nil || card.JID != c.second {
			t.Errorf("%s: the card is %+v, %v, want that of %s", c.first, card, err, c.second)
		}
		saved := o.openAgain()
		if k := saved.Contacts.Get(c.first); saved.Contacts.Len() != 1 || len(saved.Invitations) != 1 || k == nil || k.Buddy.JID != c.second {
			t.Errorf("%s: kept %d and %d rows, the contact %+v; want one of each, and the later spelling", c.first, saved.Contacts.Len(), len(saved.Invitations), k)
		}
		deleted := []string{string(c.first.Key())}
		o.ok(&sessions.Commit{
			Contacts:    removing(saved.Contacts, c.first),
			Invitations: sessions.Delta[perch.Invitation]{Del: deleted}, VCards: sessions.Delta[perch.VCard]{Del: deleted},
		})
		saved = o.openAgain()
		if n := saved.Contacts.Len() + len(saved.Invitations); n != 0 {
			t.Errorf("%s: %d rows are left, want none", c.first, n)
		}
		if _, err := h.Store.VCard(t.Context(), o.id, c.second); perch.KindOf(err) != perch.KindNotFound {
			t.Errorf("%s: the card is still there: %v, want an error of the kind %v", c.second, err, perch.KindNotFound)
		}
	}
}
