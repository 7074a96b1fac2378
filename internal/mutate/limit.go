package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// limit is one number in the source that bounds something.
type limit struct {
	name       string // of the constant, or of the option and its field
	file       string
	line       int
	begin, end int // of the expression, in bytes of the file
	text       string
}

// words of a limit, in its name or in its comment.
var words = regexp.MustCompile(`(?i)limit|max|most|time-?out|deadline|\bcap\b|capped|interval|ttl|life|bound|wait|budget|retention|heartbeat|retry|per(minute|token|address|second)|burst|rate\b|bytes|frames|(time|ping|after|every)$`)

// limitsOf lists the limits of a package's folder, in the order of its files.
func limitsOf(dir string) ([]limit, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	var all []limit
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		src, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		found, err := limitsIn(name, src)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

// limitsIn lists the limits of one file.
func limitsIn(name string, src []byte) ([]limit, error) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, name, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	var all []limit
	add := func(called string, e ast.Expr) {
		at := fset.Position(e.Pos())
		end := fset.Position(e.End()).Offset
		all = append(all, limit{called, name, at.Line, at.Offset, end, string(src[at.Offset:end])})
	}
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.GenDecl:
			declared(d, add)
		case *ast.FuncDecl:
			ast.Inspect(d, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.CallExpr:
					defaulted(n, add)
				case *ast.IfStmt:
					filledIn(n, add)
				}
				return true
			})
		}
	}
	return all, nil
}

// declared adds the limits among the constants and variables of a package.
func declared(d *ast.GenDecl, add func(string, ast.Expr)) {
	if d.Tok != token.CONST && d.Tok != token.VAR {
		return
	}
	for _, s := range d.Specs {
		v := s.(*ast.ValueSpec)
		says := d.Doc.Text() + v.Doc.Text() + v.Comment.Text()
		for i, name := range v.Names {
			if i < len(v.Values) && (words.MatchString(name.Name) || words.MatchString(says)) {
				numbers(name.Name, v.Values[i], add)
			}
		}
	}
}

// defaulted adds the default of an option: setDefault(&o.Field, value), whatever the function
// is called.
func defaulted(call *ast.CallExpr, add func(string, ast.Expr)) {
	if _, ok := call.Fun.(*ast.Ident); !ok || len(call.Args) != 2 {
		return
	}
	of, ok := call.Args[0].(*ast.UnaryExpr)
	if !ok {
		return
	}
	if field, ok := of.X.(*ast.SelectorExpr); ok {
		numbers(field.Sel.Name, call.Args[1], add)
	}
}

// filledIn adds the default of an option that is set by hand: if o.Field <= 0 { o.Field = value }.
func filledIn(s *ast.IfStmt, add func(string, ast.Expr)) {
	cond, ok := s.Cond.(*ast.BinaryExpr)
	if !ok || cond.Op != token.EQL && cond.Op != token.LEQ || len(s.Body.List) != 1 {
		return
	}
	set, ok := s.Body.List[0].(*ast.AssignStmt)
	if !ok || set.Tok != token.ASSIGN || len(set.Lhs) != 1 {
		return
	}
	tested, ok := cond.X.(*ast.SelectorExpr)
	if field, isField := set.Lhs[0].(*ast.SelectorExpr); ok && isField && field.Sel.Name == tested.Sel.Name && isNumber(cond.Y) && !isZero(set.Rhs[0]) {
		numbers(field.Sel.Name, set.Rhs[0], add)
	}
}

func isZero(e ast.Expr) bool {
	lit, ok := e.(*ast.BasicLit)
	return ok && lit.Value == "0"
}

// numbers adds an expression that is a number, or those in the fields of a literal.
func numbers(name string, e ast.Expr, add func(string, ast.Expr)) {
	if lit, ok := e.(*ast.CompositeLit); ok {
		for _, elt := range lit.Elts {
			if kv, ok := elt.(*ast.KeyValueExpr); ok {
				if key, ok := kv.Key.(*ast.Ident); ok {
					numbers(name+"."+key.Name, kv.Value, add)
				}
			}
		}
		return
	}
	if isNumber(e) {
		add(name, e)
	}
}

// isNumber reports whether e is made of number literals and units of time alone.
func isNumber(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		return e.Kind == token.INT || e.Kind == token.FLOAT
	case *ast.BinaryExpr:
		return isNumber(e.X) && (isNumber(e.Y) || isUnit(e.Y)) || isUnit(e.X) && isNumber(e.Y)
	case *ast.ParenExpr:
		return isNumber(e.X)
	}
	return isUnit(e)
}

func isUnit(e ast.Expr) bool {
	sel, ok := e.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	x, ok := sel.X.(*ast.Ident)
	return ok && x.Name == "time"
}

// changed is the expression of the mutant. A small count becomes one more: a test of a limit
// is one at its edge. A time or a size becomes four times as much.
func (l limit) changed() string {
	if n, err := strconv.Atoi(l.text); err == nil && n <= 64 {
		return fmt.Sprintf("(%s + 1)", l.text)
	}
	return fmt.Sprintf("((%s) * 4)", l.text)
}

// mutant is the file with the changed expression.
func (l limit) mutant(src []byte) []byte {
	return slices.Concat(src[:l.begin], []byte(l.changed()), src[l.end:])
}
