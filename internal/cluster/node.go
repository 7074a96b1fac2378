package cluster

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"time"

	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/testkit"
)

// drainLimit is more than --drain-time and what closing takes.
const drainLimit = 40 * time.Second

// Node is one gateway process. It may end and begin again; its name and addresses stay.
type Node struct {
	Name  string // as the other nodes know it
	URL   string // of its gateway, past nginx
	Admin string // address of its admin listener, as http://host:port

	program *testkit.Program
	stopped bool // by the test
}

// startNode starts one, on other ports when another process was quicker.
func startNode(t testkit.TB, c *Cluster, name, program string) *Node {
	t.Helper()
	var err error
	for range 3 {
		listen, admin := testkit.Loopback(testkit.FreePort(t)), testkit.Loopback(testkit.FreePort(t))
		n := &Node{Name: name, URL: "http://" + listen, Admin: "http://" + admin}
		n.program = testkit.NewProgram(t, testkit.ProgramOptions{
			Name: name, Env: c.env, Ready: n.answers,
			Argv: append([]string{program, "--listen=" + listen, "--admin-listen=" + admin, "--node=" + name, "--node-url=" + n.URL, "--log-level=debug"}, c.args...),
		})
		if err = n.program.Start(); err == nil {
			t.Cleanup(func() { n.inspect(t) })
			return n
		}
		if !strings.Contains(err.Error(), "address already in use") {
			break
		}
	}
	t.Fatalf("cluster: %v", err)
	return nil
}

// answers is the look of a health check, at a process that has said where it listens.
func (n *Node) answers(ctx context.Context) error {
	if !strings.Contains(n.program.Output(), "  gateway   "+n.URL+" ") {
		return fmt.Errorf("%s has not said that it serves %s", n.Name, n.URL)
	}
	status, body, err := n.ask(ctx, "/readyz")
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("/readyz: %d %s", status, body)
	}
	return err
}

func (n *Node) ask(ctx context.Context, path string) (status int, body string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, n.Admin+path, nil)
	if err != nil {
		return 0, "", err
	}
	req.Close = true // no idle connection, and no goroutine of it, after the test
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	canary.Page(path, text)
	return res.StatusCode, string(text), err
}

// inspect fails the test when the process has ended by itself, or has found a data race.
func (n *Node) inspect(t testkit.TB) {
	t.Helper()
	ended := false
	select {
	case <-n.program.Ended():
		ended = !n.stopped
	default:
	}
	log := n.Log()
	race := strings.Contains(log, "WARNING: DATA RACE")
	if ended || race {
		t.Errorf("%s: ended by itself %v, data race %v:\n%s", n.Name, ended, race, log)
	} else if f, ok := t.(interface{ Failed() bool }); ok && f.Failed() {
		t.Logf("the log of %s ends with:\n%s", n.Name, log[max(0, len(log)-8000):])
	}
}

// Client calls this very node with a token; it ends with the test.
func (n *Node) Client(t testkit.TB, token string) *testkit.Gateway {
	t.Helper()
	return testkit.NewGateway(t, n.URL, token)
}

// PID is the process id; of a node that has ended, the one that it had.
func (n *Node) PID() int { return n.program.PID() }

// Ended is closed when the process has ended that was started last.
func (n *Node) Ended() <-chan struct{} { return n.program.Ended() }

// Log is everything that the node has printed and logged, over all its lives.
func (n *Node) Log() string { return n.program.Output() }

// LogFile is where it is written.
func (n *Node) LogFile() string { return n.program.LogFile() }

// Metrics is what /metrics of the node says now.
func (n *Node) Metrics(t testkit.TB) string {
	t.Helper()
	_, text, err := n.ask(context.Background(), "/metrics")
	if err != nil {
		t.Fatalf("cluster: %s: %v", n.Name, err)
	}
	return text
}

// Ready is the status and the body of /readyz; status 0: there was no answer.
func (n *Node) Ready() (status int, body string) {
	status, body, err := n.ask(context.Background(), "/readyz")
	if err != nil {
		return 0, err.Error()
	}
	return status, body
}

// Kill9 ends the node with SIGKILL, as a machine that is gone, and waits for its end.
func (n *Node) Kill9() {
	n.stopped = true
	n.program.Kill()
}

// Drain ends the node with SIGTERM, as an operator does, and gives how long that took. It
// must end by itself, with status 0.
func (n *Node) Drain(t testkit.TB) time.Duration {
	t.Helper()
	n.stopped = true
	began := time.Now()
	if err := n.program.Stop(drainLimit); err != nil {
		t.Fatalf("cluster: %v", err)
	}
	return time.Since(began)
}

// Term sends SIGTERM and returns at once: for looking at a node while it drains. Drain may
// follow, to wait for the end.
func (n *Node) Term() {
	n.stopped = true
	n.program.Signal(syscall.SIGTERM)
}

// Pause stops the process from doing anything while its connections stay open: the owner
// that does not know how late it is. Continue ends that.
func (n *Node) Pause() { n.program.Signal(syscall.SIGSTOP) }

// Continue ends [Node.Pause].
func (n *Node) Continue() { n.program.Signal(syscall.SIGCONT) }

// Start runs a node again that has ended, and returns when it takes requests.
func (n *Node) Start(t testkit.TB) {
	t.Helper()
	n.stopped = false
	if err := n.program.Start(); err != nil {
		t.Fatalf("cluster: %v", err)
	}
}

// Restart is Drain and Start.
func (n *Node) Restart(t testkit.TB) {
	t.Helper()
	n.Drain(t)
	n.Start(t)
}
