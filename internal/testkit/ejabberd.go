package testkit

import (
	"bytes"
	"cmp"
	"context"
	"embed"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/perch-im/perch/internal/canary"
)

//go:embed ejabberd
var ejabberdFiles embed.FS

// EjabberdJWT is the domain of ejabberd where a JWT is the password; see [JWTKey].
const EjabberdJWT = "delta.test"

// EjabberdSCRAM512 is the domain of ejabberd with passwords by SCRAM-SHA-512.
const EjabberdSCRAM512 = "zeta.test"

// JWTKey is the HMAC-SHA-256 key that [EjabberdJWT] trusts; the account is in the claim jid.
const JWTKey = "a key of the tests, of 32 octets"

// EjabberdOptions change how ejabberd runs.
type EjabberdOptions struct {
	// SQLArchive keeps the messages in SQLite: the archive of its own database stores nothing
	// more after some ten thousand messages.
	SQLArchive bool
	// SQLRoster keeps the rosters in SQLite, for [Server.StoreRoster].
	SQLRoster bool
	// ClientCertificates lets accounts sign in by EXTERNAL, with a certificate of [CA] (Authority.Client), on the
	// port with STARTTLS.
	ClientCertificates bool
	// UploadBytes is the largest file that the upload service takes; default 1 MiB.
	UploadBytes int
	// UploadHeaders are headers of each answer of the upload service, as its custom_headers has them.
	UploadHeaders map[string]string
}

// Ejabberd starts an ejabberd with three domains: gamma.test has passwords by SCRAM-SHA-1 and
// tokens by X-OAUTH2 (ejabberd's own, asked for over its API), delta.test takes a JWT as
// the password, zeta.test passwords by SCRAM-SHA-512. It ends with the test.
//
// It runs without Erlang distribution, so that several can run side by side and no port
// mapper is left running.
func Ejabberd(t TB) *Server {
	t.Helper()
	return EjabberdWith(t, EjabberdOptions{})
}

// EjabberdWith is [Ejabberd] with options.
func EjabberdWith(t TB, o EjabberdOptions) *Server {
	t.Helper()
	erl := serverProgram(t, "erl", "ejabberd")
	libs := erlangLibs(t)
	dir, cred := newDir(t, "ejabberd", "ejabberd")
	ca := CA(t)
	crt, key := ca.Leaf(t, "gamma.test", EjabberdJWT, EjabberdSCRAM512, "conference.gamma.test", "upload.gamma.test")
	writeFile(t, dir, "certs/leaf.pem", cred, append(crt, key...))
	writeFile(t, dir, "certs/jwt.jwk", cred, jwk(t))
	writeFile(t, dir, "log/ejabberd.log", cred, nil)
	for _, d := range []string{"spool", "spool/upload"} {
		makeDir(t, filepath.Join(dir, d), cred)
	}
	database := ""
	if o.SQLArchive || o.SQLRoster {
		database = sqlDatabase(t, dir, cred)
		libs += ":" + erlangLib(t, "p1_sqlite3", "erlang-p1-sqlite3")
	}
	s := &Server{
		Name: "ejabberd", Domain: "gamma.test", CA: ca.Pool,
		CAFile:     writeFile(t, dir, "certs/ca.pem", cred, ca.PEM),
		logFile:    filepath.Join(dir, "log/ejabberd.log"),
		loginMarks: []string{"authentication for %s by "},
	}
	rosters := ""
	if o.SQLRoster {
		rosters = database
	}
	s.accounts = &ejabberdAccounts{server: s, database: rosters}
	s.proc = &process{
		name: "ejabberd", dir: dir, cred: cred, root: tree,
		argv: []string{
			erl, "-noinput", "+S", "1:1", "+A", "1", "+P", "32768",
			"-mnesia", "dir", `"` + dir + `/spool"`, "-s", "ejabberd",
		},
		env: []string{
			"EJABBERD_CONFIG_PATH=" + filepath.Join(dir, "ejabberd.yml"),
			"EJABBERD_LOG_PATH=" + s.logFile,
			"EJABBERD_PID_PATH=" + filepath.Join(dir, "ejabberd.pid"),
			"ERL_LIBS=" + libs, "ERL_MAX_PORTS=4096", "ERL_CRASH_DUMP_BYTES=0",
		},
		ready: s.answers,
	}
	s.launch(t, func() []int {
		ports := []int{freePort(t), freePort(t), freePort(t)}
		writeFile(t, dir, "ejabberd.yml", cred, render(t, ejabberdFiles, "ejabberd/ejabberd.yml.tmpl", map[string]any{
			"Dir": dir, "Port": ports[0], "DirectPort": ports[1], "HTTPPort": ports[2],
			"UploadBytes": cmp.Or(o.UploadBytes, uploadBytes), "Database": database, "SQLArchive": o.SQLArchive, "SQLRoster": o.SQLRoster, "ClientCertificates": o.ClientCertificates, "Fast": EjabberdAtLeast("24.12"),
			"UploadHeaders": o.UploadHeaders,
		}))
		return ports
	})
	return s
}

