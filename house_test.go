package perch_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestTestsDoNotSleepOrSkip keeps two habits. A sleep makes a test slow on a fast machine
// and wrong on a slow one; only in a bubble of testing/synctest it moves a clock. A test
// that skips itself has shown nothing and looks green.
func TestTestsDoNotSleepOrSkip(t *testing.T) {
	files := 0
	for name, f := range parse(t, parser.SkipObjectResolution) {
		if !strings.HasSuffix(name, "_test.go") && !strings.HasPrefix(name, "internal/testkit/") && !strings.HasPrefix(name, "internal/cluster/") {
			continue
		}
		files++
		bubble := slices.Contains(importsOf(f), "testing/synctest")
		for _, call := range calls(f) {
			switch {
			case call == "time.Sleep" && !bubble:
				t.Errorf("%s sleeps: wait for the event, or use testing/synctest, want no sleep outside of a bubble", name)
			case call == "t.Skip", call == "t.Skipf", call == "t.SkipNow":
				t.Errorf("%s skips a test, want it to fail and say what to install, or left out", name)
			}
		}
	}
	if files < 2 {
		t.Errorf("only %d test files were read: this test looks in the wrong place, want at least 2", files)
	}
}

// TestLogsOfTestsAreSearched keeps what make test looks into whole: a test that makes a logger
// makes it with internal/canary.
func TestLogsOfTestsAreSearched(t *testing.T) {
	files := 0
	for name, f := range parse(t, parser.SkipObjectResolution) {
		if !strings.HasSuffix(name, "_test.go") || !strings.Contains(name, "/") {
			continue // the root package has no fixtures: its tests print secrets on purpose
		}
		imports := importsOf(f)
		if slices.Contains(imports, module+"/internal/canary") {
			files++
		}
		for _, call := range calls(f) {
			if call == "slog.New" {
				t.Errorf("%s makes a logger whose output is not searched: use canary.Logger, which takes handlers too: got %q, want anything but %q", name, call, "slog.New")
			}
		}
	}
	if files < 6 {
		t.Errorf("only %d test files use internal/canary: this test looks in the wrong place, want at least 6", files)
	}
}

// calls lists what a file calls in the form package.Function or variable.Method.
func calls(f *ast.File) []string {
	var found []string
	ast.Inspect(f, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if sel, ok := call.Fun.(*ast.SelectorExpr); ok {
			if x, ok := sel.X.(*ast.Ident); ok {
				found = append(found, x.Name+"."+sel.Sel.Name)
			}
		}
		return true
	})
	return found
}

func TestCalls(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "x.go", "package x\nfunc f() { go func() { time.Sleep(1) }(); a.b.C(); g() }", 0)
	if err != nil {
		t.Fatalf("parser.ParseFile: got error %v, want none", err)
	}
	if got := calls(f); !slices.Equal(got, []string{"time.Sleep"}) {
		t.Errorf("calls %v, want %v", got, []string{"time.Sleep"})
	}
}

// positions are those of every file that parse has read.
var positions = token.NewFileSet()

// parse reads every Go file of the module; the keys are paths with slashes.
func parse(t *testing.T, mode parser.Mode) map[string]*ast.File {
	t.Helper()
	files := map[string]*ast.File{}
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if base := d.Name(); name != "." && (base == "testdata" || base == "node_modules" || base == "bin" || base[0] == '.') {
				return fs.SkipDir
			}
			return nil
		}
		if filepath.Ext(name) != ".go" {
			return nil
		}
		f, err := parser.ParseFile(positions, name, nil, mode)
		if err != nil {
			return err
		}
		files[filepath.ToSlash(name)] = f
		return nil
	})
	if err != nil {
		t.Fatalf("filepath.WalkDir: got error %v, want none", err)
	}
	return files
}

func importsOf(f *ast.File) []string {
	imports := make([]string, 0, len(f.Imports))
	for _, spec := range f.Imports {
		if imp, err := strconv.Unquote(spec.Path.Value); err == nil {
			imports = append(imports, imp)
		}
	}
	return imports
}
