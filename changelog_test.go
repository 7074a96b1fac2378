package perch_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestChangelog: the first heading is the version to come or the one that is being released, each
// line below a heading has a kind and an area, and versions go down. `make release` reads both.
func TestChangelog(t *testing.T) {
	text, err := os.ReadFile("CHANGELOG.md")
	if err != nil {
		t.Fatalf("os.ReadFile: got error %v, want none", err)
	}
	heading := regexp.MustCompile(`^## (\d+\.\d+\.\d+) (\(unreleased\)|- \d{4}-\d{2}-\d{2})$`)
	entry := regexp.MustCompile(`^- \[(CHANGE|FEATURE|ENHANCEMENT|BUGFIX|SECURITY)\] [a-z][\w/.]*(, [\w/.]+)*: \S`)
	var versions []string
	for i, line := range strings.Split(string(text), "\n") {
		m := heading.FindStringSubmatch(line)
		switch {
		case strings.HasPrefix(line, "## ") && m == nil:
			t.Errorf("line %d: got the heading %q, want a version and its date", i+1, line)
		case m != nil && m[2] == "(unreleased)" && len(versions) > 0:
			t.Errorf("line %d: got %s unreleased below %s, want it at the top alone", i+1, m[1], versions[len(versions)-1])
		case m != nil && len(versions) > 0 && !older(m[1], versions[len(versions)-1]):
			t.Errorf("line %d: got %s below %s, want an older version", i+1, m[1], versions[len(versions)-1])
		case strings.HasPrefix(line, "- ") && !entry.MatchString(line):
			t.Errorf("line %d: got %.60q, want a kind, an area and a colon", i+1, line)
		}
		if m != nil {
			versions = append(versions, m[1])
		}
	}
	if len(versions) == 0 {
		t.Error("got no version, want at least the one to come")
	}
}
