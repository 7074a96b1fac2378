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
	"slices"
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
	// Stanzas gives every message as an event "stanza" as well, whatever is in it.
	Stanzas bool
}

// Peer is a foreign client that is signed in. It has fetched its roster; it sends no
// presence, answers no request and sends no request until a test wants one. One goroutine
// uses it.
type Peer struct {
	JID string // full

	name   string // of the library
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	lines  *inbox[PeerEvent]
	next   int // number of the last command
	stderr lockedBuffer
}

// PeerEvent is something that happened to a foreign client. Event is "message",
// "presence", "subscription", "chat_state", "receipt", "roster", "ready", "failed",
// "stanza", "invitation" (of nbxmpp) or "disconnected"; the other fields are set as the stanza had them.
type PeerEvent struct {
	Event        string
	From, To     string
	Type         string // of the stanza; "available" for plain presence
	ID           string
	Body, Thread string
	Show, Status string
	Priority     int
	State        string
	JID          string // roster
	Name         string
	Subscription string
	Ask          string
	Groups       []string
	Delay        string
	Error        string
	Reason       string
	Nick         string
	Refs
	Listed

	Reply *int
	Items []PeerEvent
	FN    string
}

// Listed is what a bookmark has, beside its JID, Name and Nick.
type Listed struct {
	AutoJoin   bool
	Extensions string // as XML
}

// Refs are what a message in an event "stanza" says of another one, as the library of the client has read
// it.
type Refs struct {
	XML       string // of the message as a whole
	StanzaID  string // that the room has given the message (XEP-0359)
	Corrects  string // XEP-0308
	ReactsTo  string // XEP-0444
	Emojis    []string
	RepliesTo string // XEP-0461
	Author    string // of the message that is replied to
	Retracts  string // XEP-0424
}

// Slixmpp starts a foreign client and waits until it is signed in. It ends with the test.
func Slixmpp(t TB, o SlixmppOptions) *Peer {
	t.Helper()
	if err := exec.Command(python, "-c", "import slixmpp").Run(); err != nil {
		t.Fatalf("testkit: %s has no slixmpp: apt-get install python3-slixmpp", python)
	}
	return signInPeer(t, "slixmpp", slixmppScript, o)
}

// signInPeer starts a client of a library, and waits until it is signed in.
func signInPeer(t TB, name string, script []byte, o SlixmppOptions) *Peer {
	t.Helper()
	host, portText, err := net.SplitHostPort(o.Addr)
	port, err2 := strconv.Atoi(portText)
	if err != nil || err2 != nil {
		t.Fatalf("testkit: %q is no host:port", o.Addr)
	}
	p := &Peer{name: name, lines: newInbox[PeerEvent]()}
	p.start(t, script)
	p.write(t, map[string]any{
		"host": host, "port": port, "direct": o.Direct, "ca": o.CAFile, "jid": o.JID,
		"password": o.Password, "token": o.Token, "mechanism": o.Mechanism, "debug": o.Debug, "stanzas": o.Stanzas,
	})
	e := p.Expect(t, "a sign-in", func(e PeerEvent) bool { return e.Event == "ready" || e.Event == "failed" })
	if refused := e.Event == "failed"; refused != o.Fails {
		t.Fatalf("testkit: %s signing in as %s: %+v\n%s", name, o.JID, e, p.stderr.String())
	}
	p.JID = e.JID
	return p
}

// SlixmppFor is [Slixmpp] for an account of a test server.
func (s *Server) SlixmppFor(t TB, u User) *Peer {
	t.Helper()
	return Slixmpp(t, SlixmppOptions{Addr: s.Addr, CAFile: s.CAFile, JID: u.JID, Password: u.Password})
}

func (p *Peer) start(t TB, script []byte) {
	t.Helper()
	p.cmd = exec.Command(python, "-u", "-c", string(script))
	// Modules of another Python that the environment points to
	// must not come first.
	p.cmd.Env = append(without(os.Environ(), "PYTHONPATH", "PYTHONHOME"), "PYTHONDONTWRITEBYTECODE=1", "PYTHONIOENCODING=utf-8")
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.cmd.Stderr = &p.stderr
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		t.Fatalf("testkit: %s: %v", p.name, err)
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatalf("testkit: %s: %v", p.name, err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("testkit: %s: %v", p.name, err)
	}
	p.stdin = stdin
	go p.read(stdout)
	t.Cleanup(func() { p.Close() })
}

// read collects the lines of the script until it ends. It is the only reader.
func (p *Peer) read(stdout io.Reader) {
	defer close(p.lines.done)
	scan := bufio.NewScanner(stdout)
	scan.Buffer(nil, 1<<24)
	for scan.Scan() {
		var e PeerEvent
		if err := json.Unmarshal(scan.Bytes(), &e); err != nil {
			e = PeerEvent{Event: "failed", Reason: fmt.Sprintf("%v in %q", err, scan.Text())}
		}
		p.lines.put(e)
	}
}

// Close signs out and ends the client. It may be called twice.
func (p *Peer) Close() {
	_ = p.stdin.Close()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-p.lines.done:
	case <-timer.C:
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		<-p.lines.done
	}
	_ = p.cmd.Wait()
}

// Expect takes the first event that fits, in the order of arrival, and waits for it for 20
// seconds. Other events stay for later calls.
func (p *Peer) Expect(t TB, what string, fits func(PeerEvent) bool) PeerEvent {
	t.Helper()
	e, ok := p.lines.await(fits)
	if !ok {
		t.Fatalf("%s %s: no %s; there is %+v\n%s", p.name, p.JID, what, p.Events(), p.stderr.String())
	}
	return e
}

// Events is what has arrived and was not taken yet.
func (p *Peer) Events() []PeerEvent { return p.lines.all() }

// Discard takes everything that has arrived, and gives it.
func (p *Peer) Discard() []PeerEvent { return p.lines.drain() }

func (p *Peer) write(t TB, line any) {
	t.Helper()
	b, err := json.Marshal(line)
	if err != nil {
		t.Fatalf("testkit: %s: %v", p.name, err)
	}
	if _, err := p.stdin.Write(append(b, '\n')); err != nil {
		t.Fatalf("testkit: %s: %v\n%s", p.name, err, p.stderr.String())
	}
}

// Do runs a command of the script and waits for its answer. A refusal fails the test.
func (p *Peer) Do(t TB, cmd string, args map[string]any) PeerEvent {
	t.Helper()
	e := p.Begin(t, cmd, args)()
	if e.Error != "" {
		t.Fatalf("%s %s: %s: %s\n%s", p.name, p.JID, cmd, e.Error, p.stderr.String())
	}
	return e
}

// Begin begins a command, and answer waits for its end; the error of the answer, if it has one, is for the caller.
func (p *Peer) Begin(t TB, cmd string, args map[string]any) (answer func() PeerEvent) {
	t.Helper()
	p.next++
	n := p.next
	line := map[string]any{"n": n, "cmd": cmd}
	maps.Copy(line, args)
	p.write(t, line)
	return func() PeerEvent {
		t.Helper()
		return p.Expect(t, "answer to "+cmd, func(e PeerEvent) bool { return e.Reply != nil && *e.Reply == n })
	}
}

// lockedBuffer lets the test read what the script has written so far.
type lockedBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lockedBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func without(env []string, names ...string) []string {
	return slices.DeleteFunc(env, func(e string) bool {
		name, _, _ := strings.Cut(e, "=")
		return slices.Contains(names, name)
	})
}
