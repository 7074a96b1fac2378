package testkit

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/perch-im/perch/internal/canary"
)

// Server is a running XMPP server with several domains that can talk to each other.
type Server struct {
	Name       string // "prosody", "ejabberd" or "jabberd2"
	Domain     string // tokens (not of the deployed one), and passwords by PLAIN (Prosody, jabberd2) or SCRAM
	Addr       string // host:port with STARTTLS
	DirectAddr string // host:port with TLS from the first byte (XEP-0368), or ""
	HTTPAddr   string // or ""
	CA         *x509.CertPool
	CAFile     string // the same as PEM

	proc    *process
	logFile string
	// loginMarks find the log line of a login; each has one %s for the bare JID, and a line fits one.
	loginMarks []string
	logins     func(local string) int // of an Embedded, which has no log
	accounts   accounts
}

// accounts is how users and tokens are made on one kind of server.
type accounts interface {
	addUser(t TB, local, domain, password string)
	setPassword(t TB, local, domain, password string)
	issueToken(t TB, local, domain string) string
	revokeToken(t TB, token string)
}

// User is an account on a test server.
type User struct {
	JID      string // bare
	Password string
}

// RoomHost is the host of the rooms of the server.
func (s *Server) RoomHost() string {
	if s.Name == "today" {
		return "rooms." + s.Domain
	}
	return "conference." + s.Domain
}

// NewUser makes an account with a name of its own on the server's first domain.
func (s *Server) NewUser(t TB, prefix string) User {
	t.Helper()
	return s.NewUserAt(t, prefix, s.Domain)
}

// NewUserAt is [Server.NewUser] for another domain of the server.
func (s *Server) NewUserAt(t TB, prefix, domain string) User {
	t.Helper()
	u := User{JID: prefix + strings.ToLower(rand.Text()[:8]) + "@" + domain, Password: canary.Secret()}
	s.AddUser(t, u.JID, u.Password)
	return u
}

// AddUser makes an account.
func (s *Server) AddUser(t TB, bareJID, password string) {
	t.Helper()
	local, domain, _ := strings.Cut(bareJID, "@")
	s.accounts.addUser(t, local, domain, password)
}

// SetPassword gives an account another password. On Prosody it has to be on the first domain.
func (s *Server) SetPassword(t TB, bareJID, password string) {
	t.Helper()
	local, domain, _ := strings.Cut(bareJID, "@")
	s.accounts.setPassword(t, local, domain, password)
}

// IssueToken makes an access token of an account on the server's first domain. Prosody's
// serve for X-MESSENGER-OAUTH2, OAUTHBEARER and X-OAUTH2, ejabberd's for X-OAUTH2.
func (s *Server) IssueToken(t TB, bareJID string) string {
	t.Helper()
	local, domain, _ := strings.Cut(bareJID, "@")
	return s.accounts.issueToken(t, local, domain)
}

// RevokeToken makes a token worthless for later logins.
func (s *Server) RevokeToken(t TB, token string) {
	t.Helper()
	s.accounts.revokeToken(t, token)
}

// PID is the process id.
func (s *Server) PID() int { return s.proc.pid }

// LogFile is where the server writes its log.
func (s *Server) LogFile() string { return s.logFile }

// Log is the server's log so far.
func (s *Server) Log(t TB) string {
	t.Helper()
	b, err := os.ReadFile(s.logFile)
	if err != nil {
		t.Fatalf("testkit: %s: %v", s.Name, err)
	}
	return string(b)
}

// ExpectLog waits until the log has a text.
func (s *Server) ExpectLog(t TB, text string) {
	t.Helper()
	waitFor(t, "a line of the log with "+text, func(context.Context) error {
		if !strings.Contains(s.Log(t), text) {
			return fmt.Errorf("the log has no %q yet", text)
		}
		return nil
	})
}