// erlangLibs finds Debian's Erlang libraries, and the one that ejabberd only suggests:
// without it no token can be issued and the answer is a bare "internal error".
func erlangLibs(t TB) string {
	t.Helper()
	return libDir(t, "/usr/lib/*-linux-gnu/ejabberd-*", "ejabberd") + ":" + erlangLib(t, "p1_oauth2", "erlang-p1-oauth2")
}

func erlangLib(t TB, name, pkg string) string {
	t.Helper()
	return libDir(t, "/usr/lib/erlang/lib/"+name+"-*", pkg)
}

func libDir(t TB, dirs, pkg string) string {
	t.Helper()
	found := serverFiles(dirs)
	if len(found) == 0 {
		t.Fatalf("testkit: there is no %s: apt-get install %s", dirs, pkg)
	}
	return filepath.Dir(found[0])
}

// sqlDatabase makes an empty database with the tables that ejabberd comes with.
func sqlDatabase(t TB, dir string, cred *syscall.Credential) string {
	t.Helper()
	schema := serverFiles("/usr/share/ejabberd/sql/lite.sql")
	if len(schema) == 0 {
		t.Fatalf("testkit: there is no schema for SQLite: apt-get install ejabberd")
	}
	file := filepath.Join(archiveDir(t, "ejabberd", dir, cred), "archive.sqlite")
	run(t, dir, program(t, "sqlite3", "sqlite3"), file, ".read "+tree+schema[0])
	chown(t, file, cred)
	return file
}

func jwk(t TB) []byte {
	t.Helper()
	b, err := json.Marshal(map[string]string{"kty": "oct", "alg": "HS256", "k": base64.RawURLEncoding.EncodeToString([]byte(JWTKey))})
	if err != nil {
		t.Fatalf("testkit: %v", err)
	}
	return b
}

type ejabberdAccounts struct {
	server   *Server
	database string // of the rosters; "" is ejabberd's own, which nothing else writes
}

func (a *ejabberdAccounts) addUser(t TB, local, domain, password string) {
	t.Helper()
	a.call(t, "register", map[string]any{"user": local, "host": domain, "password": password}, nil)
}

func (a *ejabberdAccounts) setPassword(t TB, local, domain, password string) {
	t.Helper()
	a.call(t, "change_password", map[string]any{"user": local, "host": domain, "newpass": password}, nil)
}

func (a *ejabberdAccounts) issueToken(t TB, local, domain string) string {
	t.Helper()
	var answer struct{ Token string }
	var scopes any = "sasl_auth"
	if EjabberdAtLeast("24.02") {
		scopes = []string{"sasl_auth"}
	}
	a.call(t, "oauth_issue_token", map[string]any{"jid": local + "@" + domain, "ttl": 3600, "scopes": scopes}, &answer)
	if answer.Token == "" {
		t.Fatalf("testkit: ejabberd issued no token")
	}
	canary.Note(answer.Token)
	return answer.Token
}

func (a *ejabberdAccounts) revokeToken(t TB, token string) {
	t.Helper()
	a.call(t, "oauth_revoke_token", map[string]any{"token": token}, nil)
}

// call asks ejabberd's HTTP API for one command.
func (a *ejabberdAccounts) call(t TB, command string, args, answer any) {
	t.Helper()
	body, err := json.Marshal(args)
	if err != nil {
		t.Fatalf("testkit: %v", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+a.server.HTTPAddr+"/api/"+command, bytes.NewReader(body))
	if err != nil {
		t.Fatalf("testkit: %v", err)
	}
	req.Close = true // no idle connection, and no goroutine of it, after the test
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatalf("testkit: ejabberd %s: %v", command, err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("testkit: ejabberd %s: %s %s %v", command, res.Status, strings.TrimSpace(string(text)), err)
	}
	if answer == nil {
		return
	}
	if err := json.Unmarshal(text, answer); err != nil {
		t.Fatalf("testkit: ejabberd %s: %v in %s", command, err, text)
	}
}
