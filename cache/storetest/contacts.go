package storetest

import (
	"fmt"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/contacts"
	"github.com/perch-im/perch/sessions"
)

var contactCases = []Case{
	{"contacts change", contactsChange},
	{"contacts are found whole", contactsWhole},
	{"a large roster", large},
}

// contact is one with a bit of everything, made of its JID and a word.
func contact(jid perch.JID, word string) *contacts.Contact {
	return &contacts.Contact{
		Buddy: perch.Buddy{JID: jid, Name: word, Groups: []string{"G", "ü"}, Subscription: perch.SubscriptionBoth, Ask: perch.AskSubscribe, Approved: true},
		Presence: &perch.Presence{
			JID: jid, Available: true, Show: perch.ShowAway, Status: word, Priority: 5, UpdatedAt: 1_700_000_000_002, Stale: true,
			Resources: []perch.Resource{{Resource: "r1", Show: perch.ShowAway, Status: word, Priority: 5, UpdatedAt: 3}, {Resource: "r2", UpdatedAt: 4}},
		},
		Photo: "00ff", CardName: word, Nick: word,
	}
}

// putting is a table with contacts that are put into it, and what changes by that.
func putting(t contacts.Table, list ...*contacts.Contact) (c contacts.Change) {
	for _, k := range list {
		t = t.Put(k)
		c.Note(t, k.Key())
	}
	return c
}

func removing(t contacts.Table, list ...perch.JID) (c contacts.Change) {
	for _, jid := range list {
		t = t.Remove(jid)
		c.Note(t, jid.Key())
	}
	return c
}

// instead is a change of all contacts.
func instead(list ...*contacts.Contact) (c contacts.Change) {
	c.Replace(contacts.Of(list))
	return c
}

// contactsChange takes the table through all that a change can say, and reads it back through Open.
func contactsChange(t testing.TB, h Harness) {
	a, b := contact("a@x", "1"), contact("b@x", "1")
	bare := &contacts.Contact{Buddy: perch.Buddy{JID: "c@x", Groups: []string{}}}
	for i, step := range []struct {
		name string
		next func(contacts.Table) contacts.Change
		want []*contacts.Contact
	}{
		{"put", func(t contacts.Table) contacts.Change { return putting(t, b, a) }, []*contacts.Contact{a, b}},
		{"replace", func(t contacts.Table) contacts.Change { return putting(t, contact("b@x", "2")) }, []*contacts.Contact{a, contact("b@x", "2")}},
		{"nothing", func(contacts.Table) contacts.Change { return contacts.Change{} }, []*contacts.Contact{a, contact("b@x", "2")}},
		{"remove", func(t contacts.Table) contacts.Change { return removing(t, "a@x", "nobody@x") }, []*contacts.Contact{contact("b@x", "2")}},
		{"put and remove", func(t contacts.Table) contacts.Change {
			c := putting(t, a, bare)
			t = c.Table.Remove("a@x")
			c.Note(t, "a@x")
			return c
		}, []*contacts.Contact{contact("b@x", "2"), bare}},
		{"all anew", func(contacts.Table) contacts.Change { return instead(a, contact("d@x", "3")) }, []*contacts.Contact{a, contact("d@x", "3")}},
		{"all anew, then put", func(contacts.Table) contacts.Change {
			c := instead(a)
			c.Note(c.Table.Put(b), "b@x")
			return c
		}, []*contacts.Contact{a, b}},
		{"all go", func(contacts.Table) contacts.Change { return instead() }, nil},
		{"put again", func(t contacts.Table) contacts.Change { return putting(t, a) }, []*contacts.Contact{a}},
		{"the last one goes", func(t contacts.Table) contacts.Change { return removing(t, "a@x") }, nil},
	} {
		o := open(t, h.Store, "a1")
		o.ok(&sessions.Commit{Contacts: step.next(o.Contacts)})
		same(t, fmt.Sprintf("%d: %s", i, step.name), o.openAgain().Contacts, contacts.Of(step.want))
	}
	open(t, h.Store, "a1").ok(&sessions.Commit{Contacts: instead(a)}) // for Endless to look at
}

// contactsWhole: the table of several commits at once, and of an owner that did not see them
// answered, is what the next owner finds; and what an owner does to its own table later is not.
func contactsWhole(t testing.TB, h Harness) {
	o := open(t, h.Store, "a1")
	var table contacts.Table
	var answers []<-chan sessions.Result
	for i := range 200 {
		c := putting(table, contact(perch.JID(fmt.Sprintf("b%03d@x", i%120)), fmt.Sprint(i)))
		if i%7 == 0 {
			jid := perch.JID(fmt.Sprintf("b%03d@x", i/2))
			c.Note(c.Table.Remove(jid), jid)
		}
		table = c.Table
		answers = append(answers, o.start(&sessions.Commit{Contacts: c}))
	}
	for i, ch := range answers {
		if r := await(t, ch); r.Err != nil {
			t.Errorf("commit %d: got error %v, want none", i, r.Err)
		}
	}
	saved := o.openAgain()
	same(t, "contacts", saved.Contacts, table)
	if saved.OldRows {
		t.Error("got rows of an earlier version, want none")
	}
	saved.Contacts.Remove("b001@x").Put(contact("z@x", "not committed"))
	same(t, "contacts", o.openAgain().Contacts, table)
}

func large(t testing.TB, h Harness) {
	o := open(t, h.Store, "a1")
	var want []*contacts.Contact
	var gone []perch.JID
	for i := range 2500 {
		want = append(want, contact(perch.JID(fmt.Sprintf("u%05d@x", i)), "n"))
	}
	for _, k := range want[100:] {
		gone = append(gone, k.Buddy.JID)
	}
	o.ok(&sessions.Commit{Contacts: instead(want...)})
	same(t, "contacts", o.openAgain().Contacts, contacts.Of(want))
	o.ok(&sessions.Commit{Contacts: removing(o.Contacts, gone...)})
	same(t, "contacts", o.openAgain().Contacts, contacts.Of(want[:100]))
	o.ok(&sessions.Commit{Contacts: putting(o.Contacts, want[1000:]...)})
	same(t, "contacts", o.openAgain().Contacts, contacts.Of(append(want[:100:100], want[1000:]...)))
}

// lastWord checks that a@x is the one contact, and the last one that was put.
func lastWord(t testing.TB, s *sessions.Saved, word string) {
	t.Helper()
	same(t, "the last presence wins", s.Contacts, contacts.Of([]*contacts.Contact{contact("a@x", word)}))
}
