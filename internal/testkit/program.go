package testkit

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"syscall"
)

// Program is a program of ours as an operator runs it: a process of its own that can be
// stopped, killed and frozen. Its methods are for one goroutine at a time, but for Done.
type Program struct{ proc *process }

// NewProgram describes a program that runs in dir, which keeps its output in output.log.
// Ready tells whether it answers. What still runs ends with the test.
func NewProgram(t TB, name, dir string, argv, env []string, ready func(context.Context) error) *Program {
	t.Helper()
	p := &Program{proc: &process{name: name, dir: dir, argv: argv, env: env, ready: ready}}
	t.Cleanup(p.Kill)
	return p
}

// Start runs the program and waits until it is ready.
func (p *Program) Start() error { return p.proc.start() }

// Spawn is Start without waiting.
func (p *Program) Spawn() error { return p.proc.spawn() }

// Signal sends the program a signal and does not wait.
func (p *Program) Signal(sig syscall.Signal) { p.proc.signal(sig) }

// Kill ends the program with SIGKILL and waits for it; frozen or not, and not running at all.
func (p *Program) Kill() { p.proc.stop(syscall.SIGKILL) }

// Stop ends the program with SIGTERM and waits for it, at most 20 seconds.
func (p *Program) Stop() { p.proc.stop(syscall.SIGTERM) }

// Log is where the output of all its runs is.
func (p *Program) Log() string { return filepath.Join(p.proc.dir, "output.log") }

// FreeAddr is an address of this machine that nobody listens on.
func FreeAddr(t TB) string {
	t.Helper()
	return Loopback(freePort(t))
}

// Build builds a package of this module with the flags of go build and gives the program.
func Build(t TB, dir, pkg string, flags ...string) string {
	t.Helper()
	path := filepath.Join(dir, filepath.Base(pkg))
	args := append([]string{"build", "-o", path}, append(flags, pkg)...)
	if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
		t.Fatalf("testkit: go %q: %v\n%s", args, err, out)
	}
	return path
}

// Output runs a program to its end and gives what it printed, whether it liked it or not.
func Output(t TB, argv ...string) string {
	t.Helper()
	out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("testkit: %v: %v", argv, err)
	}
	return string(out)
}
