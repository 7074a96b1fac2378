package api_test

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/api"
	"github.com/perch-im/perch/internal/canary"
)

// signInAs opens a session of an account at the upstream "other", and returns its token.
func (g *gateway) signInAs(t testing.TB, jid string) string {
	t.Helper()
	return g.signInBy(t, fmt.Sprintf(`{"jid":%q,"upstream":"other","password":%q}`, jid, canary.Secret()))
}

// signInBy opens a session by the body of a call, and returns the token of the answer.
func (g *gateway) signInBy(t testing.TB, body string) string {
	t.Helper()
	a := g.do("POST", "/v1/session", body, "Content-Type", "application/json")
	var minted struct{ Token string }
	if err := json.Unmarshal(a.body, &minted); a.status != 201 || err != nil {
		t.Fatalf("sign-in: got %d %s, want 201", a.status, a.body)
	}
	canary.Note(minted.Token)
	return minted.Token
}

// operator is one who asks a, once it knows of b.
func (n *nodes) operator(t testing.TB) *operator {
	t.Helper()
	n.a.eventually("a knows b", func() bool { return len(n.a.manager.Peers()) == 1 })
	return n.a.operator(t)
}

// TestAdminListsAllNodes: any node lists the sessions of all, by filter and page.
func TestAdminListsAllNodes(t *testing.T) {
	n := newNodes(t, withAdmin)
	n.openAtB("tok-alice")
	n.a.signInAs(t, "carol@example.net")
	n.b.signInAs(t, "dave@example.net")
	o := n.operator(t)
	all := o.sessions("")
	if len(all.Items) != 3 || all.Next != nil || len(all.Unreachable) != 0 {
		t.Fatalf("got %d sessions, next %v, unreachable %v; want 3 on one page", len(all.Items), all.Next, all.Unreachable)
	}
	for query, want := range map[string]string{
		"jid=carol@example.net": "carol@example.net", "jid=CAROL@example.net": "carol@example.net", "jid=x@example.net": "",
		"upstream=default": "alice@example.net", "upstream=nothing": "", "state=suspended": "",
		"node=a": "carol@example.net", "node=a/1&upstream=default": "", "node=b%2F1&jid=dave@example.net": "dave@example.net",
		"id=" + all.Items[1].ID[:8]: all.Items[1].JID,
	} {
		if got := o.sessions(query).jids(); got != want {
			t.Errorf("%s: got %q, want %q", query, got, want)
		}
	}
	var paged []string
	for query := "limit=1"; ; {
		p := o.sessions(query)
		for _, s := range p.Items {
			paged = append(paged, s.ID)
		}
		if p.Next == nil {
			break
		}
		query = "limit=1&cursor=" + *p.Next
	}
	if len(paged) != 3 || paged[0] != all.Items[0].ID || paged[2] != all.Items[2].ID {
		t.Errorf("got pages %v, want each of %v once, in order", paged, all.Items)
	}
	for _, query := range []string{"node=c", "state=asleep", "jid=a%20b@x", "limit=0", "cursor=x", "id=zz", "who=me", "node=", "upstream=", "jid=", "state=", "id="} {
		if status, body := o.do("GET", "sessions?"+query, ""); status != 422 {
			t.Errorf("%s: got %d %s, want 422", query, status, body)
		}
	}
}

// padded makes every answer of a peer longer, by spaces that change nothing of the JSON in it.
type padded struct {
	http.RoundTripper
	by *atomic.Int64
}

func (p padded) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := p.RoundTripper.RoundTrip(r)
	if err == nil {
		pad := strings.NewReader(strings.Repeat(" ", int(p.by.Load())))
		res.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(res.Body, pad), res.Body}
	}
	return res, err
}

