package ledger

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// The kinds of relations, as they are called between the ledger and the foreign clients.
const (
	relationEdit    = "edit"
	relationRetract = "retract"
	relationReact   = "react"
)

// forged stands before the kind of a relation that its sender may not say: about a message of
// somebody else.
const forged = "forged "

// effect is what a relation does, as entries have it: its kind, and the version of the new text, or
// the emojis in order.
func effect(kind, body string, emojis []string) string {
	switch kind {
	case relationEdit:
		return kind + " " + version(body)
	case relationReact:
		return strings.TrimSpace(kind + " " + strings.Join(slices.Sorted(slices.Values(emojis)), " "))
	}
	return kind
}

// version tells the texts of one message apart: a part of the hash that each has at its end.
func version(body string) string {
	_, sum, _ := cutLast(body)
	return sum[:min(len(sum), 16)]
}

// merged is what later messages have made of one message.
type merged struct {
	edits     int
	text      string // version of the last correction; "" of none
	retracted bool
	reactions map[string]string // by who reacts: the emojis in order, with spaces
}

// plain reports whether nothing was said of the message.
func (m *merged) plain() bool { return m.edits == 0 && !m.retracted && len(m.reactions) == 0 }

// apply takes one more relation. After a retraction there is nothing left to change.
func (m *merged) apply(who, does string) {
	kind, rest, _ := strings.Cut(does, " ")
	switch {
	case m.retracted:
	case kind == relationEdit:
		m.edits, m.text = m.edits+1, rest
	case kind == relationRetract:
		*m = merged{retracted: true}
	case kind == relationReact:
		m.react(who, rest)
	}
}

// react makes these the reactions of somebody.
func (m *merged) react(who, emojis string) {
	next := maps.Clone(m.reactions)
	if next == nil {
		next = map[string]string{}
	}
	if next[who] = emojis; emojis == "" {
		delete(next, who)
	}
	m.reactions = next
}

// words are the reactions and the retraction, in an order of their own.
func (m *merged) words() string {
	if m.retracted {
		return "retracted"
	}
	var list []string
	for _, who := range slices.Sorted(maps.Keys(m.reactions)) {
		for e := range strings.FieldsSeq(m.reactions[who]) {
			list = append(list, who+":"+e)
		}
	}
	return strings.Join(list, " ")
}

// mergedOf reads what words has written.
func mergedOf(edits int, text, words string) (m merged) {
	if words == "retracted" {
		return merged{retracted: true}
	}
	m.edits, m.text = edits, text
	for w := range strings.FieldsSeq(words) {
		who, e, _ := strings.Cut(w, ":")
		m.react(who, strings.TrimSpace(m.reactions[who]+" "+e))
	}
	return m
}

func (m *merged) String() string {
	return strings.TrimSpace(fmt.Sprintf("%d edits %s %s", m.edits, m.text, m.words()))
}
