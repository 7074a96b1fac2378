package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/perch-im/perch/internal/testkit"
)

// TestMain lets a test start this program as a child, as the program does.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && roles[os.Args[1]] != nil {
		if err := roles[os.Args[1]](context.Background(), os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(testkit.Run(m))
}

// inLab runs f with a lab for few sessions, ends what it has started, and returns what was
// reported.
func inLab(t *testing.T, f func(l *lab) error) *report {
	t.Helper()
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	l := &lab{report: newReport(), progress: t.Output(), effort: inShort, buddies: 3, cores: watchCores("test"), program: testkit.Build(t, "cmd/api")}
	err := withTestkit(func(b *bencher) error {
		l.bencher = b
		return f(l)
	})
	if err != nil {
		t.Fatalf("got error %v, want none", err)
	}
	return l.report
}

// TestChoose: parts are measured in their own order, and one that there is not is named.
func TestChoose(t *testing.T) {
	names := func(list []part) (names []string) {
		for _, p := range list {
			names = append(names, p.name)
		}
		return names
	}
	for only, want := range map[string][]string{
		"": names(parts[:len(parts)-1]), "scale": {"scale"}, "storm": {"storm"}, "storm,memory": {"memory", "storm"}, "storm,nothing": nil, "storm,storm": nil,
	} {
		got, err := choose(only)
		if !slices.Equal(names(got), want) || (err != nil) != (want == nil) {
			t.Errorf("choose(%q): got %v and error %v, want %v and an error only without parts", only, names(got), err, want)
		}
	}
}

// TestMissingProgram: a server that is not installed is named before anything is measured.
func TestMissingProgram(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for only, want := range map[string]string{"logins": "", "latency": "apt-get install prosody", "load": "apt-get install redis-server"} {
		chosen, err := choose(only)
		if err != nil {
			t.Fatalf("choose: got error %v, want none", err)
		}
		if err := findPrograms(chosen); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("findPrograms of %s: got error %v, want %q in it", only, err, want)
		}
	}
}
