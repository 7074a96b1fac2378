package testkit_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/perch-im/perch/internal/testkit"
)

// shell is a program that says that it runs, and does what the script says at SIGTERM.
func shell(t *testing.T, atTerm string) *testkit.Program {
	t.Helper()
	started := filepath.Join(t.TempDir(), "started")
	return testkit.NewProgram(t, testkit.ProgramOptions{
		Name: "shell", Env: []string{"STARTED=" + started},
		Argv:  []string{"/bin/sh", "-c", "trap '" + atTerm + "' TERM; echo running as $$; : > $STARTED; while :; do sleep 1 & wait $!; done"},
		Ready: func(context.Context) error { return os.Remove(started) },
	})
}

func TestProgramStops(t *testing.T) {
	for _, c := range []struct {
		name, atTerm, want string
		limit              time.Duration
	}{
		{"in order", "exit 0", "", 10 * time.Second},
		{"with a complaint", "echo no; exit 3", "exit status 3", 10 * time.Second},
		{"never", "", "signal: killed", 100 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := shell(t, c.atTerm)
			for range 2 {
				if err := p.Start(); err != nil {
					t.Fatalf("p.Start: got error %v, want none", err)
				}
				if !strings.Contains(p.Output(), fmt.Sprintf("running as %d\n", p.PID())) {
					t.Errorf("printed %q as %d, want %q in it", p.Output(), p.PID(), fmt.Sprintf("running as %d\n", p.PID()))
				}
				ended := p.Ended()
				if err := p.Stop(c.limit); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
					t.Errorf("stop: %v, want %q", err, c.want)
				}
				<-ended
			}
		})
	}
}

// TestProgramIsAskedOnce: Stop after SIGTERM waits; a second SIGTERM would end the program before it is done.
func TestProgramIsAskedOnce(t *testing.T) {
	p := shell(t, "trap - TERM; echo stopping; sleep 0.2; exit 0")
	for range 2 {
		if err := p.Start(); err != nil {
			t.Fatalf("p.Start: got error %v, want none", err)
		}
		before := strings.Count(p.Output(), "stopping")
		p.Signal(syscall.SIGTERM)
		testkit.Eventually(t, 10*time.Second, func() error {
			if strings.Count(p.Output(), "stopping") == before {
				return errors.New("it has not got the signal")
			}
			return nil
		})
		if err := p.Stop(10 * time.Second); err != nil {
			t.Errorf("stop after SIGTERM: got error %v, want none", err)
		}
	}
}

func TestProgramIsKilled(t *testing.T) {
	p := shell(t, "exit 0")
	if err := p.Start(); err != nil {
		t.Fatalf("p.Start: got error %v, want none", err)
	}
	ended := p.Ended()
	p.Signal(syscall.SIGSTOP) // that does not save it
	p.Kill()
	<-ended
	p.Kill()
}

// TestOutside: what a program has started ends with it, in the other order, also when it
// could not start all.
func TestOutside(t *testing.T) {
	for _, fails := range []bool{false, true} {
		var calls []string
		err := testkit.Outside(func(program testkit.TB) {
			program.Cleanup(func() { calls = append(calls, "first") })
			program.Cleanup(func() { calls = append(calls, "second") })
			if fails {
				program.Fatalf("no %s", "luck")
			}
			calls = append(calls, "ran")
		})
		want := "ran second first"
		if fails {
			want = "second first"
		}
		if strings.Join(calls, " ") != want || fails != (err != nil) || fails && err.Error() != "no luck" {
			t.Errorf("fails %v: got %q, error %v; want %q, and the error %q when it fails", fails, calls, err, want, "no luck")
		}
	}
}

// TestNginx: a whole configuration is run on a port of the test's own.
func TestNginx(t *testing.T) {
	behind := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, r.Method, " ", n, " ", err)
	}))
	t.Cleanup(behind.Close)
	s := testkit.Nginx(t, testkit.NginxOptions{Config: func(listen string) string {
		return "events { }\nhttp {\n    server {\n        listen " + listen + ";\n        location / { proxy_pass " + behind.URL + "; }\n    }\n}\n"
	}})
	for range 2 {
		body := strings.NewReader(strings.Repeat("x", 100<<10)) // more than nginx keeps in memory
		res, err := http.Post("http://"+s.Addr, "text/plain", body)
		if err != nil {
			t.Fatalf("http.Post: got error %v, want none", err)
		}
		text, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil || string(text) != "POST 102400 <nil>" {
			t.Errorf("got %q, %v\n%s, want no error and %q", text, err, s.Log(), "POST 102400 <nil>")
		}
		http.DefaultClient.CloseIdleConnections()
		s.Restart(t)
	}
}

// TestDeployedProsody: the container's users are there, and are each other's buddies.
func TestDeployedProsody(t *testing.T) {
	alice, bob := testkit.User{JID: "alice@perch.test", Password: "wonderland"}, testkit.User{JID: "bob@perch.test", Password: "b:uilder"}
	s := testkit.DeployedProsody(t, "perch.test", alice, bob)
	for range 2 {
		a, b := s.SlixmppFor(t, alice), s.SlixmppFor(t, bob)
		a.Presence(t, "", "")
		b.Presence(t, "", "")
		a.ExpectPresence(t, bob.JID, "available", "")
		b.ExpectPresence(t, alice.JID, "available", "")
		a.Message(t, bob.JID, greeting)
		b.ExpectMessage(t, alice.JID, greeting)
		a.Close()
		b.Close()
		s.Restart(t)
	}
	carol := s.NewUser(t, "carol")
	s.SlixmppFor(t, carol).Close()
	testkit.Eventually(t, 10*time.Second, func() error {
		if n, m := s.CountLogins(t, alice.JID), s.CountLogins(t, carol.JID); n != 2 || m != 1 {
			return fmt.Errorf("%d logins of alice, %d of carol", n, m)
		}
		return nil
	})
}