// TestAdminLongAnswer of a peer: it is not cut to something else, and an operator learns what to do.
func TestAdminLongAnswer(t *testing.T) {
	var by atomic.Int64
	n := newNodes(t, withAdmin, func(o *gatewayOptions) {
		o.NodeTransport = func(rt http.RoundTripper) http.RoundTripper { return padded{rt, &by} }
	})
	n.b.signInAs(t, "dave@example.net")
	o := n.operator(t)
	by.Store(1<<20 - 2000)
	all := o.sessions("")
	if len(all.Items) != 1 || len(all.Unreachable) != 0 {
		t.Fatalf("below the limit: got %+v, want the session", all)
	}
	by.Store(1 << 20)
	if p := o.sessions(""); len(p.Items) != 0 || len(p.Unreachable) != 1 || !strings.Contains(p.Unreachable[0].Detail, "more than 1048576 bytes: ask for fewer at once (limit)") {
		t.Errorf("above it: got %+v, want b missing, and why", p)
	}
	for _, path := range []string{"sessions?node=b", "sessions/" + all.Items[0].ID} {
		if status, body := o.do("GET", path, ""); status != 503 || !strings.Contains(string(body), "1048576 bytes") {
			t.Errorf("%s: got %d %s, want 503 and why", path, status, body)
		}
	}
}

// TestAdminShowsOneSession: by the beginning of its id, whatever node has it; streams, log and tokens
// are there, and no token is.
func TestAdminShowsOneSession(t *testing.T) {
	n := newNodes(t, withAdmin)
	secret := n.b.signInAs(t, "dave@example.net")
	f := n.b.stream("sse", secret, "")
	defer f.close()
	upTo(t, f, "live")
	o := n.operator(t)
	all := o.sessions("")
	if len(all.Items) != 1 {
		t.Fatalf("got %+v, want one session", all)
	}
	id := all.Items[0].ID
	for _, prefix := range []string{id, id[:8]} {
		status, body := o.do("GET", "sessions/"+prefix, "")
		var s listedSession
		if err := json.Unmarshal(body, &s); status != 200 || err != nil {
			t.Fatalf("sessions/%s: got %d %s, want 200", prefix, status, body)
		}
		if s.ID != id || s.JID != "dave@example.net" || s.Node != "b/1" || s.State != "online" || s.Streams != 1 ||
			len(s.OpenStreams) != 1 || s.OpenStreams[0].Transport != "sse" || s.Log.Epoch == "" || len(s.Tokens) != 2 {
			t.Errorf("got %s, want dave online at b with one stream of sse, a log, and two tokens", body)
		}
		if strings.Contains(string(body), secret) {
			t.Error("got the token of the session in the answer, want it nowhere")
		}
	}
	for path, want := range map[string]int{id[:7]: 422, "zzzzzzzz": 422, id + "0": 422, strings.Repeat("0", 32): 404, "00000000": 404} {
		if status, body := o.do("GET", "sessions/"+path, ""); status != want {
			t.Errorf("sessions/%s: got %d %s, want %d", path, status, body, want)
		}
	}
}

