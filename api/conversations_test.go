package api_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/perch-im/perch"
)

type conversationList struct {
	Items    []perch.Conversation `json:"items"`
	Next     *string              `json:"next"`
	Complete bool                 `json:"complete"`
}

func (l conversationList) jids() string {
	var s []string
	for _, c := range l.Items {
		s = append(s, c.JID.Local())
	}
	return strings.Join(s, " ")
}

// wrote delivers a message of somebody to alice.
func wrote(g *gateway, from perch.JID, id string) {
	g.conn.Deliver(&perch.MessageIn{Message: perch.Message{
		ID: id, Ref: theirRef(id), From: from + "/phone", To: "alice@example.net", Kind: perch.ChatMessage, Body: "number " + id, Source: perch.SourceLive,
	}})
}

// talking is a gateway to which bob, then carol, then bob again have written.
func talking(t *testing.T) *gateway {
	f := newGateway(t)
	f.signIn()
	wrote(f, "bob@example.net", "b1")
	wrote(f, "carol@example.net", "c1")
	wrote(f, "bob@example.net", "b2")
	f.eventually("listed", func() bool {
		var list conversationList
		f.want(200, "GET", "/v1/conversations", "", &list)
		return len(list.Items) == 2 && list.Items[0].Unread == 2
	})
	return f
}

func TestConversations(t *testing.T) {
	f := talking(t)
	var list conversationList
	a := f.want(200, "GET", "/v1/conversations", "", &list)
	if list.jids() != "bob carol" || list.Next != nil {
		t.Fatalf("got %s, want bob, then carol", a.body)
	}
	bob := list.Items[0]
	if bob.Kind != perch.ChatConversation || bob.Name != "Bob" || bob.Notify != perch.NotifyAll || bob.LastMessage == nil || bob.LastMessage.Body != "number b2" || bob.LastMessage.Ref != theirRef("b2") || bob.Read != nil || bob.Draft != nil {
		t.Errorf("got %s, want the last message of Bob, and nothing read", a.body)
	}
	f.want(304, "GET", "/v1/conversations", "", nil, "If-None-Match", a.header.Get("ETag"))
	first := f.want(200, "GET", "/v1/conversations?limit=1", "", &list)
	if list.jids() != "bob" || list.Next == nil || !strings.Contains(first.header.Get("Link"), `rel="next"`) {
		t.Fatalf("got %s, want bob and a cursor", first.body)
	}
	if f.want(200, "GET", "/v1/conversations?limit=1&cursor="+*list.Next, "", &list); list.jids() != "carol" {
		t.Errorf("the second page: got %s, want carol", list.jids())
	}
	if f.want(200, "GET", "/v1/conversations?type=room", "", &list); len(list.Items) != 0 {
		t.Errorf("rooms: got %s, want none", list.jids())
	}
	one := f.want(200, "GET", "/v1/conversations/BOB@example.net", "", nil)
	if field(t, one.body, "jid") != "bob@example.net" {
		t.Errorf("got %s, want bob", one.body)
	}
	f.want(304, "GET", "/v1/conversations/bob@example.net", "", nil, "If-None-Match", one.header.Get("ETag"))
}

func TestConversationPatch(t *testing.T) {
	f := talking(t)
	const path = "/v1/conversations/bob@example.net"
	var c perch.Conversation
	f.want(200, "PATCH", path, `{"notify":"mentions","pinned":true,"archived":true,"draft":"I was"}`, &c)
	if c.Notify != perch.NotifyMentions || !c.Pinned || !c.Archived || c.Draft == nil || *c.Draft != "I was" {
		t.Errorf("got %+v, want all four", c)
	}
	f.want(200, "PATCH", path, `{"pinned":false}`, &c, "Content-Type", "application/merge-patch+json")
	if c.Pinned || c.Notify != perch.NotifyMentions || c.Draft == nil {
		t.Errorf("got %+v, want the rest as it was", c)
	}
	if f.want(200, "PATCH", path, `{"draft":null}`, &c); c.Draft != nil || !c.Archived {
		t.Errorf("got %+v, want no draft", c)
	}
	if f.want(200, "GET", path, "", &c); c.Draft != nil || !c.Archived || c.Notify != perch.NotifyMentions {
		t.Errorf("got %+v, want it kept", c)
	}
}

