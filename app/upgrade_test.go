package app_test

import (
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/perch-im/perch/internal/testkit"
)

// The version before is a commit, the one in testdata/upgrade/before, until there are tags. What its program has
// kept of a session is in testdata/upgrade too, as are the forms of earlier ones, and the source of the program:
// a clone need not have the history. `make upgrade` runs the program of any commit, and writes such files as
// well. docs/releasing.md says when.
var (
	upgradeFrom  = flag.String("upgrade-from", "", "`commit` whose program TestUpgradeAndBack starts with; default: that of testdata/upgrade/before")
	upgradeWrite = flag.Bool("upgrade-write", false, "have TestUpgradeAndBack write what that program has kept to testdata/upgrade")
)

const upgradeDir = "testdata/upgrade/"

// TestUpgradeFromFixture: over what the programs of earlier versions have kept in Redis this one serves all
// of it, from the first request on and before there is a link: tokens, roster, presence, invitations,
// messages and their idempotency keys, conversations, rooms, and the log after the cursor of a client.
func TestUpgradeFromFixture(t *testing.T) {
	files, err := filepath.Glob(upgradeDir + "*.redis")
	if err != nil || len(files) < 2 {
		t.Fatalf("got the files %v, error %v, want at least two", files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".redis"), func(t *testing.T) {
			u := newUpgradeWorld(t)
			u.read(t, strings.TrimSuffix(file, ".redis"))
			u.proxy.Down() // its account is on no server any more
			u.start(t)
			u.wantKept(t, "over what is stored")
			u.end(t)
			u.start(t)
			u.wantKept(t, "over what this version has written")
			u.end(t)
		})
	}
}

// TestUpgradeAndBack runs the program of the version before and this one on one Redis and one server, one
// after the other and side by side: nothing of a session is lost on the way there and back.
func TestUpgradeAndBack(t *testing.T) {
	source := sourceOf(t, *upgradeFrom)
	old := filepath.Join(t.TempDir(), "perch")
	command(t, source, "go", "build", "-trimpath", "-o", old, "./cmd/api") // so that packages are found in the cache
	u := newUpgradeWorld(t)
	u.enter(t)
	run := func(name, path string) (end func(*testing.T)) {
		t.Logf("=== %s", name)
		u.o.Node = name
		u.startBinary(t, path, syscall.SIGTERM)
		return u.end
	}
	end := run("old", old)
	u.fill(t)
	if *upgradeWrite {
		end(t)
		if *upgradeFrom == "" {
			t.Fatal("-upgrade-write wants -upgrade-from, a commit")
		}
		u.write(t, *upgradeFrom, source)
		end = run("old", old)
	}
	fresh := program(t)
	for _, step := range []struct{ name, path string }{
		{"new, beside the old one", fresh}, {"old again, beside the new one", old}, {"new, in the end", fresh},
	} {
		next := run(strings.ReplaceAll(strings.ReplaceAll(step.name, " ", "-"), ",", ""), step.path)
		end(t) // its sessions are handed over
		u.wantKept(t, step.name)
		u.talk(t, step.name)
		end = next
	}
	end(t)
	for _, step := range []struct{ name, path string }{{"old alone", old}, {"new alone", fresh}} {
		end = run(strings.ReplaceAll(step.name, " ", "-"), step.path)
		u.wantKept(t, step.name)
		u.talk(t, step.name)
		end(t)
	}
}

// wantKept checks what a client finds, with both of its tokens.
func (u *upgradeWorld) wantKept(t *testing.T, when string) {
	t.Helper()
	for _, token := range u.kept.Tokens {
		u.api.Token = token
		testkit.Eventually(t, patience, func() error { return u.differs(t) })
	}
	client := ledger{ids: []string{u.kept.Cursor}}
	client.open(t, u.api)
	for _, body := range u.kept.After {
		client.received(t, body)
	}
	client.stream.Close()
	client.bodies = slices.DeleteFunc(client.bodies, func(b string) bool { return strings.HasPrefix(b, roomSays) })
	client.ids = client.ids[1:]
	client.wantWhole(t, u.kept.After)
	if id := u.once(t); id != u.kept.Message {
		t.Errorf("%s: the same Idempotency-Key made the message %s, want %s", when, id, u.kept.Message)
	}
}

// sourceOf is a directory with the source of the version before: of a commit, or "", the one in before.tar.gz.
func sourceOf(t *testing.T, commit string) string {
	t.Helper()
	dir := t.TempDir()
	archive := filepath.Join(testkit.Root(t), "app", upgradeDir, "before.tar.gz")
	if commit != "" {
		archive = filepath.Join(t.TempDir(), "source.tar")
		command(t, testkit.Root(t), "git", "archive", "--output", archive, commit)
	}
	command(t, dir, "tar", "-xf", archive)
	return dir
}

// keepSource writes before.tar.gz: what the program is built of, and nothing else.
func keepSource(t *testing.T, source string) {
	t.Helper()
	const files = `{{if and .Module .Module.Main}}{{$d := .Dir}}{{range .GoFiles}}{{$d}}/{{.}}{{"\n"}}{{end}}{{range .EmbedFiles}}{{$d}}/{{.}}{{"\n"}}{{end}}{{end}}`
	names := []string{"go.mod", "go.sum"}
	for name := range strings.FieldsSeq(command(t, source, "go", "list", "-deps", "-f", files, "./cmd/api")) {
		relative, err := filepath.Rel(source, name)
		if err != nil {
			t.Fatalf("filepath.Rel: got error %v, want none", err)
		}
		names = append(names, relative)
	}
	archive := filepath.Join(testkit.Root(t), "app", upgradeDir, "before.tar.gz")
	command(t, source, "tar", append([]string{"--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner", "-czf", archive}, names...)...)
}

// command runs a program, and returns what it printed.
func command(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: got error %v, want none\n%s", strings.Join(cmd.Args[:min(4, len(cmd.Args))], " "), err, out)
	}
	return string(out)
}

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatalf("os.ReadFile: got error %v, want none", err)
	}
	return text
}

// read takes what an earlier program has kept, and what its client knew.
func (u *upgradeWorld) read(t *testing.T, name string) {
	t.Helper()
	if err := json.Unmarshal(readFile(t, name+".json"), &u.kept); err != nil {
		t.Fatalf("%s.json: got error %v, want none", name, err)
	}
	loadRedis(t, u.keys, string(readFile(t, name+".redis")))
}

// write is what read takes; the commit is the version before from now on.
func (u *upgradeWorld) write(t *testing.T, commit, source string) {
	t.Helper()
	keepSource(t, source)
	name := upgradeDir + commit[:7]
	text, err := json.MarshalIndent(u.kept, "", "  ")
	if err != nil {
		t.Fatalf("MarshalIndent: got error %v, want none", err)
	}
	for file, text := range map[string]string{name + ".json": string(text) + "\n", name + ".redis": dumpRedis(t, u.keys, commit), upgradeDir + "before": commit + "\n"} {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatalf("WriteFile: got error %v, want none", err)
		}
	}
}