// TestAdminEvicts: from any node, a session leaves its node; its streams are told, and continue at
// another node where they were.
func TestAdminEvicts(t *testing.T) {
	for _, encoding := range encodings {
		t.Run(encoding, func(t *testing.T) {
			var log lockedBuffer
			n := newNodes(t, withAdmin, logged(&log))
			conn := n.openAtB("tok-alice")
			o := n.operator(t)
			f := n.b.stream(encoding, "tok-alice", "")
			upTo(t, f, "live")
			say(conn, "m1")
			seen := until(t, f, "m1")
			all := o.sessions("")
			if len(all.Items) != 1 {
				t.Fatalf("got %+v, want one session", all)
			}
			o.want(204, "POST", "sessions/"+all.Items[0].ID[:8]+"/evict", "", nil)
			if _, code, clean := endOf(f); encoding == "ws" && code != 4201 || encoding != "ws" && !clean {
				t.Errorf("the stream ended with %d, clean %v; want 4201, or a clean end of lines", code, clean)
			}
			f.close()
			if n.b.manager.Len() != 0 {
				t.Fatalf("got %d sessions at b, want none", n.b.manager.Len())
			}
			// The client comes back to the node that it knows, with its cursor.
			again := n.b.stream(encoding, "tok-alice", "since="+seen[len(seen)-1].ID)
			defer again.close()
			head := upTo(t, again, "live")
			var hello helloFrame
			if head[0].into(t, &hello); !hello.Resumed {
				t.Errorf("got a reset (%s), want the stream resumed", hello.reason())
			}
			if len(n.a.manager.States()) == 0 || n.a.manager.Len() != 1 || n.b.manager.Len() != 0 {
				t.Errorf("got %d sessions at a and %d at b, want the session at a", n.a.manager.Len(), n.b.manager.Len())
			}
			lines := linesOf(t, &log, "session evicted by an operator")
			if len(lines) != 1 || lines[0]["node"] != "b/1" || lines[0]["client"] != "127.0.0.1" || lines[0]["audit"] != true {
				t.Errorf("got lines %v, want one of the node b with the operator's address", lines)
			}
		})
	}
}

// TestAdminEvictsNoneThatIsLost: a session whose credential nobody has is not evicted. Who has signed in by a
// call has the token that it gave alone, also where the credential is one that clients may send with each request.
func TestAdminEvictsNoneThatIsLost(t *testing.T) {
	for name, credential := range map[string]string{
		"password":     `{"jid":"dave@example.net","upstream":"other","password":"` + canary.Secret() + `"}`,
		"access token": `{"token":"` + canary.Secret() + `"}`,
	} {
		t.Run(name, func(t *testing.T) {
			n := newNodes(t, withAdmin)
			secret := n.b.signInBy(t, credential)
			o := n.operator(t)
			status, body := o.do("POST", "sessions/"+o.sessions("").Items[0].ID+"/evict", "")
			if status != 409 || !strings.Contains(string(body), "PERCH_SECRET_KEY") {
				t.Errorf("got %d %s, want 409 that says what is missing", status, body)
			}
			if res, _ := n.b.get("/v1/session", secret, nil); res.StatusCode != 200 {
				t.Errorf("afterwards: got %d, want the session as it was", res.StatusCode)
			}
		})
	}
}

// TestAdminSignsOutAndReconnects on the node that has the session.
func TestAdminSignsOutAndReconnects(t *testing.T) {
	n := newNodes(t, withAdmin)
	secret := n.b.signInAs(t, "dave@example.net")
	first := n.b.up.Accepted(t.Context())
	o := n.operator(t)
	id := o.sessions("").Items[0].ID
	o.want(204, "POST", "sessions/"+id+"/reconnect", "", nil)
	if second := n.b.up.Accepted(t.Context()); second == nil || second == first {
		t.Fatal("reconnect: got no other connection, want one")
	}
	n.b.eventually("online again", func() bool { return n.b.manager.States()[perch.StateOnline] == 1 })
	o.want(204, "POST", "sessions/"+id+"/sign-out", "", nil)
	for _, g := range []*gateway{n.a, n.b} {
		if res, body := g.get("/v1/session", secret, nil); res.StatusCode != 401 {
			t.Errorf("the token after sign-out: got %d %s, want 401", res.StatusCode, body)
		}
	}
	o.want(404, "GET", "sessions/"+id, "", nil)
}

