package stanza_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/streamtest"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

const directory = "<query xmlns='http://jabber.org/protocol/disco#items'>"

// rsmSet is what a service says of a page.
func rsmSet(index, count int, last string) string {
	return fmt.Sprintf("<set xmlns='http://jabber.org/protocol/rsm'><first index='%d'>x</first><last>%s</last><count>%d</count></set>", index, last, count)
}

// TestDirectory reads pages of services that know pages, and cuts them from the list of one that does not.
func TestDirectory(t *testing.T) {
	const three = "<item jid='c@c.test' name='C'/><item jid='a@c.test' name='Team (3)'/><item jid='b@c.test'/>"
	room := func(jid perch.JID, name string) perch.DirectoryRoom { return perch.DirectoryRoom{JID: jid, Name: name} }
	counted := func(jid perch.JID, name string, n int) perch.DirectoryRoom {
		return perch.DirectoryRoom{JID: jid, Name: name, Occupants: &n}
	}
	for name, tt := range map[string]struct {
		raw   string
		limit int
		after string
		items []perch.DirectoryRoom
		next  string
	}{
		"ejabberd": {directory + "<item jid='a@c.test' name='Room (3)'/><item jid='b@c.test' name='x (y) (private, 0)'/>" + rsmSet(0, 5, "b") + "</query>", 2, "",
			[]perch.DirectoryRoom{counted("a@c.test", "Room", 3), counted("b@c.test", "x (y)", 0)}, "b"},
		"the last page":             {directory + "<item jid='b@c.test' name='b (1)'/>" + rsmSet(4, 5, "b") + "</query>", 2, "a", []perch.DirectoryRoom{counted("b@c.test", "b", 1)}, ""},
		"a name without a number":   {directory + "<item jid='a@c.test' name='Room (3)'/><item jid='b@c.test' name='b'/>" + rsmSet(0, 2, "b") + "</query>", 2, "", []perch.DirectoryRoom{room("a@c.test", "Room (3)"), room("b@c.test", "b")}, ""},
		"a service that goes round": {directory + "<item jid='a@c.test' name='a'/><set xmlns='http://jabber.org/protocol/rsm'><last>a</last></set></query>", 2, "a", []perch.DirectoryRoom{room("a@c.test", "a")}, ""},
		"a page of nothing":         {directory + rsmSet(0, 5, "b") + "</query>", 2, "a", []perch.DirectoryRoom{}, ""},
		"Prosody":                   {directory + three + "</query>", 0, "", []perch.DirectoryRoom{room("a@c.test", "Team (3)"), room("b@c.test", ""), room("c@c.test", "C")}, ""},
		"the first of a list":       {directory + three + "</query>", 2, "", []perch.DirectoryRoom{room("a@c.test", "Team (3)"), room("b@c.test", "")}, "b@c.test"},
		"the rest of a list":        {directory + three + "</query>", 2, "b@c.test", []perch.DirectoryRoom{room("c@c.test", "C")}, ""},
		"behind one that is gone":   {directory + three + "</query>", 2, "aa@c.test", []perch.DirectoryRoom{room("b@c.test", ""), room("c@c.test", "C")}, ""},
		"behind all":                {directory + three + "</query>", 2, "z", []perch.DirectoryRoom{}, ""},
		"no rooms":                  {directory + "<item/><item jid='a@c.test' node='n'/><x jid='a@c.test'/></query>", 2, "", []perch.DirectoryRoom{}, ""},
		"no list":                   {"<query xmlns='urn:x'><item jid='a@c.test'/></query>", 2, "", []perch.DirectoryRoom{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var c stanza.DirectoryCollector
			c.Add(streamtest.Parse(t, tt.raw).Borrowed())
			got := c.Page(tt.limit, tt.after)
			next := ""
			if got.Next != nil {
				next = *got.Next
			}
			if diff := cmp.Diff(tt.items, got.Items); diff != "" || next != tt.next {
				t.Errorf("Page(): next %q, want %q; -want +got:\n%s", next, tt.next, diff)
			}
		})
	}
}

func TestDirectoryIsBounded(t *testing.T) {
	for name, tt := range map[string]struct {
		text string
		n    int
	}{"rooms": {"", 10_100}, "bytes": {strings.Repeat("x", 1<<10), 3000}} {
		var b strings.Builder
		for i := range tt.n {
			fmt.Fprintf(&b, "<item jid='r%d@c.test' name='%s'/>", i, tt.text)
		}
		el, err := xmlstream.Parse(directory+b.String()+"</query>", fuzzLimits)
		if err != nil {
			t.Fatalf("Parse(): got error %v, want none", err)
		}
		var c stanza.DirectoryCollector
		c.Add(el.Borrowed())
		got := c.Page(0, "")
		if got.LeftOut == 0 || len(got.Items)+got.LeftOut != tt.n || len(got.Items) > 10_000 {
			t.Errorf("too many %s: got %d and %d left out, want %d together, and at most 10000", name, len(got.Items), got.LeftOut, tt.n)
		}
	}
}

func TestIsRoomService(t *testing.T) {
	const info, muc = "<query xmlns='http://jabber.org/protocol/disco#info'>", "<feature var='http://jabber.org/protocol/muc'/>"
	for raw, want := range map[string]bool{
		info + "<identity category='conference' type='text' name='Chatrooms'/>" + muc + "</query>": true,
		info + "<identity category='conference' type='irc'/>" + muc + "</query>":                   false,
		info + "<identity category='conference' type='text'/></query>":                             false,
		info + muc + "</query>": false,
	} {
		if got := stanza.IsRoomService(streamtest.Parse(t, raw)); got != want {
			t.Errorf("IsRoomService(%s) = %v, want %v", raw, got, want)
		}
	}
	if stanza.IsRoomService(nil) {
		t.Error("IsRoomService(nil) = true, want false")
	}
}

// FuzzDirectory reads anything as a list of rooms. Its pages, one after the other, are the list.
func FuzzDirectory(f *testing.F) {
	f.Add(directory+"<item jid='a@c.test' name='Room (3)'/><item jid='b@c.test' name='x (private, 0)'/>"+rsmSet(0, 5, "b")+"</query>", 1)
	f.Add(directory+"<item jid='c@c.test'/><item jid='a@c.test' name='()'/><item jid='a@c.test' name=')('/></query>", 2)
	f.Fuzz(func(t *testing.T, raw string, limit int) {
		el, err := xmlstream.Parse(raw, fuzzLimits)
		if err != nil {
			return
		}
		collect := func() *stanza.DirectoryCollector {
			var c stanza.DirectoryCollector
			c.Add(el.Borrowed())
			return &c
		}
		all := map[perch.JID]bool{}
		for _, jid := range collect().JIDs() {
			all[jid] = true
		}
		limit = max(limit, 1)
		after := ""
		for range len(all) + 1 {
			page := collect().Page(limit, after)
			for _, r := range page.Items {
				delete(all, r.JID)
			}
			if page.Next == nil {
				after = ""
				break
			}
			after = *page.Next
		}
		if paged := strings.Contains(raw, "rsm"); !paged && (after != "" || len(all) > 0) {
			t.Fatalf("pages of %d: got the end at %q with %d rooms missing, want all", limit, after, len(all))
		}
	})
}
