package today_test

import (
	"strings"
	"testing"

	"github.com/perch-im/perch/internal/xmpptest"
)

const composing = "<message type='chat' to='%s'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>"

// kinds is what came, in short.
func kinds(list []xmpptest.Node) string {
	var all []string
	for _, n := range list {
		kind := n.XMLName.Local
		for _, what := range []string{"show", "body", "composing"} {
			if k := n.At(what); k.XMLName.Local != "" {
				kind += ":" + strings.TrimSpace(k.Text+what[:1])
			}
		}
		all = append(all, kind)
	}
	return strings.Join(all, " ")
}

// TestInactive: what can wait comes before the next message, in order and without what is void by then.
func TestInactive(t *testing.T) {
	s := start(t, world())
	ann, ben := online(t, s, "ann", "phone"), online(t, s, "ben", "desk")
	ann.Sync()
	ann.Send("<inactive xmlns='urn:xmpp:csi:0'/>")
	ann.Sync()
	ben.Send("<presence><show>away</show></presence>")
	ben.Send("<presence><show>dnd</show></presence>")
	ben.Send(composing, at("ann"))
	ben.Sync()
	if got := kinds(ann.Sync()); got != "presence:dnds message:c" { // the answer to a ping cannot wait
		t.Errorf("at the next answer: got %q, want what was held", got)
	}
	ben.Send("<presence><show>xa</show></presence>")
	ben.Send(composing, at("ann"))
	ben.Send("%s", chat(at("ann"), "1", "hi"))
	ben.Sync()
	ann.Find("the message", func(n xmpptest.Node) bool { return n.At("body").Text == "hi" })
	if got := kinds(ann.Sync()); got != "presence:xas message:c" {
		t.Errorf("before the message: got %q, want the presence and the chat state", got)
	}
	ben.Send("<presence><show>chat</show></presence>")
	ben.Sync()
	ann.Send("<active xmlns='urn:xmpp:csi:0'/>")
	if n := ann.Find("the presence", named("presence")); n.At("show").Text != "chat" {
		t.Errorf("active again: got %v, want what was held", n)
	}
	ben.Send("<presence/>")
	ben.Sync()
	if got := kinds(ann.Sync()); got != "presence" {
		t.Errorf("active: got %q, want the presence at once", got)
	}
}

// TestHeldIsBounded: more than is held is sent.
func TestHeldIsBounded(t *testing.T) {
	s := start(t, world())
	ann, ben := online(t, s, "ann", "phone"), online(t, s, "ben", "desk")
	ann.Send("<inactive xmlns='urn:xmpp:csi:0'/>")
	ann.Sync()
	ben.Send("<presence to='%s/phone'><status>%s</status></presence>", at("ann"), strings.Repeat("x", 70<<10))
	if n := ann.Find("the presence", named("presence")); len(n.At("status").Text) != 70<<10 {
		t.Errorf("got a status of %d bytes, want all", len(n.At("status").Text))
	}
}

// TestResumedIsActive: what was held comes with the rest, and presence after it at once (XEP-0198, 5).
func TestResumedIsActive(t *testing.T) {
	s := start(t, world())
	ben := online(t, s, "ben", "desk")
	ann, id := managed(t, s, "ann", "phone")
	ann.Send("<inactive xmlns='urn:xmpp:csi:0'/>")
	ann.Sync()
	ann.Conn.Close()
	ben.Send("<presence><show>dnd</show></presence>")
	ben.Sync()
	next, n := resume(t, s, "ann", id, 0)
	if n.XMLName.Local != "resumed" {
		t.Fatalf("got %v, want it resumed", n)
	}
	shows := func(show string) func(xmpptest.Node) bool {
		return func(n xmpptest.Node) bool { return n.XMLName.Local == "presence" && n.At("show").Text == show }
	}
	next.Find("what was held", shows("dnd"))
	ben.Send("<presence><show>away</show></presence>")
	next.Find("what comes", shows("away"))
}