// TestAdminNamesWhoIsSilent: a node that does not answer is named, and nothing is said to be missing
// that may be there.
func TestAdminNamesWhoIsSilent(t *testing.T) {
	n := newNodes(t, withAdmin)
	n.openAtB("tok-alice")
	n.a.signInAs(t, "carol@example.net")
	o := n.operator(t)
	id := o.sessions("upstream=default").Items[0].ID
	n.toB.cut()
	p := o.sessions("")
	if p.jids() != "carol@example.net" || len(p.Unreachable) != 1 || p.Unreachable[0].Node != "b/1" || p.Unreachable[0].Detail == "" {
		t.Errorf("got %v, unreachable %v; want carol, and b named", p.jids(), p.Unreachable)
	}
	if status, body := o.do("GET", "sessions/"+id, ""); status != 503 || !strings.Contains(string(body), "b/1") {
		t.Errorf("a session of b: got %d %s, want 503 that names b", status, body)
	}
	if status, body := o.do("POST", "nodes/b/drain", ""); status != 503 {
		t.Errorf("drain of b: got %d %s, want 503", status, body)
	}
	var list nodeList
	o.want(200, "GET", "nodes", "", &list)
	if len(list.Items) != 2 || list.Items[0].State != "up" || list.Items[1].State != "unreachable" || list.Items[1].Detail == "" {
		t.Errorf("got %+v, want a up, and b unreachable with a reason", list.Items)
	}
	var levels struct{ Unreachable []struct{ Node string } }
	o.want(200, "PUT", "log-level", `{"level":"debug"}`, &levels)
	if len(levels.Unreachable) != 1 {
		t.Errorf("log level: got %+v unreachable, want b", levels.Unreachable)
	}
}

// TestAdminDrainsAnotherNode, and ends that.
func TestAdminDrainsAnotherNode(t *testing.T) {
	drained := map[string]int{}
	n := newNodes(t, withAdmin, func(o *gatewayOptions) {
		o.Admin.Drain, o.Admin.Resume = func() { drained[o.node]++ }, func() { drained[o.node]-- }
	})
	o := n.operator(t)
	o.want(202, "POST", "nodes/b%2F1/drain", "", nil)
	if drained["b"] != 1 || drained["a"] != 0 {
		t.Errorf("got %v, want b drained", drained)
	}
	n.b.manager.Drain()
	n.a.eventually("b is known to be away", func() bool { p := n.a.manager.Peers(); return len(p) == 1 && p[0].Away })
	if status, body := o.do("POST", "nodes/a/drain", ""); status != 409 {
		t.Errorf("drain of the last node: got %d %s, want 409", status, body)
	}
	o.want(200, "DELETE", "nodes/b/drain", "", nil)
	if drained["b"] != 0 {
		t.Errorf("got %v, want the drain of b ended", drained)
	}
	if status, body := o.do("POST", "nodes/c/drain", ""); status != 404 {
		t.Errorf("drain of a node that is not there: got %d %s, want 404", status, body)
	}
}

// TestAdminSumsUpstreams: what two nodes have counted is one number.
func TestAdminSumsUpstreams(t *testing.T) {
	n := newNodes(t, withAdmin)
	n.openAtB("tok-alice")
	var list struct {
		Items []struct {
			Name     string
			SignIns  int `json:"sign_ins"`
			Sessions map[string]int
			Failures []struct {
				Cause string
				Count int
			}
			Last  struct{ Cause, Node, Advice string } `json:"last_failure"`
			Login struct{ Count, Mean, Max int }       `json:"login_time"`
		}
	}
	n.operator(t).want(200, "GET", "upstreams", "", &list)
	if len(list.Items) != 1 {
		t.Fatalf("got %+v, want one upstream", list.Items)
	}
	u := list.Items[0]
	if u.SignIns != 4 || u.Sessions["online"] != 1 || len(u.Failures) != 1 || u.Failures[0].Count != 6 || u.Last.Node == "" || u.Login.Count != 4 {
		t.Errorf("got %+v, want the sums of both nodes and one session", u)
	}
}

