package web_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/perch-im/perch/internal/testkit"
)

// chatApp is the example application, with what package-lock.json names.
const chatApp = "../docs/examples/chat-app"

// builtApp type-checks and builds the application once, and returns the folder of it.
var builtApp = sync.OnceValues(func() (string, error) {
	if err := modulesOf(chatApp); err != nil {
		return "", err
	}
	dir := filepath.Join(program.dir, "chat-app")
	for _, args := range [][]string{{"tsc", "-p", "tsconfig.json"}, {"vite", "build", "--logLevel", "warn", "--outDir", dir}} {
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, filepath.Join("node_modules/.bin", args[0]), args[1:]...)
		cmd.Dir = chatApp
		if out, err := cmd.CombinedOutput(); err != nil {
			return string(out), err
		}
	}
	return dir, nil
})

// serveApp serves the application, and the API of a gateway on the same origin, which it returns.
func serveApp(t *testing.T, gateway string) string {
	t.Helper()
	dir, err := builtApp()
	if err != nil {
		t.Fatalf("the build of %s: got error %v, want none:\n%s", chatApp, err, dir)
	}
	api := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: gateway})
	api.FlushInterval = -1
	api.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) } // it is away on purpose
	mux := http.NewServeMux()
	mux.Handle("/v1/", api)
	mux.Handle("/", http.FileServer(http.Dir(dir)))
	return serveSite(t, mux)
}

// TestChatApp builds the example application and uses it in a browser: the list, a chat, what is unread, renders,
// an outage, a browser that is offline and comes back, a reload, two tabs.
func TestChatApp(t *testing.T) {
	s := newStage(t)
	site := serveApp(t, s.proxy.Addr)
	node(t, "chat_app.mjs", append(s.env(), "PERCH_SITE="+site, chromium(t), pictures(t))...)
}

// TestChatAppIsLong gives it 300 buddies and a chat of 5,000 messages, on a gateway that stands in.
func TestChatAppIsLong(t *testing.T) {
	dir, err := builtApp()
	if err != nil {
		t.Fatalf("the build of %s: got error %v, want none:\n%s", chatApp, err, dir)
	}
	node(t, "chat_app_long.mjs", "PERCH_APP="+dir, chromium(t), pictures(t))
}

// TestChatAppOverServers uses it with a real XMPP server, which has what the embedded service has not: a sign-in by
// password, rooms, edits, reactions and files.
func TestChatAppOverServers(t *testing.T) {
	for name, tc := range map[string]struct {
		start   func(t *testing.T) *testkit.Server
		service string
	}{"prosody": {prosody, "conference.alpha.test"}, "today": {embedded, "rooms.perch.localhost"}} {
		t.Run(name, func(t *testing.T) {
			server := tc.start(t)
			users, accounts := roomAccounts(t, server)
			s := stageFor(t, "--upstream", upstreamOf(server), "--upload-http-host", "127.0.0.1")
			foreign(t, s, server, users)
			site := serveApp(t, s.proxy.Addr)
			node(t, "chat_app_servers.mjs", append(s.env(), accounts, "PERCH_ROOMS="+tc.service, "PERCH_SITE="+site, chromium(t), pictures(t))...)
		})
	}
}

// TestChatAppInDevelopment opens the application from Vite's own server, whose proxy has the API on the page's
// origin, sockets too; and from one whose proxy makes the page a foreign one.
func TestChatAppInDevelopment(t *testing.T) {
	if err := modulesOf(chatApp); err != nil {
		t.Fatalf("modulesOf: got error %v, want none", err)
	}
	host, port, _ := net.SplitHostPort(freeAddress(t))
	named := "http://" + freeAddress(t)
	g := newGateway(t, "--origin", named)
	cmd := exec.CommandContext(t.Context(), "node_modules/.bin/vite", "--host", host, "--port", port, "--strictPort", "--clearScreen", "false")
	cmd.Dir = chatApp
	cmd.Env = append(os.Environ(), "PERCH_URL=http://"+g.addr)
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatalf("vite: got error %v, want none", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // killed on purpose
		if t.Failed() {
			t.Logf("vite said:\n%s", said.String())
		}
	})
	node(t, "chat_app_dev.mjs", "PERCH_SITE=http://"+net.JoinHostPort(host, port), "PERCH_NAMED="+named, "PERCH_URL=http://"+g.addr, chromium(t))
}

// freeAddress is one on which nothing listens, for a program that makes its own listener.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("net.Listen: got error %v, want none", err)
	}
	defer l.Close()
	return l.Addr().String()
}

// TestFrontendGuide runs the blocks of docs/frontend.md.
func TestFrontendGuide(t *testing.T) {
	site := "http://" + freeAddress(t)
	g := newGateway(t, "--origin", site)
	node(t, "frontend_guide.mjs", "PERCH_URL=http://"+g.addr, "PERCH_SITE="+site, chromium(t))
}
