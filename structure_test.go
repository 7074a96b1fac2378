package perch_test

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestSessionIsMadeOfParts: what a session does is done by its parts. A feature that needs
// another method of Session for more than a way in should be a part.
func TestSessionIsMadeOfParts(t *testing.T) {
	const most = 70
	n := 0
	for _, f := range production(t, "sessions").files {
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && receiver(fn) == "Session" {
				n++
			}
		}
	}
	t.Logf("sessions.Session has %d methods", n)
	if n > most {
		t.Errorf("got %d methods of sessions.Session, want at most %d", n, most)
	}
}

// receiver is the name of the type that a method belongs to, or "".
func receiver(fn *ast.FuncDecl) string {
	if fn.Recv == nil {
		return ""
	}
	x := fn.Recv.List[0].Type
	if star, ok := x.(*ast.StarExpr); ok {
		x = star.X
	}
	if id, ok := x.(*ast.Ident); ok {
		return id.Name
	}
	return ""
}

// TestStructsAreNarrow: a struct of more fields is several types.
func TestStructsAreNarrow(t *testing.T) {
	const most = 25
	for _, dir := range packages(t) {
		for _, f := range production(t, dir).files {
			ast.Inspect(f, func(n ast.Node) bool {
				spec, ok := n.(*ast.TypeSpec)
				if !ok {
					return true
				}
				if s, ok := spec.Type.(*ast.StructType); ok && s.Fields.NumFields() > most {
					t.Errorf("got %d fields in %s.%s, want at most %d", s.Fields.NumFields(), dir, spec.Name.Name, most)
				}
				return true
			})
		}
	}
}

// TestPackageSizes: a connection is what xmppconn itself is about; parsing, payloads and
// mechanisms have packages of their own.
func TestPackageSizes(t *testing.T) {
	const most = 4500
	n := production(t, "xmppconn").lines
	t.Logf("xmppconn has %d lines", n)
	if n > most {
		t.Errorf("got %d lines of production code in xmppconn, want at most %d", n, most)
	}
}

// TestFilesReferForward: the files of a package can be put in an order in which most of their
// references to each other lead one way. A package in which they lead both ways can only be read
// as a whole.
func TestFilesReferForward(t *testing.T) {
	const most = 25 // percent
	for _, dir := range []string{"sessions", "xmppconn", "api", "cache", "messenger", "today", "app"} {
		all, back := references(production(t, dir))
		t.Logf("%s: %d of %d references between files lead backwards", dir, back, all)
		if 100*back >= most*all {
			t.Errorf("got %d of %d references between the files of %s that lead backwards, want less than %d %%", back, all, dir, most)
		}
	}
}

// source is the production code of a package.
type source struct {
	fset  *token.FileSet
	files []*ast.File
	lines int
}

func production(t *testing.T, dir string) source {
	t.Helper()
	s := source{fset: token.NewFileSet()}
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatalf("Glob(%s): got error %v, want none", dir, err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatalf("ReadFile(%s): got error %v, want none", name, err)
		}
		f, err := parser.ParseFile(s.fset, name, text, parser.SkipObjectResolution)
		if err != nil {
			t.Fatalf("ParseFile(%s): got error %v, want none", name, err)
		}
		s.files = append(s.files, f)
		s.lines += strings.Count(string(text), "\n")
	}
	return s
}

// packages are the folders with Go code of the module.
func packages(t *testing.T) []string {
	t.Helper()
	var dirs []string
	err := filepath.WalkDir(".", func(path string, d os.DirEntry, err error) error {
		switch {
		case err != nil || !d.IsDir():
			return err
		case path != "." && strings.HasPrefix(d.Name(), "."), slices.Contains([]string{"bin", "node_modules", "testdata"}, d.Name()):
			return filepath.SkipDir
		}
		dirs = append(dirs, path)
		return nil
	})
	if err != nil {
		t.Fatalf("WalkDir: got error %v, want none", err)
	}
	return dirs
}

// references counts the pairs of files of which one uses what the other declares, and those that
// lead backwards in the best order that is found.
func references(s source) (all, back int) {
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
	// What other packages declare is not needed: only names of this one are counted.
	conf := types.Config{Importer: nothing{importer.Default()}, Error: func(error) {}}
	pkg, _ := conf.Check("p", s.fset, s.files, info)
	index := map[string]int{}
	for i, f := range s.files {
		index[s.fset.Position(f.Pos()).Filename] = i
	}
	uses := make([][]bool, len(s.files))
	for i := range uses {
		uses[i] = make([]bool, len(s.files))
	}
	for id, o := range info.Uses {
		if v, ok := o.(*types.Var); o.Pkg() != pkg || !o.Pos().IsValid() || ok && !v.IsField() && o.Parent() != pkg.Scope() {
			continue
		}
		from, to := index[s.fset.Position(id.Pos()).Filename], index[s.fset.Position(o.Pos()).Filename]
		uses[from][to] = uses[from][to] || from != to
	}
	order := bestOrder(uses)
	for i, from := range order {
		for j, to := range order {
			if uses[from][to] {
				all++
				if j < i {
					back++
				}
			}
		}
	}
	return all, back
}

// bestOrder moves one file at a time to where the fewest references lead backwards, until no move
// helps.
func bestOrder(uses [][]bool) []int {
	weight := func(a, b int) (w int) {
		if uses[a][b] {
			w++
		}
		if uses[b][a] {
			w--
		}
		return w
	}
	order := make([]int, len(uses))
	for i := range order {
		order[i] = i
	}
	for moved := true; moved; {
		moved = false
		for i := range order {
			best, at := 0, i
			for cost, j := 0, i-1; j >= 0; j-- {
				if cost += weight(order[j], order[i]); cost < best {
					best, at = cost, j
				}
			}
			for cost, j := 0, i+1; j < len(order); j++ {
				if cost += weight(order[i], order[j]); cost < best {
					best, at = cost, j
				}
			}
			if best < 0 {
				x := order[i]
				order = slices.Insert(slices.Delete(order, i, i+1), at, x)
				moved = true
			}
		}
	}
	return order
}

// nothing imports empty packages.
type nothing struct{ types.Importer }

func (nothing) Import(path string) (*types.Package, error) {
	p := types.NewPackage(path, filepath.Base(path))
	p.MarkComplete()
	return p, nil
}
