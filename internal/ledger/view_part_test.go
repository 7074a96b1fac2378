package ledger

import (
	"encoding/json"
	"testing"
)

// viewNames are the short names of those in the tests below.
var viewNames = map[string]string{"a@h": "a1", "s@h": "sl1"}

// heard gives a client's view the frames of its stream.
func heard(t *testing.T, v *view, frames ...string) {
	t.Helper()
	for _, text := range frames {
		var f frame
		if err := json.Unmarshal([]byte(text), &f); err != nil {
			t.Fatalf("frame %s: got error %v, want none", text, err)
		}
		switch f.Type {
		case "message.received":
			v.message(bare(f.Data.From), &f.Data.wireMessage, true)
		case "message.sent":
			v.message(bare(f.Data.To), &f.Data.wireMessage, false)
		default:
			v.event(&f)
		}
	}
}

const (
	plainFrame   = `{"type":"message.received","data":{"id":"m1","ref":"r1","from":"s@h/x","to":"a@h","body":"hi there"}}`
	editedFrame  = `{"type":"message.edited","data":{"id":"m1","ref":"r1","from":"s@h/x","to":"a@h","body":"hi you","edited":{"count":2,"at":"x"},"reactions":[{"emoji":"👍","by":["a@h"],"own":true}]}}`
	reactedFrame = `{"type":"message.reactions","data":{"id":"m1","ref":"r1","conversation":"s@h","from":"a@h/x","emojis":["❤"],"reactions":[{"emoji":"❤","by":["a@h"],"own":true}]}}`
	takenFrame   = `{"type":"message.retracted","data":{"id":"m1","ref":"r1","conversation":"s@h","at":"x"}}`
	ownFrame     = `{"type":"message.edited","data":{"id":"m2","ref":"r2","from":"a@h/x","to":"s@h","body":"own text","edited":{"count":1,"at":"x"}}}`
)

// TestViewOfEvents: the last event has the whole state, and what was taken back stays so.
func TestViewOfEvents(t *testing.T) {
	for name, c := range map[string]struct {
		frames []string
		want   string
	}{
		"nothing was said":            {[]string{plainFrame}, ""},
		"corrected":                   {[]string{plainFrame, editedFrame}, "2 edits you a1:👍"},
		"reacted to":                  {[]string{plainFrame, editedFrame, reactedFrame}, "2 edits you a1:❤"},
		"before the message":          {[]string{editedFrame, plainFrame}, "2 edits you a1:👍"},
		"taken back":                  {[]string{plainFrame, editedFrame, takenFrame}, "0 edits  retracted"},
		"reacted to, and taken back":  {[]string{plainFrame, takenFrame, reactedFrame}, "0 edits  retracted"},
		"the same message once more":  {[]string{plainFrame, editedFrame, plainFrame}, "2 edits you a1:👍"},
		"an own message is corrected": {[]string{ownFrame}, "1 edits text"},
	} {
		v := newView(viewNames)
		heard(t, v, c.frames...)
		got := ""
		for _, state := range v.states() {
			got = state
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// TestViewOfPages: what pages have counts, but for what events have told of since the reset.
func TestViewOfPages(t *testing.T) {
	k := viewKey{"s@h", "r1"}
	page := func(edits int, text string) map[viewKey]*shownMessage {
		return map[viewKey]*shownMessage{k: {merged{edits: edits, text: text}, "m1", true}}
	}
	v := newView(viewNames)
	heard(t, v, plainFrame)
	v.pages(page(1, "new"))
	if got := v.list[k].String(); got != "0 edits" {
		t.Errorf("after an event of this log: got %q, want no edit", got)
	}
	v.reset()
	v.pages(page(3, "new"))
	if got := v.list[k].String(); got != "3 edits new" {
		t.Errorf("after a reset: got %q, want 3 edits", got)
	}
	v.pages(page(2, "older"))
	if got := v.list[k].String(); got != "3 edits new" {
		t.Errorf("after a page that was behind: got %q, want 3 edits", got)
	}
	v.pages(map[viewKey]*shownMessage{k: {merged{retracted: true}, "m1", true}})
	if got := v.list[k].String(); got != "0 edits  retracted" {
		t.Errorf("after a page that has it taken back: got %q, want that", got)
	}
}

// TestViewOfPagesAndReactions: an event of reactions says nothing of corrections, which only the pages have
// when they were of a log that is lost.
func TestViewOfPagesAndReactions(t *testing.T) {
	k := viewKey{"s@h", "r1"}
	page := func(m merged) map[viewKey]*shownMessage { return map[viewKey]*shownMessage{k: {m, "m1", true}} }
	v := newView(viewNames)
	heard(t, v, plainFrame)
	v.reset()
	heard(t, v, reactedFrame)
	v.pages(page(merged{edits: 1, text: "new", reactions: map[string]string{"sl1": "👍"}}))
	if got, want := v.list[k].String(), "1 edits new a1:❤"; got != want {
		t.Errorf("after an event of reactions and a page: got %q, want %q", got, want)
	}
	heard(t, v, editedFrame)
	v.pages(page(merged{edits: 3, text: "newer"}))
	if got, want := v.list[k].String(), "2 edits you a1:👍"; got != want {
		t.Errorf("after an event of an edit and a page: got %q, want %q", got, want)
	}
	v.reset()
	heard(t, v, reactedFrame)
	v.pages(page(merged{retracted: true}))
	if got, want := v.list[k].String(), "0 edits  retracted"; got != want {
		t.Errorf("after a page that has it taken back: got %q, want %q", got, want)
	}
}

// TestMergedIsReadBack: what a history has of a state is that state.
func TestMergedIsReadBack(t *testing.T) {
	var m merged
	for _, does := range []string{"react a b", "edit x", "edit y"} {
		m.apply("a1", does)
	}
	m.apply("sl1", "react a")
	got := mergedOf(m.edits, m.text, m.words())
	if want := "2 edits y a1:a a1:b sl1:a"; got.String() != m.String() || got.String() != want {
		t.Errorf("got %q of %q, want %q", got.String(), m.String(), want)
	}
	m.apply("sl1", "retract")
	m.apply("sl1", "edit z")
	if got := mergedOf(m.edits, m.text, m.words()); !got.retracted || got.String() != m.String() {
		t.Errorf("got %q of %q, want one that was taken back", got.String(), m.String())
	}
}
