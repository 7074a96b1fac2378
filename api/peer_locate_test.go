package api_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch/api"
)

// learn lets a know that the session of a token is at b.
func (n *nodes) learn(t *testing.T, token string) {
	t.Helper()
	if res, body := n.a.get("/v1/buddies", token, nil); res.StatusCode != 200 {
		t.Fatalf("got %s %s, want 200", res.Status, body)
	}
}

func wantResults(t *testing.T, l *ledger, want ...string) {
	t.Helper()
	if got := l.results(); !slices.Equal(got, want) {
		t.Errorf("counted %v, want %v", got, want)
	}
}

// TestSessionHasJustMoved: the node that was thought to have it refuses, and this one, which
// looks again, takes it over and answers.
func TestSessionHasJustMoved(t *testing.T) {
	n := newNodes(t)
	n.openAtB("tok-alice")
	n.learn(t, "tok-alice")
	n.handOver(t, "tok-alice")
	res, body := n.a.get("/v1/buddies", "tok-alice", nil)
	if res.StatusCode != 200 || n.a.manager.Len() != 1 {
		t.Errorf("got %s %s; %d sessions, want 200, and the session here", res.Status, body, n.a.manager.Len())
	}
	wantResults(t, n.la, api.ForwardOK, api.ForwardRetried)
	// b is passed on from now on, though it is stopping.
	if res, body := n.b.get("/v1/buddies", "tok-alice", nil); res.StatusCode != 200 {
		t.Errorf("got %s %s, want 200", res.Status, body)
	}
	wantResults(t, n.lb, api.ForwardOK)
}

// TestDeadNode: while its lease lasts the answer is to try again; afterwards this node
// takes the session over.
func TestDeadNode(t *testing.T) {
	n := newNodes(t)
	n.openAtB("tok-alice")
	n.learn(t, "tok-alice")
	n.toB.cut()
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		res, body := n.a.fetch(method, "/v1/events"+map[string]string{"GET": "", "POST": "/tickets"}[method], "tok-alice", nil)
		if res.StatusCode != 503 || res.Header.Get("Retry-After") != "1" || !strings.Contains(string(body), `"session-offline"`) {
			t.Errorf("%s: %s %v %s, want 503 session-offline, and a second to wait", method, res.Status, res.Header, body)
		}
		if strings.Contains(string(body), "127.0.0.1") || strings.Contains(string(body), "b/1") {
			t.Errorf("it says too much: %s, want no address and no node", body)
		}
	}
	if r := n.a.try("", header("Authorization", "Bearer tok-alice")); r.status != 503 {
		t.Errorf("socket: %+v, want 503", r)
	}
	if r := n.a.try("", header("Origin", n.a.srv.URL), "perch.v1", bearer("tok-alice")); r.code != 4100 || r.problem != "session-offline" {
		t.Errorf("socket of a page: %+v, want 4100 session-offline", r)
	}
	n.expireLease(t)
	if res, body := n.a.get("/v1/buddies", "tok-alice", nil); res.StatusCode != 200 {
		t.Errorf("after the lease: %s %s, want 200", res.Status, body)
	}
	if got := n.la.results(); !slices.Equal(got[1:5], slices.Repeat([]string{api.ForwardUnreachable}, 4)) {
		t.Errorf("forwards: got %v, want 4 that are unreachable", got)
	}
}

// signIn signs in at g with a body, and returns the token that it gets.
func signIn(t testing.TB, g *gateway, body string) (status int, token string) {
	t.Helper()
	r := g.request(t.Context(), "POST", "/v1/session", "", http.Header{"Content-Type": {"application/json"}})
	setBody(r, body)
	res, err := g.client.Do(r)
	if err != nil {
		t.Fatalf("g.client.Do: got error %v, want none", err)
	}
	defer res.Body.Close()
	var answer struct{ Token string }
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		t.Fatalf("json.NewDecoder: got error %v, want none", err)
	}
	return res.StatusCode, answer.Token
}

