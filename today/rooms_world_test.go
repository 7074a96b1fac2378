package today_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/perch-im/perch/internal/xmpptest"
	"github.com/perch-im/perch/today"
)

// tea is the room of the tests.
const tea = "tea@rooms." + today.DefaultDomain

const muc = "http://jabber.org/protocol/muc"

// join asks to enter the room with what stands in the element for it, and returns all that came.
func join(c *xmpptest.Client, nick, content string) []xmpptest.Node {
	c.T.Helper()
	c.Send("<presence to='%s/%s' id='j-%s'><x xmlns='%s'>%s</x></presence>", tea, nick, nick, muc, content)
	return c.Sync()
}

// opens lets a client make the room, with fields of its form such as "membersonly=1".
func opens(c *xmpptest.Client, nick string, fields ...string) {
	c.T.Helper()
	join(c, nick, "")
	configures(c, fields...)
}

// configures submits the form of the room.
func configures(c *xmpptest.Client, fields ...string) {
	c.T.Helper()
	form := "<field var='FORM_TYPE'><value>" + muc + "#roomconfig</value></field>"
	for _, f := range fields {
		name, value, _ := strings.Cut(f, "=")
		form += "<field var='muc#roomconfig_" + name + "'><value>" + value + "</value></field>"
	}
	n := c.IQ("set", tea, "<query xmlns='"+muc+"#owner'><x xmlns='jabber:x:data' type='submit'>"+form+"</x></query>")
	if n.Get("type") != "result" {
		c.T.Fatalf("configuring with %q: got %v, want a result", fields, n)
	}
}

// enters joins, and fails when that is refused.
func enters(c *xmpptest.Client, nick string) []xmpptest.Node {
	c.T.Helper()
	all := join(c, nick, "<history maxstanzas='0'/>")
	if !slices.Contains(codes(of(all, nick)), "110") {
		c.T.Fatalf("%s enters: got %v, want itself", nick, all)
	}
	return all
}

// three are ann, the owner, with ben and cat in the room.
func three(t *testing.T, fields ...string) (s *today.Service, ann, ben, cat *xmpptest.Client) {
	t.Helper()
	s = start(t, world())
	ann, ben, cat = online(t, s, "ann", "a"), online(t, s, "ben", "b"), online(t, s, "cat", "c")
	opens(ann, "Ann", fields...)
	enters(ben, "Ben")
	enters(cat, "Cat")
	ann.Sync()
	ben.Sync()
	return s, ann, ben, cat
}

// of is the last presence of an occupant.
func of(all []xmpptest.Node, nick string) (last xmpptest.Node) {
	for _, n := range xmpptest.Only(all, "presence") {
		if n.Get("from") == tea+"/"+nick {
			last = n
		}
	}
	return last
}

// user is what the room says in a stanza.
func user(n xmpptest.Node) xmpptest.Node {
	for _, k := range n.Kids {
		if k.XMLName.Space == muc+"#user" {
			return k
		}
	}
	return xmpptest.Node{}
}

func codes(n xmpptest.Node) (list []string) {
	for _, k := range user(n).Kids {
		if k.XMLName.Local == "status" {
			list = append(list, k.Get("code"))
		}
	}
	return list
}

// item says who somebody is in the room: affiliation, role, and address.
func item(n xmpptest.Node) string {
	i := user(n).At("item")
	return strings.TrimSpace(fmt.Sprint(i.Get("affiliation"), " ", i.Get("role"), " ", i.Get("jid")))
}

// says sends a message to the room.
func says(c *xmpptest.Client, id, content string) {
	c.T.Helper()
	c.Send("<message to='%s' type='groupchat' id='%s'>%s</message>", tea, id, content)
	c.Sync()
}

// bodies are the texts of messages.
func bodies(all []xmpptest.Node) (list []string) {
	for _, n := range xmpptest.Only(all, "message") {
		if b := n.At("body").Text; b != "" {
			list = append(list, b)
		}
	}
	return list
}

// kid is the first child of a namespace.
func kid(n xmpptest.Node, space string) xmpptest.Node {
	for _, k := range n.Kids {
		if k.XMLName.Space == space {
			return k
		}
	}
	return xmpptest.Node{}
}

// bounced is the condition of the error to the last message or presence.
func bounced(all []xmpptest.Node) string {
	for _, n := range slices.Backward(all) {
		if n.Get("type") == "error" {
			return n.Condition()
		}
	}
	return ""
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func equalLists(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}
