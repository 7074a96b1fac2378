package api_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/perch-im/perch"
)

// What the upstream has given as an address can be used in every request, and is written to
// the upstream as it was given; any other address is parsed strictly.
func TestEveryRequestAcceptsUpstreamAddresses(t *testing.T) {
	for _, c := range []struct{ name, bare, resource string }{
		{"a number of another network", "user name@icq.example.net", ""},
		{"a symbol", "☺@example.net", ""},
		{"upper case", "Up.Case@example.net", ""},
		{"markup", `it's "a" & <b>@icq.example.net`, ""},
		{"not in Unicode yet", "room@conf.example.net", "/🫩"},
		{"an emoji with a variation selector", "room@conf.example.net", "/❤\ufe0f"},
		{"a family", "room@conf.example.net", "/👩\u200d👩\u200d👧\u200d👦"},
		{"decomposed", "room@conf.example.net", "/Jose\u0301"},
		{"both", "Some Room@conf.example.net", "/🫩 & co"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newGateway(t)
			jid := perch.JID(c.bare + c.resource)
			f.up.Edit(func(d *fakeData) { d.Cards[jid.Bare()] = perch.VCard{JID: jid.Bare(), FullName: "Odd"} })
			conn := f.signIn()
			f.want(404, "GET", "/v1/buddies/nobody@example.net", "", nil)
			conn.Deliver(&perch.MessageIn{Message: perch.Message{ID: "1", From: jid, To: "alice@example.net", Kind: perch.GroupchatMessage, Body: "x"}})
			f.useEverywhere(string(jid))
		})
	}
	t.Run("unknown", func(t *testing.T) {
		f := newGateway(t)
		conn := f.signIn()
		sent := len(conn.Sent())
		for _, jid := range []string{"user name@icq.example.net", "☺@example.net", "@example.net", "bob@example.net/", "bob@example.net/a\u0007b"} {
			escaped := url.PathEscape(jid)
			f.want(422, "POST", "/v1/messages", jsonOf(t, map[string]string{"to": jid, "body": "x"}), nil)
			f.want(422, "PUT", "/v1/chat-states/"+escaped, `{"state":"active"}`, nil)
			f.want(422, "GET", "/v1/vcards/"+escaped, "", nil)
			f.want(422, "GET", "/v1/archive?with="+url.QueryEscape(jid), "", nil)
		}
		if got := conn.Sent(); len(got) != sent {
			t.Errorf("the upstream was sent %v, want nothing", got[sent:])
		}
	})
}

// useEverywhere sends to an address and asks about it in each way there is.
func (g *gateway) useEverywhere(jid string) {
	g.t.Helper()
	escaped := url.PathEscape(jid)
	g.want(202, "POST", "/v1/messages", jsonOf(g.t, map[string]string{"to": jid, "body": "x"}), nil)
	if m := next[*perch.MessageOut](g); string(m.To) != jid {
		g.t.Errorf("a message went to %q, want %q", m.To, jid)
	}
	g.want(204, "PUT", "/v1/chat-states/"+escaped, `{"state":"active"}`, nil)
	if m := next[*perch.ChatStateOut](g); string(m.To) != jid {
		g.t.Errorf("a chat state went to %q, want %q", m.To, jid)
	}
	g.want(200, "GET", "/v1/archive?with="+url.QueryEscape(jid), "", nil)
	g.want(200, "GET", "/v1/vcards/"+escaped, "", nil)
	g.refused(404, "item-not-found", "", "GET", "/v1/vcards/"+escaped+"/photo", "")

	bare := string(perch.JID(jid).Bare())
	account := url.PathEscape(bare)
	g.want(404, "GET", "/v1/presence/"+account, "", nil)
	g.want(201, "POST", "/v1/buddies", jsonOf(g.t, map[string]any{"jid": bare}), nil)
	g.want(200, "GET", "/v1/buddies/"+account, "", nil)
	g.want(200, "GET", "/v1/presence/"+account, "", nil)
	var list struct {
		Items []perch.Presence `json:"items"`
		AsOf  perch.Time       `json:"as_of"`
	}
	g.want(200, "GET", "/v1/presence?jid="+url.QueryEscape(bare)+"&jid="+url.QueryEscape(string(perch.JID(bare).Key())), "", &list)
	if len(list.Items) != 1 || string(list.Items[0].JID) != bare {
		g.t.Errorf("presence %+v, want one of %q", list.Items, bare)
	}
	g.want(200, "PATCH", "/v1/buddies/"+account, `{"name":"n"}`, nil)
	g.want(204, "DELETE", "/v1/buddies/"+account, "", nil)
	g.want(404, "GET", "/v1/buddies/"+account, "", nil)
	for _, answer := range []string{"accept", "decline"} {
		g.conn.Deliver(&perch.SubscriptionIn{From: perch.JID(bare), Type: "subscribe"})
		g.want(200, "POST", "/v1/invitations/"+account+"/"+answer, "", nil)
		if out := next[*perch.SubscriptionOut](g); string(out.To) != bare {
			g.t.Errorf("%s went to %q, want %q", answer, out.To, bare)
		}
	}
}

