package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/perch-im/perch/internal/canary"
)

// amount is how much of each kind there is of a package.
type amount struct{ secrets, lines, answers, pages, printed int }

// least is what the tests of a package record when their fixtures use package canary: about a
// third of what they did when this was written. A canary that sees nothing proves nothing.
var least = map[string]amount{
	"api":              {secrets: 5, lines: 3000, answers: 150, printed: 300},
	"app":              {secrets: 40, lines: 600, answers: 40, pages: 4, printed: 600},
	"cache":            {lines: 1, printed: 100},
	"cmd/api":          {lines: 2, printed: 20},
	"internal/cluster": {secrets: 25, lines: 300, answers: 40, pages: 8, printed: 25},
	"internal/testkit": {secrets: 7, printed: 20},
	"messenger":        {secrets: 1, lines: 50, printed: 100},
	"sessions":         {secrets: 2, lines: 1500, printed: 100},
	"today":            {secrets: 1, lines: 50, printed: 100},
	"web":              {lines: 600, printed: 40},
	"xmppconn":         {secrets: 5, lines: 40, printed: 300},
}

// enough complains when a package that was tested has left too little.
func enough(pkg string, got amount) error {
	want := least[pkg]
	if got.secrets < want.secrets || got.lines < want.lines || got.answers < want.answers || got.pages < want.pages || got.printed < want.printed {
		return fmt.Errorf("the tests of %s have left %+v to look into, want at least %+v: do their fixtures use internal/canary?", pkg, got, want)
	}
	return nil
}

// count says what the files have, by the beginning of their names.
func count(files []string) (map[string]amount, error) {
	by := map[string]amount{}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		parts := strings.Split(filepath.Base(path), ".")
		kind := parts[len(parts)-1]
		pkg := strings.TrimSuffix(filepath.Base(path), "."+kind)
		if kind != "output" { // the process stands before the kind
			pkg = pkg[:strings.LastIndexByte(pkg, '.')]
		}
		a := by[pkg]
		switch kind {
		case "secrets":
			a.secrets += bytes.Count(text, []byte("\n"))
		case "log":
			a.lines += bytes.Count(text, []byte("\n"))
		case "answers":
			a.answers += entries(text)
		case "pages":
			a.pages += entries(text)
		case "output":
			a.printed += bytes.Count(text, []byte("\n"))
		}
		by[pkg] = a
	}
	return by, nil
}

func entries(text []byte) int {
	n := bytes.Count(text, []byte("\n"+canary.Entry))
	if bytes.HasPrefix(text, []byte(canary.Entry)) {
		n++
	}
	return n
}

func sum(by map[string]amount) (total amount) {
	for _, a := range by {
		total.secrets += a.secrets
		total.lines += a.lines
		total.answers += a.answers
		total.pages += a.pages
		total.printed += a.printed
	}
	return total
}
