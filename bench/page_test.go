package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const realPage, realFigures = "../docs/performance.md", "results.json"

// TestPageHasTheFigures: docs/performance.md says what bench/results.json says.
func TestPageHasTheFigures(t *testing.T) {
	f, err := readFigures(realFigures)
	if err != nil {
		t.Fatalf("readFigures: got error %v, want none", err)
	}
	before, err := os.ReadFile(realPage)
	if err != nil {
		t.Fatalf("os.ReadFile: got error %v, want none", err)
	}
	page := published(t, f, string(before))
	if page != string(before) {
		t.Errorf("%s has other figures than %s: go run ./bench writes both: got %q, want %q", realPage, realFigures, before, page)
	}
}

// published is what becomes of a page with the figures of a file.
func published(t *testing.T, f file, page string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "page.md")
	if err := os.WriteFile(path, []byte(page), 0o600); err != nil {
		t.Fatalf("os.WriteFile: got error %v, want none", err)
	}
	r := newReport()
	r.results = f.Results
	if err := r.publish(path, f.Machine); err != nil {
		t.Fatalf("publish: got error %v, want none", err)
	}
	after, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("os.ReadFile: got error %v, want none", err)
	}
	return string(after)
}

func TestPublish(t *testing.T) {
	f := file{Machine: "one core", Results: []result{
		{Name: "a", Value: 1.2345, Unit: "ms", ComparedWith: "b", Ratio: 0.5}, {Name: "b", Value: 2469, Unit: "ms"},
		{Name: "cores of part, time", Value: 60, Unit: "s"},
		{Name: "cores of part, gateway user", Value: 10.04, Unit: "s"}, {Name: "cores of part, gateway system", Value: 2, Unit: "s"},
	}}
	for row, want := range map[string]string{
		"| `a` | old | old | words |\n":                  "| `a` | 1.23 ms | 0.50 × `b` | words |\n",
		"| `b` | old | old | |\n":                        "| `b` | 2469 ms |  | |\n",
		"| `c` | old | old | words |\n":                  "| `c` | not measured |  | words |\n",
		"| a | old | old | words |\n":                    "| a | old | old | words |\n",
		"| `a` | another | table |\n":                    "| `a` | another | table |\n",
		"text\n":                                         "text\n",
		"Machine: old.\n":                                "Machine: one core.\n",
		"| `cores of part` | | | | | | |\n":              "| `cores of part` | 10.0 + 2.0 |  |  |  |  | 60 s |\n",
		"| `cores of other` | 1 | 2 | 3 | 4 | 5 | 6 |\n": "| `cores of other` |  |  |  |  |  | not measured |\n",
	} {
		if got := published(t, f, row); got != want {
			t.Errorf("publish of %q: got %q, want %q", row, got, want)
		}
	}
}

// TestOnePartKeepsTheOthers: what was not measured again stays, in its place.
func TestOnePartKeepsTheOthers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results.json")
	r := newReport()
	for _, x := range []struct{ part, name string }{{"memory", "m1"}, {"memory", "m2"}, {"storm", "s"}, {"load", "l"}} {
		r.part = x.part
		r.add(x.name, 1, "ms", "")
	}
	if err := r.write(path, ""); err != nil {
		t.Fatalf("write: got error %v, want none", err)
	}
	again := newReport()
	again.part = "storm"
	again.add("s2", 6, "ms", "s3")
	again.add("s3", 3, "ms", "")
	again.compare()
	if err := again.write(path, ""); err != nil {
		t.Fatalf("write of a part: got error %v, want none", err)
	}
	f, err := readFigures(path)
	if err != nil {
		t.Fatalf("readFigures: got error %v, want none", err)
	}
	if got, want := strings.Join(names(f.Results), " "), "m1 m2 s2 s3 l"; got != want || f.Results[2].Ratio != 2 {
		t.Errorf("got the figures %q and %+v, want %q and a ratio of 2", got, f.Results, want)
	}
}

// TestFiguresOfOneMachine: figures of two machines are not put together.
func TestFiguresOfOneMachine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results.json")
	const old = `{"machine": "another", "results": [{"name": "m", "value": 1, "unit": "ms", "part": "memory"}]}`
	if err := os.WriteFile(path, []byte(old), 0o600); err != nil {
		t.Fatalf("os.WriteFile: got error %v, want none", err)
	}
	r := newReport()
	r.part = "storm"
	r.add("s", 1, "s", "")
	if err := r.write(path, ""); err == nil || !strings.Contains(err.Error(), "another machine") {
		t.Errorf("write beside figures of another machine: got error %v, want one that says so", err)
	}
	r.part = "memory"
	r.add("m", 2, "ms", "")
	if err := r.write(path, ""); err != nil {
		t.Errorf("write of all of them: got error %v, want none", err)
	}
}

func TestDescribeMachine(t *testing.T) {
	got := describeMachine(2, []byte("processor\t: 0\nmodel name\t: AMD EPYC\nmodel name\t: other\n"),
		[]byte("MemTotal:       25165824 kB\nMemFree: 1 kB\n"), []byte("6.18.44-x\n"))
	if want := "2 cores of AMD EPYC, 24 GiB, Linux 6.18, Go "; !strings.HasPrefix(got, want) {
		t.Errorf("describeMachine: got %q, want %q and a version", got, want)
	}
	if got := describeMachine(1, nil, nil, nil); !strings.HasPrefix(got, "1 cores, Go ") {
		t.Errorf("describeMachine without files: got %q, want the cores and a version", got)
	}
}
