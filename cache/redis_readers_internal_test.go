package cache

import (
	"testing"

	"github.com/perch-im/perch"
)

// TestReaderRowsRefused: what a later version has written, or nobody, fails the opening.
func TestReaderRowsRefused(t *testing.T) {
	for name, row := range map[string]string{
		"a later version": `{"v":2,"kind":"webhook","id":"a"}`,
		"no version":      `{"kind":"webhook","id":"a"}`,
		"no reader":       `{"v":1}`,
		"another reader":  `{"v":1,"kind":"webhook","id":"b"}`,
		"another kind":    `{"v":1,"kind":"push","id":"a"}`,
		"half of JSON":    `{"v":1,"kind":"webhook","id":"a"`,
		"a text":          `webhook`,
	} {
		if got, err := decodeReaders([]any{"webhook/a", row}); perch.KindOf(err) != perch.KindInternal {
			t.Errorf("%s: got %v, error %v, want the kind %v", name, got, err, perch.KindInternal)
		}
	}
	if got, err := decodeReaders([]any{"webhook/a", `{"v":1,"kind":"webhook","id":"a","later":{}}`}); err != nil || len(got) != 1 {
		t.Errorf("a field that is not known: got %v, error %v, want one reader", got, err)
	}
}
