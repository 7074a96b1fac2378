package perch_test

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// TestSecretsAreComparedInConstantTime holds that no secret, MAC or signature is compared by
// an operation that ends at the first difference: how long it takes would tell how much of a
// guess was right. Secrets are looked up by a keyed hash, and MACs compared by hmac.Equal.
func TestSecretsAreComparedInConstantTime(t *testing.T) {
	imp := newExports(t)
	byPackage := map[string][]*ast.File{}
	fset := token.NewFileSet()
	for name := range parse(t, parser.ImportsOnly) {
		dir := path.Dir(name)
		if strings.HasSuffix(name, "_test.go") || dir == "bench" || strings.HasPrefix(dir, "internal/") || !imp.has(module+"/"+dir) && dir != "." {
			continue
		}
		if built, err := build.Default.MatchFile(dir, path.Base(name)); err != nil || !built {
			continue // the twin of a file for other releases of Go
		}
		f, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatalf("parser.ParseFile: got error %v, want none", err)
		}
		byPackage[dir] = append(byPackage[dir], f)
	}
	if len(byPackage) < 8 {
		t.Fatalf("only %d packages were read: this test looks in the wrong place, want at least 8", len(byPackage))
	}
	constant := 0
	for dir, files := range byPackage {
		found, used, err := comparedSecrets(fset, path.Join(module, dir), files, imp)
		if err != nil {
			t.Fatalf("comparedSecrets: got error %v, want none", err)
		}
		for _, f := range found {
			t.Errorf("got %v, want none", f)
		}
		constant += used
	}
	if constant == 0 {
		t.Errorf("hmac.Equal is used nowhere: the MAC between nodes is not checked, or by something else: got %v, want more than 0", constant)
	}
}

// TestComparedSecretsAreFound shows that the check can fail.
func TestComparedSecretsAreFound(t *testing.T) {
	imp := newExports(t)
	for src, want := range map[string]bool{
		`a == b`:                                 true,
		`a.Reveal() != text`:                     true,
		`bytes.Equal(mac, sum)`:                  true,
		`string(mac) == string(sum)`:             true,
		`r.Signature == text`:                    true,
		`clientToken == text`:                    true,
		`strings.EqualFold(text, a.Reveal())`:    true,
		`slices.Equal(mac, sum)`:                 true,
		`subtle.ConstantTimeCompare(mac, sum)>0`: false,
		`hmac.Equal(mac, sum)`:                   false,
		`a.Reveal() == ""`:                       false,
		`clientToken != ""`:                      false,
		`len(mac) == len(sum)`:                   false,
		`mac == nil`:                             false,
		`isToken == true`:                        false,
		`text == other`:                          false,
	} {
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, "x.go", `package x
import ("bytes"; "crypto/hmac"; "crypto/subtle"; "slices"; "strings"; "`+module+`")
var _, _, _, _, _ = bytes.Equal, hmac.Equal, subtle.ConstantTimeCompare, slices.Equal[[]byte], strings.EqualFold
var (a, b perch.Secret; mac, sum []byte; text, other, clientToken string; isToken bool; r struct{ Signature string })
var got = `+src, parser.SkipObjectResolution)
		if err != nil {
			t.Fatalf("parser.ParseFile: got error %v, want none", err)
		}
		found, _, err := comparedSecrets(fset, "x", []*ast.File{f}, imp)
		if err != nil {
			t.Fatalf("comparedSecrets: got error %v, want none", err)
		}
		if got := len(found) > 0; got != want {
			t.Errorf("%s: found %v, want %v", src, got, want)
		}
	}
}

// secretWords end the names of values that only their owner may know.
var secretWords = regexp.MustCompile(`(?i)(^|[a-z])(mac|hmac|sig|signature|proof|secret|password|token|verifier|nonce)s?$`)

// comparers are functions that end at the first difference.
var comparers = map[string]bool{
	"bytes.Equal": true, "bytes.Compare": true, "bytes.EqualFold": true, "slices.Equal": true, "slices.Compare": true,
	"strings.EqualFold": true, "strings.Compare": true, "cmp.Compare": true, "reflect.DeepEqual": true, "maps.Equal": true,
}

