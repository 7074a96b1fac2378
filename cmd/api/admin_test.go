package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch/app"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/testkit"
)

// adminOf starts a gateway with a session, and returns the address of its admin listener.
func adminOf(t *testing.T, token string) string {
	t.Helper()
	o := app.Options{Listen: "127.0.0.1:0", AdminListen: "127.0.0.1:0", Logger: canary.Logger()}
	o.AdminToken = token
	o.Labels = app.Labels{"region": "eu", "rack": "7"}
	o.Idle = app.IdlePolicy{Action: "away", After: time.Hour}
	a, err := app.New(o)
	if err != nil {
		t.Fatalf("app.New: got error %v, want none", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := a.Stop(ctx); err != nil {
			t.Errorf("a.Stop: got error %v, want none", err)
		}
	})
	if err := a.Start(); err != nil {
		t.Fatalf("a.Start: got error %v, want none", err)
	}
	testkit.NewGateway(t, a.URL(), "demo-alice").Get(t, "/v1/session")
	return "http://" + a.AdminAddr()
}

// admin runs a command and returns what it prints.
func admin(t *testing.T, at string, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := run(t.Context(), append([]string{"admin", "--url", at}, args...), &out, &out)
	return out.String(), err
}

// TestAdminCommands on a running gateway: tables for people, JSON for programs, and what was done.
func TestAdminCommands(t *testing.T) {
	at := adminOf(t, "")
	text, err := admin(t, at, "sessions", "--json")
	var list sessionList[sessionRow]
	if jsonErr := json.Unmarshal([]byte(text), &list); err != nil || jsonErr != nil || len(list.Items) != 1 {
		t.Fatalf("sessions --json: got %s, error %v, want one session", text, err)
	}
	id := short(list.Items[0].ID)
	for _, tt := range []struct {
		args []string
		want []string
	}{
		{[]string{"sessions"}, []string{"SESSION", id, "@messenger.live.com", "messenger", "online"}},
		{[]string{"sessions", "--state", "suspended"}, []string{"SESSION"}},
		{[]string{"session", id}, []string{list.Items[0].ID, "account", "token", "credential", "log"}},
		{[]string{"nodes"}, []string{"NODE", "up", "1 of 10000", "LABELS", "rack=7,region=eu", "alone"}},
		{[]string{"upstreams"}, []string{"messenger", "1 online", "ms", "LIMITS", "sessions-per-account=10, account-rate=10, logins=64, idle=away after 1h0m0s"}},
		{[]string{"reconnect", id}, []string{"reconnects"}},
		{[]string{"evict", id}, []string{"has left its node"}},
	} {
		text, err := admin(t, at, tt.args...)
		for _, want := range tt.want {
			if err != nil || !strings.Contains(text, want) {
				t.Errorf("%v: got\n%s\nerror %v, want %q in it", tt.args, text, err, want)
			}
		}
	}
	for _, tt := range []struct {
		args []string
		want string // of the error
	}{
		{[]string{"session", "00000000"}, "no node has a session"},
		{[]string{"session", "0"}, "8 to 32 characters"},
		{[]string{"sessions", "--state", "asleep"}, "must be connecting"},
		{[]string{"drain", "nobody"}, "there is no node"},
		{[]string{"log-level", "loud"}, "must be debug"},
	} {
		if text, err := admin(t, at, tt.args...); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v: got %q, error %v, want %q", tt.args, text, err, tt.want)
		}
	}
}

// TestAdminTokenOfTheCommand: from the environment or a file, never from both, and an error says
// what to do.
func TestAdminTokenOfTheCommand(t *testing.T) {
	token := canary.Secret()
	at, file := adminOf(t, token), filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
		t.Fatalf("WriteFile: got error %v, want none", err)
	}
	for _, tt := range []struct {
		name, env string
		args      []string
		want      string // of the error; "": there is none
	}{
		{"none", "", nil, "PERCH_ADMIN_TOKEN"},
		{"environment", token, nil, ""},
		{"file", "", []string{"--token-file", file}, ""},
		{"both", token, []string{"--token-file", file}, "two sources"},
		{"another", canary.Secret(), nil, "does not accept"},
		{"no file", "", []string{"--token-file", file + "x"}, "create it"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("PERCH_ADMIN_TOKEN", tt.env)
			text, err := admin(t, at, append([]string{"nodes"}, tt.args...)...)
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %q, error %v, want %q", text, err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), token) {
				t.Error("got the token in the error, want it nowhere")
			}
		})
	}
}

