package ledger

import (
	"math/rand/v2"
	"path/filepath"
	"testing"
)

// Plan names the faults of a run with their targets and times, for tests.
func Plan(o Options) (lines []string, kinds []string) {
	for _, f := range plan(o.withDefaults()) {
		lines = append(lines, f.String())
		kinds = append(kinds, f.kind)
	}
	return lines, kinds
}

// AllKinds are the names of all faults.
func AllKinds() []string { return allKinds() }

// Compose and Parse are the two sides of a body.
func Compose(from, to string, n int) string {
	return compose(message{from, to, n}, rand.New(rand.NewPCG(1, 1)))
}

// Parse gives "from>to #n".
func Parse(body string) (string, bool) {
	m, ok := parse(body)
	return m.String(), ok
}

// FromLog is what a history gets of a node's log.
func FromLog(t *testing.T, path string) []Entry {
	t.Helper()
	var list []Entry
	h, err := newHistory(filepath.Join(t.TempDir(), "h"), func(e Entry) { list = append(list, e) })
	if err != nil {
		t.Fatalf("newHistory: got error %v, want none", err)
	}
	defer h.close()
	if err := readLog(path, "n1", h); err != nil {
		t.Fatalf("readLog: got error %v, want none", err)
	}
	return list
}
