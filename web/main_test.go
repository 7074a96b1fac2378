package web_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/perch-im/perch/internal/testkit"
)

// program is the gateway's binary, built once for all tests.
var program struct {
	dir, path string
}

func TestMain(m *testing.M) {
	code := func() int {
		var err error
		if program.dir, err = os.MkdirTemp("", "perch-web-"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(program.dir)
		program.path = filepath.Join(program.dir, "perch")
		if out, err := exec.Command("go", "build", "-o", program.path, "github.com/perch-im/perch/cmd/api").CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
			return 1
		}
		defer http.DefaultTransport.(*http.Transport).CloseIdleConnections()
		return testkit.Run(m)
	}()
	os.Exit(code)
}

// modules installs what the tests need from npm, once, as package-lock.json names it.
var modules = sync.OnceValue(func() error { return modulesOf(".") })

// modulesOf installs what package-lock.json of a folder names, unless it is there.
func modulesOf(folder string) error {
	lock, err := os.Stat(filepath.Join(folder, "package-lock.json"))
	if err != nil {
		return err
	}
	stamp := filepath.Join(folder, "node_modules/.package-lock.json")
	if have, err := os.Stat(stamp); err == nil && !have.ModTime().Before(lock.ModTime()) {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	if out, err := exec.CommandContext(ctx, "npm", "ci", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund").CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci in %s: %w\n%s", folder, err, out)
	}
	now := time.Now()
	return os.Chtimes(stamp, now, now)
}

// needs fails with the name of the package when a program is missing.
func needs(t *testing.T, name, hint string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("LookPath %s: got error %v, want none: %s", name, err, hint)
	}
	return path
}

// node runs one file of tests with node's own runner. Every line that it writes is the
// answer when it fails.
func node(t *testing.T, file string, env ...string) {
	t.Helper()
	nodeFile(t, filepath.Join("test", file), env...)
}

// nodeFile is the same for a file anywhere below this folder.
func nodeFile(t *testing.T, file string, env ...string) {
	t.Helper()
	bin := needs(t, "node", "install nodejs, version 20 or newer, with npm")
	if out, err := exec.Command(bin, "--version").Output(); err != nil || major(string(out)) < 20 {
		t.Fatalf("node --version: got %s, error %v, want none and 20 or newer", strings.TrimSpace(string(out)), err)
	}
	if err := modules(); err != nil {
		t.Fatalf("modules: got error %v, want none", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	args := []string{"--test", "--test-reporter=spec", "--test-force-exit", "--test-timeout=240000", file}
	if v := version(bin); v < 22 {
		args = append([]string{"--experimental-websocket"}, args...)
	}
	cmd := exec.CommandContext(ctx, bin, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.WaitDelay = 5 * time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: got error %v, want none:\n%s", file, err, out)
	}
	if !regexp.MustCompile(`(?m)^ℹ pass [1-9]`).Match(out) {
		t.Fatalf("%s: got no test that ran, want some:\n%s", file, out)
	}
	t.Logf("%s", out)
}

func version(bin string) int {
	out, _ := exec.Command(bin, "--version").Output()
	return major(string(out))
}

// major reads "v20.19.0".
func major(version string) int {
	n, _ := strconv.Atoi(strings.TrimPrefix(strings.Split(strings.TrimSpace(version), ".")[0], "v"))
	return n
}

// env is how a story finds its stage.
func (s *stage) env() []string {
	return []string{"PERCH_URL=http://" + s.proxy.Addr, "PERCH_DIRECT=http://" + s.gateway.addr, "PERCH_CONTROL=" + s.control.URL}
}
