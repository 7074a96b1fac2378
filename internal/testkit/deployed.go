package testkit

import (
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
)

// DeployedProsody starts deploy/prosody as its container does, by its start.sh with its
// configuration, for a domain and users that are buddies of each other from the start.
// Passwords go by SCRAM-SHA-256; there are no tokens and no direct TLS. It ends with the
// test.
func DeployedProsody(t TB, domain string, users ...User) *Server {
	t.Helper()
	serverProgram(t, "prosody", "prosody")
	serverProgram(t, "openssl", "openssl")
	dir, cred := newDir(t, "prosody", "prosody")
	for _, name := range []string{"prosody.cfg.lua", "start.sh"} {
		text, err := os.ReadFile(filepath.Join(Root(t), "deploy/prosody", name))
		if err != nil {
			t.Fatalf("testkit: %v", err)
		}
		writeFile(t, dir, name, cred, text)
	}
	makeDir(t, filepath.Join(dir, "data"), cred)
	names := make([]string, 0, len(users))
	for _, u := range users {
		local, _, _ := strings.Cut(u.JID, "@")
		names = append(names, local+":"+u.Password)
	}
	config := filepath.Join(dir, "prosody.cfg.lua")
	s := &Server{
		Name: "prosody", Domain: domain,
		CAFile:     filepath.Join(dir, "ca.pem"),
		logFile:    filepath.Join(dir, "output.log"),
		loginMarks: prosodyLogins,
	}
	s.proc = &process{
		name: "prosody", dir: dir, cred: cred, root: tree, ready: s.answers,
		argv: []string{serverProgram(t, "sh", "dash"), filepath.Join(dir, "start.sh")},
	}
	s.launch(t, func() []int {
		port := freePort(t)
		s.proc.env = []string{
			"PROSODY_DATA=" + filepath.Join(dir, "data"), "PROSODY_CA=" + s.CAFile, "PROSODY_CONFIG=" + config,
			"PROSODY_LISTEN=127.0.0.1", "PROSODY_PORT=" + strings.TrimPrefix(Loopback(port), "127.0.0.1:"),
			"PROSODY_DOMAIN=" + domain, "PROSODY_USERS=" + strings.Join(names, " "),
		}
		s.accounts = &prosodyAccounts{dir: dir, cred: cred, ctl: serverProgram(t, "prosodyctl", "prosody"), config: config, env: s.proc.env}
		return []int{port}
	})
	ca, err := os.ReadFile(s.CAFile)
	if err != nil {
		t.Fatalf("testkit: %v", err)
	}
	s.CA = x509.NewCertPool()
	s.CA.AppendCertsFromPEM(ca)
	return s
}
