package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/perch-im/perch/app"
	"github.com/perch-im/perch/docs"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/contract"
	"github.com/perch-im/perch/internal/testkit"
)

// operatorOf asks the admin API of an app, and holds each answer against its description.
type operatorOf struct {
	t      *testing.T
	app    *app.App
	token  string
	client *http.Client
}

func newOperator(t *testing.T, a *app.App, token string) *operatorOf {
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &operatorOf{t, a, token, &http.Client{Transport: contract.AdminTransport(t, transport, docs.AdminOpenAPI)}}
}

// ask sends a request; v gets the answer, unless it is nil.
func (o *operatorOf) ask(want int, method, path string, v any) {
	o.t.Helper()
	req, err := http.NewRequestWithContext(o.t.Context(), method, "http://"+o.app.AdminAddr()+"/"+path, nil)
	if err != nil {
		o.t.Fatalf("NewRequest: got error %v, want none", err)
	}
	if o.token != "" {
		req.Header.Set("Authorization", "Bearer "+o.token)
	}
	res, err := o.client.Do(req)
	if err != nil {
		o.t.Fatalf("%s %s: got error %v, want none", method, path, err)
	}
	defer res.Body.Close()
	var body bytes.Buffer
	if _, err := body.ReadFrom(res.Body); err != nil || res.StatusCode != want {
		o.t.Fatalf("%s %s: got %d %s, error %v, want %d", method, path, res.StatusCode, body.String(), err, want)
	}
	if v == nil {
		return
	}
	if err := json.Unmarshal(body.Bytes(), v); err != nil {
		o.t.Fatalf("%s %s: got %s, want JSON: %v", method, path, body.String(), err)
	}
}

// adminNode is what these tests read of a node.
type adminNode struct {
	ID, Name, State string
	Owned, Streams  int
}

func (o *operatorOf) nodes() (list struct{ Items []adminNode }) {
	o.t.Helper()
	o.ask(http.StatusOK, "GET", "admin/v1/nodes", &list)
	return list
}

// owner is the node of the only session, or "" while none has it.
func (o *operatorOf) owner() (id, node string) {
	o.t.Helper()
	var list struct {
		Items []struct{ ID, Node, State string }
	}
	o.ask(http.StatusOK, "GET", "admin/v1/sessions", &list)
	if len(list.Items) != 1 {
		return "", ""
	}
	return list.Items[0].ID, strings.Split(list.Items[0].Node, "/")[0]
}

// TestAdminOnThreeNodes, over one Redis and a real server: any node shows the session of another, has
// it evicted, and has its node drained. Of what bob says all the while nothing is lost, and he sees no
// change of presence.
func TestAdminOnThreeNodes(t *testing.T) {
	l := loginNamed("prosody SCRAM-SHA-1")
	k := newRedisWorld(t, l)
	k.o.SealKeys, k.o.AdminToken = sealKeys(1), canary.Secret()
	apps := map[string]*app.App{}
	for _, name := range []string{"a", "b", "c"} {
		k.o.Node = name
		k.start(t)
		apps[name] = k.app
	}
	o := newOperator(t, apps["a"], k.o.AdminToken)
	testkit.Eventually(t, 10*time.Second, func() error {
		if n := o.nodes().Items; len(n) != 3 || n[0].Name != "a" {
			return fmt.Errorf("got nodes %v, want three and a first", n)
		}
		return nil
	})
	newOperator(t, apps["b"], "").ask(http.StatusUnauthorized, "GET", "admin/v1/sessions", nil)

	k.peer = k.server.SlixmppFor(t, k.bob)
	k.peer.Presence(t, "", "")
	k.api = l.signIn(t, apps["b"], k.server, k.alice)
	stream := live(t, k.api, "")
	k.befriend(t, stream)
	stream.Close()
	var client ledger
	client.open(t, k.api)
	var sent []string
	say := func(body string) {
		t.Helper()
		sent = append(sent, body)
		k.peer.Message(t, k.alice.JID, body)
	}
	again := func(at string) {
		t.Helper()
		k.api.URL = apps[at].URL()
		client.stream.Close()
		client.open(t, k.api)
	}

	say("before")
	client.received(t, "before")
	id, at := o.owner()
	if at != "b" {
		t.Fatalf("got the session at %q, want b", at)
	}
	o.ask(http.StatusNoContent, "POST", "admin/v1/sessions/"+id[:8]+"/evict", nil)
	say("while it is evicted")
	again("b") // the client knows this node alone
	client.received(t, "while it is evicted")
	say("after")
	client.received(t, "after")
	if _, at = o.owner(); at != "a" && at != "c" {
		t.Fatalf("got the session at %q after it was evicted from b, want another node", at)
	}

	away := newOperator(t, apps["b"], k.o.AdminToken) // it owns nothing now
	away.ask(http.StatusAccepted, "POST", "admin/v1/nodes/"+at+"/drain", nil)
	say("while its node drains")
	testkit.Eventually(t, 20*time.Second, func() error {
		for _, n := range away.nodes().Items {
			if n.Name == at && (n.State != "draining" || n.Owned > 0) {
				return fmt.Errorf("got %+v, want it drained of its session", n)
			}
		}
		return nil
	})
	again("b")
	client.received(t, "while its node drains")
	drained := newOperator(t, apps[at], k.o.AdminToken)
	drained.ask(http.StatusServiceUnavailable, "GET", "readyz", nil)
	away.ask(http.StatusOK, "DELETE", "admin/v1/nodes/"+at+"/drain", nil)
	drained.ask(http.StatusOK, "GET", "readyz", nil)
	again(at)
	say("in the end")
	client.received(t, "in the end")
	client.wantWhole(t, sent)

	id, _ = o.owner()
	o.ask(http.StatusNoContent, "POST", "admin/v1/sessions/"+id+"/sign-out", nil)
	k.api.Call(t, http.StatusUnauthorized, http.MethodGet, "/v1/session", nil)
}

