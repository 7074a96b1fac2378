package ledger

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/perch-im/perch/internal/mutants"
	"github.com/perch-im/perch/internal/testkit"
)

// node is one gateway program with a proxy on each of its links.
type node struct {
	name   string
	listen string
	admin  string
	// Its links: to the XMPP server, to Redis, from the balancer, from the other nodes.
	xmpp, redis, front, peers *testkit.Proxy

	prog *testkit.Program
	base map[string]int // what it held at its start
}

// buildProgram builds cmd/api with the race detector, and with a mistake if one is asked for.
func buildProgram(t testkit.TB, plant string) (path string) {
	t.Helper()
	flags := []string{"-race"}
	if plant != "" {
		dir, err := os.MkdirTemp("", "perch-mutant-")
		if err != nil {
			t.Fatalf("ledger: a folder for the mistake: %v", err)
		}
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
		overlay, err := mutants.Overlay(plant, testkit.Root(t), dir)
		if err != nil {
			t.Fatalf("ledger: %v", err)
		}
		flags = append(flags, "-overlay="+overlay)
	}
	return testkit.Build(t, "cmd/api", flags...)
}

// drainTime is what a node may take at SIGTERM.
const (
	drainTime = 3 * time.Second
	stopTime  = 25 * time.Second // what the whole of it may take
)

// newNode makes the proxies and the command line of a node. It is not started.
func (w *world) newNode(name, program string) *node {
	t := w.t
	t.Helper()
	n := &node{name: name, listen: testkit.Loopback(testkit.FreePort(t)), admin: testkit.Loopback(testkit.FreePort(t)), base: map[string]int{}}
	n.xmpp, n.redis = testkit.NewProxy(t, w.server.Addr), testkit.NewProxy(t, w.redis.Addr)
	n.front, n.peers = testkit.NewProxy(t, n.listen), testkit.NewProxy(t, n.listen)
	dir := filepath.Join(w.o.Dir, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatalf("ledger: %v", err)
	}
	_ = os.Remove(filepath.Join(dir, "output.log")) // of an earlier run with this seed
	up := url.Values{"domain": {w.server.Domain}, "name": {"real"}, "ca-file": {w.server.CAFile}}
	argv := []string{
		program, "serve", "--listen=" + n.listen, "--admin-listen=" + n.admin, "--drain-time=" + drainTime.String(),
		"--log-level=" + w.o.LogLevel, "--upstream=xmpp://" + n.xmpp.Addr + "?" + up.Encode(),
		"--node=" + name, "--node-url=http://" + n.peers.Addr, "--lease=" + w.o.Lease.String(), "--park-after=" + w.o.Park.String(),
		"--webhook-allow=127.0.0.1",
	}
	env := []string{
		"PERCH_REDIS_URL=" + strings.Replace(w.redis.URL(), w.redis.Addr, n.redis.Addr, 1),
		"PERCH_SECRET=" + w.secrets.secret, "PERCH_SECRET_KEY=" + w.secrets.key,
	}
	n.prog = testkit.NewProgram(t, testkit.ProgramOptions{Name: name, Dir: dir, Argv: argv, Env: env, Ready: n.ready, Pipe: true})
	return n
}

// ready asks for /readyz.
func (n *node) ready(ctx context.Context) error {
	_, err := n.ask(ctx, "/readyz")
	return err
}

// sessionsLine is a sample of the gauge of sessions by state, and, of programs that have it, upstream.
var sessionsLine = regexp.MustCompile(`(?m)^perch_sessions\{state="\w+"(?:,upstream="[^"]*")?\} (\d+)$`)

// sessions is how many sessions the node has; -1: it does not say.
func (n *node) sessions(ctx context.Context) int {
	text, err := n.ask(ctx, "/metrics")
	if err != nil {
		return -1
	}
	sum := 0
	for _, m := range sessionsLine.FindAllStringSubmatch(text, -1) {
		count, _ := strconv.Atoi(m[1])
		sum += count
	}
	return sum
}

// ask gets a page of the admin listener.
func (n *node) ask(ctx context.Context, path string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+n.admin+path, nil)
	if err != nil {
		return "", err
	}
	req.Close = true
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", n.name, path, res.Status)
	}
	return string(text), err
}

func (n *node) start(t testkit.TB) {
	t.Helper()
	if err := n.prog.Start(); err != nil {
		t.Fatalf("ledger: %v", err)
	}
}

// drain stops the node as an operator does; what goes wrong with that breaks a promise too.
func (w *world) drain(n *node) {
	if err := n.prog.Stop(stopTime); err != nil {
		w.history.add(Entry{Op: OpBroken, Who: n.name, Text: err.Error()})
	}
}

func (n *node) kill()     { n.prog.Kill() }
func (n *node) freeze()   { n.prog.Signal(syscall.SIGSTOP) }
func (n *node) unfreeze() { n.prog.Signal(syscall.SIGCONT) }
