// Command matrix runs the tests with the servers of several Debian releases and writes what came of it
// into docs/versions.md: which versions there are, what they offer, and that everything passes with them.
// `make matrix` prepares the folders with the releases (.ci/matrix) and calls it.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "matrix:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("matrix", flag.ContinueOnError)
	probe := flags.String("probe", "", "print what one server offers, as JSON: prosody, ejabberd or today")
	out := flags.String("out", "docs/versions.md", "the page to write the tables into; none: they are printed")
	pattern := flags.String("run", "", "run these tests only, and write nothing")
	offers := flags.Bool("offers", false, "run no tests, and write only what the servers offer")
	messages := flags.Int("messages", 600, "of each run of the ledger")
	var releases []*release
	flags.Func("release", "a name and the folder with its files, such as \"Debian 13=/tmp/trixie\"; repeatable", func(v string) error {
		name, dir, ok := strings.Cut(v, "=")
		if !ok {
			return errors.New("want name=folder")
		}
		releases = append(releases, &release{Name: name, dir: dir})
		return nil
	})
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *probe != "" {
		return printOffer(*probe)
	}
	if len(releases) == 0 {
		return errors.New("no -release is given: use make matrix")
	}
	failed := false
	for _, r := range releases {
		err := r.ask(ctx)
		if err == nil && !*offers {
			err = r.examine(ctx, *pattern, *messages)
			failed = failed || r.failed()
		}
		if err != nil {
			return fmt.Errorf("%s: %w", r.Name, err)
		}
	}
	if *pattern == "" {
		if err := publish(os.Stdout, *out, tables(releases)); err != nil {
			return err
		}
	}
	if failed {
		return errors.New("not everything passes; see above")
	}
	return nil
}

// release is one Debian, and what came of it.
type release struct {
	Name     string
	dir      string
	Versions map[string]string // by package
	Offers   map[string]offer  // by server
	Tests    map[string]tally  // by what they ran with: "XMPP", "Redis", "Valkey"
	Embedded tally             // of those: what ran with the embedded service, too
	Ledger   map[string]string // by server: the verdict
	broken   bool
}

func (r *release) failed() bool {
	for _, t := range r.Tests {
		if t.Failed > 0 || t.Passed == 0 {
			return true
		}
	}
	return r.broken
}

// ask finds the versions of the servers, and what they offer.
func (r *release) ask(ctx context.Context) error {
	r.Versions, r.Offers = map[string]string{}, map[string]offer{}
	for _, name := range []string{"prosody", "ejabberd", "redis-server", "valkey-server"} {
		if v, err := exec.CommandContext(ctx, "dpkg-query", "--admindir", r.dir+"/var/lib/dpkg", "-W", "-f=${source:Upstream-Version}", name).Output(); err == nil {
			r.Versions[name], _, _ = strings.Cut(string(v), "+")
		}
	}
	for _, server := range append(servers, embeddedServer) {
		out, err := r.command(ctx, "", os.Args[0], "-probe", server).Output()
		if err != nil {
			return fmt.Errorf("what %s offers: %w%s", server, err, stderrOf(err))
		}
		var o offer
		if err := json.Unmarshal(out, &o); err != nil {
			return fmt.Errorf("what %s offers: %w", server, err)
		}
		r.Offers[server] = o
	}
	return nil
}

// examine runs the tests, and the ledger, with the servers of one release.
func (r *release) examine(ctx context.Context, pattern string, messages int) error {
	r.Tests, r.Ledger, r.Embedded = map[string]tally{}, map[string]string{}, tally{}
	if err := r.test(ctx, "XMPP", pattern, "", "./xmppconn", "./app", "./internal/cluster"); err != nil {
		return err
	}
	if err := r.test(ctx, "Redis", pattern, "redis-server", "./cache"); err != nil {
		return err
	}
	if r.Versions["valkey-server"] != "" {
		if err := r.test(ctx, "Valkey", pattern, "valkey-server", "./cache", "./internal/cluster"); err != nil {
			return err
		}
	}
	if pattern != "" {
		return nil
	}
	for _, server := range servers {
		r.play(ctx, server, messages)
	}
	return nil
}

// servers are examined, in this order.
var servers = []string{"prosody", "ejabberd"}

// embeddedServer is the service that comes with Perch: it is in the tests of servers, and of no release.
const embeddedServer = "today"

// play makes a short run of the ledger.
func (r *release) play(ctx context.Context, server string, messages int) {
	fmt.Fprintf(os.Stdout, "%s: ledger with %s\n", r.Name, server)
	cmd := r.command(ctx, "", "bin/ledger-run", "-seed=13", "-nodes=2", "-faults=8", "-buddies=500", fmt.Sprint("-messages=", messages), "-server="+server)
	out, err := cmd.CombinedOutput()
	r.Ledger[server] = verdict(out)
	if err != nil {
		r.broken = true
		fmt.Fprintf(os.Stdout, "%s\n%s: ledger with %s: %v\n", out, r.Name, server, err)
	}
}

// verdict is the line of a run of the ledger that says what was lost.
func verdict(out []byte) string {
	for line := range bytes.Lines(out) {
		if text, ok := strings.CutPrefix(string(bytes.TrimSpace(line)), "ledger: "); ok && strings.Contains(text, " lost, ") {
			return text
		}
	}
	return "no verdict"
}

// command runs with the servers of the release.
func (r *release) command(ctx context.Context, redis, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), "TESTKIT_TREE="+r.dir)
	if redis != "" {
		cmd.Env = append(cmd.Env, "TESTKIT_REDIS="+redis)
	}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	return cmd
}

func stderrOf(err error) string {
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return "\n" + string(exit.Stderr)
	}
	return ""
}
