package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/testkit"
)

// process is the program itself, with the addresses that it printed.
type process struct {
	cmd            *exec.Cmd
	gateway, admin string
	printed        chan struct{} // closed when its output has ended
}

// startProcess runs the program under a shell that first does prepare.
func startProcess(t *testing.T, prepare string, stderr io.Writer, args ...string) *process {
	t.Helper()
	args = append([]string{"-c", prepare + `exec "$@"`, "sh", os.Args[0], "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--drain-time", "1s"}, args...)
	p := &process{cmd: exec.Command("sh", args...), printed: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), "BE_THE_PROGRAM=1")
	p.cmd.Stderr = stderr
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatalf("cmd.StdoutPipe: got error %v, want none", err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("cmd.Start: got error %v, want none", err)
	}
	guard := time.AfterFunc(90*time.Second, func() { _ = p.cmd.Process.Kill() })
	t.Cleanup(func() { guard.Stop(); _ = p.cmd.Process.Kill() })
	lines := bufio.NewScanner(stdout)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "Stop with") {
		if m := regexp.MustCompile(`gateway +http://(\S+)`).FindStringSubmatch(lines.Text()); m != nil {
			p.gateway = m[1]
		}
		if m := regexp.MustCompile(`admin +http://(\S+)`).FindStringSubmatch(lines.Text()); m != nil {
			p.admin = m[1]
		}
	}
	if p.gateway == "" || p.admin == "" {
		t.Fatalf("no addresses were printed: gateway %q, admin %q, want some text", p.gateway, p.admin)
	}
	go func() {
		defer close(p.printed)
		for lines.Scan() { // to its end, before Wait closes it
		}
	}()
	return p
}

// stop ends the program as an operator does; it has to end in order and in time.
func (p *process) stop(t *testing.T) {
	t.Helper()
	began := time.Now()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatalf("Process.Signal: got error %v, want none", err)
	}
	<-p.printed
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("ended with %v, want no error", err)
	}
	if took := time.Since(began); took > time.Second+stopGrace+2*time.Second {
		t.Errorf("took %v to end, want at most %v", took, time.Second+stopGrace+2*time.Second)
	}
}

// ask makes requests, each of which the program logs.
func (p *process) ask(t *testing.T, requests int) {
	t.Helper()
	client := &http.Client{Timeout: 20 * time.Second}
	defer client.CloseIdleConnections()
	for i := range requests {
		resp, err := client.Get("http://" + p.gateway + "/v1/nowhere")
		if err != nil {
			t.Fatalf("request %d of %d: got error %v, want none", i+1, requests, err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
	}
}

func (p *process) fetch(t *testing.T, path string) string {
	t.Helper()
	client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get("http://" + p.admin + path)
	if err != nil {
		t.Fatalf("%s: got error %v, want none", path, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %s, %v, want no error and %d", path, resp.StatusCode, body, err, http.StatusOK)
	}
	return string(body)
}

// TestLogPipeThatIsNotRead: a pipe holds some hundred lines. What comes after them is lost,
// and counted, and nothing waits for it.
func TestLogPipeThatIsNotRead(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatalf("os.Pipe: got error %v, want none", err)
	}
	defer r.Close()
	p := startProcess(t, "", w, "--ip-rate", "100000")
	_ = w.Close()
	p.ask(t, 3000)
	if metrics := p.fetch(t, "/metrics"); !regexp.MustCompile(`(?m)^perch_log_dropped_total [1-9]`).MatchString(metrics) {
		t.Error("perch_log_dropped_total does not count, want more than 0")
	}
	p.stop(t)
}

// TestLogPipeWithoutAReader: a write to such a pipe is SIGPIPE, which would end the program.
func TestLogPipeWithoutAReader(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatalf("os.Pipe: got error %v, want none", err)
	}
	p := startProcess(t, "", w, "--log-level", "debug")
	_ = w.Close()
	_ = r.Close()
	p.ask(t, 50)
	if metrics := p.fetch(t, "/metrics"); !regexp.MustCompile(`(?m)^perch_log_dropped_total [1-9]`).MatchString(metrics) {
		t.Error("perch_log_dropped_total does not count, want more than 0")
	}
	p.stop(t)
}

// TestLogOnAFullDisk: a line that finds no room is counted, and requests are answered.
func TestLogOnAFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatalf("the device that is always full: got error %v, want none", err)
	}
	p := startProcess(t, "", full, "--log-level", "debug")
	_ = full.Close()
	p.ask(t, 50)
	if metrics := p.fetch(t, "/metrics"); !regexp.MustCompile(`(?m)^perch_log_dropped_total [1-9]`).MatchString(metrics) {
		t.Error("perch_log_dropped_total does not count, want more than 0")
	}
	p.stop(t)
}

// TestLivezWithoutDescriptors: a client that takes all connections of the gateway takes none of
// those that its operator needs.
func TestLivezWithoutDescriptors(t *testing.T) {
	p := startProcess(t, "ulimit -n 256; ", canary.Output(), "--address-connections", "100000")
	for i := range 400 {
		c, err := net.DialTimeout("tcp", p.gateway, 10*time.Second)
		if err != nil {
			t.Fatalf("connection %d: got error %v, want none", i, err)
		}
		defer c.Close()
		fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: x\r\n")
	}
	for range 5 {
		if body := p.fetch(t, "/livez"); !strings.Contains(body, "ok") {
			t.Errorf("/livez: %s, want %q in it", body, "ok")
		}
	}
	if metrics := p.fetch(t, "/metrics"); !regexp.MustCompile(`(?m)^perch_connections_refused_total{reason="total"} [1-9]`).MatchString(metrics) {
		t.Error("perch_connections_refused_total does not count, want more than 0")
	}
	p.stop(t)
}

// TestSupersededProcess: of two processes under one name the older ends with the status that
// systemd does not start again, and the newer stays.
func TestSupersededProcess(t *testing.T) {
	redis := testkit.Redis(t, testkit.RedisOptions{})
	args := []string{"--redis-url", redis.URL(), "--node", "twin", "--secret", canary.Mark + "0123456789abcdef0123"}
	older := startProcess(t, "", canary.Output(), args...)
	newer := startProcess(t, "", canary.Output(), args...)
	<-older.printed
	err := older.cmd.Wait()
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok || exit.ExitCode() != 3 {
		t.Errorf("the older process ended with %v, want exit status 3", err)
	}
	if body := newer.fetch(t, "/readyz"); !strings.Contains(body, "ok") {
		t.Errorf("/readyz of the newer process: %s, want %q in it", body, "ok")
	}
	newer.stop(t)
}
