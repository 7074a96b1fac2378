package testkit

import (
	"bytes"
	"cmp"
	"embed"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"text/template"

	"github.com/perch-im/perch/internal/canary"
)

// Domains of Prosody beside alpha.test, with Prosody's own accounts.
const (
	ProsodySCRAM    = "beta.test"    // SCRAM-SHA-1 and PLAIN
	ProsodySCRAM256 = "epsilon.test" // SCRAM-SHA-256 and PLAIN
)

// prosodyLogins are the lines of Prosody 0.12, and of 13.0, which names a role.
var prosodyLogins = []string{"Authenticated as %s\n", "Authenticated as %s ["}

//go:embed prosody
var prosodyFiles embed.FS

// ProsodyOptions of a Prosody. The zero value answers as usual.
type ProsodyOptions struct {
	// SeeOtherStage sends every client to SeeOtherTarget (host or host:port) in place of
	// the features: "pretls", "posttls" or "postauth".
	SeeOtherStage  string
	SeeOtherTarget string
	// Hibernation is how many seconds a stream is kept that has lost its connection
	// (XEP-0198); default 60.
	Hibernation int
	// WebSocket serves XMPP over WebSocket (RFC 7395) for alpha.test, without TLS as behind
	// a proxy, at ws://HTTPAddr/xmpp-websocket for the HTTP host localhost.
	WebSocket bool
	// Debug lets the log tell everything, such as which streams were resumed.
	Debug bool
	// SQLArchive keeps the messages in SQLite: the plain files of Prosody are read as a whole
	// for every question, which takes seconds when there are thousands of messages.
	SQLArchive bool
	// Search lets archives be searched for a text, which no module of Prosody's own does.
	Search bool
	// StanzaBytes is the largest stanza that a client may send; default 262144.
	StanzaBytes int
	// UploadBytes is the largest file that the upload service takes; default 1 MiB.
	UploadBytes int
}

// uploadBytes is the largest file that an upload service takes by default.
const uploadBytes = 1 << 20

func (o ProsodyOptions) level() string {
	if o.Debug {
		return "debug"
	}
	return "info"
}

// Prosody starts a Prosody with three domains: alpha.test takes access tokens
// (X-MESSENGER-OAUTH2, OAUTHBEARER, X-OAUTH2) and passwords by PLAIN, the others have its
// own accounts. It ends with the test.
func Prosody(t TB, o ProsodyOptions) *Server {
	t.Helper()
	bin := serverProgram(t, "prosody", "prosody prosody-modules")
	ctl := serverProgram(t, "prosodyctl", "prosody")
	if !ProsodyHas("sasl_oauthbearer") {
		t.Fatalf("testkit: mod_sasl_oauthbearer is missing: apt-get install prosody-modules")
	}
	dir, cred := newDir(t, "prosody", "prosody")
	archive := ""
	if o.SQLArchive {
		if len(serverFiles("/usr/lib/*/lua/*/dbd/sqlite3.so")) == 0 {
			t.Fatalf("testkit: Prosody has no SQLite: apt-get install lua-dbi-sqlite3")
		}
		archive = archiveDir(t, "prosody", dir, cred)
	}
	ca := CA(t)
	crt, key := ca.Leaf(t, "alpha.test", ProsodySCRAM, ProsodySCRAM256, "conference.alpha.test", "upload.alpha.test")
	writeFile(t, dir, "certs/leaf.crt", cred, crt)
	writeFile(t, dir, "certs/leaf.key", cred, key)
	writeFile(t, dir, "accounts/tokens", cred, nil)
	writeFile(t, dir, "accounts/passwords", cred, nil)
	writeFile(t, dir, "log/prosody.log", cred, nil)
	makeDir(t, filepath.Join(dir, "data"), cred)
	for _, m := range []string{"mod_auth_bearertest.lua", "mod_seeother_test.lua", "mod_fulltext_test.lua"} {
		writeFile(t, dir, "modules/"+m, cred, embedded(t, prosodyFiles, "prosody/"+m))
	}
	config := filepath.Join(dir, "prosody.cfg.lua")

	s := &Server{
		Name: "prosody", Domain: "alpha.test", CA: ca.Pool,
		CAFile:     writeFile(t, dir, "certs/ca.pem", cred, ca.PEM),
		logFile:    filepath.Join(dir, "log/prosody.log"),
		loginMarks: prosodyLogins,
		accounts:   &prosodyAccounts{dir: dir, cred: cred, ctl: ctl, config: config},
	}
	s.proc = &process{
		name: "prosody", dir: dir, cred: cred, root: tree,
		argv:  []string{bin, "--config", config, "-F"},
		ready: s.answers,
	}
	s.launch(t, func() []int {
		ports := []int{freePort(t), freePort(t), freePort(t)}
		writeFile(t, dir, "prosody.cfg.lua", cred, render(t, prosodyFiles, "prosody/prosody.cfg.lua.tmpl", map[string]any{
			"Level": o.level(), "UploadBytes": cmp.Or(o.UploadBytes, uploadBytes), "StanzaBytes": cmp.Or(o.StanzaBytes, 262144), "Hibernation": cmp.Or(o.Hibernation, 60),
			"Dir": dir, "Port": ports[0], "DirectPort": ports[1], "HTTPPort": ports[2],
			"SeeOtherStage": o.SeeOtherStage, "SeeOtherTarget": o.SeeOtherTarget, "ArchiveDir": archive,
			"WebSocket": o.WebSocket, "SASL2": ProsodyAtLeast13() && ProsodyHas("sasl2"), "Search": o.Search,
		}))
		return ports
	})
	return s
}