// comparedSecrets lists the comparisons of secrets in a package, and counts the safe ones.
func comparedSecrets(fset *token.FileSet, name string, files []*ast.File, imp types.Importer) (found []string, safe int, err error) {
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}}
	if _, err := (&types.Config{Importer: imp, FakeImportC: true}).Check(name, fset, files, info); err != nil {
		return nil, 0, fmt.Errorf("%s: %w", name, err)
	}
	c := comparisons{info}
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BinaryExpr:
				if (n.Op == token.EQL || n.Op == token.NEQ) && c.tells(n.X, n.Y) {
					found = append(found, fmt.Sprintf("%s compares a secret by %s: look it up by its keyed hash, or use hmac.Equal", fset.Position(n.Pos()), n.Op))
				}
			case *ast.CallExpr:
				called := types.ExprString(n.Fun)
				switch {
				case called == "hmac.Equal", called == "subtle.ConstantTimeCompare":
					safe++
				case comparers[called] && len(n.Args) == 2 && c.tells(n.Args[0], n.Args[1]):
					found = append(found, fmt.Sprintf("%s compares a secret by %s: use hmac.Equal", fset.Position(n.Pos()), called))
				}
			}
			return true
		})
	}
	return found, safe, nil
}

type comparisons struct{ *types.Info }

// tells reports whether a comparison of the two tells something of a secret. One with a
// constant, such as the empty text, does not.
func (c comparisons) tells(x, y ast.Expr) bool {
	for _, e := range []ast.Expr{x, y} {
		if tv := c.Types[e]; tv.Value != nil || tv.IsNil() {
			return false
		}
	}
	return c.secret(x) || c.secret(y)
}

// secret reports whether e is a perch.Secret, or what it reveals, or bytes or a text whose
// name says that they are one.
func (c comparisons) secret(e ast.Expr) bool {
	typ := c.TypeOf(e)
	if named, ok := typ.(*types.Named); ok {
		name := named.Obj().Name()
		if name == "Secret" && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == module {
			return true
		}
		if strings.HasSuffix(name, "Key") || name == "digest" { // hashes, which say nothing of what they are of
			return false
		}
	}
	switch u := typ.Underlying().(type) {
	case *types.Basic:
		if u.Info()&types.IsString == 0 {
			return false
		}
	case *types.Slice, *types.Array:
	default:
		return false
	}
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		return secretWords.MatchString(e.Name)
	case *ast.SelectorExpr:
		return secretWords.MatchString(e.Sel.Name)
	case *ast.SliceExpr:
		return c.secret(e.X)
	case *ast.CallExpr:
		if c.Types[e.Fun].IsType() && len(e.Args) == 1 { // a conversion
			return c.secret(e.Args[0])
		}
		if sel, ok := e.Fun.(*ast.SelectorExpr); ok {
			return sel.Sel.Name == "Reveal" || secretWords.MatchString(sel.Sel.Name)
		}
	}
	return false
}

// exports imports packages from what the compiler has exported of them.
type exports struct {
	types.Importer
	files map[string]string
}

func (e exports) has(pkg string) bool { return e.files[pkg] != "" }

func newExports(t *testing.T) exports {
	t.Helper()
	e, err := exportsOfTheProduct()
	if err != nil {
		t.Fatalf("exportsOfTheProduct: got error %v, want none", err)
	}
	return e
}

// exportsOfTheProduct asks the go command for all that the program is made of.
var exportsOfTheProduct = sync.OnceValues(func() (exports, error) {
	cmd := exec.Command("go", "list", "-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}", "./cmd/api")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return exports{}, fmt.Errorf("go list: %w", err)
	}
	e := exports{files: map[string]string{}}
	for line := range strings.Lines(string(out)) {
		pkg, file, _ := strings.Cut(strings.TrimSpace(line), " ")
		e.files[pkg] = file
	}
	e.Importer = importer.ForCompiler(token.NewFileSet(), "gc", func(pkg string) (io.ReadCloser, error) {
		return os.Open(e.files[pkg])
	})
	return e, nil
})
