package testkit

import (
	"embed"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

//go:embed jabberd
var jabberdFiles embed.FS

// JabberdDomain is the only domain of jabberd2.
const JabberdDomain = "zeta.test"

// Jabberd starts a jabberd2: a server as many still run them, with passwords by PLAIN over
// TLS, offline messages, vCards and RFC 3921 presence, and without stream management, carbons,
// archive and pre-approval. It issues no tokens. It ends with the test.
//
// It is three programs behind one script; Pause stops the script only and is of no use here.
func Jabberd(t TB) *Server {
	t.Helper()
	for _, name := range []string{"jabberd2-router", "jabberd2-sm", "jabberd2-c2s"} {
		program(t, name, "jabberd2")
	}
	lib := jabberdLib(t)
	dir, cred := newDir(t, "jabberd", "jabber")
	ca := CA(t)
	crt, key := ca.Leaf(t, JabberdDomain)
	writeFile(t, dir, "certs/leaf.pem", cred, append(crt, key...))
	writeFile(t, dir, "log/jabberd.log", cred, nil)
	writeFile(t, dir, "run.sh", cred, embedded(t, jabberdFiles, "jabberd/run.sh"))
	writeFile(t, dir, "router-users.xml", cred, embedded(t, jabberdFiles, "jabberd/router-users.xml"))
	store := archiveDir(t, "jabberd", dir, cred)
	accounts := &jabberdAccounts{sqlite: program(t, "sqlite3", "sqlite3"), file: filepath.Join(store, "accounts.sqlite"), dir: dir}
	// A database each: with a common one, a program was seen to end at its start, without a word
	// in any log, once in a hundred and twenty starts.
	state := filepath.Join(store, "state.sqlite")
	for _, file := range []string{accounts.file, state} {
		newJabberdDatabase(t, dir, accounts.sqlite, file, cred)
	}
	s := &Server{
		Name: "jabberd2", Domain: JabberdDomain, CA: ca.Pool,
		CAFile:     writeFile(t, dir, "certs/ca.pem", cred, ca.PEM),
		logFile:    filepath.Join(dir, "log/jabberd.log"),
		loginMarks: []string{"PLAIN authentication succeeded: %s"},
		accounts:   accounts,
	}
	s.proc = &process{
		name: "jabberd2", dir: dir, cred: cred, ready: s.answers,
		argv: []string{program(t, "sh", "dash"), filepath.Join(dir, "run.sh")},
	}
	s.launch(t, func() []int {
		ports, router := []int{freePort(t), freePort(t)}, freePort(t)
		for _, name := range []string{"router.xml", "sm.xml", "c2s.xml"} {
			writeFile(t, dir, name, cred, render(t, jabberdFiles, "jabberd/"+name+".tmpl", map[string]any{
				"Dir": dir, "Domain": JabberdDomain, "Lib": lib, "Accounts": accounts.file, "State": state,
				"RouterPort": router, "Port": ports[0], "DirectPort": ports[1],
			}))
		}
		return ports
	})
	return s
}

func newJabberdDatabase(t TB, dir, sqlite, file string, cred *syscall.Credential) {
	t.Helper()
	run(t, dir, program(t, "sh", "dash"), "-c", `zcat /usr/share/doc/jabberd2/db-setup.sqlite.gz | "$0" "$1"`, sqlite, file)
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if _, err := os.Stat(file + suffix); err == nil {
			chown(t, file+suffix, cred)
		}
	}
}

// jabberdLib is the folder of jabberd2's modules, the SQLite storage among them.
func jabberdLib(t TB) string {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/*-linux-gnu/jabberd2/storage_sqlite.so")
	if err != nil || len(found) == 0 {
		t.Fatalf("testkit: there is no storage_sqlite.so of jabberd2: apt-get install jabberd2")
	}
	return filepath.Dir(found[0])
}

// jabberdAccounts writes into the table that c2s reads; sm makes the rest at the first login
// (<auto-create/>).
type jabberdAccounts struct{ sqlite, file, dir string }

func (a *jabberdAccounts) addUser(t TB, local, domain, password string) {
	t.Helper()
	a.sql(t, "INSERT INTO authreg (username, realm, password) VALUES ("+quoteSQL(local)+", "+quoteSQL(domain)+", "+quoteSQL(password)+")")
}

func (a *jabberdAccounts) setPassword(t TB, local, domain, password string) {
	t.Helper()
	a.sql(t, "UPDATE authreg SET password = "+quoteSQL(password)+" WHERE username = "+quoteSQL(local)+" AND realm = "+quoteSQL(domain))
}

func (a *jabberdAccounts) sql(t TB, statement string) {
	t.Helper()
	run(t, a.dir, a.sqlite, "-cmd", ".timeout 5000", a.file, statement)
}

func quoteSQL(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func (a *jabberdAccounts) issueToken(t TB, _, domain string) string {
	t.Helper()
	t.Fatalf("testkit: %s has no tokens", domain)
	return ""
}

func (a *jabberdAccounts) revokeToken(t TB, _ string) {
	t.Helper()
	t.Fatalf("testkit: jabberd2 has no tokens")
}
