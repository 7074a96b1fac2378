// Package testkit starts the real thing for tests: Prosody, ejabberd and Redis from
// Debian's packages, foreign XMPP clients (slixmpp, nbxmpp) and TCP proxies that can fail. It
// is for tests only, and for Linux.
//
// Every server runs in a throw-away directory, on free ports of 127.0.0.1, with a
// certificate of an authority that lives as long as the process, and as the user that its
// package made when the tests run as root. The system's own instances are never touched
// and need not run. What a test starts ends with the test, by process id; what
// [SharedProsody] and its kind start ends in [Run].
//
// A missing program fails the test with the name of the package to install. Nothing is
// ever skipped: a test of interoperability that did not run has shown nothing.
package testkit

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// StartTimeout is how long a server may take until it answers. It is far more than any of
// them needs, because continuous integration is slow at times.
const StartTimeout = 60 * time.Second

// TB is the part of [testing.TB] that this package needs. Functions with a TB are to be
// called from the goroutine of the test.
type TB interface {
	Helper()
	Name() string
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Cleanup(func())
}

// Run is for TestMain of a package that uses shared servers: it runs the tests, ends the
// shared servers, looks for goroutines that were left behind, and gives the exit code.
func Run(m *testing.M) int {
	code := m.Run()
	stopShared()
	if code != 0 {
		return code
	}
	if err := goleak.Find(stuckProxy...); err != nil {
		fmt.Fprintln(os.Stderr, "goroutines left behind:", err)
		return 1
	}
	return 0
}

// Outside lets a program start what tests start: it calls f with a TB that is no test. What
// f has started ends when f returns, and what would fail a test is the error.
func Outside(f func(t TB)) (err error) {
	t := &sharedTB{}
	defer func() {
		if r := recover(); r != nil {
			text, ok := r.(fatal)
			if !ok {
				panic(r)
			}
			err = errors.New(string(text))
		}
	}()
	defer stopShared()
	defer t.stop()
	f(t)
	return nil
}

// shared collects what lives as long as the test process instead of one test. It is a TB
// whose clean-up is called by Run.
var shared sharedTB

type sharedTB struct {
	mu      sync.Mutex
	cleanup []func()
}

func (*sharedTB) Helper()                   {}
func (*sharedTB) Name() string              { return "shared" }
func (*sharedTB) Logf(f string, a ...any)   { fmt.Fprintf(os.Stderr, f+"\n", a...) }
func (*sharedTB) Errorf(f string, a ...any) { panic(fatal(fmt.Sprintf(f, a...))) }
func (*sharedTB) Fatalf(f string, a ...any) { panic(fatal(fmt.Sprintf(f, a...))) }

func (s *sharedTB) Cleanup(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cleanup = append(s.cleanup, f)
}

// stop calls the clean-ups, last in, first out.
func (s *sharedTB) stop() {
	s.mu.Lock()
	stops := s.cleanup
	s.cleanup = nil
	s.mu.Unlock()
	for _, stop := range slices.Backward(stops) {
		stop()
	}
}

// End ends what lives as long as the process. It is for programs, which have no TestMain.
func End() { stopShared() }

func stopShared() { shared.stop() }

// fatal carries the text of Fatalf out of a shared start to the test that asked for it.
type fatal string

// lazy starts one shared server when a test first asks for it. A failed start fails every
// test that asks, and is not tried again.
type lazy[T any] struct {
	once   sync.Once
	server T
	failed string
}

func (l *lazy[T]) get(t TB, start func(TB) T) T {
	t.Helper()
	l.once.Do(func() {
		defer func() {
			switch r := recover().(type) {
			case nil:
			case fatal:
				l.failed = string(r)
			default:
				panic(r)
			}
		}()
		l.server = start(&shared)
	})
	if l.failed != "" {
		t.Fatalf("%s", l.failed)
	}
	return l.server
}

var (
	sharedProsody  lazy[*Server]
	sharedEjabberd lazy[*Server]
	sharedJabberd  lazy[*Server]
	sharedRedis    lazy[*RedisServer]
)

// SharedProsody is one Prosody for all tests of a package, whose TestMain must call [Run].
// Tests use accounts of their own ([Server.NewUser]) and never restart it.
func SharedProsody(t TB) *Server {
	t.Helper()
	return sharedProsody.get(t, func(t TB) *Server { return Prosody(t, ProsodyOptions{}) })
}

// SharedEjabberd is [SharedProsody] for ejabberd.
func SharedEjabberd(t TB) *Server {
	t.Helper()
	return sharedEjabberd.get(t, func(t TB) *Server { return Ejabberd(t) })
}

// SharedJabberd is [SharedProsody] for jabberd2.
func SharedJabberd(t TB) *Server {
	t.Helper()
	return sharedJabberd.get(t, Jabberd)
}

// SharedRedis is [SharedProsody] for a single Redis; tests use keys of their own.
func SharedRedis(t TB) *RedisServer {
	t.Helper()
	return sharedRedis.get(t, func(t TB) *RedisServer { return Redis(t, RedisOptions{}) })
}

// program finds a binary or fails with the name of the Debian package that has it.
func program(t TB, name, pkg string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("testkit: %s is missing: apt-get install %s (or run make test, which installs it)", name, pkg)
	}
	return path
}