// archiveDir is where SQLite keeps the messages: in memory where the system has a place for
// that, because each message is two writes that wait for the disk, and no test ends the
// machine.
func archiveDir(t TB, name, dir string, cred *syscall.Credential) string {
	t.Helper()
	memory, err := os.MkdirTemp("/dev/shm", "perch-"+name+"-")
	if err != nil {
		return dir
	}
	t.Cleanup(func() { _ = os.RemoveAll(memory) })
	chown(t, memory, cred)
	return memory
}

type prosodyAccounts struct {
	dir, ctl, config string
	cred             *syscall.Credential
	env              []string // that the configuration reads
}

func (a *prosodyAccounts) addUser(t TB, local, domain, password string) {
	t.Helper()
	if domain == "alpha.test" {
		a.edit(t, "passwords", func(old string) string { return old + local + " " + password + "\n" })
		return
	}
	cmd := exec.Command(a.ctl, "--config", a.config, "register", local, domain, password)
	cmd.Dir, cmd.Env = a.dir, append(os.Environ(), a.env...)
	cmd.SysProcAttr = serverAttributes(a.cred)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("testkit: prosodyctl register: %v\n%s", err, out)
	}
}

// setPassword appends a line, of which the last one counts.
func (a *prosodyAccounts) setPassword(t TB, local, domain, password string) {
	t.Helper()
	if domain != "alpha.test" {
		t.Fatalf("testkit: the passwords of %s cannot be changed", domain)
	}
	a.addUser(t, local, domain, password)
}

// issueToken makes a token that is canonical base64, as those of the Messenger service
// were: only so can a server decode and encode it without changing it.
func (a *prosodyAccounts) issueToken(t TB, local, domain string) string {
	t.Helper()
	if domain != "alpha.test" {
		t.Fatalf("testkit: %s has no tokens", domain)
	}
	token := canary.Secret()
	a.edit(t, "tokens", func(old string) string { return old + token + " " + local + "\n" })
	return token
}

func (a *prosodyAccounts) revokeToken(t TB, token string) {
	t.Helper()
	a.edit(t, "tokens", func(old string) string {
		var kept strings.Builder
		for line := range strings.Lines(old) {
			if !strings.HasPrefix(line, token+" ") {
				kept.WriteString(line)
			}
		}
		return kept.String()
	})
}

func (a *prosodyAccounts) edit(t TB, name string, change func(string) string) {
	t.Helper()
	old, err := os.ReadFile(filepath.Join(a.dir, "accounts", name))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("testkit: %v", err)
	}
	writeFile(t, a.dir, "accounts/"+name, a.cred, []byte(change(string(old))))
}

func embedded(t TB, files embed.FS, name string) []byte {
	t.Helper()
	b, err := files.ReadFile(name)
	if err != nil {
		t.Fatalf("testkit: %v", err)
	}
	return b
}

func render(t TB, files embed.FS, name string, data any) []byte {
	t.Helper()
	tmpl, err := template.New(name).Option("missingkey=error").Parse(string(embedded(t, files, name)))
	if err != nil {
		t.Fatalf("testkit: %v", err)
	}
	var b bytes.Buffer
	if err := tmpl.Execute(&b, data); err != nil {
		t.Fatalf("testkit: %v", err)
	}
	return b.Bytes()
}
