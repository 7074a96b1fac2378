package ledger

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

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
}

// program is the gateway that is put to the test.
type program struct {
	path    string
	cluster bool // it knows --node
}

// buildProgram builds cmd/api with the race detector, and with a mistake if one is asked for.
func buildProgram(t testkit.TB, plant string) program {
	t.Helper()
	dir, err := os.MkdirTemp("", "perch-ledger-")
	if err != nil {
		t.Fatalf("ledger: %v", err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	flags := []string{"-race"}
	if plant != "" {
		flags = append(flags, "-tags", "plant_"+plant)
	}
	p := program{path: testkit.Build(t, dir, "github.com/perch-im/perch/cmd/api", flags...)}
	help := testkit.Output(t, p.path, "serve", "--help")
	p.cluster = strings.Contains(help, "--node-url")
	return p
}

// drainTime is what a node may take at SIGTERM.
const drainTime = 3 * time.Second

// newNode makes the proxies and the command line of a node. It is not started.
func (w *world) newNode(name string, p program) *node {
	t := w.t
	t.Helper()
	n := &node{name: name, listen: testkit.FreeAddr(t), admin: testkit.FreeAddr(t)}
	n.xmpp, n.redis = testkit.NewProxy(t, w.server.Addr), testkit.NewProxy(t, w.redis.Addr)
	n.front, n.peers = testkit.NewProxy(t, n.listen), testkit.NewProxy(t, n.listen)
	dir := filepath.Join(w.o.Dir, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatalf("ledger: %v", err)
	}
	_ = os.Remove(filepath.Join(dir, "output.log")) // of an earlier run with this seed
	up := url.Values{"domain": {w.server.Domain}, "name": {"real"}, "ca-file": {w.server.CAFile}}
	argv := []string{
		p.path, "serve", "--listen=" + n.listen, "--admin-listen=" + n.admin, "--drain-time=" + drainTime.String(),
		"--log-level=" + w.o.LogLevel, "--upstream=xmpp://" + n.xmpp.Addr + "?" + up.Encode(),
	}
	if p.cluster {
		argv = append(argv, "--node="+name, "--node-url=http://"+n.peers.Addr, "--lease="+w.o.Lease.String())
	}
	env := []string{
		"PERCH_REDIS_URL=" + strings.Replace(w.redis.URL(), w.redis.Addr, n.redis.Addr, 1),
		"PERCH_SECRET=" + w.secret, "PERCH_SECRET_KEY=" + w.secretKey,
	}
	n.prog = testkit.NewProgram(t, name, dir, argv, env, n.ready)
	return n
}

// ready asks for /readyz.
func (n *node) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+n.admin+"/readyz", nil)
	if err != nil {
		return err
	}
	req.Close = true
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: /readyz: %s", n.name, res.Status)
	}
	return nil
}

func (n *node) start(t testkit.TB) {
	t.Helper()
	if err := n.prog.Start(); err != nil {
		t.Fatalf("ledger: %v", err)
	}
}

func (n *node) kill()     { n.prog.Kill() }
func (n *node) drain()    { n.prog.Stop() }
func (n *node) freeze()   { n.prog.Signal(syscall.SIGSTOP) }
func (n *node) unfreeze() { n.prog.Signal(syscall.SIGCONT) }
