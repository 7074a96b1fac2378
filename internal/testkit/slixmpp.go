package testkit

import (
	"bufio"
	_ "embed" // for the script
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

//go:embed slixmpp/client.py
var slixmppScript []byte

// python is Debian's own: slixmpp belongs to it, not to another Python in PATH.
const python = "/usr/bin/python3"

// SlixmppOptions says where the foreign client signs in.
type SlixmppOptions struct {
	Addr      string // host:port
	Direct    bool   // TLS from the first byte
	CAFile    string
	JID       string // bare, or full to ask for a resource
	Password  string
	Token     string // for the OAuth mechanisms
	Mechanism string // SASL name to insist on, or ""
	// Fails expects that the sign-in is refused.
	Fails bool
	Debug bool // write slixmpp's own log to the output of the test
}

// Peer is a foreign client that is signed in. It has fetched its roster; it sends no
// presence, answers no request and asks for nothing until it is told to. One goroutine
// uses it.
type Peer struct {
	JID string // full

	cmd    *exec.Cmd
	stdin  io.WriteCloser
	mu     sync.Mutex
	lines  []PeerEvent
	news   chan struct{} // buffered: something was added to lines
	done   chan struct{} // the reader has ended
	next   int           // number of the last command
	stderr strings.Builder
}

// PeerEvent is something that happened to a foreign client. Event is "message",
// "presence", "subscription", "chat_state", "receipt", "roster", "ready", "failed" or
// "disconnected"; the other fields are set as the stanza had them.
type PeerEvent struct {
	Event        string
	From, To     string
	Type         string // of the stanza; "available" for plain presence
	ID           string
	Body, Thread string
	Show, Status string
	Priority     int
	Nick         string
	State        string
	JID          string // roster
	Name         string
	Subscription string
	Ask          string
	Groups       []string
	Delay        string
	Error        string
	Reason       string

	Reply *int
	Items []PeerEvent
	FN    string
}

// Slixmpp starts a foreign client and waits until it is signed in. It ends with the test.
func Slixmpp(t TB, o SlixmppOptions) *Peer {
	t.Helper()
	if err := exec.Command(python, "-c", "import slixmpp").Run(); err != nil {
		t.Fatalf("testkit: %s has no slixmpp: apt-get install python3-slixmpp", python)
	}
	host, portText, err := net.SplitHostPort(o.Addr)
	port, err2 := strconv.Atoi(portText)
	if err != nil || err2 != nil {
		t.Fatalf("testkit: %q is no host:port", o.Addr)
	}
	p := &Peer{news: make(chan struct{}, 1), done: make(chan struct{})}
	p.start(t)
	p.write(t, map[string]any{
		"host": host, "port": port, "direct": o.Direct, "ca": o.CAFile, "jid": o.JID,
		"password": o.Password, "token": o.Token, "mechanism": o.Mechanism, "debug": o.Debug,
	})
	e := p.Expect(t, "a sign-in", func(e PeerEvent) bool { return e.Event == "ready" || e.Event == "failed" })
	if refused := e.Event == "failed"; refused != o.Fails {
		t.Fatalf("testkit: slixmpp signing in as %s: %+v\n%s", o.JID, e, p.errors())
	}
	p.JID = e.JID
	return p
}

// SlixmppFor is [Slixmpp] for an account of a test server.
func (s *Server) SlixmppFor(t TB, u User) *Peer {
	t.Helper()
	return Slixmpp(t, SlixmppOptions{Addr: s.Addr, CAFile: s.CAFile, JID: u.JID, Password: u.Password})
}

func (p *Peer) start(t TB) {
	t.Helper()
	p.cmd = exec.Command(python, "-u", "-c", string(slixmppScript))
	// Modules of another Python that the environment points to
	// must not come first.
	p.cmd.Env = append(os.Environ(), "PYTHONPATH=", "PYTHONHOME=", "PYTHONDONTWRITEBYTECODE=1", "PYTHONIOENCODING=utf-8")
	p.cmd.Env = withoutEmpty(p.cmd.Env, "PYTHONPATH=", "PYTHONHOME=")
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.cmd.Stderr = &lockedWriter{mu: &p.mu, w: &p.stderr}
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		t.Fatalf("testkit: slixmpp: %v", err)
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatalf("testkit: slixmpp: %v", err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("testkit: slixmpp: %v", err)
	}
	p.stdin = stdin
	go p.read(stdout)
	t.Cleanup(func() { p.Close() })
}

// read collects the lines of the script until it ends. It is the only reader.
func (p *Peer) read(stdout io.Reader) {
	defer close(p.done)
	scan := bufio.NewScanner(stdout)
	scan.Buffer(nil, 1<<24)
	for scan.Scan() {
		var e PeerEvent
		if err := json.Unmarshal(scan.Bytes(), &e); err != nil {
			e = PeerEvent{Event: "failed", Reason: fmt.Sprintf("%v in %q", err, scan.Text())}
		}
		p.mu.Lock()
		p.lines = append(p.lines, e)
		p.mu.Unlock()
		select {
		case p.news <- struct{}{}:
		default:
		}
	}
}

// Close signs out and ends the client. It may be called twice.
func (p *Peer) Close() {
	_ = p.stdin.Close()
	patience := time.NewTimer(10 * time.Second)
	defer patience.Stop()
	select {
	case <-p.done:
	case <-patience.C:
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		<-p.done
	}
	_ = p.cmd.Wait()
}

// Expect takes the first event that fits, in the order of arrival, and waits for it for 20
// seconds. Other events stay for later calls.
func (p *Peer) Expect(t TB, what string, fits func(PeerEvent) bool) PeerEvent {
	t.Helper()
	patience := time.NewTimer(20 * time.Second)
	defer patience.Stop()
	for {
		if e, ok := p.take(fits); ok {
			return e
		}
		select {
		case <-p.news:
		case <-p.done:
			if e, ok := p.take(fits); ok {
				return e
			}
			t.Fatalf("slixmpp ended while the test waited for %s\n%s", what, p.errors())
		case <-patience.C:
			t.Fatalf("slixmpp %s: no %s; there is %+v\n%s", p.JID, what, p.Events(), p.errors())
		}
	}
}

func (p *Peer) take(fits func(PeerEvent) bool) (PeerEvent, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, e := range p.lines {
		if fits(e) {
			p.lines = append(p.lines[:i:i], p.lines[i+1:]...)
			return e, true
		}
	}
	return PeerEvent{}, false
}

// Events is what has arrived and was not taken yet.
func (p *Peer) Events() []PeerEvent {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]PeerEvent(nil), p.lines...)
}

