package main

import (
	"go/parser"
	"go/token"
	"testing"
)

// FuzzLimitsIn: in any source that can be parsed each limit is a part of it, and what takes its
// place leaves a source that can be parsed.
func FuzzLimitsIn(f *testing.F) {
	for _, src := range []string{
		"package x\nconst maxItems = 20", "package x\nimport \"time\"\nvar wait = 5 * time.Second // a limit",
		"package x\nfunc f(o O) { setDefault(&o.Max, 1<<20); if o.Rate <= 0 { o.Rate = 1.5 } }",
		"package x\nvar Limits = T{Max: 1, In: U{Bytes: (2)}}", "package x\nconst (\n\tmax = iota\n\tlimit\n)", "package",
	} {
		f.Add([]byte(src))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		found, err := limitsIn("x.go", src)
		if err != nil {
			return
		}
		for _, l := range found {
			if l.begin < 0 || l.end > len(src) || l.begin >= l.end || string(src[l.begin:l.end]) != l.text {
				t.Fatalf("limitsIn gives %q at %d to %d, want a part of the source", l.text, l.begin, l.end)
			}
			if _, err := parser.ParseFile(token.NewFileSet(), "x.go", l.mutant(src), parser.SkipObjectResolution); err != nil {
				t.Errorf("the mutant of %s, %s, got error %v, want none", l.name, l.changed(), err)
			}
		}
	})
}
