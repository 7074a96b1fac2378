package app_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"github.com/perch-im/perch/internal/testkit"
)

// ref is the handle of an own message, or of one of the other side.
func ref(kind, id string) string { return kind + base64.RawURLEncoding.EncodeToString([]byte(id)) }

// TestM07NothingAboutMessages: this service has texts and nothing about them. What the account cannot
// do is said beforehand, and refused before a stanza is sent.
func TestM07NothingAboutMessages(t *testing.T) {
	p := startMessenger(t, messengerAccounts())
	stream := live(t, p.api, "")
	p.api.Call(t, http.StatusAccepted, http.MethodPost, "/v1/messages", map[string]any{"id": "s1", "to": p.jid("carol"), "body": "x", "markable": true})
	stream.Expect(t, "sent", message("message.sent", "x"))
	for _, name := range []string{"message-edit", "message-retract", "message-react", "read-sync"} {
		if features, _ := p.api.Get(t, "/v1/session").At("features").([]any); len(features) == 0 || slices.Contains(features, any(name)) {
			t.Errorf("got the features %v, want some, without %s", features, name)
		}
	}
	p.barrier(t)
	at := "/v1/conversations/" + url.PathEscape(p.jid("carol")) + "/messages/"
	if n := p.sends(func() {
		for _, of := range []string{ref("o", "s1"), ref("i", "c1")} {
			wantProblem(t, p.api.Call(t, http.StatusNotImplemented, http.MethodPatch, at+of, map[string]string{"body": "y"}), "feature-unsupported")
			wantProblem(t, p.api.Call(t, http.StatusNotImplemented, http.MethodDelete, at+of, nil), "feature-unsupported")
			wantProblem(t, p.api.Call(t, http.StatusNotImplemented, http.MethodPut, at+of+"/reactions", map[string][]string{"emojis": {"👍"}}), "feature-unsupported")
		}
		for name, value := range map[string]any{
			"reply_to":    map[string]string{"ref": ref("i", "c1")},
			"mentions":    []map[string]string{{"jid": p.jid("carol")}},
			"attachments": []map[string]string{{"url": "https://files.example.net/a"}},
			"payloads":    []string{"<x xmlns='urn:example:x'/>"},
		} {
			a := p.api.Call(t, http.StatusUnprocessableEntity, http.MethodPost, "/v1/messages", map[string]any{"to": p.jid("carol"), "body": "y", name: value})
			wantProblem(t, a, "validation")
			if got := a.JSON(t).List("errors"); len(got) == 0 || got[0].Str("pointer") != "/"+name {
				t.Errorf("%s: got %s, want /%s named", name, a.Body, name)
			}
		}
		for _, query := range []string{"?around=" + ref("o", "s1"), "?q=x"} {
			wantProblem(t, p.api.Call(t, http.StatusNotImplemented, http.MethodGet, at[:len(at)-1]+query, nil), "feature-unsupported")
		}
		p.barrier(t)
	}); n != 1 { // the barrier
		t.Errorf("got %d stanzas for what is refused, want 1", n)
	}
}

// TestM10Conversations: the list of chats, and how far they were read, are kept by the gateway alone.
func TestM10Conversations(t *testing.T) {
	p := startMessenger(t, messengerAccounts())
	stream := live(t, p.api, "")
	carol := p.as(t, carolToken)
	live(t, carol, "")
	carol.Call(t, http.StatusAccepted, http.MethodPost, "/v1/messages", map[string]string{"to": p.jid("alice"), "body": "one"})
	one := stream.Expect(t, "message", message("message.received", "one"))
	path := "/v1/conversations/" + url.PathEscape(p.jid("carol"))
	c := p.api.Get(t, path)
	if c.Str("last_message.body") != "one" || c.At("unread") != 1.0 {
		t.Errorf("got %v, want one unread message", c)
	}
	a := p.api.Call(t, http.StatusOK, http.MethodPut, path+"/read", map[string]string{"ref": one.Data.Str("ref")})
	if read := a.JSON(t); read.At("unread") != 0.0 || read.Str("read.ref") != one.Data.Str("ref") {
		t.Errorf("got %s, want it read", a.Body)
	}
	stream.Expect(t, "read", func(f testkit.Frame) bool {
		return f.Type == "conversation.read" && f.Data.Str("jid") == p.jid("carol")
	})
	p.api.Call(t, http.StatusOK, http.MethodPatch, path, map[string]any{"pinned": true, "draft": "two"})
	if list := p.api.Get(t, "/v1/conversations").List("items"); len(list) != 1 || list[0].Str("draft") != "two" || !list[0].Bool("pinned") {
		t.Errorf("got %v, want carol, pinned, with a draft", list)
	}
	if items := p.api.Get(t, path+"/messages").List("items"); len(items) != 0 {
		t.Errorf("got %v, want nothing: neither of them keeps history", items)
	}
}
