package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"github.com/perch-im/perch/internal/testkit"
)

// gatewayOptions say what a gateway process is for.
type gatewayOptions struct {
	name      string // of the node; "" is "gateway"
	upstreams []upstream
	sessions  int      // at the most
	redis     string   // address of the store; "" is memory
	flags     []string // further ones; one that the program does not know is left out
}

// upstream is an XMPP server for a gateway.
type upstream struct {
	name, addr, domain string
	profile            string // "" is the default
	tokens             string // the mechanism for the tokens of clients; "" is that of the profile
	caFile             string
	ca                 []byte // PEM, when there is no file
}

// upstream is the server role as a gateway sees it.
func (s serverReady) upstream(name string) upstream {
	return upstream{name: name, addr: s.Addr, domain: s.Domain, profile: s.Profile, tokens: s.Tokens, ca: s.CA}
}

// gateway is the program that is measured, in a process of its own, used as an operator and a
// client use it. So another commit's program can be measured as well.
type gateway struct {
	*testkit.Program
	url, admin string // http://host:port
	watched    *watched
}

// startGateway starts one; it ends with the part, and with this process.
func (l *lab) startGateway(o gatewayOptions) (*gateway, error) {
	if o.name == "" {
		o.name = "gateway"
	}
	dir, err := os.MkdirTemp("", "bench-gateway-")
	if err != nil {
		return nil, err
	}
	l.Cleanup(func() { _ = os.RemoveAll(dir) })
	known, err := flagsOf(l.program)
	if err != nil {
		return nil, err
	}
	for range 3 {
		g := &gateway{url: "http://" + testkit.Loopback(testkit.FreePort(l)), admin: "http://" + testkit.Loopback(testkit.FreePort(l))}
		args, err := o.args(g, dir, known)
		if err != nil {
			return nil, err
		}
		g.Program = testkit.NewProgram(l, testkit.ProgramOptions{
			Name: o.name, Argv: append([]string{l.program}, args...), Env: o.env(), Ready: g.ready,
		})
		if err = g.Start(); err == nil {
			g.watched = l.cores.watch(kindGateway, g.PID())
			return g, nil
		}
		if !strings.Contains(err.Error(), "address already in use") {
			return nil, err
		}
	}
	return nil, fmt.Errorf("%s: no free port", o.name)
}

// env has the keys that Redis asks for, the same for all: one of several processes can take
// over what another one had.
func (o gatewayOptions) env() []string {
	if o.redis == "" {
		return nil
	}
	key := strings.Repeat("0123456789abcdef", 4)
	return []string{"PERCH_REDIS_URL=" + o.redis, "PERCH_SECRET=" + key, "PERCH_SECRET_KEY=" + key}
}

// args are the flags: no limit is met by what is measured, and as little as possible is logged.
func (o gatewayOptions) args(g *gateway, dir string, known string) ([]string, error) {
	many := fmt.Sprint(o.sessions + 10)
	args := []string{
		"--listen=" + strings.TrimPrefix(g.url, "http://"), "--admin-listen=" + strings.TrimPrefix(g.admin, "http://"),
		"--log-level=error", "--drain-time=1s", "--open-timeout=60s",
		"--max-sessions=" + many, "--sessions-per-address=" + many, "--connections=15000", "--address-connections=15000",
		"--ip-rate=1000000", "--token-rate=1000000", "--sign-in-rate=1000000",
	}
	if o.redis != "" {
		args = append(args, "--node="+o.name, "--node-url="+g.url)
	}
	for i, u := range o.upstreams {
		if len(u.ca) > 0 {
			u.caFile = filepath.Join(dir, fmt.Sprintf("ca-%d.pem", i))
			if err := os.WriteFile(u.caFile, u.ca, 0o600); err != nil {
				return nil, err
			}
		}
		q := url.Values{"name": {u.name}, "domain": {u.domain}, "ca-file": {u.caFile}}
		if u.profile != "" {
			q.Set("profile", u.profile)
		}
		if u.tokens != "" {
			q.Set("token-mechanism", u.tokens)
		}
		args = append(args, "--upstream=xmpp://"+u.addr+"?"+q.Encode())
	}
	return keepKnown(append(args, o.flags...), known), nil
}

// keepKnown drops the flags that a program does not name in its help.
func keepKnown(args []string, help string) (kept []string) {
	for _, a := range args {
		name, _, _ := strings.Cut(a, "=")
		if strings.Contains(help, name+"=") {
			kept = append(kept, a)
		}
	}
	return kept
}

var helps sync.Map // of programs, by path

// flagsOf is what the program says of its flags.
func flagsOf(program string) (string, error) {
	if text, ok := helps.Load(program); ok {
		return text.(string), nil
	}
	text, err := exec.Command(program, "serve", "--help").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s serve --help: %w\n%s", program, err, text)
	}
	helps.Store(program, string(text))
	return string(text), nil
}

// ready implements the look of testkit at a program that starts.
func (g *gateway) ready(ctx context.Context) error {
	if !strings.Contains(g.Output(), g.url) {
		return fmt.Errorf("it has not said that it serves %s", g.url)
	}
	_, err := request(ctx, http.MethodGet, g.admin+"/readyz", nil, nil)
	return err
}

// end ends the gateway as a machine does that fails. To sign ten thousand sessions out is no part
// of what is measured, and takes its time.
func (g *gateway) end() {
	g.watched.look()
	g.Kill()
}
