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
				t.Errorf("%s sleeps: wait for the event, or use testing/synctest", name)
			case call == "t.Skip", call == "t.Skipf", call == "t.SkipNow":
				t.Errorf("%s skips a test: fail and say what to install, or leave the test out", name)
			}
		}
	}
	if files < 2 {
		t.Errorf("only %d test files were read: this test looks in the wrong place", files)
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
				t.Errorf("%s makes a logger whose output is not searched: use canary.Logger, which takes handlers too", name)
			}
		}
	}
	if files < 6 {
		t.Errorf("only %d test files use internal/canary: this test looks in the wrong place", files)
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
		t.Fatal(err)
	}
	if got := calls(f); !slices.Equal(got, []string{"time.Sleep"}) {
		t.Errorf("calls %v", got)
	}
}

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
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, mode)
		if err != nil {
			return err
		}
		files[filepath.ToSlash(name)] = f
		return nil
	})
	if err != nil {
		t.Fatal(err)
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
