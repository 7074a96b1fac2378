package perch_test

import (
	"go/ast"
	"go/parser"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// inside are the names of the test files that are in their package: they test what it does not
// export, build one part of a session, or export something to the other tests.
var inside = regexp.MustCompile(`(^|_)(internal|part|export)_test\.go$`)

// testedInside are packages whose tests do not follow their names yet.
var testedInside = []string{"sessions", "xmppconn"}

// TestTestsAreExternal: a test sees of its package what other packages see. The name of a file
// says when it does not. The tests of a command are in it, because nothing can import it.
func TestTestsAreExternal(t *testing.T) {
	bad := map[string]int{}
	for name, f := range parse(t, parser.SkipObjectResolution) {
		if !strings.HasSuffix(name, "_test.go") || f.Name.Name == "main" {
			continue
		}
		if got, want := !strings.HasSuffix(f.Name.Name, "_test"), inside.MatchString(path.Base(name)); got != want {
			if bad[path.Dir(name)]++; !slices.Contains(testedInside, path.Dir(name)) {
				t.Errorf("%s: package %s: got a test from inside %v, want %v by its name (_internal_test.go, _part_test.go, _export_test.go)", name, f.Name.Name, got, want)
			}
		}
	}
	listed(t, "testedInside", testedInside, bad)
}

// listed fails for an entry of a list of exceptions that is none any more.
func listed(t *testing.T, list string, entries []string, bad map[string]int) {
	t.Helper()
	for _, e := range entries {
		if bad[e] == 0 {
			t.Errorf("%s has nothing wrong any more, want it taken off %s", e, list)
		}
	}
}

// notFuzzed are the packages below internal that take no bytes worth a fuzz target, and why.
var notFuzzed = map[string]string{
	"internal/canary":     "it writes what tests give it, and reads nothing; what reads that is internal/canary/check",
	"internal/cluster":    "it starts programs of our own, and reads their answers with encoding/json alone",
	"internal/cluster/up": "it prints what a cluster is made of",
	"internal/fakexmpp":   "it has no bytes: a test gives it values of the root package",
	"internal/ledger/cmd": "it has flags alone, which package flag reads",
	"internal/mutants":    "it reads files of the module alone, and each text that it replaces has to be there once",
	"internal/testkit":    "it starts programs of others, and reads what they say line by line with encoding/json and net/http",
}

// TestInternalPackagesAreTested: what is below internal has tests of its own and, where it reads
// anything, fuzz targets of its own. The tests of others reach it only where these happen to.
func TestInternalPackagesAreTested(t *testing.T) {
	type tests struct{ any, fuzz bool }
	has := map[string]*tests{}
	for name, f := range parse(t, parser.SkipObjectResolution) {
		pkg := path.Dir(name)
		if !strings.HasPrefix(pkg, "internal/") {
			continue
		}
		if has[pkg] == nil {
			has[pkg] = &tests{}
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && strings.HasSuffix(name, "_test.go") {
				has[pkg].any = has[pkg].any || strings.HasPrefix(fn.Name.Name, "Test")
				has[pkg].fuzz = has[pkg].fuzz || strings.HasPrefix(fn.Name.Name, "Fuzz")
			}
		}
	}
	for _, pkg := range slices.Sorted(maps.Keys(has)) {
		why, exempt := notFuzzed[pkg]
		if got := has[pkg]; !got.any && pkg != "internal/cluster/up" { // which the tests of internal/cluster start
			t.Errorf("%s got no test, want tests of its own", pkg)
		} else if got.fuzz == exempt {
			t.Errorf("%s: got fuzz targets %v and, in notFuzzed, the reason %q; want one of the two", pkg, got.fuzz, why)
		}
	}
	for pkg := range notFuzzed {
		if has[pkg] == nil {
			t.Errorf("notFuzzed has %s, want packages that there are", pkg)
		}
	}
	if len(has) < 10 {
		t.Errorf("got %d packages below internal, want more: this test looks in the wrong place", len(has))
	}
}
