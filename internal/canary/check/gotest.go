package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// event is a line of go test -json; see go doc test2json.
type event struct {
	Action, Package, Test, Output, ImportPath string
}

// suite is what go test has said of each package.
type suite struct {
	dir    string    // where everything is kept that it says
	show   io.Writer // what people see: as much as without -json
	passed []string  // packages, by their path in the module; "" is the root
	failed bool      // something has

	packages map[string]*packageOutput
}

type packageOutput struct {
	file   *os.File
	all    []event
	failed map[string]bool // tests
	ended  map[string]bool // tests
}

// read follows go test to its end. What is not JSON is shown as it is.
func (s *suite) read(r io.Reader) (err error) {
	s.packages = map[string]*packageOutput{}
	defer func() {
		for _, p := range s.packages {
			err = errors.Join(err, p.file.Close())
		}
	}()
	in := bufio.NewReader(r)
	for {
		line, readErr := in.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if json.Unmarshal(line, &e) != nil || e.Action == "" {
				fmt.Fprintf(s.show, "%s", line)
			} else if err := s.record(e); err != nil {
				return err
			}
		}
		if readErr == io.EOF {
			return nil
		}
		if readErr != nil {
			return readErr
		}
	}
}

func (s *suite) record(e event) error {
	if e.Action == "build-output" {
		fmt.Fprint(s.show, e.Output)
		return nil
	}
	if e.Package == "" {
		return nil
	}
	p, err := s.of(e.Package)
	if err != nil {
		return err
	}
	switch {
	case e.Action == "output":
		p.all = append(p.all, e)
		_, err = p.file.WriteString(e.Output)
	case e.Test != "":
		p.ended[e.Test] = p.ended[e.Test] || e.Action == "pass" || e.Action == "skip"
		p.failed[e.Test] = p.failed[e.Test] || e.Action == "fail"
	case e.Action == "pass", e.Action == "skip", e.Action == "fail":
		s.failed = s.failed || e.Action == "fail"
		p.print(s.show, e.Action == "fail")
		p.all = nil
		if e.Action == "pass" {
			s.passed = append(s.passed, inModule(e.Package))
		}
	}
	return err
}

// of is where the output of a package goes.
func (s *suite) of(pkg string) (*packageOutput, error) {
	if p, ok := s.packages[pkg]; ok {
		return p, nil
	}
	f, err := os.Create(filepath.Join(s.dir, fileName(inModule(pkg))+".output"))
	if err != nil {
		return nil, err
	}
	p := &packageOutput{file: f, failed: map[string]bool{}, ended: map[string]bool{}}
	s.packages[pkg] = p
	return p, nil
}

// print shows the last word of a package and, when it failed, everything of the tests that
// failed or did not end.
func (p *packageOutput) print(w io.Writer, failed bool) {
	for _, e := range p.all {
		last := e.Test == "" && slices.ContainsFunc([]string{"ok ", "FAIL\t", "? ", "---"}, func(begin string) bool { return strings.HasPrefix(e.Output, begin) })
		if last || failed && (e.Test == "" || p.failed[e.Test] || !p.ended[e.Test]) {
			fmt.Fprint(w, e.Output)
		}
	}
}

const module = "github.com/perch-im/perch"

func inModule(pkg string) string {
	return strings.TrimPrefix(strings.TrimPrefix(pkg, module), "/")
}

// fileName is how files of a package begin; see canary.Logger.
func fileName(pkg string) string {
	if pkg == "" {
		return "root"
	}
	return strings.ReplaceAll(pkg, "/", ".")
}