// TestAdminLogLevel: of one node, of all, and none that does not exist.
func TestAdminLogLevel(t *testing.T) {
	var log lockedBuffer
	levels := map[string]*slog.LevelVar{}
	n := newNodes(t, withAdmin, logged(&log), func(o *gatewayOptions) { levels[o.node] = o.Admin.Level })
	o := n.operator(t)
	o.want(200, "PUT", "log-level", `{"level":"debug","node":"b"}`, nil)
	if levels["a"].Level() != slog.LevelInfo || levels["b"].Level() != slog.LevelDebug {
		t.Errorf("got a %v and b %v, want info and debug", levels["a"], levels["b"])
	}
	o.want(200, "PUT", "log-level", `{"level":"error"}`, nil)
	var list struct {
		Items []struct{ Node, Level string }
	}
	o.want(200, "GET", "log-level", "", &list)
	if len(list.Items) != 2 || list.Items[0].Level != "error" || list.Items[1].Level != "error" {
		t.Errorf("got %+v, want error at both", list.Items)
	}
	if lines := linesOf(t, &log, "log level changed by an operator"); len(lines) != 3 {
		t.Errorf("got %d audit lines, want 3", len(lines))
	}
	for body, want := range map[string]int{`{"level":"loud"}`: 422, `{"level":"info","node":"c"}`: 422, `{}`: 422, `{"level":"info","who":1}`: 422, `[]`: 400} {
		if status, answer := o.do("PUT", "log-level", body); status != want {
			t.Errorf("%s: got %d %s, want %d", body, status, answer, want)
		}
	}
}

// TestOperatorHops: what a node vouches for is good for one request with one body, below /admin/v1.
func TestOperatorHops(t *testing.T) {
	n := newNodes(t, withAdmin)
	n.openAtB("tok-alice")
	const nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" // SHA-256 of no bytes
	vouch := func(sum, once string) func(h *api.Hop) {
		return func(h *api.Hop) { h.Operator, h.Once = sum, once }
	}
	for _, tt := range []struct {
		name, path, token string
		hop               func(h *api.Hop)
		want              int
	}{
		{"good", "/admin/v1/nodes", "", vouch(nothing, "w1"), 200},
		{"once more", "/admin/v1/nodes", "", vouch(nothing, "w1"), 403},
		{"without a word", "/admin/v1/nodes", "", vouch(nothing, ""), 403},
		{"another body", "/admin/v1/nodes", "", vouch("00", "w2"), 403},
		{"of a client", "/admin/v1/nodes", "", as, 404},
		{"for what clients ask", "/v1/session", "tok-alice", vouch(nothing, "w3"), 403},
	} {
		if status, _, body := n.hopTo(t, "GET", tt.path, tt.token, n.sign(tt.hop)); status != tt.want {
			t.Errorf("%s: got %d %s, want %d", tt.name, status, body, tt.want)
		}
	}
}

// TestAdminAlone: without other nodes everything answers, and nothing is drained.
func TestAdminAlone(t *testing.T) {
	g := newGateway(t, withAdmin, func(o *gatewayOptions) { o.Admin.Name = func() string { return "here:8080" } })
	g.signIn()
	o := g.operator(t)
	p := o.sessions("node=here:8080")
	if len(p.Items) != 1 || p.Items[0].Node != "here:8080" {
		t.Fatalf("got %+v, want one session at here:8080", p)
	}
	if status, body := o.do("POST", "nodes/here:8080/drain", ""); status != 409 || !strings.Contains(string(body), "SIGTERM") {
		t.Errorf("drain: got %d %s, want 409 that says what to do", status, body)
	}
	o.want(204, "POST", "sessions/"+p.Items[0].ID[:8]+"/evict", "", nil)
	if g.manager.Len() != 0 {
		t.Errorf("after evict: got %d sessions, want none", g.manager.Len())
	}
	if s := g.state(); s.State != "online" {
		t.Errorf("with the next request: got %+v, want the session online", s)
	}
	if status, body := o.do("PATCH", "log-level", ""); status != 405 {
		t.Errorf("PATCH log-level: got %d %s, want 405", status, body)
	}
	if status, body := o.do("GET", "openapi.yaml", ""); status != 200 || !strings.HasPrefix(string(body), "# Written") {
		t.Errorf("openapi.yaml: got %d %.40q, want the description", status, body)
	}
}
