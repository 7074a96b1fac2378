package web_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/testkit"
	"github.com/perch-im/perch/messenger"
)

// stage is what a story is played on: a Messenger-compatible service, the real gateway
// program in front of it, and a proxy between the gateway and its clients. The story
// itself is JavaScript and moves the scenery over HTTP (control).
type stage struct {
	service *messenger.Service
	gateway *gateway
	proxy   *testkit.Proxy
	control *httptest.Server
	t       *testing.T
	more    map[string]func(map[string]string) (any, error) // scenery of one test

	mu sync.Mutex // one change of the scenery at a time
}

// newStage starts everything; the arguments go to the gateway.
func newStage(t *testing.T, args ...string) *stage {
	t.Helper()
	o := messenger.Demo()
	o.Accounts = append(o.Accounts, hostile())
	for i := range o.Accounts {
		if o.Accounts[i].User == "alice" {
			o.Accounts[i].Contacts = append(o.Accounts[i].Contacts, messenger.Contact{User: "mallory", Name: nasty("name"), Groups: []string{nasty("group")}})
		}
	}
	o.Logger = canary.Logger()
	service, err := messenger.New(o)
	if err != nil {
		t.Fatalf("messenger.New: got error %v, want none", err)
	}
	if err := service.Start(t.Context()); err != nil {
		t.Fatalf("service.Start: got error %v, want none", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := service.Stop(ctx); err != nil {
			t.Errorf("service.Stop: got error %v, want none", err)
		}
	})
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, service.CAPEM(), 0o600); err != nil {
		t.Fatalf("os.WriteFile: got error %v, want none", err)
	}
	upstream := fmt.Sprintf("xmpp://%s?domain=%s&name=messenger&profile=messenger&ca-file=%s", service.Addr(), service.Domain(), ca)
	return stageOf(t, service, append([]string{"--upstream", upstream}, args...)...)
}

// stageFor is a stage without a service of its own; the arguments lead the gateway to another one.
func stageFor(t *testing.T, args ...string) *stage {
	t.Helper()
	return stageOf(t, nil, args...)
}

// stageOf is a stage with this service; nil: with none of its own.
func stageOf(t *testing.T, service *messenger.Service, args ...string) *stage {
	t.Helper()
	s := &stage{t: t, service: service, gateway: newGateway(t, args...)}
	s.proxy = testkit.NewProxy(t, s.gateway.addr)
	s.control = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.control.Close)
	return s
}

// nasty is the text of an attacker who wants a page to show it as markup.
func nasty(where string) string {
	return `<img src=x onerror="document.title='owned by ` + where + `'"><script>document.title='owned'</script>`
}

// hostile is a person whose every field is an attack.
func hostile() messenger.Account {
	return messenger.Account{
		User: "mallory", AccountID: "mallory@contoso.com", Nickname: nasty("nickname"),
		VCard: perch.VCard{FullName: nasty("card"), Nickname: nasty("card"), Organization: nasty("organization"), URL: "javascript:alert(1)", Description: nasty("about")},
		Bot:   &messenger.Bot{Presences: []perch.OwnPresence{{Available: true, Status: nasty("status")}}},
	}
}

// serve does one thing to the scenery: POST /<what> with a JSON body.
func (s *stage) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var q map[string]string
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	do, ok := scenery[r.URL.Path[1:]]
	if f, special := s.more[r.URL.Path[1:]]; special {
		do, ok = func(_ *stage, q map[string]string) (any, error) { return f(q) }, true
	}
	if !ok {
		http.Error(w, "no such scenery", http.StatusNotFound)
		return
	}
	answer, err := do(s, q)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_ = json.NewEncoder(w).Encode(answer)
}

