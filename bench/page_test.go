package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestPageHasTheFigures: docs/performance.md says what bench/results.json says.
func TestPageHasTheFigures(t *testing.T) {
	const page = "../docs/performance.md"
	r := newReport()
	if err := r.keep("results.json"); err != nil {
		t.Fatalf("r.keep: got error %v, want none", err)
	}
	before, err := os.ReadFile(page)
	if err != nil {
		t.Fatalf("os.ReadFile: got error %v, want none", err)
	}
	again := filepath.Join(t.TempDir(), "page.md")
	if err := os.WriteFile(again, before, 0o600); err != nil {
		t.Fatalf("os.WriteFile: got error %v, want none", err)
	}
	if err := r.publish(again); err != nil {
		t.Fatalf("r.publish: got error %v, want none", err)
	}
	after, err := os.ReadFile(again)
	if err != nil {
		t.Fatalf("os.ReadFile: got error %v, want none", err)
	}
	if string(after) != string(before) {
		t.Errorf("%s has other figures than results.json: go run ./bench writes both: got %q, want %v", page, string(after), string(before))
	}
}

// TestOnePartKeepsTheOthers: what was not measured again stays, in its place.
func TestOnePartKeepsTheOthers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "results.json")
	r := newReport()
	r.add("a", 1, "ms", "")
	r.add("b", 2, "ms", "a")
	r.compare()
	if err := r.save(file); err != nil {
		t.Fatalf("r.save: got error %v, want none", err)
	}
	part := newReport()
	part.add("b", 6, "ms", "c")
	part.add("c", 3, "ms", "")
	part.compare()
	if err := part.keep(file); err != nil {
		t.Fatalf("part.keep: got error %v, want none", err)
	}
	want := []result{{"a", 1, "ms", "", 0}, {"b", 6, "ms", "c", 2}, {"c", 3, "ms", "", 0}}
	for i, x := range part.results {
		if len(part.results) != len(want) || x != want[i] {
			t.Fatalf("%+v, want %+v", part.results, want)
		}
	}
}
