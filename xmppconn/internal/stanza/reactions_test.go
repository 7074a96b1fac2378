package stanza_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/perch-im/perch"
)

// TestReactionsAreBounded leaves out what is no reaction but a text, and more than there may be.
func TestReactionsAreBounded(t *testing.T) {
	reaction := func(s string) string { return "<reaction>" + s + "</reaction>" }
	var many strings.Builder
	for i := range 100 {
		many.WriteString(reaction("r" + strconv.Itoa(i)))
	}
	for _, tt := range []struct {
		name, inner string
		want        int
	}{
		{"as long as it may be", reaction(strings.Repeat("x", perch.MaxReactionBytes)), 1},
		{"longer", reaction(strings.Repeat("x", perch.MaxReactionBytes+1)) + reaction("y"), 1},
		{"many", many.String(), perch.MaxReactions},
		{"many times the same", strings.Repeat(reaction("x"), 100), 1},
		{"of another namespace", "<reaction xmlns='urn:x'>x</reaction>", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := saidBy(t, "bo@b.test/x", "chat", "<reactions xmlns='urn:xmpp:reactions:0' id='1'>"+tt.inner+"</reactions>")
			if s.Relation == nil || len(s.Relation.Emojis) != tt.want {
				t.Errorf("got %+v, want %d reactions", s.Relation, tt.want)
			}
		})
	}
}
