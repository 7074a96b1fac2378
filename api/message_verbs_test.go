package api_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/perch-im/perch"
)

// posted sends a message with this id and returns its address in the conversation with bob.
func (g *gateway) posted(id string) (path string) {
	g.t.Helper()
	a := g.want(202, "POST", "/v1/messages", `{"id":"`+id+`","to":"bob@example.net","body":"first"}`, nil)
	if ref := field(g.t, a.body, "ref"); ref != ownRef(id) {
		g.t.Fatalf("got the ref %q, want %q", ref, ownRef(id))
	}
	g.eventually("sent", func() bool { return next[*perch.MessageOut](g).ID == id })
	return "/v1/conversations/bob@example.net/messages/" + ownRef(id)
}

// relationOf waits for the next message that is about another one.
func relationOf(g *gateway) *perch.MessageOut {
	g.t.Helper()
	for {
		if m := next[*perch.MessageOut](g); m.Relation != nil {
			return m
		}
	}
}

// TestVerbs: each verb is accepted with an id, whose status goes on, and becomes one stanza about the
// message, however often it is asked for with one key.
func TestVerbs(t *testing.T) {
	f := newGateway(t)
	conn := f.signIn()
	path := f.posted("s1")
	for _, c := range []struct {
		name, method, path, body, other string
		want                            perch.Relation
	}{
		{"edit", "PATCH", path, `{"body":"second"}`, `{"body":"third"}`, perch.Relation{Kind: perch.RelationEdit, Target: "s1"}},
		{"react", "PUT", path + "/reactions", `{"emojis":["👍","🎉"]}`, `{"emojis":[]}`, perch.Relation{Kind: perch.RelationReactions, Target: "s1", Emojis: []string{"👍", "🎉"}}},
		{"retract", "DELETE", path + "?reason=too%20early", "", "", perch.Relation{Kind: perch.RelationRetraction, Target: "s1", Reason: "too early"}},
	} {
		a := f.want(202, c.method, c.path, c.body, nil, "Idempotency-Key", `"`+c.name+`"`)
		id := field(t, a.body, "id")
		if field(t, a.body, "ref") != ownRef("s1") || field(t, a.body, "status") != "accepted" || id == "" || id == "s1" || a.header.Get("Location") != "/v1/messages/"+id {
			t.Errorf("%s: got %v %s, want an id of its own, the ref of the message and the address of the status", c.name, a.header, a.body)
		}
		m := relationOf(f)
		if rel := m.Relation; m.ID != id || m.To != "bob@example.net" || rel.Kind != c.want.Kind || rel.Target != c.want.Target || rel.Reason != c.want.Reason || !slices.Equal(rel.Emojis, c.want.Emojis) {
			t.Errorf("%s: got %+v, %+v; want %+v", c.name, m, m.Relation, c.want)
		}
		if again := f.want(202, c.method, c.path, c.body, nil, "Idempotency-Key", c.name); !bytes.Equal(again.body, a.body) {
			t.Errorf("%s again: got %s, want %s", c.name, again.body, a.body)
		}
		if c.other != "" {
			f.refused(422, "idempotency-mismatch", "", c.method, c.path, c.other, "Idempotency-Key", c.name)
		}
		conn.Ack()
		f.eventually("acked", func() bool {
			return field(t, f.want(200, "GET", "/v1/messages/"+id, "", nil).body, "status") == "acked"
		})
	}
	if n := relations(conn.Sent()); n != 3 {
		t.Errorf("got %d stanzas about the message, want 3", n)
	}
}

// relations counts what is about other messages.
func relations(all []perch.Outbound) (n int) {
	for _, out := range all {
		if m, ok := out.(*perch.MessageOut); ok && m.Relation != nil {
			n++
		}
	}
	return n
}

