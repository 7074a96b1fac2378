package docs

import (
	"io/fs"
	"slices"
	"strings"
	"testing"
)

// TestEveryGuideHasReaders: whoever looks for a guide finds it under the title that is for them, and not at the
// end of the last one because nobody has thought of it.
func TestEveryGuideHasReaders(t *testing.T) {
	guides, err := fs.Glob(files, "*.md")
	if err != nil || len(guides) < 10 {
		t.Fatalf("guides: got %v, error %v, want 10 or more", guides, err)
	}
	var named []string
	for _, r := range readers {
		named = append(named, r.names...)
	}
	for i, name := range guides {
		guides[i] = strings.TrimSuffix(name, ".md")
	}
	slices.Sort(named)
	if slices.Sort(guides); !slices.Equal(named, guides) {
		t.Errorf("the groups of readers name %v, want each guide once: %v", named, guides)
	}
}
