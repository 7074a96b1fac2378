// Command cmd makes one run of the ledger and reports what it has found. Its exit status is 1
// when a promise was broken, 2 when the run could not be made, and 3 when a planted mistake
// was not found.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/perch-im/perch/internal/ledger"
	"github.com/perch-im/perch/internal/testkit"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string) int {
	var o ledger.Options
	flags := flag.NewFlagSet("ledger", flag.ContinueOnError)
	flags.Uint64Var(&o.Seed, "seed", 0, "of faults and load; 0 takes one from the clock")
	flags.IntVar(&o.Messages, "messages", 20_000, "inbound messages")
	flags.IntVar(&o.Faults, "faults", 60, "how many")
	flags.StringVar(&o.Server, "server", "prosody", "prosody or ejabberd")
	flags.IntVar(&o.Nodes, "nodes", 3, "gateways")
	flags.IntVar(&o.Accounts, "accounts", 4, "sessions")
	flags.IntVar(&o.Senders, "senders", 3, "foreign senders of each library")
	flags.IntVar(&o.Buddies, "buddies", 8000, "of the first account besides those it talks to; -1 is none")
	flags.IntVar(&o.Rooms, "rooms", 5, "with an archive, beside one without; -1 is none")
	flags.IntVar(&o.Occupants, "occupants", 20, "of each room, sessions included")
	flags.IntVar(&o.RoomMessages, "room-messages", 0, "that foreign people say in rooms; 0 is a fifth of messages")
	flags.DurationVar(&o.Lease, "lease", 5*time.Second, "of the nodes")
	flags.StringVar(&o.Plant, "plant", "", "build this mistake in, and use the faults that show it")
	control := flags.String("control", "", "use the faults that show this mistake, without it")
	flags.StringVar(&o.LogLevel, "log-level", "info", "of the nodes")
	flags.StringVar(&o.Dir, "dir", "", "for history and logs; default a folder of bin/ledger")
	script := flags.String("script", "", "these faults, in this order, with commas")
	history := flags.String("check", "", "make no run, but judge this history again")
	if flags.Parse(args) != nil {
		return 2
	}
	if o.Seed == 0 {
		o.Seed = uint64(time.Now().UnixMilli())
	}
	if mistake := cmp.Or(o.Plant, *control); mistake != "" {
		planted, ok := ledger.Planted(mistake, o)
		if !ok {
			fmt.Fprintln(os.Stderr, "ledger: there is no such mistake:", mistake)
			return 2
		}
		if o = planted; *control != "" {
			o.Plant = ""
		}
	}
	if *script != "" {
		o.Script = strings.Split(*script, ",")
	}
	if o.Dir == "" {
		o.Dir = filepath.Join("bin", "ledger", folder(o, *control))
	}
	o.Modules, o.Out = filepath.Join("internal", "ledger", "peers"), os.Stdout
	if *history != "" {
		return checkHistory(*history, o)
	}
	return play(ctx, o)
}

// folder is where a run is kept by default: a run with a mistake and its control do not
// overwrite each other.
func folder(o ledger.Options, control string) string {
	name := fmt.Sprint(o.Seed, "-", o.Server)
	switch {
	case control != "":
		name += "-control-" + control
	case o.Plant != "":
		name += "-plant-" + o.Plant
	}
	return name
}

// checkHistory checks the history of an earlier run.
func checkHistory(path string, o ledger.Options) int {
	f, err := os.Open(path)
	if err != nil {
		fmt.Fprintln(os.Stderr, "ledger:", err)
		return 2
	}
	defer f.Close()
	entries, err := ledger.ReadHistory(f)
	if err != nil {
		fmt.Fprintln(os.Stderr, "ledger:", err)
		return 2
	}
	return verdict(ledger.Check(entries), o)
}

// verdict prints a report and gives the exit status.
func verdict(r *ledger.Report, o ledger.Options) int {
	for _, line := range r.Lines(o.Seed) {
		fmt.Fprintln(o.Out, line)
	}
	if r.Failed() {
		return 1
	}
	return 0
}

// play makes the run and prints its report.
func play(ctx context.Context, o ledger.Options) (code int) {
	b := &bench{}
	defer testkit.End()
	defer b.end()
	defer func() {
		if r := recover(); r != nil {
			text, ok := r.(fatal)
			if !ok {
				panic(r)
			}
			fmt.Fprintln(os.Stderr, string(text))
			code = 2
		}
	}()
	fmt.Fprintln(o.Out, "ledger: seed", o.Seed, "in", o.Dir)
	r := ledger.Run(ctx, b, o)
	code = verdict(r, o)
	if o.Plant != "" && !ledger.Found(o.Plant, r) {
		fmt.Fprintln(os.Stderr, "ledger: that is not what the mistake", o.Plant, "does: it was not found")
		return 3
	}
	if b.failed {
		return max(code, 1)
	}
	return code
}

// bench lets the test kit start its servers for this program.
type bench struct {
	cleanup []func()
	failed  bool
}

type fatal string

func (*bench) Helper()                 {}
func (*bench) Name() string            { return "ledger" }
func (*bench) Logf(f string, a ...any) { fmt.Fprintf(os.Stderr, f+"\n", a...) }

// Errorf implements testkit.TB.
func (b *bench) Errorf(f string, a ...any) {
	b.failed = true
	b.Logf(f, a...)
}

// Fatalf implements testkit.TB; play turns the panic into an exit status.
func (*bench) Fatalf(f string, a ...any) { panic(fatal(fmt.Sprintf(f, a...))) }

// Cleanup implements testkit.TB.
func (b *bench) Cleanup(f func()) { b.cleanup = append(b.cleanup, f) }

func (b *bench) end() {
	for _, f := range slices.Backward(b.cleanup) {
		f()
	}
}
