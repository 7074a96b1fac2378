package testkit

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/perch-im/perch/internal/canary"
)

// Program is a program that a test runs in a process of its own, with a throw-away
// directory. It ends with the test, and with this process however that ends. The goroutine
// of the test uses it.
type Program struct{ proc *process }

// ProgramOptions say what to run.
type ProgramOptions struct {
	Name  string   // for errors
	Argv  []string // the program's path and its arguments
	Env   []string // besides PATH, HOME and LANG; nothing else of our own is passed on
	Ready func(context.Context) error
	Pipe  bool   // its log comes by a small pipe, which [Program.HoldOutput] leaves unread
	Dir   string // where it runs and its output stays; "" is a throw-away directory
}

// NewProgram prepares a program; Start runs it.
func NewProgram(t TB, o ProgramOptions) *Program {
	t.Helper()
	throwAway := o.Dir == ""
	if throwAway {
		dir, err := os.MkdirTemp("", "perch-"+o.Name+"-")
		if err != nil {
			t.Fatalf("testkit: %v", err)
		}
		o.Dir = dir
	}
	p := &Program{proc: &process{name: o.Name, dir: o.Dir, argv: o.Argv, env: o.Env, ready: o.Ready, pipe: o.Pipe}}
	t.Cleanup(func() {
		_, _ = canary.Output().Write([]byte(p.Output())) // cannot fail
		if throwAway {
			_ = os.RemoveAll(o.Dir)
		}
	})
	t.Cleanup(p.Kill)
	return p
}

// Start runs the program, again if need be, and waits until it is ready. The error has the
// end of its output.
func (p *Program) Start() error { return p.proc.start() }

// PID is the process id; of a program that has ended, the one it had.
func (p *Program) PID() int { return p.proc.pid }

// Ended is closed when the program that was started last has ended.
func (p *Program) Ended() <-chan struct{} { return p.proc.done }

// Signal sends a signal and waits for nothing.
func (p *Program) Signal(sig syscall.Signal) { p.proc.signal(sig) }

// HoldOutput leaves the log of a program with a pipe unread, as a collector does that hangs,
// until release is called.
func (p *Program) HoldOutput() (release func()) {
	p.proc.gate.Lock()
	return p.proc.gate.Unlock
}

// Kill ends the program with SIGKILL and waits for it. It does nothing when it has ended.
func (p *Program) Kill() { p.proc.stop(syscall.SIGKILL) }

// Stop ends the program with SIGTERM, unless it has got that already, and waits for it; the error says that it did not end
// within the limit, or not with status 0.
func (p *Program) Stop(limit time.Duration) error {
	began := time.Now()
	p.proc.stopWithin(syscall.SIGTERM, limit)
	if p.proc.end != nil {
		return fmt.Errorf("%s ended after %s by %w\n%s", p.proc.name, time.Since(began).Round(time.Millisecond), p.proc.end, p.proc.output())
	}
	return nil
}

// LogFile is where the program's output goes.
func (p *Program) LogFile() string { return filepath.Join(p.proc.dir, "output.log") }

// Output is everything that the program has printed so far, restarts included.
func (p *Program) Output() string {
	b, err := os.ReadFile(p.LogFile())
	if err != nil {
		return ""
	}
	return string(b)
}

// Root is the folder of this module's sources.
func Root(t TB) string {
	t.Helper()
	root, err := root()
	if err != nil {
		t.Fatalf("testkit: %v", err)
	}
	return root
}

var root = sync.OnceValues(func() (string, error) {
	out, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOMOD: %w", err)
	}
	return filepath.Dir(strings.TrimSpace(string(out))), nil
})

// builds has what Build has made, by folder and flags.
var builds struct {
	mu   sync.Mutex
	dir  string
	made map[string]string
}

// Build compiles a command of this module, once for all tests of a package with the same
// flags, and gives its path. The package's TestMain must call [Run].
func Build(t TB, folder string, flags ...string) string {
	t.Helper()
	builds.mu.Lock()
	defer builds.mu.Unlock()
	key := strings.Join(append([]string{folder}, flags...), " ")
	if path := builds.made[key]; path != "" {
		return path
	}
	if builds.made == nil {
		dir, err := os.MkdirTemp("", "perch-build-")
		if err != nil {
			t.Fatalf("testkit: %v", err)
		}
		builds.dir, builds.made = dir, map[string]string{}
		shared.Cleanup(func() {
			builds.made = nil
			_ = os.RemoveAll(dir)
		})
	}
	path := filepath.Join(builds.dir, fmt.Sprintf("%s-%d", filepath.Base(folder), len(builds.made)))
	cmd := exec.Command("go", append(append([]string{"build", "-o", path}, flags...), "./"+folder)...)
	cmd.Dir = Root(t)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("testkit: go build %s: %v\n%s", key, err, out)
	}
	builds.made[key] = path
	return path
}
