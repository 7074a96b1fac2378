package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/perch-im/perch/internal/mutants"
	"github.com/perch-im/perch/internal/testkit"
)

// soakOptions are the flags of a soak.
type soakOptions struct {
	length, cycle time.Duration
	sessions      int
	buddies       int
	store         string
	program       string
	leak          string
	left          int // how many of that in a cycle
}

const (
	soakCycles    = 120              // unless the shortest or the longest cycle makes it another number
	shortestCycle = 30 * time.Second // there has to be time to become quiet
	longestCycle  = time.Minute
	firstPart     = time.Hour // is not judged, and of a shorter soak the first half
)

// soakCommand keeps a gateway busy in bursts for a length of time, and looks at it when it is
// quiet, once a cycle. What grows after the first part is the error.
func soakCommand(ctx context.Context, args []string, stdout, progress io.Writer) error {
	flags := flag.NewFlagSet("bench soak", flag.ContinueOnError)
	flags.SetOutput(progress)
	o := soakOptions{left: 2}
	flags.DurationVar(&o.length, "length", 10*time.Minute, "how long")
	flags.DurationVar(&o.cycle, "cycle", 0, "from one look to the next; 0: half a minute to a minute, by the length")
	flags.IntVar(&o.sessions, "sessions", 1000, "sessions that stay")
	flags.IntVar(&o.buddies, "buddies", 50, "buddies of each")
	flags.StringVar(&o.store, "store", "memory", "memory or redis")
	flags.StringVar(&o.program, "gateway", "", "program of cmd/api; default: of this source")
	flags.StringVar(&o.leak, "leak", "", "what is left behind, to see that it is found: sockets or sessions of clients, or memory of requests, by a mistake in the gateway")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if o.cycle == 0 {
		o.cycle = min(max(o.length/soakCycles, shortestCycle), longestCycle)
	}
	if err := o.check(); err != nil {
		return err
	}
	return withTestkit(func(b *bencher) error {
		l := &lab{bencher: b, progress: progress, program: o.program, buddies: o.buddies, cores: watchCores("soak")}
		if err := buildForSoak(l, o.leak); err != nil {
			return err
		}
		return runSoak(ctx, l, o, stdout)
	})
}

// leakMemory is a mistake of internal/mutants: a little of every request stays.
const leakMemory = "memory"

// buildForSoak makes the gateway, with that mistake if it is asked for.
func buildForSoak(l *lab, leak string) error {
	if leak != leakMemory {
		l.build()
		return nil
	}
	dir, err := os.MkdirTemp("", "bench-mutant-")
	if err != nil {
		return err
	}
	l.Cleanup(func() { _ = os.RemoveAll(dir) })
	overlay, err := mutants.Overlay("leak", testkit.Root(l), dir)
	if err != nil {
		return err
	}
	l.build("-overlay=" + overlay)
	return nil
}

// first is the part that is not judged.
func (o soakOptions) first() time.Duration { return min(firstPart, o.length/2) }

func (o soakOptions) check() error {
	switch {
	case !slices.Contains([]string{"memory", "redis"}, o.store):
		return fmt.Errorf("-store %q is neither memory nor redis", o.store)
	case !slices.Contains([]string{"", "sockets", "sessions", leakMemory}, o.leak):
		return fmt.Errorf("-leak %q is none of sockets, sessions, memory", o.leak)
	case o.leak == leakMemory && o.program != "":
		return errors.New("-leak memory is a mistake in this source, which is not in the program of -gateway")
	case o.sessions < 20 || o.buddies < 1:
		return errors.New("-sessions must be at least 20, and -buddies 1")
	case o.length/2 < leastSamples*o.cycle:
		return fmt.Errorf("-length %s is too short: half of it needs %d cycles of %s", o.length, leastSamples, o.cycle)
	}
	return nil
}

// runSoak starts everything, and judges what was seen.
func runSoak(ctx context.Context, l *lab, o soakOptions, stdout io.Writer) (err error) {
	s := &soak{o: o, out: stdout, figures: soakFigures()}
	var ready serverReady
	accounts := o.sessions + 2*soakGuests + soakLeaks(o)
	if s.server, ready, err = l.serve(ctx, accounts, buddiesShared); err != nil {
		return err
	}
	url := ""
	if o.store == "redis" {
		url, s.redis = l.redis()
		s.figures = append(s.figures, memorySeries("redis"))
	}
	s.gateway, err = l.gateway(accounts, ready, gatewayOptions{redis: url, flags: []string{
		fmt.Sprint("--retention-events=", soakLog), "--streams=100000",
	}})
	if err != nil {
		return err
	}
	defer s.gateway.end()
	l.note("%d sessions sign in", o.sessions)
	if err := s.begin(ctx, l); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%s of %d sessions, %s, a look every %s\n", o.length, o.sessions, o.store, o.cycle)
	if err := s.soak(ctx); err != nil {
		return err
	}
	return s.verdict()
}

// soak is one that is under way.
type soak struct {
	o       soakOptions
	out     io.Writer
	server  *child
	gateway *gateway
	redis   *redis.Client // nil: the store is memory
	client  *gatewayClient
	began   time.Time
	before  [2]cpu // of gateway and server, when it began
	figures []series
	left    []io.Closer // on purpose
}

// soak runs the cycles: traffic, then quiet, then a look. On a machine that is too busy for as many
// as were planned it goes on until there is enough to judge.
func (s *soak) soak(ctx context.Context) error {
	for n := 0; time.Since(s.began) < s.o.length || len(s.figures[0].after(s.o.first())) < leastSamples; n++ {
		next := time.Now().Add(s.o.cycle)
		if err := s.traffic(ctx, n); err != nil {
			return fmt.Errorf("cycle %d: %w", n, err)
		}
		if soonest := time.Now().Add(s.o.cycle / 2); next.Before(soonest) {
			next = soonest // on a busy machine
		}
		if err := s.look(ctx, n, next); err != nil {
			return fmt.Errorf("cycle %d: %w", n, err)
		}
		if err := sleep(ctx, time.Until(next)); err != nil {
			return err
		}
	}
	return nil
}

// verdict prints what became of every figure. Those that have grown are the error.
func (s *soak) verdict() error {
	from := s.o.first()
	fmt.Fprintf(s.out, "after the first %s:\n", from)
	var grown error
	for _, f := range s.figures {
		v, err := f.judge(from)
		if err != nil {
			return err
		}
		fmt.Fprintln(s.out, v)
		if v.grows() {
			grown = errors.Join(grown, fmt.Errorf("%s", v))
		}
	}
	return errors.Join(s.use(), grown)
}

// use prints what the processes have used of a core.
func (s *soak) use() error {
	now, err := s.cpu()
	if err != nil {
		return err
	}
	took := time.Since(s.began).Seconds()
	own, err := cpuTime(ownPID)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "CPU: gateway %.1f%%, server %.1f%%, client %.1f%% of one core\n",
		100*now[0].minus(s.before[0]).sum()/took, 100*now[1].minus(s.before[1]).sum()/took, 100*own.sum()/took)
	return nil
}

func (s *soak) cpu() (c [2]cpu, err error) {
	if c[0], err = cpuTime(s.gateway.PID()); err != nil {
		return c, err
	}
	c[1], err = cpuTime(s.server.cmd.Process.Pid)
	return c, err
}