// TestConversationRead moves forward only, on REST and the socket.
func TestConversationRead(t *testing.T) {
	f := talking(t)
	const path = "/v1/conversations/bob@example.net"
	stream := f.dial(token)
	defer stream.close()
	var read perch.ConversationRead
	f.want(200, "PUT", path+"/read", `{"ref":"`+theirRef("b1")+`"}`, &read)
	if read.JID != "bob@example.net" || read.Read == nil || read.Read.Ref != theirRef("b1") || read.Unread != 1 {
		t.Errorf("got %+v, want b1 and one unread", read)
	}
	upTo(t, stream, "conversation.read")
	e := stream.answerTo(`{"id":"r1","type":"conversation.read","data":{"conversation":"bob@example.net","ref":"` + theirRef("b2") + `","receipts":false}}`)
	if e.Type != "reply" || e.Status != 200 || !strings.Contains(string(e.Data), `"unread":0`) {
		t.Errorf("got %d %s (%+v), want 200 and none unread", e.Status, e.Data, e.Error)
	}
	f.want(200, "PUT", path+"/read", `{"ref":"`+theirRef("b1")+`"}`, &read)
	if read.Read == nil || read.Read.Ref != theirRef("b2") || read.Unread != 0 {
		t.Errorf("backwards: got %+v, want it at b2", read)
	}
	var list conversationList
	if f.want(200, "GET", "/v1/conversations?unread=1", "", &list); list.jids() != "carol" {
		t.Errorf("unread are %s, want carol", list.jids())
	}
}

func TestBadConversations(t *testing.T) {
	f := newGateway(t)
	f.signIn()
	const path = "/v1/conversations/bob@example.net"
	for _, c := range []struct{ name, method, path, body, code, pointer string }{
		{"limit 0", "GET", "/v1/conversations?limit=0", "", "validation", "?limit"},
		{"foreign cursor", "GET", "/v1/conversations?cursor=abc", "", "validation", "?cursor"},
		{"empty cursor", "GET", "/v1/conversations?cursor=", "", "validation", "?cursor"},
		{"unread of words", "GET", "/v1/conversations?unread=yes", "", "validation", "?unread"},
		{"no type", "GET", "/v1/conversations?type=", "", "validation", "?type"},
		{"unknown type", "GET", "/v1/conversations?type=group", "", "validation", "?type"},
		{"unknown query", "GET", "/v1/conversations?q=x", "", "validation", "?q"},
		{"no JID", "GET", "/v1/conversations/@", "", "jid-malformed", "{jid}"},
		{"query of one", "GET", path + "?x=1", "", "validation", "?x"},
		{"patch of nothing", "PATCH", path, `{}`, "validation", "/notify"},
		{"unknown notify", "PATCH", path, `{"notify":"some"}`, "validation", "/notify"},
		{"pinned of words", "PATCH", path, `{"pinned":"yes"}`, "validation", "/pinned"},
		{"a draft of a number", "PATCH", path, `{"draft":1}`, "validation", "/draft"},
		{"a draft of a list", "PATCH", path, `{"draft":["x"]}`, "validation", "/draft"},
		{"a long draft", "PATCH", path, `{"draft":"` + strings.Repeat("x", 4097) + `"}`, "validation", "/draft"},
		{"unread is not set", "PATCH", path, `{"unread":0}`, "validation", "/unread"},
		{"read of nothing", "PUT", path + "/read", `{}`, "validation", "/ref"},
		{"read of no ref", "PUT", path + "/read", `{"ref":"m1"}`, "validation", "/ref"},
		{"receipts of words", "PUT", path + "/read", `{"ref":"ibTE","receipts":"no"}`, "validation", "/receipts"},
		{"query of read", "PUT", path + "/read?x=1", `{"ref":"ibTE"}`, "validation", "?x"},
		{"around no ref", "GET", path + "/messages?around=m1", "", "validation", "?around"},
		{"around and before", "GET", path + "/messages?around=ibTE&before=1", "", "validation", "?around"},
		{"around and a search", "GET", path + "/messages?around=ibTE&q=x", "", "validation", "?around"},
		{"a search for nothing", "GET", path + "/messages?q=%20", "", "validation", "?q"},
		{"a search of two lines", "GET", path + "/messages?q=a%0Ab", "", "validation", "?q"},
		{"a search that is too long", "GET", path + "/messages?q=" + strings.Repeat("x", 257), "", "validation", "?q"},
		{"the archive without a side", "GET", "/v1/archive?limit=5", "", "validation", "?with"},
		{"the archive, a search for nothing", "GET", "/v1/archive?q=", "", "validation", "?q"},
		{"the archive, a search that is too long", "GET", "/v1/archive?q=" + strings.Repeat("é", 257), "", "validation", "?q"},
		{"the archive, a search of nobody", "GET", "/v1/archive?q=x&with=@", "", "jid-malformed", "?with"},
		{"both ways", "GET", path + "/messages?after=ibTE&before=1", "", "validation", "?before"},
		{"with another one", "GET", path + "/messages?with=carol@example.net", "", "validation", "?with"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := *f
			f.t = t
			f.refused(422, c.code, c.pointer, c.method, c.path, c.body)
		})
	}
	f.refused(404, "not-found", "", "GET", path, "")
	f.refused(501, "feature-unsupported", "", "GET", path+"/messages?q=x", "")
	f.refused(501, "feature-unsupported", "", "GET", "/v1/archive?q=x", "")
	f.refused(404, "not-found", "", "GET", path+"/messages?around="+theirRef("nothing"), "")
}

