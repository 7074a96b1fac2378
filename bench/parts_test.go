package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestParts: every part works, in small, and gives the figures that it is for. The figures
// themselves mean nothing then.
func TestParts(t *testing.T) {
	measured := map[string]bool{}
	cases := map[string][]string{
		"memory": {
			"bare mellium session returned", "perch session resident", "perch session goroutines", "perch session, own buddies returned",
			"idle event socket, WebSocket returned", "idle event socket, SSE resident", "prosody WebSocket session resident",
		},
		"logins":   {"CPU of a TLS handshake", "CPU of a login", "logins"},
		"requests": {"CPU of GET /v1/session", "CPU of GET /v1/presence", "CPU of GET /v1/presence, 304", "CPU of GET /v1/buddies"},
		"storm":    {"others in a storm p99", "all online after a storm"},
		"restore":  {"restore, time", "restore, rate"},
		"path":     {"socket to socket at 1000/s, relay p50", "socket to socket at 200/s, perch on redis p99"},
		"latency":  {"latency at 1000/s, direct p50", "latency at 200/s, alone, added p50"},
		"load":     {"messages end to end, redis", "CPU of a message under load, memory", "redis memory of a session"},
		"rooms": {
			"session without a room returned", "session in a room of all resident", "CPU of a join of a room of all", "CPU of a message of the room",
			"heap of a message of the room in the log", "join of a large room, bytes from the server", "join of a large room, another session of it, heap",
			"join of a room of Prosody, time",
		},
		"webhooks": {
			"session without a webhook returned", "a webhook adds, heap", "others beside webhooks of a slow receiver p99", "calls of webhooks at once, at most",
			"connections to the receiver, at most", "all messages with the receiver, time", "memory while webhooks wait, resident",
		},
		"scale": {"scale 12, resident", "scale 12, processes", "scale 12, idle CPU", "drain, time until all are online"},
	}
	ran := 0
	for name, want := range cases {
		t.Run(name, func(t *testing.T) {
			ran++
			chosen, err := choose(name)
			if err != nil || len(chosen) != 1 {
				t.Fatalf("choose: got %d parts and error %v, want one and none", len(chosen), err)
			}
			r := inLab(t, func(l *lab) error { return l.measure(t.Context(), chosen[0]) })
			r.compare()
			for _, x := range r.results {
				measured[x.Name] = true
			}
			for _, figure := range append(want, "cores of "+name+", gateway user", "cores of "+name+", time") {
				if _, ok := r.values[figure]; !ok {
					t.Errorf("got the figures %q, want %q among them", names(r.results), figure)
				}
			}
			for _, x := range r.results {
				if x.ComparedWith != "" && !slices.Contains(names(r.results), x.ComparedWith) && !strings.HasPrefix(x.Name, "scale ") {
					t.Errorf("%s: got a comparison with %q, want one with a figure of the part", x.Name, x.ComparedWith)
				}
			}
		})
	}
	if ran == len(cases) { // and not some of them, by -run
		testRows(t, measured)
	}
}

// size is that of a figure of the scale curve.
var size = regexp.MustCompile(`^scale \d+, `)

// testRows: the figures that docs/performance.md has rows for are measured, or come from the
// benchmarks of another package.
func testRows(t *testing.T, measured map[string]bool) {
	t.Helper()
	f, err := readFigures(realFigures)
	if err != nil {
		t.Fatalf("readFigures: got error %v, want none", err)
	}
	for _, x := range f.Results {
		measured[x.Name] = measured[x.Name] || x.Part == "benchmarks"
	}
	page, err := os.ReadFile(realPage)
	if err != nil {
		t.Fatalf("os.ReadFile: got error %v, want none", err)
	}
	rows := 0
	for line := range strings.Lines(string(page)) {
		name, cells := figureOf(line)
		if name == "" {
			continue
		}
		rows++
		if name = size.ReplaceAllString(name, "scale 12, "); len(cells) == coresCells {
			name += ", time"
		}
		if !measured[name] {
			t.Errorf("%s has a row for %q, want one for a figure that is measured", realPage, name)
		}
	}
	if rows < 100 {
		t.Errorf("%s: got %d rows, want at least 100", realPage, rows)
	}
}

func names(list []result) (names []string) {
	for _, x := range list {
		names = append(names, x.Name)
	}
	return names
}
