package main

import (
	"maps"
	"os"
	"slices"
	"testing"
)

func TestParseSamples(t *testing.T) {
	got := parseSamples([]byte("# HELP go_goroutines Number.\n# TYPE go_goroutines gauge\ngo_goroutines 12\n" +
		`perch_sessions{state="online"} 1e+03` + "\n" + `a{text="b c"} 2.5` + "\nwithout\n x\nbad value\n"))
	want := samples{"go_goroutines": 12, `perch_sessions{state="online"}`: 1000, `a{text="b c"}`: 2.5}
	if !maps.Equal(got, want) {
		t.Errorf("parseSamples: got %v, want %v", got, want)
	}
	if v, err := got.get("go_goroutines"); v != 12 || err != nil {
		t.Errorf("get: got %v and error %v, want 12 and none", v, err)
	}
	if _, err := got.get("nothing"); err == nil {
		t.Errorf("get of a sample that is missing: got no error, want one")
	}
}

func FuzzParseSamples(f *testing.F) {
	f.Add([]byte("go_goroutines 12\n"))
	f.Fuzz(func(t *testing.T, page []byte) {
		for name := range parseSamples(page) {
			if name == "" || name[0] == '#' {
				t.Errorf("got a sample with the name %q, want one of a sample", name)
			}
		}
	})
}

// TestKeepKnown: another commit's program is started with the flags that it has.
func TestKeepKnown(t *testing.T) {
	const help = "      --listen=HOST:PORT   Address.\n      --max-sessions=10000  Most.\n"
	got := keepKnown([]string{"--listen=127.0.0.1:1", "--max-sessions=5", "--max=5", "--connections=7"}, help)
	if want := []string{"--listen=127.0.0.1:1", "--max-sessions=5"}; !slices.Equal(got, want) {
		t.Errorf("keepKnown: got %q, want %q", got, want)
	}
}

func TestParseStat(t *testing.T) {
	got, err := parseStat("stat", []byte("7 (a name) S 1 7 7 0 -1 4194560 1 0 0 0 250 50 0 0 20 0 5 0 1 2 3"))
	if want := (cpu{2.5, 0.5}); got != want || err != nil {
		t.Errorf("parseStat: got %v and error %v, want %v and none", got, err, want)
	}
	for _, bad := range []string{"", "7 (x) S", "7 (x) S 1 7 7 0 -1 4194560 1 0 0 0 a 50 0 0"} {
		if _, err := parseStat("stat", []byte(bad)); err == nil {
			t.Errorf("parseStat of %q: got no error, want one", bad)
		}
	}
}

func TestParseStatm(t *testing.T) {
	got, err := parseStatm("statm", []byte("100 25 7 1 0 9 0\n"))
	if want := float64(25 * os.Getpagesize()); got != want || err != nil {
		t.Errorf("parseStatm: got %v and error %v, want %v and none", got, err, want)
	}
	for _, bad := range []string{"", "100", "100 x"} {
		if _, err := parseStatm("statm", []byte(bad)); err == nil {
			t.Errorf("parseStatm of %q: got no error, want one", bad)
		}
	}
}
