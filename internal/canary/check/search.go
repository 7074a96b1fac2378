package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/perch-im/perch/internal/canary"
)

// width is how many octets of a needle lead to it.
const width = 8

// searcher looks for many needles in one pass.
type searcher struct{ byStart map[string][]needle }

// newSearcher knows the mark, and the secrets that do not have it.
func newSearcher(noted []string) *searcher {
	s := &searcher{map[string][]needle{}}
	s.add(forms(canary.Mark, "a marked secret"))
	seen := map[string]bool{}
	for _, secret := range noted {
		if !seen[secret] && !strings.Contains(secret, canary.Mark) {
			s.add(forms(secret, "a noted secret"))
		}
		seen[secret] = true
	}
	return s
}

func (s *searcher) add(needles []needle) {
	for _, n := range needles {
		start := n.text[:width]
		s.byStart[start] = append(s.byStart[start], n)
	}
}

// in says what a line has of secrets, without showing it; "" is nothing.
func (s *searcher) in(line []byte) string {
	for i := 0; i+width <= len(line); i++ {
		for _, n := range s.byStart[string(line[i:i+width])] {
			if bytes.HasPrefix(line[i:], []byte(n.text)) {
				return n.what
			}
		}
	}
	for _, p := range patterns {
		if p.in(line) {
			return p.what
		}
	}
	return ""
}

// finding is a secret where it must not be.
type finding struct {
	file  string
	line  int
	what  string
	where string // in the sources, of a line of a log; "" elsewhere
}

func (f finding) String() string {
	text := fmt.Sprintf("%s:%d has %s", f.file, f.line, f.what)
	if f.where != "" {
		text += ", logged by " + f.where
	}
	return text
}

// file looks into one file.
func (s *searcher) file(path string) (found []finding, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := bufio.NewReader(f)
	for n := 1; ; n++ {
		line, err := r.ReadBytes('\n')
		if what := s.in(line); what != "" {
			found = append(found, finding{path, n, what, sourceOf(line)})
		}
		if err == io.EOF {
			return found, nil
		}
		if err != nil {
			return found, err
		}
	}
}

// sourceOf is the place in the sources that a line of a log names.
func sourceOf(line []byte) string {
	var l struct {
		Source struct {
			File string
			Line int
		}
	}
	if json.Unmarshal(line, &l) != nil || l.Source.File == "" {
		return ""
	}
	return fmt.Sprintf("%s:%d", filepath.Join(filepath.Base(filepath.Dir(l.Source.File)), filepath.Base(l.Source.File)), l.Source.Line)
}

// notedIn reads the secrets that the tests have written down.
func notedIn(files []string) (secrets []string, err error) {
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(string(text)) {
			raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(line))
			if err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			secrets = append(secrets, string(raw))
		}
	}
	return secrets, nil
}
