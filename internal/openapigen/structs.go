package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
)

// field is what a Go type says about one member of its JSON.
type field struct {
	name    string
	typ     string // the Go type without its package and pointer, such as "Time" or "[]string"
	pointer bool
	omitted bool // when it is empty
}

// goTypes are the structs of the description by the name of their schema.
type goTypes map[string][]field

// readTypes reads the structs of the root package and of package api.
func readTypes(folders ...string) (goTypes, error) {
	specs := map[string]*ast.TypeSpec{} // by package.Name, as swag names them
	for _, folder := range folders {
		files, err := filepath.Glob(filepath.Join(folder, "*.go"))
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			if err := readFile(file, specs); err != nil {
				return nil, err
			}
		}
	}
	types := goTypes{}
	for name, spec := range specs {
		if st, ok := spec.Type.(*ast.StructType); ok {
			pkg, _, _ := strings.Cut(name, ".")
			fields, err := fieldsOf(pkg, st, specs)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			types[schemaName(name, spec)] = fields
		}
	}
	return types, nil
}

func readFile(file string, specs map[string]*ast.TypeSpec) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	f, err := parser.ParseFile(token.NewFileSet(), file, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	for _, decl := range f.Decls {
		gen, ok := decl.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, s := range gen.Specs {
			if ts, ok := s.(*ast.TypeSpec); ok {
				specs[f.Name.Name+"."+ts.Name.Name] = ts
			}
		}
	}
	return nil
}

// schemaName is the name that swag gives to a type: that of its @name comment, or that of
// its package and its own.
func schemaName(name string, spec *ast.TypeSpec) string {
	if _, given, ok := strings.Cut(spec.Comment.Text(), "@name "); ok {
		return strings.TrimSpace(given)
	}
	return name
}

func fieldsOf(pkg string, st *ast.StructType, specs map[string]*ast.TypeSpec) ([]field, error) {
	var fields []field
	for _, f := range st.Fields.List {
		typ, pointer := typeText(f.Type)
		if len(f.Names) == 0 {
			if embedded, ok := specs[qualified(pkg, typ)]; ok {
				if inner, ok := embedded.Type.(*ast.StructType); ok {
					more, err := fieldsOf(strings.Split(qualified(pkg, typ), ".")[0], inner, specs)
					if err != nil {
						return nil, err
					}
					fields = append(fields, more...)
				}
			}
			continue
		}
		if f.Tag == nil {
			continue
		}
		tag, err := strconv.Unquote(f.Tag.Value)
		if err != nil {
			return nil, err
		}
		name, opts, _ := strings.Cut(reflect.StructTag(tag).Get("json"), ",")
		if name == "" || name == "-" {
			continue
		}
		fields = append(fields, field{name, typ[strings.LastIndexByte(typ, '.')+1:], pointer, strings.HasPrefix(opts, "omit")})
	}
	return fields, nil
}

func qualified(pkg, typ string) string {
	if strings.Contains(typ, ".") {
		return typ
	}
	return pkg + "." + typ
}

func typeText(e ast.Expr) (text string, pointer bool) {
	switch e := e.(type) {
	case *ast.StarExpr:
		text, _ = typeText(e.X)
		return text, true
	case *ast.ArrayType:
		text, _ = typeText(e.Elt)
		return "[]" + text, false
	case *ast.SelectorExpr:
		text, _ = typeText(e.X)
		return text + "." + e.Sel.Name, false
	case *ast.Ident:
		return e.Name, false
	}
	return "", false
}
