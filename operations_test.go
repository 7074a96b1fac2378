package perch_test

import (
	"go/ast"
	"go/parser"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestOperationsNameEveryWarning: an operator who sees a line at warn or error finds in the
// guide what to do about it.
func TestOperationsNameEveryWarning(t *testing.T) {
	guide, err := os.ReadFile("docs/operations.md")
	if err != nil {
		t.Fatalf("os.ReadFile: got error %v, want none", err)
	}
	lines := 0
	for name, f := range parse(t, parser.SkipObjectResolution) {
		if strings.HasSuffix(name, "_test.go") || slices.ContainsFunc([]string{"internal/", "bench/", "cache/storetest/"}, func(folder string) bool { return strings.HasPrefix(name, folder) }) {
			continue
		}
		for _, line := range warnings(f) {
			lines++
			if !strings.Contains(string(guide), "`"+line+"`") {
				t.Errorf("%s logs %q, which docs/operations.md does not explain, want %q in it", name, line, "`"+line+"`")
			}
		}
	}
	if lines < 10 {
		t.Errorf("only %d lines were found: this test looks in the wrong place, want at least 10", lines)
	}
}

// warnings lists the constant messages that a file logs at warn or error.
func warnings(f *ast.File) []string {
	var found []string
	ast.Inspect(f, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		sel, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		message := -1
		switch sel.Sel.Name {
		case "Warn", "Error":
			message = 0
		case "WarnContext", "ErrorContext":
			message = 1
		}
		if message < 0 || len(call.Args) <= message {
			return true
		}
		if lit, ok := call.Args[message].(*ast.BasicLit); ok {
			if text, err := strconv.Unquote(lit.Value); err == nil {
				found = append(found, text)
			}
		}
		return true
	})
	return found
}
