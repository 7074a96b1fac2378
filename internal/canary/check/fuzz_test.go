package main

import (
	"bytes"
	"strings"
	"testing"
)

// FuzzSearch: a secret is found whatever stands before and after it, and a text without one is
// searched without a panic.
func FuzzSearch(f *testing.F) {
	f.Add([]byte("before "), []byte(" after"))
	f.Add([]byte("{\"token\":\""), []byte("\"}"))
	f.Add([]byte(marked[:7]), []byte(noted[:9]))
	f.Add([]byte("\xff\x00"), []byte{})
	s := newSearcher([]string{noted})
	f.Fuzz(func(t *testing.T, before, after []byte) {
		_ = s.in(before)
		_ = sourceOf(before)
		for _, secret := range []string{marked, noted} {
			line := bytes.Join([][]byte{before, []byte(secret), after}, nil)
			if got := s.in(line); got == "" {
				t.Errorf("a search of %q got nothing, want what the secret is", line)
			}
		}
	})
}

// FuzzGoTest: whatever go test prints, it is read to its end, and what is not of test2json is
// shown as it is.
func FuzzGoTest(f *testing.F) {
	f.Add(passed)
	f.Add(`{"Action":"output","Package":"github.com/perch-im/perch","Test":"TestX","Output":"--- FAIL"}` + "\n" + `{"Action":"fail","Package":"x"}`)
	f.Add("panic: no JSON\n{\"Action\":1}\n{")
	f.Add(`{"Action":"pass","Package":"../../x"}`)
	f.Fuzz(func(t *testing.T, text string) {
		var shown strings.Builder
		s := &suite{dir: t.TempDir(), show: &shown}
		if err := s.read(strings.NewReader(text)); err != nil {
			return // a name that no file can have
		}
		if !strings.Contains(text, "{") && shown.String() != text {
			t.Errorf("read(%q) shows %q, want the same", text, shown.String())
		}
	})
}
