package app_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/app"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/contacts"
	"github.com/perch-im/perch/internal/testkit"
)

// redisWorld is a world whose gateway keeps everything in a Redis of its own, so that it may end
// and begin again, in this process or as the program that operators run.
type redisWorld struct {
	world
	redis *testkit.RedisServer
	keys  redis.UniversalClient // the test's own look into it
	o     app.Options
	admin string           // address of the admin listener
	end   func(*testing.T) // of what runs
}

// newRedisWorld makes a Redis and a gateway's options for it; the gateway is not started.
func newRedisWorld(t *testing.T, l login) *redisWorld {
	t.Helper()
	s := l.server(t)
	k := &redisWorld{redis: testkit.Redis(t, testkit.RedisOptions{})}
	k.keys = k.redis.Client(t)
	k.server, k.alice, k.bob = s, s.NewUserAt(t, "alice", l.domainOn(s)), s.NewUserAt(t, "bob", l.domainOn(s))
	k.proxy = testkit.NewProxy(t, l.address(s))
	k.o = app.Options{
		Listen: "127.0.0.1:0", AdminListen: "127.0.0.1:0", Upstreams: []app.Upstream{l.upstream(s, k.proxy.Addr)},
		RedisURL: k.redis.URL(), Secret: appSecret, DrainTime: time.Second, Node: "kept",
		Logger: canary.Logger(slog.NewTextHandler(&testLog{t: t}, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	k.api = testkit.NewGateway(t, "", "")
	return k
}

// loginNamed is one of the ways into a real server.
func loginNamed(name string) login {
	for _, l := range logins {
		if l.name == name {
			return l
		}
	}
	panic("no login " + name)
}

// start runs the gateway in this process; it ends by Stop, as at SIGTERM.
func (k *redisWorld) start(t *testing.T) {
	t.Helper()
	a, err := app.New(k.o)
	if err != nil {
		t.Fatalf("app.New: got error %v, want none", err)
	}
	stop := sync.OnceValue(func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		return a.Stop(ctx)
	})
	t.Cleanup(func() { _ = stop() })
	if err := a.Start(); err != nil {
		t.Fatalf("a.Start: got error %v, want none", err)
	}
	k.app, k.api.URL, k.admin = a, a.URL(), a.AdminAddr()
	k.end = func(t *testing.T) {
		t.Helper()
		if err := stop(); err != nil {
			t.Errorf("stop: got error %v, want none", err)
		}
	}
}

// startProgram runs cmd/api; it ends by sig.
func (k *redisWorld) startProgram(t *testing.T, sig syscall.Signal) {
	t.Helper()
	k.startBinary(t, program(t), sig)
}

// startBinary is startProgram for one that is built already.
func (k *redisWorld) startBinary(t *testing.T, path string, sig syscall.Signal) {
	t.Helper()
	u := k.o.Upstreams[0]
	q := url.Values{"domain": {u.Domain}, "name": {u.Name}, "ca-file": {u.CAFile}}
	if u.TokenMechanism != "" {
		q.Set("token-mechanism", u.TokenMechanism)
	}
	cmd := exec.Command(path, "--listen=127.0.0.1:0", "--admin-listen=off", "--drain-time=1s", "--log-level=debug",
		"--upstream=xmpp://"+u.Address+"?"+q.Encode())
	cmd.Env = append(os.Environ(), "PERCH_REDIS_URL="+k.o.RedisURL, "PERCH_SECRET="+k.o.Secret, "PERCH_NODE="+k.o.Node)
	var keys []string
	for _, key := range k.o.SealKeys {
		keys = append(keys, hex.EncodeToString(key))
	}
	if len(keys) > 0 {
		cmd.Env = append(cmd.Env, "PERCH_SECRET_KEY="+strings.Join(keys, ","))
	}
	cmd.Stderr = io.MultiWriter(&testLog{t: t}, canary.Output())
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatalf("cmd.StdoutPipe: got error %v, want none", err)
	}
	ended := run(t, cmd)
	stop := sync.OnceValue(func() error {
		patience := time.AfterFunc(30*time.Second, func() { _ = cmd.Process.Kill() })
		defer patience.Stop()
		_ = cmd.Process.Signal(sig)
		return <-ended
	})
	t.Cleanup(func() { _ = stop() })
	patience := time.AfterFunc(30*time.Second, func() { _ = cmd.Process.Kill() })
	k.app, k.admin, k.api.URL = nil, "", greeted(t, bufio.NewScanner(stdout))
	patience.Stop()
	k.end = func(t *testing.T) {
		t.Helper()
		if err := stop(); (err == nil) != (sig == syscall.SIGTERM) {
			t.Errorf("%v: got %v: got %v, want %v", sig, err, (err == nil), sig == syscall.SIGTERM)
		}
	}
}

// run starts a program that ends with this process, however that ends. The kernel ties it
// to the thread that made the program, so a goroutine keeps its thread until then.
func run(t *testing.T, cmd *exec.Cmd) (ended <-chan error) {
	t.Helper()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started, done := make(chan error, 1), make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			done <- cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		t.Fatalf("the result of started: got error %v, want none", err)
	}
	return done
}

