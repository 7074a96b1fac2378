package main

import (
	"bytes"
	"context"
	"encoding/json"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/perch-im/perch/app"
)

// printed is what the program prints for args.
func printed(t *testing.T, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	if err := run(context.Background(), args, &out, &out); err != nil {
		t.Fatalf("perch %s: got error %v, want none", strings.Join(args, " "), err)
	}
	return out.String()
}

// released sets what the linker sets for a release.
func released(t *testing.T) {
	t.Helper()
	before := []string{release, commit, date}
	release, commit, date = "1.2.3", "0123abcd", "2026-11-29T09:53:00Z"
	t.Cleanup(func() { release, commit, date = before[0], before[1], before[2] })
}

func TestVersion(t *testing.T) {
	released(t)
	want := "perch 1.2.3\ncommit   0123abcd, 2026-11-29T09:53:00Z\ngo       " + runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH +
		"\nrecords  contact 1 (reads 0, 1), conversation 1, room 1, reader 1, log 1 (reads 0, 1), keyspace 1\n"
	for _, args := range [][]string{{"version"}, {"--version"}} {
		if got := printed(t, args...); got != want {
			t.Errorf("perch %s: got %q, want %q", args[0], got, want)
		}
	}
}

func TestVersionAsJSON(t *testing.T) {
	released(t)
	var got struct {
		Version, Commit, Date, Go, OS, Arch string
		Records                             []struct {
			Record string
			Writes int
			Reads  []int
		}
	}
	if err := json.Unmarshal([]byte(printed(t, "--version", "--json")), &got); err != nil {
		t.Fatalf("json.Unmarshal: got error %v, want none", err)
	}
	if got.Version != "1.2.3" || got.Commit != "0123abcd" || got.Date != "2026-11-29T09:53:00Z" || got.Go != runtime.Version() || got.OS != runtime.GOOS || got.Arch != runtime.GOARCH {
		t.Errorf("got %+v, want what the linker has set and %s of %s/%s", got, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	}
	if len(got.Records) != len(app.Formats()) {
		t.Fatalf("got %d kinds of records, want %d", len(got.Records), len(app.Formats()))
	}
	for i, f := range app.Formats() {
		if r := got.Records[i]; r.Record != f.Record || r.Writes != f.Writes || !slices.Equal(r.Reads, f.Reads) {
			t.Errorf("got %+v, want %+v", r, f)
		}
	}
}

// TestUpgradeGuideKnowsTheRecords: what an operator reads about an upgrade has every kind of record
// that has a version.
func TestUpgradeGuideKnowsTheRecords(t *testing.T) {
	guide := read(t, "../../docs/upgrade.md")
	for _, f := range app.Formats() {
		if row := "\n| `" + f.Record + "` | "; !strings.Contains(guide, row) {
			t.Errorf("docs/upgrade.md says nothing of %s, want %q in it", f.Record, row)
		}
	}
}
