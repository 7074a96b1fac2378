package web_test

import (
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestExamples runs every example of docs/examples against the demo, as a reader would.
func TestExamples(t *testing.T) {
	standIns, err := filepath.Abs("testdata/standin")
	if err != nil {
		t.Fatalf("filepath.Abs: got error %v, want none", err)
	}
	g := newGateway(t, "--mcp")
	for _, e := range []struct{ name, program, hint, want string }{
		{"curl.sh", "curl", "apt-get install curl", "You said: Hello from curl"},
		{"rest.py", "/usr/bin/python3", "apt-get install python3 python3-requests", "You said: Hello from requests"},
		{"agent.py", "/usr/bin/python3", "apt-get install python3", "You said: Hello from an agent"},
		{"stream.py", "/usr/bin/python3", "apt-get install python3 python3-websockets", "You said: Hello from websockets"},
		{"websocat.sh", "/usr/bin/python3", "apt-get install python3 python3-websockets", "You said: Hello from websocat"},
	} {
		t.Run(e.name, func(t *testing.T) {
			needs(t, e.program, e.hint)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, "../docs/examples/"+e.name)
			// Debian has no websocat: the last folder of PATH has one that takes the
			// arguments of the example.
			cmd.Env = append(os.Environ(), "PERCH_URL=http://"+g.addr, "PERCH_TOKEN=demo-bob",
				"PATH="+os.Getenv("PATH")+":"+standIns)
			cmd.WaitDelay = time.Second
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(out), e.want) {
				t.Errorf("the example: got error %v, want none and %q in its output:\n%s", err, e.want, out)
			}
		})
	}
}

// TestExampleFrontEnd opens the example front end in a browser, from an origin of its own.
func TestExampleFrontEnd(t *testing.T) {
	origin := serveExample(t, "frontend")
	g := newGateway(t, "--origin", origin)
	node(t, "frontend.mjs", "PERCH_URL=http://"+g.addr, "PERCH_SITE="+origin, chromium(t))
}

// TestExamplePush opens the example with push messages in a browser, from an origin of its own.
func TestExamplePush(t *testing.T) {
	origin := serveExample(t, "push")
	g := newGateway(t, append(pushed, "--origin", origin)...)
	node(t, "push_example.mjs", "PERCH_URL=http://"+g.addr, "PERCH_SITE="+origin, chromium(t))
}

// TestExampleChats opens the example with the list of conversations, on a gateway that stands in: the embedded
// service has messages alone.
func TestExampleChats(t *testing.T) {
	const most = 100
	text, err := os.ReadFile("../docs/examples/chats/chats.js")
	if err != nil {
		t.Fatalf("os.ReadFile: got error %v, want none", err)
	}
	if n := strings.Count(string(text), "\n"); n > most {
		t.Errorf("chats.js: got %d lines, want at most %d", n, most)
	}
	node(t, "chats_example.mjs", "PERCH_SITE="+serveExample(t, "chats"), chromium(t))
}

// serveExample serves a folder of docs/examples, and returns its origin.
func serveExample(t *testing.T, folder string) string {
	t.Helper()
	return serveSite(t, http.FileServer(http.Dir("../docs/examples/"+folder)))
}

// serveSite serves a site until the end of the test, and returns its origin.
func serveSite(t *testing.T, h http.Handler) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("net.Listen: got error %v, want none", err)
	}
	site := &http.Server{Handler: h, ReadHeaderTimeout: time.Second}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = site.Serve(l) // until Close
	}()
	t.Cleanup(func() {
		site.Close()
		<-served
	})
	return "http://" + l.Addr().String()
}