// greeted reads the address of the gateway from what the program prints first. The rest,
// some lines, stays in the pipe.
func greeted(t *testing.T, out *bufio.Scanner) string {
	t.Helper()
	for out.Scan() {
		if f := strings.Fields(out.Text()); len(f) > 1 && f[0] == "gateway" {
			return f[1]
		}
	}
	t.Fatalf("the program ended with %v, want it ready", out.Err())
	return ""
}

// program builds cmd/api once, for all tests.
func program(t *testing.T) string {
	t.Helper()
	built.once.Do(func() {
		built.dir, built.err = os.MkdirTemp("", "perch-program-")
		if built.err != nil {
			return
		}
		build := exec.Command("go", "build", "-o", filepath.Join(built.dir, "perch"), "github.com/perch-im/perch/cmd/api")
		if out, err := build.CombinedOutput(); err != nil {
			built.err = fmt.Errorf("%w\n%s", err, out)
		}
	})
	if built.err != nil {
		t.Fatalf("building the gateway: got error %v, want none", built.err)
	}
	return filepath.Join(built.dir, "perch")
}

var built struct {
	once sync.Once
	dir  string
	err  error
}

// contact reads one contact of the only session in Redis, as the API would show it: its item
// ("roster") or its presence.
func (k *redisWorld) contact(t *testing.T, part, jid string) string {
	t.Helper()
	keys, err := k.keys.Keys(t.Context(), "perch:{*}:roster").Result()
	if err != nil || len(keys) > 1 {
		t.Fatalf("KEYS perch:{*}:roster: %v %v, want no error and at most 1", keys, err)
	}
	if len(keys) == 0 {
		return ""
	}
	row, err := k.keys.HGet(t.Context(), keys[0], jid).Result()
	if err == redis.Nil {
		return ""
	}
	if err != nil {
		t.Fatalf("HGET %s %s: got error %v, want none", keys[0], jid, err)
	}
	c, err := contacts.ParseRow(perch.JID(jid), row)
	if err != nil {
		t.Fatalf("row of %s: got %q, error %v; want a packed contact", jid, row, err)
	}
	shown, err := json.Marshal(map[string]any{"roster": c.Buddy, "presence": c.Presence}[part])
	if err != nil {
		t.Fatalf("Marshal: got error %v, want none", err)
	}
	return string(shown)
}

// wantContact waits until a contact in Redis has the texts in it.
func (k *redisWorld) wantContact(t *testing.T, part, jid string, texts ...string) {
	t.Helper()
	testkit.Eventually(t, 10*time.Second, func() error {
		shown := k.contact(t, part, jid)
		for _, text := range texts {
			if !strings.Contains(shown, text) {
				return fmt.Errorf("%s of %s in Redis: %q, want %q in it", part, jid, shown, text)
			}
		}
		return nil
	})
}

// lockedBuffer collects what several goroutines write.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