// CountLogins says how often an account has passed SASL since the server was made,
// restarts included. Servers write their log with a little delay.
func (s *Server) CountLogins(t TB, bareJID string) int {
	t.Helper()
	if s.logins != nil {
		local, _, _ := strings.Cut(bareJID, "@")
		return s.logins(local)
	}
	log, n := s.Log(t), 0
	for _, mark := range s.loginMarks {
		n += strings.Count(log, fmt.Sprintf(mark, bareJID))
	}
	return n
}

// Restart ends the server as an operator does and starts it again on the same ports.
func (s *Server) Restart(t TB) {
	t.Helper()
	s.Stop(t)
	s.Start(t)
}

// Stop ends the server with SIGTERM and waits for it. Accounts are kept.
func (s *Server) Stop(t TB) {
	t.Helper()
	s.proc.stop(syscall.SIGTERM)
}

// Kill ends the server with SIGKILL and waits for it.
func (s *Server) Kill(t TB) {
	t.Helper()
	s.proc.stop(syscall.SIGKILL)
}

// Start runs a server again that was stopped or killed.
func (s *Server) Start(t TB) {
	t.Helper()
	if err := s.proc.start(); err != nil {
		t.Fatalf("testkit: %v\n%s", err, s.tail())
	}
}

// Pause stops the server from doing anything while its connections stay open; Continue
// ends that. It is the peer that is there and does not answer.
func (s *Server) Pause() { s.proc.signal(syscall.SIGSTOP) }

// Continue ends [Server.Pause].
func (s *Server) Continue() { s.proc.signal(syscall.SIGCONT) }

func (s *Server) tail() string {
	b, err := os.ReadFile(s.logFile)
	if err != nil {
		return err.Error()
	}
	return string(b[max(0, len(b)-8000):])
}

// launch starts a fresh server, with other ports when another process was quicker.
func (s *Server) launch(t TB, configure func() (ports []int)) {
	t.Helper()
	t.Cleanup(func() { s.proc.stop(syscall.SIGKILL) })
	var err error
	for range 3 {
		ports := configure()
		for i, addr := range []*string{&s.Addr, &s.DirectAddr, &s.HTTPAddr}[:len(ports)] {
			*addr = Loopback(ports[i])
		}
		if err = s.proc.start(); err == nil {
			return
		}
		s.proc.stop(syscall.SIGKILL)
		if !errors.Is(err, errPortTaken) && !strings.Contains(s.tail()+s.proc.output(), "already in use") && !strings.Contains(s.tail(), "eaddrinuse") {
			break
		}
	}
	t.Fatalf("testkit: %v\n%s", err, s.tail())
}

// answers opens a stream and waits for features of the right domain, or for a redirect in
// place of them.
func (s *Server) answers(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", s.Addr)
	if err != nil {
		if _, port, _ := net.SplitHostPort(s.Addr); strings.Contains(s.tail(), "Failed to open server port "+port+" ") {
			return errPortTaken // Prosody continues without it
		}
		return fmt.Errorf("connect: %w", err)
	}
	defer c.Close()
	deadline, _ := ctx.Deadline()
	if err := c.SetDeadline(deadline); err != nil {
		return fmt.Errorf("deadline: %w", err)
	}
	if _, err := fmt.Fprintf(c, "<?xml version='1.0'?><stream:stream to='%s' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>", s.Domain); err != nil {
		return fmt.Errorf("stream header: %w", err)
	}
	var got []byte
	buf := make([]byte, 4096)
	for {
		n, err := c.Read(buf)
		got = append(got, buf[:n]...)
		switch text := string(got); {
		case strings.Contains(text, "features>"), strings.Contains(text, "<starttls"), strings.Contains(text, "<see-other-host"):
			if !strings.Contains(text, s.Domain) {
				return errors.New("another server answers on this port")
			}
			return nil
		case strings.Contains(text, "<stream:error"):
			return fmt.Errorf("the server answers %q", text)
		case err != nil:
			return fmt.Errorf("read: %w", err)
		}
	}
}
