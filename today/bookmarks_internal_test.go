package today

import (
	"strings"
	"testing"

	"github.com/perch-im/perch/internal/xmppserver"
)

// TestBookmarksWithoutRoom: who is told that a bookmark is kept finds it in every store; where there is no room
// for it in one of them, that is said, and a publication that is refused leaves nothing behind.
func TestBookmarksWithoutRoom(t *testing.T) {
	const conference = "<conference xmlns='" + nodeBookmarks + "' name='A'/>"
	old := "<storage xmlns='" + nodeOldBookmarks + "'><conference jid='a@b' name='A'/></storage>"
	publish := func(node, id, payload string) string {
		return "<pubsub xmlns='" + nsPubSub + "'><publish node='" + node + "'><item id='" + id + "'>" + payload + "</item></publish></pubsub>"
	}
	for what, tt := range map[string]struct {
		free    int // bytes that the account has
		payload string
		want    string
	}{
		"an item, and its document":        {1000, publish(nodeBookmarks, "a@b", conference), ""},
		"an item, without its document":    {200, publish(nodeBookmarks, "a@b", conference), "resource-constraint"},
		"an item that is too large":        {20, publish(nodeBookmarks, "a@b", conference), "resource-constraint"},
		"a document, and its items":        {1000, publish(nodeOldBookmarks, "current", old), ""},
		"a document, without its items":    {220, publish(nodeOldBookmarks, "current", old), "resource-constraint"},
		"private storage, without items":   {220, "<query xmlns='" + nsPrivate + "'>" + old + "</query>", "resource-constraint"},
		"a document that is too large":     {20, publish(nodeOldBookmarks, "current", old), "resource-constraint"},
		"something else that is too large": {20, publish("urn:x", "1", "<x xmlns='urn:x'/>"), "resource-constraint"},
	} {
		var answer *xmppserver.Element
		x := quiet(t, func(b []byte) {
			if e := element(b); e.Name.Local == "iq" && (e.Get("type") == "result" || e.Get("type") == "error") {
				answer = e
			}
		})
		x.acct.pep.bytes = maxNodeBytes - tt.free
		x.s.iq(x, requestOf("set", "", element([]byte(tt.payload))))
		got := "no answer"
		if answer != nil {
			got = ""
			if e := answer.Child("", "error"); e != nil {
				got = e.Payload().Name.Local
			}
		}
		if got != tt.want {
			t.Errorf("%s: got %q, want %q", what, got, tt.want)
		}
		for name, n := range x.acct.pep.nodes {
			if len(n.items) == 0 {
				t.Errorf("%s: got the empty node %s, want none", what, name)
			}
		}
		both := x.acct.pep.nodes[nodeBookmarks] != nil && x.acct.pep.nodes[nodeOldBookmarks] != nil
		if got == "" && !both {
			t.Errorf("%s: got a result with the nodes %v, want both of them", what, x.acct.pep.nodes)
		}
	}
}

// TestHasWords: a name is meant where it stands as a word.
func TestHasWords(t *testing.T) {
	for _, tt := range []struct {
		text, words string
		want        bool
	}{
		{"Hi, Mia!", "mia", true}, {"MIA?", "Mia", true}, {"mia", "mia", true}, {"a miasma", "mia", false}, {"jamia", "mia", false},
		{"this is it", "hi", false}, {"oh hi", "hi", true}, {"they", "hey", false}, {"hey-ho", "hey", true},
		{"dear Anna Maria, hello", "anna maria", true}, {"anna, then maria", "anna maria", false}, {"maria anna", "anna maria", false},
		{"élan", "lan", false}, {"bot2", "bot", false}, {"", "mia", false}, {"a ☕ please", "☕", true}, {"tea", "☕", false},
	} {
		if got := hasWords(tt.text, tt.words); got != tt.want {
			t.Errorf("hasWords(%q, %q): got %v, want %v", tt.text, tt.words, got, tt.want)
		}
	}
	if got := buddyAnswers("This is what they said").Body; strings.HasPrefix(got, "Hello") {
		t.Errorf("got %q, want it taken for no greeting", got)
	}
}
