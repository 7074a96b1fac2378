package main

import (
	"strings"
	"testing"
)

// run is go test -json of a package with one test that passes, one that fails, and one
// that does not come to its end.
const run = `go: downloading something
{"Action":"build-output","ImportPath":"x","Output":"x.go:1: no\n"}
{"Action":"start","Package":"github.com/perch-im/perch/api"}
{"Action":"output","Package":"github.com/perch-im/perch/api","Test":"TestGood","Output":"good says\n"}
{"Action":"output","Package":"github.com/perch-im/perch/api","Test":"TestBad","Output":"bad says\n"}
{"Action":"pass","Package":"github.com/perch-im/perch/api","Test":"TestGood"}
{"Action":"fail","Package":"github.com/perch-im/perch/api","Test":"TestBad"}
{"Action":"output","Package":"github.com/perch-im/perch/api","Test":"TestEndless","Output":"panic: timed out\n"}
{"Action":"output","Package":"github.com/perch-im/perch/api","Output":"FAIL\tgithub.com/perch-im/perch/api\t1.0s\n"}
{"Action":"fail","Package":"github.com/perch-im/perch/api"}
`

func TestFailuresAreShown(t *testing.T) {
	var shown strings.Builder
	err := check(t.TempDir(), strings.NewReader(run), &shown)
	if err == nil || !strings.Contains(err.Error(), "tests have failed") {
		t.Errorf("it says %v, want an error and %q in it", err, "tests have failed")
	}
	want := "go: downloading something\nx.go:1: no\nbad says\npanic: timed out\nFAIL\tgithub.com/perch-im/perch/api\t1.0s\n"
	if shown.String() != want {
		t.Errorf("it shows %q, want %q", shown.String(), want)
	}
}

// TestEverythingPrintedIsSearched: what a test prints that passes is not shown, but it is
// looked into.
func TestEverythingPrintedIsSearched(t *testing.T) {
	printed := strings.Replace(passed, `{"Action":"pass"`,
		`{"Action":"output","Package":"github.com/perch-im/perch/docs","Test":"TestX","Output":"`+marked+`\n"}`+"\n"+`{"Action":"pass"`, 1)
	var shown strings.Builder
	err := check(t.TempDir(), strings.NewReader(printed), &shown)
	wantFinding(t, shown.String(), err, "docs.output:2 has a marked secret", marked)
}

// TestTooLittle: a package whose fixtures keep nothing fails, although nothing was found.
func TestTooLittle(t *testing.T) {
	for pkg := range least {
		tested := strings.ReplaceAll(passed, "perch/docs", "perch/"+pkg)
		var shown strings.Builder
		err := check(t.TempDir(), strings.NewReader(tested), &shown)
		if err == nil || !strings.Contains(err.Error(), "the tests of "+pkg+" have left") {
			t.Errorf("%s: it says %v, want an error and %q in it", pkg, err, "the tests of "+pkg+" have left")
		}
	}
	if len(least) < 6 {
		t.Errorf("only %d packages must leave something, want at least 6", len(least))
	}
}
