// Command check reads the output of go test -json: it shows what go test says without -json, and
// when the tests have passed it looks for every secret that they have used in everything
// that they have printed, logged, been refused with, and seen of metrics. It fails when it
// finds one, and when it was given too little to look into.
//
//	CANARY_DIR=DIR go test -json ./... | go run ./internal/canary/check DIR
package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go test -json ... | check DIR")
		os.Exit(2)
	}
	if err := check(os.Args[1], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "canary:", err)
		os.Exit(1)
	}
}

// check follows go test and then looks into what DIR has.
func check(dir string, test io.Reader, show io.Writer) error {
	s := &suite{dir: dir, show: show}
	if err := s.read(test); err != nil {
		return err
	}
	if s.failed {
		return errors.New("nothing was searched, because tests have failed")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		return err
	}
	var secrets, others []string
	for _, f := range files {
		if strings.HasSuffix(f, ".secrets") {
			secrets = append(secrets, f)
		} else {
			others = append(others, f)
		}
	}
	noted, err := notedIn(secrets)
	if err != nil {
		return err
	}
	if err := look(newSearcher(noted), others); err != nil {
		return err
	}
	got, err := count(files)
	if err != nil {
		return err
	}
	var missing error
	for _, pkg := range s.passed {
		missing = errors.Join(missing, enough(pkg, got[fileName(pkg)]))
	}
	if missing != nil {
		return missing
	}
	total := sum(got)
	fmt.Fprintf(show, "canary: none of %d secrets in %d lines of logs, %d refusals, %d pages of metrics and %d lines of tests\n",
		total.secrets, total.lines, total.answers, total.pages, total.printed)
	return nil
}

// most is how many findings are named.
const most = 20

func look(s *searcher, files []string) error {
	var all []finding
	for _, f := range files {
		found, err := s.file(f)
		if err != nil {
			return err
		}
		all = append(all, found...)
	}
	if len(all) == 0 {
		return nil
	}
	var text bytes.Buffer
	fmt.Fprintf(&text, "%d times a secret is where it must not be:", len(all))
	for i, f := range all {
		if i == most {
			text.WriteString("\n\t...")
			break
		}
		fmt.Fprintf(&text, "\n\t%s", f)
	}
	return errors.New(text.String())
}
