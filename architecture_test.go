package perch_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// step is one line of a walk in docs/architecture.md.
var step = regexp.MustCompile("(?m)^[0-9]+\\. `(?:([A-Za-z]+)\\.)?([A-Za-z]+)` \\(`([a-z0-9_/]+\\.go)`\\)")

// elsewhere are ways from one step of a walk to the next that are no call by name: a goroutine, a
// callback, or a method value.
var elsewhere = []string{
	"API.openStream", "stream.turn", "API.withSession", "Conn.read", "loop.deliver", "Session.take",
	"eventLog.flush", "API.handleMessageSend", "Framer.Next", "connection.acknowledge",
}

// TestWalksOfTheArchitecture compares the lists of functions in docs/architecture.md with the
// code: each is declared in the file that is named, and is called in one above it.
func TestWalksOfTheArchitecture(t *testing.T) {
	text, err := os.ReadFile("docs/architecture.md")
	if err != nil {
		t.Fatalf("ReadFile: got error %v, want none", err)
	}
	_, section, _ := strings.Cut(string(text), "\n## Four walks\n")
	section, _, _ = strings.Cut(section, "\n## ")
	walks := strings.Split(section, "\n### ")[1:]
	if len(walks) != 4 {
		t.Fatalf("got %d walks, want 4", len(walks))
	}
	for _, walk := range walks {
		name, body, _ := strings.Cut(walk, "\n")
		var named []string
		for _, m := range step.FindAllStringSubmatch(body, -1) {
			who, fn, file := strings.TrimPrefix(m[1]+"."+m[2], "."), m[2], m[3]
			decl := declared(t, file, m[1], fn)
			if decl == nil {
				t.Errorf("%s: got no %s in %s, want it there", name, who, file)
				continue
			}
			if !slices.Contains(elsewhere, who) && !slices.Contains(named, fn) {
				t.Errorf("%s: got no call of %s above it, want one", name, who)
			}
			named = append(named, names(decl)...)
		}
		if len(named) == 0 {
			t.Errorf("%s: got no step, want a list of functions", name)
		}
	}
}

// declared finds a function, or a method of a type, in a file.
func declared(t *testing.T, file, typ, fn string) *ast.FuncDecl {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Errorf("ParseFile(%s): got error %v, want none", file, err)
		return nil
	}
	for _, d := range f.Decls {
		if x, ok := d.(*ast.FuncDecl); ok && x.Name.Name == fn && receiver(x) == typ {
			return x
		}
	}
	return nil
}

// names are the identifiers in a function.
func names(fn *ast.FuncDecl) (list []string) {
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			list = append(list, id.Name)
		}
		return true
	})
	return list
}