// TestEditHasAllFields: a correction has what a message has, and its id may be chosen.
func TestEditHasAllFields(t *testing.T) {
	f := newGateway(t)
	f.signIn()
	path := f.posted("s1")
	body := strings.Replace(strings.Replace(everything, `"to":"bob@example.net",`, `"id":"e1",`, 1), `"kind":"chat",`, "", 1)
	for range 2 {
		if a := f.want(202, "PATCH", path, body, nil); field(t, a.body, "id") != "e1" {
			t.Errorf("got %s, want the id e1", a.body)
		}
	}
	m := relationOf(f)
	if m.ID != "e1" || m.Body != "hé Bob" || m.Details == nil || m.Details.ReplyTo == nil || len(m.Details.Mentions) != 2 || len(m.Details.Payloads) != 1 {
		t.Errorf("got %+v with %+v, want e1 with all details", m, m.Details)
	}
}

// TestVerbsMakeEvents: what the account does to a message is an event on its streams.
func TestVerbsMakeEvents(t *testing.T) {
	f := newGateway(t)
	f.signIn()
	stream := f.dial(token)
	defer stream.close()
	path := f.posted("s1")
	upTo(t, stream, "message.sent")
	f.want(202, "PATCH", path, `{"body":"second"}`, nil)
	all := upTo(t, stream, "message.edited")
	var m perch.Message
	all[len(all)-1].into(t, &m)
	if m.ID != "s1" || m.Ref != ownRef("s1") || m.Body != "second" || m.MessageDetails == nil || m.Edited == nil || m.Edited.Count != 1 {
		t.Errorf("got %s, want s1 with its second text", all[len(all)-1].Data)
	}
	f.want(202, "PUT", path+"/reactions", `{"emojis":["👍"]}`, nil)
	all = upTo(t, stream, "message.reactions")
	var r perch.MessageReactions
	all[len(all)-1].into(t, &r)
	if r.Ref != ownRef("s1") || r.Conversation != "bob@example.net" || r.From.Bare() != "alice@example.net" || len(r.Reactions) != 1 || !r.Reactions[0].Own {
		t.Errorf("got %+v, want the own reaction to s1", r)
	}
	got := f.want(200, "GET", path, "", nil)
	if m := (perch.Message{}); field(t, got.body, "body") != "second" || !bytes.Contains(got.body, []byte(`"emoji":"👍"`)) || m.ID != "" {
		t.Errorf("got %s, want the second text and the reaction", got.body)
	}
	f.want(304, "GET", path, "", nil, "If-None-Match", got.header.Get("ETag"))
	f.want(202, "DELETE", path, "", nil)
	all = upTo(t, stream, "message.retracted")
	var x perch.MessageRetracted
	all[len(all)-1].into(t, &x)
	if x.Ref != ownRef("s1") || x.Conversation != "bob@example.net" || x.At == 0 {
		t.Errorf("got %+v, want s1", x)
	}
}

// TestVerbCommands are the verbs on a socket: the id of the command is the key.
func TestVerbCommands(t *testing.T) {
	f := newGateway(t)
	conn := f.signIn()
	f.posted("s1")
	stream := f.dial(token)
	defer stream.close()
	at := `"conversation":"bob@example.net","ref":"` + ownRef("s1") + `"`
	if e := stream.answerTo(`{"type":"message.edit","data":{` + at + `,"id":"e0","body":"another"}}`); e.Status != 202 || relationOf(f).ID != "e0" {
		t.Errorf("without an id: got %d %s (%+v), want 202 for e0", e.Status, e.Data, e.Error)
	}
	for _, c := range []struct{ id, command string }{
		{"k1", `"message.edit","data":{` + at + `,"body":"second"}`},
		{"k2", `"message.react","data":{` + at + `,"emojis":["👍"]}`},
		{"k3", `"message.retract","data":{` + at + `,"reason":"so"}`},
	} {
		first := stream.answerTo(`{"id":"` + c.id + `","type":` + c.command + `}`)
		again := stream.answerTo(`{"id":"` + c.id + `","type":` + c.command + `}`)
		if first.Type != "reply" || first.Status != 202 || !strings.Contains(string(first.Data), `"ref":"`+ownRef("s1")+`"`) || string(again.Data) != string(first.Data) {
			t.Errorf("%s: got %d %s (%+v), and again %s; want 202 twice, the same", c.command, first.Status, first.Data, first.Error, again.Data)
		}
	}
	f.eventually("the last one", func() bool { return relationOf(f).Relation.Kind == perch.RelationRetraction })
	if n := relations(conn.Sent()); n != 4 {
		t.Errorf("got %d stanzas about the message, want 4", n)
	}
}