// Commands on the socket take them too.
func TestCommandsAcceptUpstreamAddresses(t *testing.T) {
	g := newGateway(t)
	conn := g.open("tok-alice")
	f := g.dial("tok-alice")
	defer f.close()
	for _, jid := range []string{"user name@icq.example.net", "room@conf.example.net/🫩"} {
		send := jsonOf(t, map[string]any{"id": "a", "type": "message.send", "data": map[string]string{"to": jid, "body": "x", "id": "m-" + jid[:4]}})
		state := jsonOf(t, map[string]any{"id": "b", "type": "chat_state.set", "data": map[string]string{"to": jid, "state": "paused"}})
		if e := f.answerTo(state); strings.Contains(jid, " ") && e.Type != "error" {
			t.Errorf("%s, unknown: got %s %d, want a refusal", jid, e.Type, e.Status)
		}
		conn.Deliver(&perch.MessageIn{Message: perch.Message{ID: "1", From: perch.JID(jid), To: "alice@example.net", Kind: perch.ChatMessage, Body: "x"}})
		g.waitLogged("tok-alice", conn)
		for _, command := range []string{state, strings.Replace(send, `"id":"a"`, `"id":"`+jid[:4]+`"`, 1)} {
			if e := f.answerTo(command); e.Type != "reply" {
				t.Errorf("%s: got %s %+v, want a reply", command, e.Type, e.Error)
			}
		}
		states := 0
		for _, out := range conn.Sent() {
			if o, ok := out.(*perch.ChatStateOut); ok && string(o.To) == jid {
				states++
			}
		}
		if states == 0 {
			t.Errorf("no chat state went to %q, want at least one", jid)
		}
	}
}

func jsonOf(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatalf("json.Marshal: got error %v, want none", err)
	}
	return string(b)
}

// Pages of a roster go by the normal form, in which one buddy follows another.
func TestPagesOfSpellings(t *testing.T) {
	f := newGateway(t)
	f.up.Edit(func(d *fakeData) {
		for _, jid := range []perch.JID{"Zoe@example.net", "bob@example.net", "Alice.B@example.net", "Émile@example.net"} {
			d.Roster = append(d.Roster, perch.Buddy{JID: jid, Groups: []string{}})
		}
	})
	f.signIn()
	seen, cursor := 0, ""
	for range 4 {
		var page buddyList
		f.want(200, "GET", "/v1/buddies?limit=1"+cursor, "", &page)
		seen += len(page.Items)
		if page.Next == nil {
			break
		}
		cursor = "&cursor=" + *page.Next
	}
	if seen != 4 {
		t.Errorf("the pages hold %d buddies, want 4", seen)
	}
}
