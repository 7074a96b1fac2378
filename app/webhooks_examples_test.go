package app_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch/internal/testkit"
)

// exampleReceiver is one of docs/examples/webhook-receiver, as it runs.
type exampleReceiver struct {
	url   string
	lines chan string
	stop  func()
}

// startExample runs it with a secret, on a port that is free; state is where it keeps ids.
func startExample(t *testing.T, program []string, port, state, secret string) *exampleReceiver {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program[0], program[1:]...)
	cmd.Env = append(os.Environ(), "PORT="+port, "WEBHOOK_STATE="+state, "WEBHOOK_SECRET="+secret)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatalf("StdoutPipe: got error %v, want none", err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v: got error %v, want none: apt-get install python3 nodejs", program, err)
	}
	x := &exampleReceiver{url: "http://127.0.0.1:" + port + "/", lines: make(chan string, 100)}
	read := make(chan struct{})
	go func() {
		defer close(read)
		for s := bufio.NewScanner(out); s.Scan(); {
			x.lines <- s.Text()
		}
	}()
	x.stop = func() {
		_ = cmd.Process.Kill()
		<-read
		_ = cmd.Wait()
	}
	x.expect(t, "# waiting")
	return x
}

// expect reads to the line with this in it.
func (x *exampleReceiver) expect(t *testing.T, want string) {
	t.Helper()
	late := time.After(30 * time.Second)
	for {
		select {
		case line := <-x.lines:
			if strings.Contains(line, want) {
				return
			}
			t.Errorf("got the line %q, want %q", line, want)
		case <-late:
			t.Fatalf("got no line with %q within 30 seconds, want one", want)
		}
	}
}

// TestWebhookExamples: both receivers print what comes, over a restart of their own, each message once; what
// nobody has signed they refuse.
func TestWebhookExamples(t *testing.T) {
	a := observed(t, toLoopback)
	g := testkit.NewGateway(t, a.URL(), "demo-alice")
	for name, program := range map[string][]string{
		"python": {"python3", "../docs/examples/webhook-receiver/receiver.py"}, "node": {"node", "../docs/examples/webhook-receiver/receiver.mjs"},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatalf("Listen: got error %v, want none", err)
			}
			_, port, _ := net.SplitHostPort(l.Addr().String())
			_ = l.Close()
			state := filepath.Join(t.TempDir(), "ids")
			body := map[string]any{"url": "http://127.0.0.1:" + port + "/", "types": []string{"message.received"}}
			secret := g.Call(t, http.StatusCreated, "PUT", "/v1/webhooks/"+name, body).JSON(t).Str("secret")
			x := startExample(t, program, port, state, secret)
			tellEcho(t, g, "before")
			x.expect(t, "You said: before")
			testkit.Eventually(t, 10*time.Second, func() error { // its answer is there
				if w := g.Get(t, "/v1/webhooks/"+name); w.At("last_attempt.status") != 204.0 || w.Str("cursor") != g.Get(t, "/v1/events").Str("next") {
					return fmt.Errorf("got %v, want all of it delivered", w)
				}
				return nil
			})
			x.stop()
			tellEcho(t, g, "meanwhile")
			body["rotate_secret"] = true
			fresh := g.Call(t, http.StatusOK, "PUT", "/v1/webhooks/"+name, body).JSON(t).Str("secret")
			x = startExample(t, program, port, state, fresh+" "+secret)
			defer x.stop()
			x.expect(t, "You said: meanwhile")
			tellEcho(t, g, "after")
			x.expect(t, "You said: after")
			if got := g.Call(t, http.StatusOK, "POST", "/v1/webhooks/"+name+"/test", nil).JSON(t); got.At("status") != 204.0 {
				t.Errorf("test: got %v, want 204", got)
			}
			x.refuses(t)
			if ids, err := os.ReadFile(state); err != nil || len(strings.Fields(string(ids))) < 4 {
				t.Errorf("the ids: got %q, error %v, want those of the calls", ids, err)
			}
			g.Call(t, http.StatusNoContent, "DELETE", "/v1/webhooks/"+name, nil)
		})
	}
}

// refuses posts what nobody has signed.
func (x *exampleReceiver) refuses(t *testing.T) {
	t.Helper()
	now := fmt.Sprint(time.Now().Unix())
	for _, header := range []http.Header{
		{}, {"Webhook-Id": {"a"}, "Webhook-Timestamp": {now}, "Webhook-Signature": {"v1,AAAA"}},
		{"Webhook-Id": {"a"}, "Webhook-Timestamp": {"1"}, "Webhook-Signature": {"v1,AAAA"}}, {"Webhook-Id": {"a"}, "Webhook-Timestamp": {now}, "Webhook-Signature": {""}},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, x.url, strings.NewReader(`{"type":"events","data":{"reset":null,"events":[]}}`))
		if err != nil {
			t.Fatalf("NewRequest: got error %v, want none", err)
		}
		req.Header = header
		transport := &http.Transport{DisableKeepAlives: true}
		res, err := transport.RoundTrip(req)
		if err != nil {
			t.Fatalf("%v: got error %v, want 401", header, err)
		}
		_ = res.Body.Close()
		if res.StatusCode != http.StatusUnauthorized {
			t.Errorf("%v: got %d, want 401", header, res.StatusCode)
		}
	}
}