// TestBadVerbs are refused by the name of the field.
func TestBadVerbs(t *testing.T) {
	f := newGateway(t)
	f.signIn()
	own := "/v1/conversations/bob@example.net/messages/" + ownRef("s1")
	long := strings.Repeat("x", 65)
	for _, c := range []struct{ name, method, path, body, code, pointer string }{
		{"no ref", "PATCH", "/v1/conversations/bob@example.net/messages/m1", `{"body":"x"}`, "validation", "{ref}"},
		{"no ref to show", "GET", "/v1/conversations/bob@example.net/messages/m1", "", "validation", "{ref}"},
		{"no ref to take back", "DELETE", "/v1/conversations/bob@example.net/messages/%20", "", "validation", "{ref}"},
		{"no JID", "PATCH", "/v1/conversations/@/messages/" + ownRef("s1"), `{"body":"x"}`, "jid-malformed", "{jid}"},
		{"a query of an edit", "PATCH", own + "?wait=acked", `{"body":"x"}`, "validation", "?wait"},
		{"a query of a message", "GET", own + "?x=1", "", "validation", "?x"},
		{"a blank id", "PATCH", own, `{"body":"x","id":"a b"}`, "validation", "/id"},
		{"another recipient", "PATCH", own, `{"body":"x","to":"carol@example.net"}`, "validation", "/to"},
		{"another reason", "DELETE", own + "?why=x", "", "validation", "?why"},
		{"a reason of two lines", "DELETE", own + "?reason=a%0Ab", "", "validation", "?reason"},
		{"a long reason", "DELETE", own + "?reason=" + strings.Repeat("x", 1025), "", "validation", "?reason"},
		{"a blank id of a retraction", "DELETE", own + "?id=a%20b", "", "validation", "?id"},
		{"no emojis", "PUT", own + "/reactions", `{}`, "validation", "/emojis"},
		{"null", "PUT", own + "/reactions", `{"emojis":null}`, "validation", "/emojis"},
		{"one emoji", "PUT", own + "/reactions", `{"emojis":"👍"}`, "validation", "/emojis"},
		{"an empty emoji", "PUT", own + "/reactions", `{"emojis":[""]}`, "validation", "/emojis/0"},
		{"a sentence", "PUT", own + "/reactions", `{"emojis":["👍","well done"]}`, "validation", "/emojis/1"},
		{"a long emoji", "PUT", own + "/reactions", `{"emojis":["` + long + `"]}`, "validation", "/emojis/0"},
		{"an emoji twice", "PUT", own + "/reactions", `{"emojis":["👍","👍"]}`, "validation", "/emojis/1"},
		{"33 emojis", "PUT", own + "/reactions", `{"emojis":["` + strings.Repeat(`a","`, 32) + `b"]}`, "validation", "/emojis"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := *f
			f.t = t
			f.refused(422, c.code, c.pointer, c.method, c.path, c.body)
		})
	}
	theirs := "/v1/conversations/bob@example.net/messages/" + theirRef("m1")
	f.refused(403, "forbidden", "", "PATCH", theirs, `{"body":"x"}`)
	f.refused(403, "forbidden", "", "DELETE", theirs, "")
	f.refused(404, "not-found", "", "GET", theirs, "")
}
