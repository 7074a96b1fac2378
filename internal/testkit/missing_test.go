package testkit_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/perch-im/perch/internal/testkit"
)

// recorder is a test that notes how it failed.
type recorder struct {
	*testing.T
	failure string
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.failure = fmt.Sprintf(format, args...)
	panic(r)
}

// TestMissingProgramIsNamed shows that a server that is not installed fails the test, and
// says what to install.
func TestMissingProgramIsNamed(t *testing.T) {
	t.Setenv("PATH", "/nonexistent")
	for pkg, start := range map[string]func(testkit.TB){
		"prosody-modules": func(t testkit.TB) { testkit.Prosody(t, testkit.ProsodyOptions{}) },
		"ejabberd":        func(t testkit.TB) { testkit.Ejabberd(t) },
		"jabberd2":        func(t testkit.TB) { testkit.Jabberd(t) },
		"redis-server":    func(t testkit.TB) { testkit.Redis(t, testkit.RedisOptions{}) },
		"nginx":           func(t testkit.TB) { testkit.Nginx(t, testkit.NginxOptions{}) },
	} {
		r := &recorder{T: t}
		func() {
			defer func() {
				if caught := recover(); caught != r {
					t.Errorf("%s: %v instead of a failed test, want %v", pkg, caught, r)
				}
			}()
			start(r)
		}()
		if !strings.Contains(r.failure, "apt-get install") || !strings.Contains(r.failure, pkg) {
			t.Errorf("%s: got %q, want %q in it and %q in it", pkg, r.failure, "apt-get install", pkg)
		}
	}
}

// TestFailedStartShowsTheLog makes Prosody fail while it starts.
func TestFailedStartShowsTheLog(t *testing.T) {
	r := &recorder{T: t}
	defer func() {
		if caught := recover(); caught != r || !strings.Contains(r.failure, "prosody ended while starting") {
			t.Errorf("%v: got %q, want %q in it", caught, r.failure, "prosody ended while starting")
		}
	}()
	testkit.Prosody(r, testkit.ProsodyOptions{SeeOtherStage: `" syntax error`})
}
