package ledger

import (
	"bufio"
	"bytes"
	_ "embed" // for the scripts
	"encoding/json"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

//go:embed peers/peers.py
var pythonPeers string

// person is a foreign account.
type person struct {
	Name     string `json:"name"`
	JID      string `json:"jid"`
	Password string `json:"password"`
	Device   bool   `json:"device,omitempty"`  // another one of an account, which is in rooms only
	Witness  bool   `json:"witness,omitempty"` // tells what it hears in rooms
}

// foreignLine is what a program of foreign clients prints.
type foreignLine struct {
	Event  string // online, offline, acked, unsure, bounce, message, presence, stored, related, entered, left, heard, said, audited, failed
	Who    string
	From   string // bare JID
	To     string // bare JID, of related
	ID     string
	Stanza string
	Body   string
	Reason string
	Kind   string // of related: edit, retract or react
	Target string
	Emojis []string
}

// foreign is one program with several foreign clients in it.
type foreign struct {
	cmd    *exec.Cmd
	mu     sync.Mutex // of stdin
	stdin  io.WriteCloser
	done   chan struct{}
	stderr lockedText
}

// startForeign runs a program and gives it its people. Handle is called for each line, by
// one goroutine. The program ends with the test.
func (w *world) startForeign(argv, env []string, people []person, handle func(foreignLine)) *foreign {
	t := w.t
	t.Helper()
	f := &foreign{cmd: exec.Command(argv[0], argv[1:]...), done: make(chan struct{})}
	f.cmd.Env = append(os.Environ(), env...)
	f.cmd.Stderr = &f.stderr
	f.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdin, err := f.cmd.StdinPipe()
	if err != nil {
		t.Fatalf("ledger: %v", err)
	}
	stdout, err := f.cmd.StdoutPipe()
	if err != nil {
		t.Fatalf("ledger: %v", err)
	}
	if err := f.cmd.Start(); err != nil {
		t.Fatalf("ledger: %v", err)
	}
	f.stdin = stdin
	go f.read(stdout, handle)
	t.Cleanup(f.stop)
	host, port, _ := net.SplitHostPort(w.server.Addr)
	n, _ := strconv.Atoi(port)
	f.command(map[string]any{"host": host, "port": n, "ca": w.server.CAFile, "people": people})
	return f
}

// slixmpp starts the clients on Debian's slixmpp.
func (w *world) slixmpp(people []person, handle func(foreignLine)) *foreign {
	return w.startForeign([]string{"/usr/bin/python3", "-u", "-c", pythonPeers},
		[]string{"PYTHONPATH=", "PYTHONHOME=", "PYTHONDONTWRITEBYTECODE=1", "PYTHONIOENCODING=utf-8"}, people, handle)
}

// xmppJS starts the clients on @xmpp/client.
func (w *world) xmppJS(people []person, handle func(foreignLine)) *foreign {
	w.t.Helper()
	script := filepath.Join(w.o.Modules, "peers.mjs")
	if _, err := os.Stat(filepath.Join(w.o.Modules, "node_modules", "@xmpp", "client")); err != nil {
		w.t.Fatalf("ledger: %v: npm ci --prefix %s (or run make test, which does it)", err, w.o.Modules)
	}
	return w.startForeign([]string{"node", script}, []string{"NODE_EXTRA_CA_CERTS=" + w.server.CAFile}, people, handle)
}

func (f *foreign) read(stdout io.Reader, handle func(foreignLine)) {
	defer close(f.done)
	scan := bufio.NewScanner(stdout)
	scan.Buffer(nil, 1<<20)
	for scan.Scan() {
		var line foreignLine
		if json.Unmarshal(scan.Bytes(), &line) == nil {
			handle(line)
		}
	}
}

// command writes one. One that cannot be written belongs to a program that has ended.
func (f *foreign) command(line any) {
	text, err := json.Marshal(line)
	if err != nil {
		panic(err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	_, _ = f.stdin.Write(append(text, '\n'))
}

// send tells the client who to send a message, or to keep it until it is online again.
func (f *foreign) send(who, to, id, body string) {
	f.command(map[string]string{"cmd": "send", "who": who, "to": to, "id": id, "body": body})
}

// audit asks for all that an account has in the server's archive.
func (f *foreign) audit(p person) {
	f.command(map[string]string{"cmd": "audit", "who": p.Name, "jid": p.JID, "password": p.Password})
}

// stop ends the program. It may be called twice.
func (f *foreign) stop() {
	_ = f.stdin.Close()
	patience := time.NewTimer(10 * time.Second)
	defer patience.Stop()
	select {
	case <-f.done:
	case <-patience.C:
		_ = syscall.Kill(-f.cmd.Process.Pid, syscall.SIGKILL)
		<-f.done
	}
	_ = f.cmd.Wait()
}

// lockedText keeps the end of what a program complains about.
type lockedText struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedText) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.b.Len() < 1<<16 {
		l.b.Write(b)
	}
	return len(b), nil
}

func (l *lockedText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.TrimSpace(l.b.String())
}
