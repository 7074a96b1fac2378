package perch_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// inside are the names of the test files that are in their package: they test what it does not
// export, build one part of a session, or export something to the other tests.
var inside = regexp.MustCompile(`(^|_)(internal|part|export)_test\.go$`)

// TestTestsAreExternal: a test sees of its package what other packages see. The name of a file
// says when it does not. The tests of a command are in it, because nothing can import it.
func TestTestsAreExternal(t *testing.T) {
	for name, f := range parse(t, parser.SkipObjectResolution) {
		if !strings.HasSuffix(name, "_test.go") || f.Name.Name == "main" {
			continue
		}
		if got, want := !strings.HasSuffix(f.Name.Name, "_test"), inside.MatchString(path.Base(name)); got != want {
			t.Errorf("%s: package %s: got a test from inside %v, want %v by its name (_internal_test.go, _part_test.go, _export_test.go)", name, f.Name.Name, got, want)
		}
	}
}

// notFuzzed are the packages below internal that take no bytes worth a fuzz target, and why.
var notFuzzed = map[string]string{
	"internal/canary":     "it writes what tests give it, and reads nothing; what reads that is internal/canary/check",
	"internal/cluster":    "it starts programs of our own, and reads their answers with encoding/json alone",
	"internal/cluster/up": "it prints what a cluster is made of",
	"internal/copies":     "it compares bytes, and reads none",
	"internal/fakexmpp":   "it has no bytes: a test gives it values of the root package",
	"internal/ledger/cmd": "it has flags alone, which package flag reads",
	"internal/logingate":  "it passes the bytes of a socket on, and looks at none",
	"internal/matrix":     "it reads what servers that tests have started say, with encoding/xml and encoding/json",
	"internal/mutants":    "it reads files of the module alone, and each text that it replaces has to be there once",
	"internal/todaytest":  "it starts a service of ours, and reads nothing",
	"internal/xmpptest":   "it reads what a service of ours says, with encoding/xml alone",
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
		if got := has[pkg]; !got.any {
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

// says is the word before what a test wanted, in the line of its failure.
var says = regexp.MustCompile(`(?i)\bwant`)

// longestTest is how many lines a function of a test may have. A longer one shows several
// promises, and stops at the first that is broken.
const longestTest = 90

// TestFailuresSayWhatWasWanted: a failed test is read without its source.
// A line of it says what came, and has the word want before what should have.
func TestFailuresSayWhatWasWanted(t *testing.T) {
	lines := 0
	for name, f := range parse(t, parser.SkipObjectResolution) {
		if !strings.HasSuffix(name, "_test.go") && path.Dir(name) != "cache/storetest" {
			continue
		}
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || !fails(call) {
				return true
			}
			lines++
			if text := literals(call); !says.MatchString(text) {
				t.Errorf("%s: got a failure that says %q, want what came and what was wanted: \"Bind: got error %%v, want none\"", name, text)
			}
			return true
		})
	}
	if lines < 1000 {
		t.Errorf("got %d failures, want more: this test looks in the wrong place", lines)
	}
}

// fails reports whether a call fails a test.
func fails(call *ast.CallExpr) bool {
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || !slices.Contains([]string{"Error", "Errorf", "Fatal", "Fatalf"}, sel.Sel.Name) || len(call.Args) == 0 {
		return false
	}
	name := ""
	switch x := sel.X.(type) {
	case *ast.Ident:
		name = x.Name
	case *ast.SelectorExpr:
		name = x.Sel.Name
	}
	return slices.Contains([]string{"t", "b", "f", "tb", "T", "TB"}, name)
}

// literals are the texts in the arguments of a call.
func literals(call *ast.CallExpr) string {
	var all []string
	for _, arg := range call.Args {
		ast.Inspect(arg, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if s, err := strconv.Unquote(lit.Value); err == nil {
					all = append(all, s)
				}
			}
			return true
		})
	}
	return strings.Join(all, " ")
}

// TestTestsAreShort: a chain of steps is several tests, or cases with a set-up of their own.
func TestTestsAreShort(t *testing.T) {
	eachTestFunction(t, func(name string, fn *ast.FuncDecl, lines int) {
		if lines > longestTest {
			t.Errorf("%s: %s got %d lines, want at most %d", name, fn.Name.Name, lines, longestTest)
		}
	})
}

// eachTestFunction calls see for every function in a file of tests.
func eachTestFunction(t *testing.T, see func(name string, fn *ast.FuncDecl, lines int)) {
	t.Helper()
	for name, f := range parse(t, parser.SkipObjectResolution) {
		if !strings.HasSuffix(name, "_test.go") {
			continue
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok {
				see(name, fn, positions.Position(fn.End()).Line-positions.Position(fn.Pos()).Line+1)
			}
		}
	}
}

func TestFailuresAreFound(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "x.go", `package x
func f() { t.Fatal(err); c.t.Errorf("%v", x); t.Errorf("got %v, want 1", x); errors.Error("x"); t.Log("x") }`, 0)
	if err != nil {
		t.Fatalf("ParseFile: got error %v, want none", err)
	}
	var got []bool
	ast.Inspect(f, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok && fails(call) {
			got = append(got, says.MatchString(literals(call)))
		}
		return true
	})
	if want := []bool{false, false, true}; !slices.Equal(got, want) {
		t.Errorf("got %v for the failures, want %v", got, want)
	}
}