func (p *Peer) errors() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stderr.String()
}

func (p *Peer) write(t TB, line any) {
	t.Helper()
	b, err := json.Marshal(line)
	if err != nil {
		t.Fatalf("testkit: slixmpp: %v", err)
	}
	if _, err := p.stdin.Write(append(b, '\n')); err != nil {
		t.Fatalf("testkit: slixmpp: %v\n%s", err, p.errors())
	}
}

// Do runs a command of the script and waits for its answer. A refusal fails the test.
func (p *Peer) Do(t TB, cmd string, args map[string]any) PeerEvent {
	t.Helper()
	p.next++
	n := p.next
	line := map[string]any{"n": n, "cmd": cmd}
	maps.Copy(line, args)
	p.write(t, line)
	e := p.Expect(t, "answer to "+cmd, func(e PeerEvent) bool { return e.Reply != nil && *e.Reply == n })
	if e.Error != "" {
		t.Fatalf("slixmpp %s: %s: %s\n%s", p.JID, cmd, e.Error, p.errors())
	}
	return e
}

// lockedWriter lets the test read what the script has written so far.
type lockedWriter struct {
	mu *sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}

func withoutEmpty(env []string, names ...string) []string {
	var kept []string
	for _, e := range env {
		drop := false
		for _, n := range names {
			drop = drop || strings.HasPrefix(e, n)
		}
		if !drop {
			kept = append(kept, e)
		}
	}
	return kept
}
