package xmlstream_test

import (
	"testing"

	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// TestEdit changes copies, and leaves what they are copies of.
func TestEdit(t *testing.T) {
	const raw = "<a xmlns='urn:a' b='1' xml:lang='de'>x<c>y<d/>z</c>w</a>"
	el, err := xmlstream.Parse(raw, xmlstream.DefaultLimits())
	if err != nil {
		t.Fatalf("Parse(): got error %v, want none", err)
	}
	for _, tt := range []struct {
		what string
		got  *xmlstream.Element
		want string
	}{
		{"With() of another value", el.With("b", "2'"), "<a xmlns='urn:a' xml:lang='de' b='2&apos;'>x<c>y<d/>z</c>w</a>"},
		{"With() of none", el.With("b", ""), "<a xmlns='urn:a' xml:lang='de'>x<c>y<d/>z</c>w</a>"},
		{"With() of one that is not there", el.With("c", ""), raw},
		{"Holding()", el.Holding([]*xmlstream.Element{xmlstream.NewElement("urn:e", "e", "<")}), "<a xmlns='urn:a' b='1' xml:lang='de'>xw<e xmlns='urn:e'>&lt;</e></a>"},
		{"Holding() of nothing", el.Holding(nil), "<a xmlns='urn:a' b='1' xml:lang='de'>xw</a>"},
		{"WithAttrsOf()", xmlstream.NewElement("urn:a", "a", "").With("b", "3").WithAttrsOf(el), "<a xmlns='urn:a' b='3' xml:lang='de'/>"},
		{"Clone()", el.Borrowed().Clone(), raw},
		{"the element itself", el, raw},
	} {
		var w xmlstream.Writer
		w.Tree("", tt.got.Borrowed(), "")
		if got, err := w.Result(); string(got) != tt.want || err != nil {
			t.Errorf("%s = %s, %v; want %s", tt.what, got, err, tt.want)
		}
	}
	var none *xmlstream.Element
	if !none.Plain() || el.Plain() || !el.Child("urn:a", "c").Plain() || none.Borrowed().Clone() != nil {
		t.Errorf("Plain() = %v of none, %v with attributes, %v without; want true, false, true, and no copy of none", none.Plain(), el.Plain(), el.Child("urn:a", "c").Plain())
	}
}
