package main

import (
	"bufio"
	"net"
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

// TestMain lets the test program be the program itself, for what only a process shows.
func TestMain(m *testing.M) {
	if os.Getenv("BE_THE_PROGRAM") == "" {
		os.Exit(testkit.Run(m))
	}
	main()
}

// TestSignals stops the program while a client has its connection in use: the first signal
// lets it end in order, and another one ends it at once.
func TestSignals(t *testing.T) {
	for _, c := range []struct {
		name  string
		sig   os.Signal
		again bool
		want  string
	}{
		{"SIGTERM", syscall.SIGTERM, false, ""},
		{"Ctrl-C", os.Interrupt, false, ""},
		{"Ctrl-C twice", os.Interrupt, true, "signal: interrupt"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(os.Args[0], "--listen", "127.0.0.1:0", "--admin-listen", "off", "--log-level", "debug", "--drain-time", "2s")
			cmd.Env = append(os.Environ(), "BE_THE_PROGRAM=1")
			cmd.Stderr = canary.Output()
			stdout, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatalf("cmd.StdoutPipe: got error %v, want none", err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatalf("cmd.Start: got error %v, want none", err)
			}
			defer time.AfterFunc(30*time.Second, func() { _ = cmd.Process.Kill() }).Stop()
			lines := bufio.NewScanner(stdout)
			var addr string
			for lines.Scan() && !strings.HasPrefix(lines.Text(), "Stop with") {
				if m := regexp.MustCompile(`gateway +http://(\S+)`).FindStringSubmatch(lines.Text()); m != nil {
					addr = m[1]
				}
			}
			conn, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatalf("net.Dial: got error %v, want none", err)
			}
			defer conn.Close()
			if _, err := conn.Write([]byte("GET /v1/events HTTP/1.1\r\nHost: x\r\nAccept: application/x-ndjson\r\nAuthorization: Bearer demo-alice\r\n\r\n")); err != nil {
				t.Fatalf("conn.Write: got error %v, want none", err)
			}
			if _, err := bufio.NewReader(conn).ReadString('\n'); err != nil {
				t.Fatalf("ReadString: got error %v, want none", err)
			}
			if c.again {
				// Half a request keeps the server waiting for seconds.
				half, err := net.Dial("tcp", addr)
				if err != nil {
					t.Fatalf("net.Dial: got error %v, want none", err)
				}
				defer half.Close()
				if _, err := half.Write([]byte("GET /v1/events HTTP/1.1\r\n")); err != nil {
					t.Fatalf("half.Write: got error %v, want none", err)
				}
			}
			began := time.Now()
			if err := cmd.Process.Signal(c.sig); err != nil {
				t.Fatalf("Process.Signal: got error %v, want none", err)
			}
			if c.again {
				insist(t, cmd, c.sig)
			}
			for lines.Scan() { // to its end, before Wait closes it
			}
			if err := cmd.Wait(); errorText(err) != c.want {
				t.Errorf("ended with %v, want %q", err, c.want)
			}
			if took := time.Since(began); took > 2*time.Second+stopGrace {
				t.Errorf("took %v, want at most %v", took, 2*time.Second+stopGrace)
			}
		})
	}
}

// insist repeats the signal until the process is gone: it takes a moment until the signal has its
// usual meaning again.
func insist(t *testing.T, cmd *exec.Cmd, sig os.Signal) {
	tick := time.NewTicker(5 * time.Millisecond)
	stop := make(chan struct{})
	t.Cleanup(func() { close(stop) })
	go func() {
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				if cmd.Process.Signal(sig) != nil {
					return
				}
			case <-stop:
				return
			}
		}
	}()
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
