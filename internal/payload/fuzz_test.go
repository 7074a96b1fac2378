package payload_test

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/perch-im/perch/internal/payload"
)

// FuzzCheck: what is taken is one element also inside of another one, whose end it cannot reach.
func FuzzCheck(f *testing.F) {
	for _, text := range []string{
		`<x xmlns='urn:example:x'/>`, `<p:x xmlns:p='urn:example:x' p:a='&amp;'>y<z/></p:x>`, `<x xmlns='urn:a'></m>`, `<x xmlns='urn:a'><![CDATA[</x>]]></x>`, `</m><m>`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if payload.Check(text) != nil {
			return
		}
		d := xml.NewDecoder(strings.NewReader("<m>" + text + "</m>"))
		depth, children := 0, 0
		for {
			tok, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("Check(%q): got none, want an error: %v", text, err)
			}
			switch tok.(type) {
			case xml.StartElement:
				if depth++; depth == 2 {
					children++
				}
			case xml.EndElement:
				depth--
			}
		}
		if children != 1 || depth != 0 {
			t.Fatalf("Check(%q): got none for %d elements, %d not closed; want an error unless it is one", text, children, depth)
		}
	})
}