// scenery is what a story can do besides using the API.
var scenery = map[string]func(*stage, map[string]string) (any, error){
	"logins": func(s *stage, q map[string]string) (any, error) { return s.service.Logins(q["user"]), nil },
	"jid":    func(s *stage, q map[string]string) (any, error) { return s.service.JID(q["user"]), nil },
	"drop":   func(s *stage, q map[string]string) (any, error) { return s.service.Drop(q["user"]), nil },
	"issue":  func(s *stage, q map[string]string) (any, error) { return s.service.IssueToken(q["user"], 0) },
	"revoke": func(s *stage, q map[string]string) (any, error) { return s.service.RevokeToken(q["token"]), nil },
	"deliver": func(s *stage, q map[string]string) (any, error) {
		return 0, s.service.Deliver(q["from"], q["to"], q["body"])
	},
	"state": func(s *stage, q map[string]string) (any, error) {
		return 0, s.service.SetChatState(q["from"], q["to"], perch.ChatState(q["state"]))
	},
	"invite": func(s *stage, q map[string]string) (any, error) {
		return 0, s.service.Invite(q["from"], q["to"], q["nick"], q["message"])
	},
	"presence": func(s *stage, q map[string]string) (any, error) {
		show, _ := perch.ParseShow(q["show"])
		return 0, s.service.SetPresence(q["user"], perch.OwnPresence{Available: q["show"] != "offline", Show: show, Status: q["status"]})
	},
	"cut":   func(s *stage, _ map[string]string) (any, error) { s.proxy.Cut(s.t); return 0, nil },
	"down":  func(s *stage, _ map[string]string) (any, error) { s.proxy.Down(); return 0, nil },
	"up":    func(s *stage, _ map[string]string) (any, error) { s.proxy.Up(s.t); return 0, nil },
	"kill":  func(s *stage, _ map[string]string) (any, error) { s.gateway.stop(syscall.SIGKILL); return 0, nil },
	"stop":  func(s *stage, _ map[string]string) (any, error) { s.gateway.stop(syscall.SIGTERM); return 0, nil },
	"start": func(s *stage, _ map[string]string) (any, error) { return 0, s.gateway.start() },
}

// gateway is the program under test, which can be started again on the same address.
type gateway struct {
	addr string
	args []string
	cmd  *exec.Cmd
	done chan struct{}
	logs string
}

// newGateway starts the real binary; it ends with the test.
func newGateway(t *testing.T, args ...string) *gateway {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("net.Listen: got error %v, want none", err)
	}
	g := &gateway{addr: l.Addr().String(), logs: filepath.Join(t.TempDir(), "gateway.log")}
	l.Close()
	g.args = append([]string{
		"--listen", g.addr, "--admin-listen", "off", "--drain-time", "1s", "--log-level", "debug",
		"--token-rate", "10000", "--ip-rate", "10000", "--streams", "200",
	}, args...)
	t.Cleanup(func() {
		g.stop(syscall.SIGTERM)
		text, err := os.ReadFile(g.logs)
		_, _ = canary.Output().Write(text)
		if err == nil && t.Failed() {
			t.Logf("the gateway said:\n%s", tail(text, 4000))
		}
	})
	if err := g.start(); err != nil {
		t.Fatalf("g.start: got error %v, want none", err)
	}
	return g
}

func tail(text []byte, n int) []byte { return text[max(0, len(text)-n):] }

// start runs the program and waits until it answers.
func (g *gateway) start() error {
	log, err := os.OpenFile(g.logs, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	g.cmd = exec.Command(program.path, g.args...)
	g.cmd.Stdout, g.cmd.Stderr = log, log
	if err := g.cmd.Start(); err != nil {
		return err
	}
	g.done = make(chan struct{})
	go func(cmd *exec.Cmd, done chan struct{}) {
		defer close(done)
		_ = cmd.Wait() // killed on purpose, or the logs say why
	}(g.cmd, g.done)
	return g.answers(30 * time.Second)
}

func (g *gateway) answers(limit time.Duration) error {
	end := time.After(limit)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if r, err := http.Get("http://" + g.addr + "/"); err == nil {
			_, _ = io.Copy(io.Discard, r.Body)
			r.Body.Close()
			return nil
		}
		select {
		case <-g.done:
			return errors.New("the gateway has ended by itself")
		case <-end:
			return errors.New("the gateway does not answer")
		case <-tick.C:
		}
	}
}

// stop ends the program, if it runs.
func (g *gateway) stop(sig syscall.Signal) {
	if g.done == nil {
		return
	}
	_ = g.cmd.Process.Signal(sig)
	select {
	case <-g.done:
	case <-time.After(15 * time.Second):
		_ = g.cmd.Process.Kill()
		<-g.done
	}
	g.done = nil
}