// TestBodyIsSentAgain: a body that was read to find the account is sent to the node that has
// the session, and to the one after it.
func TestBodyIsSentAgain(t *testing.T) {
	n := newNodes(t)
	for name, account := range map[string]string{
		"password": `{"jid":"carol@example.net","password":"secret","resource":"desk"}`,
		"token":    `{"token":"tok-alice"}`,
	} {
		if status, token := signIn(t, n.b, account); status != 201 || token == "" {
			t.Fatalf("%s: %d %q, want 201 and a token", name, status, token)
		}
		status, token := signIn(t, n.a, account) // at b
		if status != 200 || token == "" || n.a.manager.Len() != 0 {
			t.Fatalf("%s: passed on: %d %q, %d sessions, want 200, a token, and no session here", name, status, token, n.a.manager.Len())
		}
		if res, _ := n.a.get("/v1/session", token, nil); res.StatusCode != 200 {
			t.Errorf("%s: with the token: %s, want 200", name, res.Status)
		}
	}
	signIn(t, n.a, `{"token":"tok-alice"}`)
	n.handOver(t, "tok-alice")
	status, token := signIn(t, n.a, `{"token":"tok-alice"}`) // not at b any more, so here
	if status != 201 || token == "" || n.a.manager.Len() != 1 {
		t.Errorf("sent again: %d %q, %d sessions, want 201, a token, and the session here", status, token, n.a.manager.Len())
	}
	if res, _ := n.a.get("/v1/session", token, nil); res.StatusCode != 200 {
		t.Errorf("with the last token: %s, want 200", res.Status)
	}
	if got := n.la.results(); slices.ContainsFunc(got, func(r string) bool { return r != api.ForwardOK }) {
		t.Errorf("a sign-in follows no old way, so nothing is to be retried: %v, want no retry", got)
	}
}

// TestMessageIsSentAgain, with a body that the client sends in chunks, and once only.
func TestMessageIsSentAgain(t *testing.T) {
	n := newNodes(t)
	n.openAtB("tok-alice")
	n.learn(t, "tok-alice")
	n.handOver(t, "tok-alice")
	status, h := n.a.status("POST", "/v1/messages", "tok-alice", `{"id":"m1","to":"bob@example.net","body":"hello"}`)
	if status != 202 || h.Get("Location") != "/v1/messages/m1" {
		t.Errorf("got %d %v, want 202 and the address of m1", status, h)
	}
	wantResults(t, n.la, api.ForwardOK, api.ForwardRetried)
}

// TestAnswerIsLost: a change that may have been made is not made again by itself, and the
// answer says so; what only reads is.
func TestAnswerIsLost(t *testing.T) {
	n := newNodes(t)
	n.openAtB("tok-alice")
	n.learn(t, "tok-alice")
	n.toB.holdAfter(0)
	done := make(chan struct{})
	go func() {
		defer close(done)
		status, _ := n.a.status("POST", "/v1/messages", "tok-alice", `{"id":"m1","to":"bob@example.net","body":"hello"}`)
		if status != 504 {
			t.Errorf("a message whose answer is lost: %d, want 504", status)
		}
	}()
	for range 100_000 { // until b has it
		if res, _ := n.b.get("/v1/messages/m1", "tok-alice", nil); res.StatusCode == 200 {
			break
		}
	}
	n.expireLease(t)
	n.toB.cut()
	<-done
	began := time.Now()
	if res, body := n.a.get("/v1/messages/m1", "tok-alice", nil); res.StatusCode != 200 {
		t.Errorf("got %s %s, want 200", res.Status, body)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("took %v, want at most 10 s", took)
	}
}

// TestWrongAddress: two nodes that claim one address do not send a request in a circle.
func TestWrongAddress(t *testing.T) {
	n := newNodes(t)
	n.openAtB("tok-alice")
	n.toB.leadTo(n.a.srv.Listener.Addr().String())
	res, body := n.a.get("/v1/buddies", "tok-alice", nil)
	if res.StatusCode != 503 || !strings.Contains(string(body), `"session-offline"`) {
		t.Errorf("got %s %s, want 503 session-offline", res.Status, body)
	}
	// Asked twice, refused twice by itself, and given up.
	wantResults(t, n.la, api.ForwardRefused, api.ForwardRefused, api.ForwardUnreachable)
}
