// Command bench measures Perch and writes bench/results.json and the tables of
// docs/performance.md, which say what each figure is. What a figure is compared with is measured
// in the same run, so that the ratios mean something on any machine.
//
//	go run ./bench                              # everything but the scale curve
//	go run ./bench -only latency,storm          # some parts
//	go run ./bench -gateway /tmp/perch -out ''  # the program of another commit; nothing is written
//	go run ./bench soak -length 2h              # whether anything grows; see soak.go
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/perch-im/perch/internal/testkit"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench: "+err.Error())
		os.Exit(1)
	}
}

// roles are what this program does as a child of itself.
var roles = map[string]func(context.Context, []string) error{
	"server":    serverRole,
	"bare":      bareRole,
	"handshake": handshakeRole,
	"relay":     relayRole,
	"rooms":     roomsRole,
}

// part is a group of figures that is measured by itself. Figures are only compared within one.
type part struct {
	name  string
	needs []string // programs, by their Debian package
	run   func(context.Context, *lab) error
}

// parts in the order in which they are measured. The last one is only measured when it is named:
// it takes an hour.
var parts = []part{
	{"benchmarks", []string{"redis-server"}, func(ctx context.Context, l *lab) error { return goBenchmarks(ctx, l.report, l.progress, suites) }},
	{"memory", []string{"prosody"}, memory},
	{"logins", nil, logins},
	{"requests", nil, requests},
	{"storm", nil, storm},
	{"restore", []string{"redis-server"}, restore},
	{"path", []string{"redis-server"}, path},
	{"latency", []string{"prosody"}, latency},
	{"load", []string{"redis-server"}, load},
	{"rooms", []string{"prosody"}, rooms},
	{"webhooks", nil, webhooks},
	{"scale", []string{"redis-server"}, scale},
}

func run(ctx context.Context, args []string, stdout, progress io.Writer) (err error) {
	if len(args) > 0 && roles[args[0]] != nil {
		return roles[args[0]](ctx, args[1:])
	}
	defer testkit.End()
	if len(args) > 0 && args[0] == "soak" {
		return soakCommand(ctx, args[1:], stdout, progress)
	}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(progress)
	l := lab{report: newReport(), progress: progress, effort: usual}
	sessions := flags.Int("sessions", 0, "sessions of the parts memory, restore, rooms and scale; 0: as many as each of them has by itself")
	short := flags.Bool("short", false, "little of everything, to see that it works; nothing is written")
	flags.IntVar(&l.buddies, "buddies", 50, "buddies of each session, all with presence")
	flags.StringVar(&l.program, "gateway", "", "program of cmd/api that is measured; default: of this source")
	out := flags.String("out", "bench/results.json", "where the figures go; empty: nowhere")
	page := flags.String("page", "docs/performance.md", "whose tables get the figures; empty: none")
	only := flags.String("only", "", "parts to measure, with commas between them; the other figures stay: "+partNames())
	if err := flags.Parse(args); err != nil {
		return err
	}
	chosen, err := choose(*only)
	if err != nil {
		return err
	}
	if *short {
		l.effort, *out = inShort, ""
	}
	if *sessions > 0 {
		l.effort.memory, l.effort.restore, l.effort.scale, l.effort.rooms.sessions = *sessions, *sessions, *sessions, *sessions
	}
	if err := l.all(ctx, chosen); err != nil {
		return err
	}
	if err := l.report.print(stdout); err != nil {
		return err
	}
	return l.report.write(*out, *page)
}

// all measures some parts.
func (l *lab) all(ctx context.Context, chosen []part) error {
	if err := findPrograms(chosen); err != nil {
		return err
	}
	l.report.commit = commit(ctx, l.program)
	for _, p := range chosen {
		if err := l.measure(ctx, p); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	l.report.compare()
	return nil
}

// findPrograms names what is not installed before anything is measured.
func findPrograms(chosen []part) error {
	for _, p := range chosen {
		for _, name := range p.needs {
			if _, err := exec.LookPath(name); err != nil {
				return fmt.Errorf("%s needs %s, which is not installed: apt-get install %s", p.name, name, name)
			}
		}
	}
	return nil
}

func partNames() string {
	names := make([]string, len(parts))
	for i, p := range parts {
		names[i] = p.name
	}
	return strings.Join(names, ", ")
}

// choose gives the parts that are named, in their order; all for "".
func choose(only string) (chosen []part, err error) {
	if only == "" {
		return parts[:len(parts)-1], nil
	}
	names := strings.Split(only, ",")
	for _, p := range parts {
		if i := slices.Index(names, p.name); i >= 0 {
			chosen, names = append(chosen, p), slices.Delete(names, i, i+1)
		}
	}
	if len(names) > 0 {
		return nil, fmt.Errorf("there is no part %q; there are: %s", names[0], partNames())
	}
	return chosen, nil
}

// measure runs one part, and ends what it has started.
func (l *lab) measure(ctx context.Context, p part) error {
	return withTestkit(func(b *bencher) error {
		l := *l
		l.bencher, l.cores = b, watchCores(p.name)
		l.report.part = p.name
		l.build()
		if err := p.run(ctx, &l); err != nil {
			return err
		}
		l.cores.record(l.report)
		return nil
	})
}
