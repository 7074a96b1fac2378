package api_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// storedDetail is what this test reads of a session that is only stored.
type storedDetail struct {
	ID, JID, Node, State, Resource string
	Expires                        *time.Time `json:"expires_at"`
	Log                            struct{ First, Last int64 }
	Tokens                         []struct{ ID, Kind string }
	Features                       []string
}

// TestAdminStored: a session that no node has is in the list, by every filter but that of nodes, and is
// shown; what needs a node is refused with what to do; signed out it is gone, with its tokens.
func TestAdminStored(t *testing.T) {
	var log lockedBuffer
	n := newNodes(t, withAdmin, logged(&log))
	n.openAtB("tok-alice")
	token := n.b.signInAs(t, "dave@example.net")
	o := n.operator(t)
	n.handOver(t, token)
	all := o.sessions("")
	if len(all.Items) != 2 || len(all.Unreachable) != 0 {
		t.Fatalf("got %+v, want alice and dave", all)
	}
	for query, want := range map[string]string{
		"state=stored": "dave@example.net", "jid=dave@example.net": "dave@example.net", "state=online": "alice@example.net",
		"upstream=other": "dave@example.net", "upstream=other&state=online": "", "node=b": "alice@example.net", "node=a": "",
		"state=stored&jid=alice@example.net": "", "state=stored&node=a": "", "state=stored&upstream=default": "",
	} {
		if got := o.sessions(query).jids(); got != want {
			t.Errorf("%s: got %q, want %q", query, got, want)
		}
	}
	var paged []string
	for query := "limit=1"; ; {
		p := o.sessions(query)
		paged = append(paged, p.jids())
		if p.Next == nil {
			break
		}
		query = "limit=1&cursor=" + *p.Next
	}
	if got := strings.Join(paged, " "); len(paged) != 2 || got != all.jids() {
		t.Errorf("got the pages %q, want each of %q once", got, all.jids())
	}

	id := o.sessions("state=stored").Items[0].ID
	for _, prefix := range []string{id, id[:8]} {
		status, body := o.do("GET", "sessions/"+prefix, "")
		var s storedDetail
		if err := json.Unmarshal(body, &s); status != 200 || err != nil {
			t.Fatalf("sessions/%s: got %d %s, want 200", prefix, status, body)
		}
		if s.ID != id || s.JID != "dave@example.net" || s.Node != "" || s.State != "stored" || s.Resource == "" || s.Log.Last == 0 ||
			len(s.Tokens) != 2 || len(s.Features) != 0 || s.Expires == nil || time.Until(*s.Expires) < 6*24*time.Hour {
			t.Errorf("got %s, want dave stored for 7 days, with a log and two tokens", body)
		}
		if strings.Contains(string(body), token) {
			t.Error("got the token of the session in the answer, want it nowhere")
		}
	}
	for _, action := range []string{"reconnect", "evict"} {
		if status, body := o.do("POST", "sessions/"+id+"/"+action, ""); status != 409 || !strings.Contains(string(body), "only stored") {
			t.Errorf("%s: got %d %s, want 409 and why", action, status, body)
		}
	}
	o.want(204, "POST", "sessions/"+id[:8]+"/sign-out", "", nil)
	if !strings.Contains(log.String(), "session signed out by an operator") {
		t.Errorf("got the log %s, want a line of audit", log.String())
	}
	if got := o.sessions("state=stored"); len(got.Items) != 0 {
		t.Errorf("signed out: got %+v, want none", got)
	}
	o.want(404, "GET", "sessions/"+id, "", nil)
	if a := n.a.do("GET", "/v1/session", "", "Authorization", "Bearer "+token); a.status != 401 {
		t.Errorf("its token: got %d %s, want 401", a.status, a.body)
	}
	if got := o.sessions("").jids(); got != "alice@example.net" {
		t.Errorf("got %q, want alice as she was", got)
	}
}

// TestAdminStoredIsOpened: the next request of its client has it at a node again, and an operator sees that.
func TestAdminStoredIsOpened(t *testing.T) {
	n := newNodes(t, withAdmin)
	n.openAtB("tok-alice")
	o := n.operator(t)
	n.handOver(t, "tok-alice")
	if got := o.sessions("state=stored").jids(); got != "alice@example.net" {
		t.Fatalf("got %q, want alice", got)
	}
	n.a.get("/v1/session", "tok-alice", nil)
	all := o.sessions("")
	if len(all.Items) != 1 || all.Items[0].State == "stored" || all.Items[0].Node != "a/1" {
		t.Errorf("got %+v, want alice at a", all)
	}
	if got := o.sessions("state=stored").jids(); got != "" {
		t.Errorf("stored: got %q, want none", got)
	}
}
