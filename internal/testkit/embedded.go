package testkit

import (
	"crypto/x509"
	"os"
)

// Embedded is an XMPP service that runs in the process of the test, and what tests do with its accounts.
// Each function ends the test by itself when it fails.
type Embedded struct {
	Name, Domain string
	Addr         string // host:port with STARTTLS
	HTTPAddr     string // or ""
	CAPEM        []byte

	AddUser     func(local, password string)
	SetPassword func(local, password string)
	IssueToken  func(local string) string
	RevokeToken func(token string)
	Logins      func(local string) int // how often an account has passed SASL
}

// Server gives such a service to tests of real servers. It has no process: it cannot be stopped, paused
// or looked into.
func (e Embedded) Server(t TB) *Server {
	t.Helper()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(e.CAPEM) {
		t.Fatalf("testkit: %s: CAPEM has no certificate, want the CA of the service", e.Name)
	}
	dir, err := os.MkdirTemp("", "perch-embedded-")
	if err != nil {
		t.Fatalf("testkit: %v", err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return &Server{
		Name: e.Name, Domain: e.Domain, Addr: e.Addr, HTTPAddr: e.HTTPAddr, CA: pool,
		CAFile:   writeFile(t, dir, "ca.pem", nil, e.CAPEM),
		accounts: embeddedAccounts{e}, logins: e.Logins,
	}
}

// embeddedAccounts are the accounts of an Embedded: it has one domain.
type embeddedAccounts struct{ e Embedded }

func (a embeddedAccounts) addUser(_ TB, local, _, password string) { a.e.AddUser(local, password) }
func (a embeddedAccounts) setPassword(_ TB, local, _, password string) {
	a.e.SetPassword(local, password)
}
func (a embeddedAccounts) issueToken(_ TB, local, _ string) string { return a.e.IssueToken(local) }
func (a embeddedAccounts) revokeToken(_ TB, token string)          { a.e.RevokeToken(token) }