// TestAdminStoredOnThreeNodes: whose node has stopped, or was killed, is listed by the other nodes as
// stored until somebody opens it, and can be signed out from any of them.
func TestAdminStoredOnThreeNodes(t *testing.T) {
	l := loginNamed("prosody SCRAM-SHA-1") // a password is not in the token, and none is stored
	k := newRedisWorld(t, l)
	k.o.AdminToken, k.o.Lease = canary.Secret(), 2*time.Second
	apps := map[string]*app.App{}
	for _, name := range []string{"a", "b"} {
		k.o.Node = name
		k.start(t)
		apps[name] = k.app
	}
	endB := k.end
	k.o.Node = "c"
	k.startProgram(t, syscall.SIGKILL)
	killC, c := k.end, k.api.URL
	o := newOperator(t, apps["a"], k.o.AdminToken)
	testkit.Eventually(t, 10*time.Second, func() error {
		if n := o.nodes().Items; len(n) != 3 {
			return fmt.Errorf("got nodes %v, want three", n)
		}
		return nil
	})
	bobs := l.signIn(t, apps["b"], k.server, k.bob)
	alice := testkit.NewGateway(t, c, "")
	alice.Token = alice.Call(t, http.StatusCreated, http.MethodPost, "/v1/session", map[string]string{"jid": k.alice.JID, "password": k.alice.Password}).JSON(t).Str("token")

	endB(t)
	killC(t)
	type session struct{ ID, JID, Node, State string }
	stored := func() map[string]session {
		t.Helper()
		var list struct{ Items []session }
		o.ask(http.StatusOK, "GET", "admin/v1/sessions?state=stored", &list)
		all := map[string]session{}
		for _, s := range list.Items {
			all[s.JID] = s
		}
		return all
	}
	testkit.Eventually(t, 20*time.Second, func() error {
		if all := stored(); len(all) != 2 || all[k.bob.JID].Node != "" || !strings.HasPrefix(all[k.alice.JID].Node, "c/") {
			return fmt.Errorf("got %v, want bob without a node, and alice of the one that has died", all)
		}
		return nil
	})
	all := stored()
	bobs.URL = apps["a"].URL()
	bobs.Call(t, http.StatusUnauthorized, http.MethodGet, "/v1/session", nil) // it needs his password again
	o.ask(http.StatusConflict, "POST", "admin/v1/sessions/"+all[k.alice.JID].ID+"/evict", nil)
	o.ask(http.StatusNoContent, "POST", "admin/v1/sessions/"+all[k.alice.JID].ID[:8]+"/sign-out", nil)
	if all := stored(); len(all) != 1 {
		t.Errorf("got %v, want bob alone", all)
	}
	alice.URL = apps["a"].URL()
	alice.Call(t, http.StatusUnauthorized, http.MethodGet, "/v1/session", nil)
	if keys := k.keys.Keys(t.Context(), "perch:{"+all[k.alice.JID].ID+"}:*").Val(); len(keys) > 0 {
		t.Errorf("Redis still has %v, want nothing of alice", keys)
	}
}
