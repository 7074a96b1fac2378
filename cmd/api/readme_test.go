package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/testkit"
)

// TestReadmeOwnServer runs every line of the README about an own XMPP server, and about a restart, with
// Prosody and ejabberd in place of the host that it names: the gateway, the sign-in, the file of several
// upstreams, the check. A name that only DNS could find is parsed as the program does.
func TestReadmeOwnServer(t *testing.T) {
	_, part, found := strings.Cut(read(t, "../../README.md"), "## Your own XMPP server\n")
	part, _, ends := strings.Cut(part, "\n## Several nodes")
	if !found || !ends {
		t.Fatal("the README has no such part, want this test to look in the right place")
	}
	for _, server := range []func() *testkit.Server{
		func() *testkit.Server { return testkit.Prosody(t, testkit.ProsodyOptions{}) }, func() *testkit.Server { return testkit.Ejabberd(t) },
	} {
		s := server()
		t.Run(s.Name, func(t *testing.T) {
			r := &ownServer{server: s, user: s.NewUser(t, "you")}
			lines := 0
			for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(part, -1) {
				for line := range strings.Lines(block[1]) {
					line, _, _ = strings.Cut(strings.TrimSpace(line), "   ") // and what it does
					r.run(t, strings.TrimSpace(line))
					lines++
				}
			}
			for _, code := range regexp.MustCompile("`go run \\./cmd/api ([^`]*)`").FindAllStringSubmatch(part, -1) {
				r.command(t, code[1])
				lines++
			}
			if lines < 7 || !r.signedIn {
				t.Errorf("got %d lines, signed in %v, want seven at least and a sign-in", lines, r.signedIn)
			}
		})
	}
	file := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindStringSubmatch(part)
	name := filepath.Join(t.TempDir(), "perch.yaml")
	if len(file) != 2 || os.WriteFile(name, []byte(file[1]), 0o600) != nil {
		t.Fatalf("got the file %q, want that of several upstreams", file)
	}
	var out bytes.Buffer
	if err := run(t.Context(), []string{"--check-config", "--config", name}, &out, &out); err != nil {
		t.Errorf("the file of several upstreams: got %s, error %v, want it valid", out.String(), err)
	}
}

// ownServer is what the lines of the README lead to.
type ownServer struct {
	server   *testkit.Server
	user     testkit.User
	gateway  *process
	signedIn bool
}

// settings are the arguments of the line that names an address, for the server of the test.
func (r *ownServer) settings(line string) []string {
	line = strings.NewReplacer("10.0.0.5:5222", r.server.Addr, "example.org", r.server.Domain, "ca.pem", r.server.CAFile, "'", "").Replace(line)
	return strings.Fields(line)
}

func (r *ownServer) run(t *testing.T, line string) {
	t.Helper()
	args, program := strings.CutPrefix(line, "go run ./cmd/api ")
	switch {
	case program && strings.Contains(line, "xmpp://"):
		r.gateway = startProcess(t, "", canary.Output(), r.settings(args)...)
		t.Cleanup(func() { r.gateway.stop(t) })
		var out bytes.Buffer
		if err := run(t.Context(), append([]string{"check"}, r.settings(args)...), &out, &out); err != nil || !strings.Contains(out.String(), "STARTTLS") {
			t.Errorf("check %s: got %s, error %v, want it well", args, out.String(), err)
		}
	case program:
		parseLine(t, line, strings.Fields(args))
	case strings.HasPrefix(line, "curl "):
		r.signIn(t, line)
	case strings.HasPrefix(line, "export PERCH_SECRET="):
		if out, err := exec.Command("sh", "-euc", line+`; test ${#PERCH_SECRET} -eq 64`).CombinedOutput(); err != nil {
			t.Errorf("%s: got %s, error %v, want 64 characters", line, out, err)
		}
	default:
		t.Errorf("%s: nothing runs it, want it run here", line)
	}
}

// command is one that the text names: with the settings of above, or alone.
func (r *ownServer) command(t *testing.T, args string) {
	t.Helper()
	switch args {
	case "check": // run with the gateway's settings, see run
	case "--help":
		var out bytes.Buffer
		if err := run(t.Context(), []string{args}, &out, &out); err != nil || !strings.Contains(out.String(), "--upstream") {
			t.Errorf("%s: got %s, error %v, want the settings", args, out.String(), err)
		}
	default:
		t.Errorf("go run ./cmd/api %s: nothing runs it, want it run here", args)
	}
}

// signIn runs the line as a shell does; the token of its answer leads to the session.
func (r *ownServer) signIn(t *testing.T, line string) {
	t.Helper()
	if r.gateway == nil {
		t.Fatalf("%s: comes before the gateway, want it behind", line)
	}
	line = strings.NewReplacer("you@example.org", r.user.JID, `"..."`, `"`+r.user.Password+`"`).Replace(line)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", strings.Replace(line, "curl ", "curl -sS --fail-with-body ", 1))
	cmd.Env = append(os.Environ(), "U=http://"+r.gateway.gateway)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("the sign-in: got %s, error %v, want a token", out, err)
	}
	api := testkit.NewGateway(t, "http://"+r.gateway.gateway, testkit.ParseObject(t, string(out)).Str("token"))
	canary.Note(api.Token)
	if got := api.Get(t, "/v1/session").Str("jid"); got != r.user.JID {
		t.Errorf("got the session of %q, want that of %q", got, r.user.JID)
	}
	r.signedIn = true
}