// TestAdminWithoutGateway: what does not answer, or is no Perch, is named with what to do.
func TestAdminWithoutGateway(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/admin/v1/upstreams" {
			http.Redirect(w, r, "http://elsewhere.example/", http.StatusFound)
			return
		}
		_, _ = w.Write([]byte("<html>"))
	}))
	defer other.Close()
	for _, tt := range []struct{ at, command, want string }{
		{"http://" + testkit.Loopback(testkit.FreePort(t)), "nodes", "PERCH_ADMIN_URL"},
		{other.URL, "nodes", "no admin API of Perch"},
		{other.URL, "upstreams", "302"},
		{"ftp://x", "nodes", "--url must be"},
		{"http://user:pass@x", "nodes", "--url must be"},
		{"http://127.0.0.1:1/v1", "nodes", "--url must be"},
	} {
		if text, err := admin(t, tt.at, tt.command); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %q, error %v, want %q", tt.at, text, err, tt.want)
		}
	}
}

// TestDrainProgress: a line whenever something has changed, and the end.
func TestDrainProgress(t *testing.T) {
	left, method := 2, ""
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := nodeRow{ID: "a/1", Name: "a", State: "draining", Owned: left}
		if r.Method == http.MethodGet {
			left--
			n.Owned = left
			_ = json.NewEncoder(w).Encode(nodeList{Items: []nodeRow{n}})
			return
		}
		method = r.Method + " " + r.URL.EscapedPath()
		w.WriteHeader(http.StatusAccepted)
		_ = json.NewEncoder(w).Encode(n)
	}))
	defer srv.Close()
	text, err := admin(t, srv.URL, "drain", "a/1")
	want := "a/1: 2 sessions and 0 streams left\na/1: 1 sessions and 0 streams left\na/1: 0 sessions and 0 streams left\ndrained: stop it with SIGTERM, or have it take sessions again with perch admin drain --undo a\n"
	if err != nil || text != want || method != "POST /admin/v1/nodes/a%2F1/drain" {
		t.Errorf("got %s and\n%s\nerror %v, want\n%s", method, text, err, want)
	}
	left = 50
	if _, err := admin(t, srv.URL, "drain", "a", "--within", "1ms"); err == nil || !strings.Contains(err.Error(), "perch admin nodes") {
		t.Errorf("out of time: got error %v, want what to look at", err)
	}
	if text, err := admin(t, srv.URL, "drain", "a", "--undo"); err != nil || !strings.Contains(text, "takes sessions again") || !strings.HasPrefix(method, "DELETE") {
		t.Errorf("--undo: got %s, %q, error %v, want DELETE and what it does", method, text, err)
	}
}

// TestAdminJSON is what the API has answered, with fields that this version does not know; of several
// pages it is one list, which names the nodes that are missing on any of them.
func TestAdminJSON(t *testing.T) {
	answers := map[string]string{
		"GET /admin/v1/nodes":                                     `{"items":[{"id":"a/1","new":[]}]}`,
		"GET /admin/v1/sessions/63d2ae23":                         `{"id":"63d2ae23","last_stanza_at":null,"features":[],"new":"<x>"}`,
		"PUT /admin/v1/log-level":                                 `{"items":[],"unreachable":[],"new":1}`,
		"POST /admin/v1/nodes/a/drain":                            `{"id":"a/1","state":"draining","new":1}`,
		"DELETE /admin/v1/nodes/a/drain":                          `{"id":"a/1","state":"up","new":1}`,
		"GET /admin/v1/sessions?jid=none%40example.net&limit=100": `{"items":[],"next":null,"unreachable":[]}`,
		"GET /admin/v1/sessions?limit=200":                        `{"items":[{"id":"1","new":1}],"next":"p2","unreachable":[{"node":"b/1","detail":"late"}]}`,
		"GET /admin/v1/sessions?cursor=p2&limit=200":              `{"items":[{"id":"2","new":2}],"next":null,"unreachable":[]}`,
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(answers[r.Method+" "+r.RequestURI]))
	}))
	defer srv.Close()
	for _, tt := range []struct{ command, want string }{
		{"nodes", answers["GET /admin/v1/nodes"]},
		{"session 63d2ae23", answers["GET /admin/v1/sessions/63d2ae23"]},
		{"log-level debug", answers["PUT /admin/v1/log-level"]},
		{"drain a --no-wait", answers["POST /admin/v1/nodes/a/drain"]},
		{"drain a --undo", answers["DELETE /admin/v1/nodes/a/drain"]},
		{"sessions --jid none@example.net", `{"items":[],"next":null,"unreachable":[]}`},
		{"sessions --limit 0", `{"items":[{"id":"1","new":1},{"id":"2","new":2}],"next":null,"unreachable":[{"node":"b/1","detail":"late"}]}`},
	} {
		if text, err := admin(t, srv.URL, append(strings.Fields(tt.command), "--json")...); err != nil || text != tt.want+"\n" {
			t.Errorf("%s: got %s, error %v, want %s", tt.command, text, err, tt.want)
		}
	}
	if text, err := admin(t, srv.URL, "sessions", "--limit", "0"); err != nil || !strings.Contains(text, "The node b/1 is missing: late") {
		t.Errorf("sessions: got %s, error %v, want the node named that the first page lacks", text, err)
	}
}
