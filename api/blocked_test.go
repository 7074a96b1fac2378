package api_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/fakexmpp"
)

// withBlocking is a gateway in front of a server with block lists.
func withBlocking(t *testing.T, blocked ...perch.JID) *gateway {
	t.Helper()
	f := newGateway(t)
	f.up.Edit(func(d *fakexmpp.Data) { d.Blocking, d.Blocked = true, blocked })
	f.signIn()
	return f
}

// blockedList reads the list.
func (g *gateway) blockedList() (list []string) {
	g.t.Helper()
	var l perch.BlockList
	g.want(200, "GET", "/v1/blocked", "", &l)
	for _, b := range l.Items {
		list = append(list, string(b.JID))
	}
	return list
}

func (g *gateway) wantBlocked(want ...string) {
	g.t.Helper()
	if got := g.blockedList(); !slices.Equal(got, want) {
		g.t.Errorf("the block list is %q, want %q", got, want)
	}
}

func TestBlocked(t *testing.T) {
	f := withBlocking(t, "eve@example.net")
	f.wantBlocked("eve@example.net")
	tag := f.want(200, "GET", "/v1/blocked", "", nil).header.Get("ETag")
	if a := f.call("GET", "/v1/blocked", "", "If-None-Match", tag); a.status != 304 {
		t.Errorf("the same list: %d, want 304", a.status)
	}
	f.want(204, "PUT", "/v1/blocked/bob@example.net", "", nil)
	f.want(204, "PUT", "/v1/blocked/bob@example.net", `{}`, nil)
	f.want(204, "PUT", "/v1/blocked/Evil.Example", `{"report":null}`, nil)
	f.want(204, "PUT", "/v1/blocked/mary@example.net%2Fphone", `{"report":{"reason":"abuse","text":"two\nlines","stanza_ids":["1","2"]}}`, nil)
	f.wantBlocked("bob@example.net", "eve@example.net", "evil.example", "mary@example.net/phone")
	var one perch.Blocked
	if f.want(200, "GET", "/v1/blocked/BOB@example.net", "", &one); one.JID != "bob@example.net" {
		t.Errorf("got %+v, want bob", one)
	}
	f.refused(404, "item-not-found", "", "GET", "/v1/blocked/mary@example.net", "")
	f.up.Edit(func(d *fakexmpp.Data) {
		if diff := cmp.Diff([]perch.Report{{Reason: "abuse", Text: "two\nlines", StanzaIDs: []string{"1", "2"}}}, d.Reports); diff != "" {
			t.Errorf("reports: -want +got:\n%s", diff)
		}
	})

	f.refused(403, "blocked", "", "POST", "/v1/messages", `{"to":"bob@example.net","body":"x"}`)
	f.refused(403, "blocked", "", "POST", "/v1/messages", `{"to":"x@evil.example","body":"x"}`)
	f.refused(403, "blocked", "", "POST", "/v1/buddies", `{"jid":"bob@example.net"}`)
	f.refused(403, "blocked", "", "PUT", "/v1/chat-states/bob@example.net", `{"state":"gone"}`)

	f.want(204, "DELETE", "/v1/blocked/bob@example.net", "", nil)
	f.want(204, "DELETE", "/v1/blocked/bob@example.net", "", nil)
	f.want(202, "POST", "/v1/messages", `{"to":"bob@example.net","body":"x"}`, nil)
	f.want(204, "DELETE", "/v1/blocked?all=1", "", nil)
	f.wantBlocked()
}

