package main

import (
	"bytes"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// lines is a log that may be read while it is written.
type lines struct {
	mu      sync.Mutex
	b       bytes.Buffer
	written chan struct{} // has room for one
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case l.written <- struct{}{}:
	default:
	}
	return l.b.Write(p)
}

// await waits for the nth line with a text, and returns it.
func (l *lines) await(t *testing.T, text string, nth int) string {
	t.Helper()
	for limit := time.After(30 * time.Second); ; {
		l.mu.Lock()
		all := l.b.String()
		l.mu.Unlock()
		var found []string
		for line := range strings.Lines(all) {
			if strings.Contains(line, text) {
				found = append(found, line)
			}
		}
		if len(found) >= nth {
			return found[nth-1]
		}
		select {
		case <-l.written:
		case <-limit:
			t.Fatalf("got no line %d with %q, want one in:\n%s", nth, text, all)
		}
	}
}

// manager is a service manager's socket; it returns what it is told.
func manager(t *testing.T) (told func() string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatalf("net.ListenUnixgram: got error %v, want none", err)
	}
	t.Cleanup(func() { _ = c.Close() })
	t.Setenv("NOTIFY_SOCKET", path)
	return func() string {
		t.Helper()
		b := make([]byte, 4096)
		if err := c.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
			t.Fatalf("SetReadDeadline: got error %v, want none", err)
		}
		n, err := c.Read(b)
		if err != nil {
			t.Fatalf("Read: got error %v, want none", err)
		}
		return string(b[:n])
	}
}

// TestHangup: SIGHUP reads the file again and never ends the process, whatever the file says.
func TestHangup(t *testing.T) {
	told := manager(t)
	file := filepath.Join(t.TempDir(), "perch.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatalf("os.WriteFile: got error %v, want none", err)
		}
	}
	write("max-sessions: 10\nlog-level: warn\nlog-format: json\n")
	log := &lines{written: make(chan struct{}, 1)}
	p := startProcess(t, "", log, "--config", file)
	expect := func(want string) {
		t.Helper()
		if got := told(); !strings.HasPrefix(got, want) {
			t.Errorf("the service manager was told %q, want %q at its beginning", got, want)
		}
	}
	expect("READY=1")
	hangup := func() {
		t.Helper()
		if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatalf("Process.Signal: got error %v, want none", err)
		}
		expect("RELOADING=1")
	}

	write("max-sessions: 20\nlog-level: info\nlog-format: text\nlease: 20s\n")
	hangup()
	expect("READY=1\nSTATUS=settings reloaded")
	if got := log.await(t, "configuration reloaded", 1); !strings.Contains(got, "max-sessions") || !strings.Contains(got, "log-level") || !strings.HasPrefix(got, "time=") {
		t.Errorf("got the line %q, want what has changed, in the new form", got)
	}
	if got := log.await(t, "settings have changed that need a restart", 1); !strings.Contains(got, "level=WARN") || !strings.Contains(got, "settings=lease") {
		t.Errorf("got the line %q, want a warning that names the lease", got)
	}
	if text := p.fetch(t, "/metrics"); !strings.Contains(text, "\nperch_sessions_limit 20\n") {
		t.Errorf("got another limit, want 20")
	}
	p.ask(t, 1)
	log.await(t, "msg=request", 1) // info is logged now

	// A level of an operator stays until that of the file changes.
	if _, err := admin(t, "http://"+p.admin, "log-level", "debug"); err != nil {
		t.Fatalf("log-level debug: got error %v, want none", err)
	}
	write("max-sessions: 20\nlog-level: info\nlog-format: json\nlease: 20s\n")
	hangup()
	expect("READY=1\nSTATUS=settings reloaded")
	if got := log.await(t, "configuration reloaded", 2); !strings.Contains(got, `"changed":"log-format"`) {
		t.Errorf("got the line %q, want the form alone as changed", got)
	}
	if text, err := admin(t, "http://"+p.admin, "log-level"); err != nil || !strings.Contains(text, "debug") {
		t.Errorf("log-level: got %q, error %v, want debug as before", text, err)
	}

	for i, broken := range []string{"max-sessions: [", "max-session: 5", "max-sessions: 0", "upstreams: [{name: x}]"} {
		write(broken)
		hangup()
		expect("READY=1\nSTATUS=settings not reloaded")
		if got := log.await(t, "configuration not reloaded", i+1); !strings.Contains(got, `"level":"WARN"`) {
			t.Errorf("of %q: got the line %q, want a warning", broken, got)
		}
	}
	if err := os.Remove(file); err != nil {
		t.Fatalf("os.Remove: got error %v, want none", err)
	}
	hangup()
	expect("READY=1\nSTATUS=settings not reloaded")
	if text := p.fetch(t, "/metrics"); !strings.Contains(text, "\nperch_sessions_limit 20\n") {
		t.Errorf("after files that were refused: got another limit, want the one before, 20")
	}
	for range 20 { // while it starts one, others wait and are one
		if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatalf("Process.Signal: got error %v, want none", err)
		}
	}
	resp, err := http.Get("http://" + p.admin + "/livez")
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("/livez: got error %v, want none and status 200", err)
	}
	_ = resp.Body.Close()
	p.stop(t)
}

// TestHangupEndsOtherCommands: only what has settings to read again outlives the end of its terminal.
func TestHangupEndsOtherCommands(t *testing.T) {
	asked := make(chan struct{}, 1)
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-r.Context().Done()
	}))
	defer silent.Close()
	// Where the tests run without a terminal (nohup) the signal is ignored, and what they start would
	// inherit that; one that is caught has its usual meaning in a child.
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGHUP)
	defer signal.Stop(caught)
	cmd := exec.Command(os.Args[0], "admin", "--url", silent.URL, "nodes")
	cmd.Env = append(os.Environ(), "BE_THE_PROGRAM=1")
	if err := cmd.Start(); err != nil {
		t.Fatalf("cmd.Start: got error %v, want none", err)
	}
	<-asked
	if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatalf("Process.Signal: got error %v, want none", err)
	}
	err := cmd.Wait()
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || !status.Signaled() || status.Signal() != syscall.SIGHUP {
		t.Errorf("got %v, want the command ended by the signal", err)
	}
}
