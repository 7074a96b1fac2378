package main

import (
	"os"
	"path/filepath"
	"testing"
)

// FuzzReadTypes: whatever the sources say, reading them ends without a panic, and each field has
// the name of a member.
func FuzzReadTypes(f *testing.F) {
	for _, src := range []string{
		"package x\ntype T struct { A *int `json:\"a,omitempty\"`; B []string `json:\"b\"` }",
		"package x\ntype T struct { U; *V; w.X; y int } // @name Other\ntype U struct { A int `json:\"a\"` }",
		"package x\ntype T struct { A int `json:\"-\"`; B map[string]int `json:\"b\"`; C func() `json:\",\"` }",
		"package x\ntype T = struct{ A int }\ntype G[P any] struct { P P `json:\"p\"` }", "package",
	} {
		f.Add([]byte(src))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "x.go"), src, 0o600); err != nil {
			t.Fatalf("WriteFile got error %v, want none", err)
		}
		types, err := readTypes(dir)
		if err != nil {
			return
		}
		for name, fields := range types {
			for _, field := range fields {
				if field.name == "" || field.name == "-" {
					t.Errorf("readTypes(%q): %s has a field %q, want the name of a member", src, name, field.name)
				}
			}
		}
	})
}
