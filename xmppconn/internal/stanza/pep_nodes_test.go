package stanza_test

import (
	"strings"
	"testing"

	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/streamtest"
)

// TestNodeSafe finds a node safe only if it keeps its items, and shows them to nobody.
func TestNodeSafe(t *testing.T) {
	for _, tt := range []struct {
		access, persist, items string
		many, one              bool
	}{
		{"whitelist", "1", "255", true, true}, {"whitelist", "true", "max", true, true}, {"whitelist", "true", "1000", true, true},
		{"presence", "1", "255", false, false}, {"whitelist", "0", "255", false, false}, {"whitelist", "1", "1", false, true}, {"whitelist", "1", "254", false, true},
		{"whitelist", "1", "", false, true}, {"", "1", "255", false, false}, {"whitelist", "1", "-1", false, true},
	} {
		field := func(name, value string) string {
			return "<field var='pubsub#" + name + "'><value>" + value + "</value></field>"
		}
		payload := streamtest.Parse(t, "<pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><configure node='n'><x xmlns='jabber:x:data' type='form'>"+
			field("access_model", tt.access)+field("persist_items", tt.persist)+field("max_items", tt.items)+"</x></configure></pubsub>")
		if many, one := stanza.NodeSafe(payload, true), stanza.NodeSafe(payload, false); many != tt.many || one != tt.one {
			t.Errorf("NodeSafe() of %+v = %v for many items and %v for one, want %v and %v", tt, many, one, tt.many, tt.one)
		}
	}
	if stanza.NodeSafe(nil, false) {
		t.Error("NodeSafe(nil) = true, want false")
	}
	for _, many := range []bool{false, true} {
		set := encoded(t)(stanza.EncodeNodeSet("n", many))
		if form := strings.ReplaceAll(set, "type='submit'", "type='form'"); !stanza.NodeSafe(streamtest.Parse(t, form), many) {
			t.Errorf("EncodeNodeSet() = %s, want a configuration that is safe", set)
		}
	}
}
