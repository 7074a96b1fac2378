package xmpptest_test

import (
	"encoding/xml"
	"testing"

	"github.com/perch-im/perch/internal/xmpptest"
)

func TestNode(t *testing.T) {
	var n xmpptest.Node
	text := "<iq id='a'><error type='cancel'><gone xmlns='urn:x'/><text>no</text></error></iq>"
	if err := xml.Unmarshal([]byte(text), &n); err != nil {
		t.Fatalf("xml.Unmarshal: got error %v, want none", err)
	}
	for what, got := range map[string][2]string{
		"an attribute":         {n.Get("id"), "a"},
		"another":              {n.Get("type"), ""},
		"a text below":         {n.At("error", "text").Text, "no"},
		"a child there is not": {n.At("error", "what", "more").Text, ""},
		"the condition":        {n.Condition(), "gone"},
		"that of the error":    {n.At("error").Condition(), "gone"},
	} {
		if got[0] != got[1] {
			t.Errorf("%s: got %q, want %q", what, got[0], got[1])
		}
	}
	list := []xmpptest.Node{{XMLName: xml.Name{Local: "presence"}}, n}
	if got := len(xmpptest.Only(list, "iq")); got != 1 {
		t.Errorf("Only iq: got %d, want 1", got)
	}
	if got := len(xmpptest.Only(list, "presence unavailable")); got != 0 {
		t.Errorf("Only presence unavailable: got %d, want 0", got)
	}
}
