package testkit

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// process is a server program that may be started again with the same files and ports.
type process struct {
	name string
	dir  string
	argv []string
	env  []string
	cred *syscall.Credential
	root string     // the folder that is / for it; "" is this system's
	pipe bool       // the output comes by a small pipe that we read
	gate sync.Mutex // held while the pipe is not read
	// ready reports whether the server answers now.
	ready func(context.Context) error

	pid  int
	done chan struct{} // closed when the running program has been waited for
	end  error         // how it ended; valid after done
	// asked is whether the running program has got SIGTERM: a second one ends many programs at once.
	asked bool
}

// errPortTaken is the answer of ready when there is no use in waiting.
var errPortTaken = errors.New("the port is in use by another process")

// newDir makes a throw-away directory that the service user owns and can reach.
func newDir(t TB, name, account string) (string, *syscall.Credential) {
	t.Helper()
	dir, err := os.MkdirTemp("", "perch-"+name+"-")
	if err != nil {
		t.Fatalf("testkit: %v", err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Logf("testkit: %v", err)
		}
	})
	cred := credential(t, account)
	if cred != nil {
		chown(t, dir, cred)
	}
	return dir, cred
}

// credential is the service user when we are root, and nil when we are not: servers refuse
// to run as root, and no test needs it.
func credential(t TB, account string) *syscall.Credential {
	t.Helper()
	if os.Getuid() != 0 {
		return nil
	}
	uidText, gidText, err := lookupUser(account)
	if err != nil {
		t.Fatalf("testkit: running as root needs the user %s of the Debian package: %v", account, err)
	}
	uid, err1 := strconv.ParseUint(uidText, 10, 32)
	gid, err2 := strconv.ParseUint(gidText, 10, 32)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatalf("testkit: user %s: %v", account, err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

func chown(t TB, path string, cred *syscall.Credential) {
	t.Helper()
	if cred == nil {
		return
	}
	if err := os.Chown(path, int(cred.Uid), int(cred.Gid)); err != nil {
		t.Fatalf("testkit: %v", err)
	}
}

// writeFile writes a file, and the directories that lead to it, for the service user. It
// is put in place by a rename: a server never reads half of it.
func writeFile(t TB, dir, name string, cred *syscall.Credential, data []byte) string {
	t.Helper()
	for i, c := range name {
		if c == '/' {
			makeDir(t, filepath.Join(dir, name[:i]), cred)
		}
	}
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path+".new", data, 0o600); err != nil {
		t.Fatalf("testkit: %v", err)
	}
	chown(t, path+".new", cred)
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatalf("testkit: %v", err)
	}
	return path
}

func makeDir(t TB, path string, cred *syscall.Credential) {
	t.Helper()
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		t.Fatalf("testkit: %v", err)
	}
	chown(t, path, cred)
}

// start runs the program and waits until it answers. The error has the end of its output.
func (p *process) start() error {
	ctx, cancel := context.WithTimeout(context.Background(), StartTimeout)
	defer cancel()
	if err := p.spawn(); err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := p.ready(ctx)
		if err == nil {
			return nil
		}
		if errors.Is(err, errPortTaken) {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		select {
		case <-p.done:
			return fmt.Errorf("%s ended while starting: %w\n%s", p.name, err, p.output())
		case <-ctx.Done():
			p.signal(syscall.SIGKILL)
			<-p.done
			return fmt.Errorf("%s does not answer: %w\n%s", p.name, err, p.output())
		case <-tick.C:
		}
	}
}

// spawn starts the program so that it ends with this process in any case. The kernel ties that
// to the thread that made the child, so one goroutine keeps its thread until the end.
func (p *process) spawn() error {
	out, err := os.OpenFile(filepath.Join(p.dir, "output.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("output: %w", err)
	}
	cmd := exec.Command(p.argv[0], p.argv[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = p.dir, out, out
	var closePipe func()
	if p.pipe {
		if cmd.Stderr, closePipe, err = p.pipeTo(out); err != nil {
			_ = out.Close()
			return err
		}
	}
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8", "HOME=" + p.dir}, p.env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: p.cred, Chroot: p.root, Setpgid: true, Pdeathsig: syscall.SIGKILL}

	started, done := make(chan error, 1), make(chan struct{})
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(done)
		if closePipe == nil {
			defer out.Close()
		}
		err := cmd.Start()
		if closePipe != nil {
			closePipe() // the program has its own end
		}
		started <- err
		if err == nil {
			p.end = cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		<-done
		return fmt.Errorf("start: %w", err)
	}
	p.pid, p.done, p.asked = cmd.Process.Pid, done, false
	return nil
}

// stop ends the program: politely, and after 20 seconds without regard. It returns when
// the program has been waited for, and does nothing when it is not running.
func (p *process) stop(sig syscall.Signal) { p.stopWithin(sig, 20*time.Second) }

func (p *process) stopWithin(sig syscall.Signal, limit time.Duration) {
	if p.done == nil {
		return
	}
	if sig != syscall.SIGTERM || !p.asked {
		p.signal(sig)
	}
	patience := time.NewTimer(limit)
	defer patience.Stop()
	select {
	case <-p.done:
	case <-patience.C:
	}
	// The group too: what the program started itself must not outlive it.
	_ = syscall.Kill(-p.pid, syscall.SIGKILL)
	<-p.done
	p.done = nil
}

func (p *process) signal(sig syscall.Signal) {
	p.asked = p.asked || sig == syscall.SIGTERM
	_ = syscall.Kill(p.pid, sig)
}

// output is the end of what the program has printed.
func (p *process) output() string {
	b, err := os.ReadFile(filepath.Join(p.dir, "output.log"))
	if err != nil {
		return err.Error()
	}
	return strings.ToValidUTF8(string(b[max(0, len(b)-4000):]), "?")
}

// FreePort finds a port of 127.0.0.1 for a program of the test's own.
func FreePort(t TB) int { t.Helper(); return freePort(t) }

var handedOut sync.Map // ports, to this process

// freePort finds a port of 127.0.0.1 that no process listens on. It stays below the range that
// the kernel takes for outgoing connections, so that only the tests of another package can
// race for it.
func freePort(t TB) int {
	t.Helper()
	for range 200 {
		port := 20000 + rand.IntN(12000)
		if _, taken := handedOut.LoadOrStore(port, true); taken {
			continue
		}
		l, err := net.Listen("tcp", Loopback(port))
		if err != nil {
			continue
		}
		if err := l.Close(); err != nil {
			t.Fatalf("testkit: %v", err)
		}
		return port
	}
	t.Fatalf("testkit: no free port on 127.0.0.1")
	return 0
}

// Loopback is the address of a port on 127.0.0.1.
func Loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