// TestBadBlockInput: what is wrong is refused by its name, and the upstream is asked nothing.
func TestBadBlockInput(t *testing.T) {
	f := withBlocking(t)
	f.up.Edit(func(d *fakexmpp.Data) {
		d.Refuse = func(method string) error {
			t.Errorf("the upstream was asked for %s, want nothing", method)
			return nil
		}
	})
	report := func(fields string) string { return `{"report":{"reason":"spam"` + fields + `}}` }
	for _, c := range []struct{ name, method, path, body, code, pointer string }{
		{"no address", "PUT", "/v1/blocked/@", "", "jid-malformed", "{jid}"},
		{"no domain", "PUT", "/v1/blocked/a%20b", "", "jid-malformed", "{jid}"},
		{"the account itself", "PUT", "/v1/blocked/alice@example.net", "", "validation", "{jid}"},
		{"another field", "PUT", "/v1/blocked/bob@example.net", `{"colour":1}`, "validation", "/colour"},
		{"no reason", "PUT", "/v1/blocked/bob@example.net", `{"report":{}}`, "validation", "/report/reason"},
		{"another reason", "PUT", "/v1/blocked/bob@example.net", `{"report":{"reason":"boring"}}`, "validation", "/report/reason"},
		{"another field of a report", "PUT", "/v1/blocked/bob@example.net", report(`,"x":1`), "validation", "/report/x"},
		{"a long text", "PUT", "/v1/blocked/bob@example.net", report(`,"text":"` + strings.Repeat("x", 2001) + `"`), "validation", "/report/text"},
		{"many messages", "PUT", "/v1/blocked/bob@example.net", report(`,"stanza_ids":["1"` + strings.Repeat(`,"1"`, 20) + `]`), "validation", "/report/stanza_ids"},
		{"no message", "PUT", "/v1/blocked/bob@example.net", report(`,"stanza_ids":["1",""]`), "validation", "/report/stanza_ids/1"},
		{"a message of two lines", "PUT", "/v1/blocked/bob@example.net", report(`,"stanza_ids":["a\nb"]`), "validation", "/report/stanza_ids/0"},
		{"a long id", "PUT", "/v1/blocked/bob@example.net", report(`,"stanza_ids":["` + strings.Repeat("x", 1025) + `"]`), "validation", "/report/stanza_ids/0"},
		{"another query", "PUT", "/v1/blocked/bob@example.net?x=1", "", "validation", "?x"},
		{"all by mistake", "DELETE", "/v1/blocked", "", "validation", "?all"},
		{"not all", "DELETE", "/v1/blocked?all=0", "", "validation", "?all"},
		{"all maybe", "DELETE", "/v1/blocked?all=maybe", "", "validation", "?all"},
		{"a page", "GET", "/v1/blocked?limit=1", "", "validation", "?limit"},
	} {
		t.Run(c.name, func(t *testing.T) { f.refused(422, c.code, c.pointer, c.method, c.path, c.body) })
	}
}

// TestNobodyIsBlocked: on a server without block lists, and on a service of chat alone, everything is refused.
func TestNobodyIsBlocked(t *testing.T) {
	for _, chatOnly := range []bool{false, true} {
		f := newGateway(t)
		f.up.Edit(func(d *fakexmpp.Data) { d.Capabilities.ChatOnly = chatOnly })
		f.signIn()
		for method, paths := range map[string][]string{
			"GET": {"/v1/blocked", "/v1/blocked/bob@example.net"}, "PUT": {"/v1/blocked/bob@example.net"},
			"DELETE": {"/v1/blocked/bob@example.net", "/v1/blocked?all=1"},
		} {
			for _, path := range paths {
				f.refused(501, "feature-unsupported", "", method, path, "")
			}
		}
	}
}

// TestBlockCommands: the socket blocks as REST does, and every stream says so.
func TestBlockCommands(t *testing.T) {
	g := withBlocking(t)
	f := g.dial(token)
	defer f.close()
	if e := f.answerTo(`{"id":"c1","type":"blocked.add","data":{"jid":"bob@example.net","report":{"reason":"spam"}}}`); e.Status != 204 {
		t.Errorf("blocked.add: %d %+v, want 204", e.Status, e.Error)
	}
	g.wantBlocked("bob@example.net")
	if e := f.answerTo(`{"id":"c2","type":"message.send","data":{"to":"bob@example.net","body":"x"}}`); e.Type != "error" || e.Error.Code != "blocked" {
		t.Errorf("message.send: %s %+v, want blocked", e.Type, e.Error)
	}
	for command, pointer := range map[string]string{
		`{"id":"c3","type":"blocked.add","data":{"jid":"@"}}`:                                        "/data/jid",
		`{"id":"c4","type":"blocked.add","data":{"jid":"bob@example.net","report":{"reason":"no"}}}`: "/data/report/reason",
		`{"id":"c5","type":"blocked.remove","data":{"jid":""}}`:                                      "/data/jid",
		`{"id":"c6","type":"blocked.remove","data":{"jid":"bob@example.net","report":{"reason":1}}}`: "/data/report",
	} {
		if e := f.answerTo(command); e.Type != "error" || len(e.Error.Errors) != 1 || e.Error.Errors[0].Pointer != pointer {
			t.Errorf("%s: %s %+v, want it refused at %s", command, e.Type, e.Error, pointer)
		}
	}
	f.send(`{"type":"blocked.remove","data":{"jid":"bob@example.net"}}`)
	for {
		e, err := f.next()
		if err != nil {
			t.Fatalf("waiting for the event: %v, want blocked.changed", err)
		}
		if e.Type == "blocked.changed" {
			if want := `{"added":[],"removed":["bob@example.net"]}`; string(e.Data) != want {
				t.Errorf("got %s, want %s", e.Data, want)
			}
			break
		}
	}
	g.wantBlocked()
}