// TestConversationCommandErrors name their fields below data.
func TestConversationCommandErrors(t *testing.T) {
	f := newGateway(t)
	f.signIn()
	stream := f.dial(token)
	defer stream.close()
	for i, c := range []struct{ frame, code, pointer string }{
		{`"conversation.read","data":{"ref":"ibTE"}`, "validation", "/data/conversation"},
		{`"conversation.read","data":{"conversation":"@","ref":"ibTE"}`, "jid-malformed", "/data/conversation"},
		{`"conversation.read","data":{"conversation":"bob@example.net"}`, "validation", "/data/ref"},
		{`"message.edit","data":{"conversation":"bob@example.net","ref":"x","body":"y"}`, "validation", "/data/ref"},
		{`"message.edit","data":{"ref":"obTE","body":"y"}`, "validation", "/data/conversation"},
		{`"message.retract","data":{"conversation":"bob@example.net","ref":"obTE","reason":"a\nb"}`, "validation", "/data/reason"},
		{`"message.retract","data":{"conversation":"bob@example.net","ref":"obTE","id":"a b"}`, "validation", "/data/id"},
		{`"message.react","data":{"conversation":"bob@example.net","ref":"obTE"}`, "validation", "/data/emojis"},
		{`"message.react","data":{"conversation":"bob@example.net","ref":"obTE","emojis":[""]}`, "validation", "/data/emojis/0"},
		{`"subscribe","data":{"conversations":["@"]}`, "jid-malformed", "/data/conversations"},
		{`"subscribe","data":{"conversations":["none","bob@example.net"]}`, "validation", "/data/conversations"},
	} {
		e := stream.answerTo(fmt.Sprintf(`{"id":"c%d","type":%s}`, i, c.frame))
		if e.Error == nil || e.Error.Code != c.code || len(e.Error.Errors) == 0 || e.Error.Errors[0].Pointer != c.pointer {
			t.Errorf("%s: got %+v, want %s at %s", c.frame, e.Error, c.code, c.pointer)
		}
	}
}

// TestConversationLastMessage: the last message of the list can be asked for by its ref.
func TestConversationLastMessage(t *testing.T) {
	f := talking(t)
	a := f.want(200, "GET", "/v1/conversations/bob@example.net", "", nil)
	m := f.want(200, "GET", "/v1/conversations/bob@example.net/messages/"+theirRef("b2"), "", nil)
	if !bytes.Contains(a.body, []byte(`"ref":"`+theirRef("b2")+`"`)) || field(t, m.body, "body") != "number b2" || field(t, m.body, "ref") != theirRef("b2") {
		t.Errorf("got %s and %s, want b2 in both", a.body, m.body)
	}
}
