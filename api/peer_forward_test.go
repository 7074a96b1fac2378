package api_test

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/api"
	"github.com/perch-im/perch/internal/fakexmpp"
)

// everyRoute are requests for every route that needs a session, good ones and bad ones, in
// an order in which they work. Streams have tests of their own.
func everyRoute() []call {
	const jsonType, merge = "application/json", "application/merge-patch+json"
	long := `{"to":"bob@example.net","body":"` + strings.Repeat("x", 300<<10) + `"}`
	return append(slices.Concat(tokenRoutes(), webhookRoutes(), pushRoutes()), []call{
		{"POST", "/v1/session", "", ""}, {"GET", "/v1/session", "", ""},
		{"HEAD", "/v1/session", "", ""},
		{"GET", "/v1/session?a;b=%zz", "", ""},
		{"PUT", "/v1/session/credentials", `{}`, jsonType},
		{"PUT", "/v1/session/password", `{"current":"a","new":"b"}`, jsonType},
		{"GET", "/v1/buddies?include=presence&limit=1", "", ""},
		{"GET", "/v1/buddies?limit=none", "", ""},
		{"GET", "/v1/buddies/bob%40example.net", "", ""},
		{"GET", "/v1/buddies/no%2Fbody%40example.net", "", ""},
		{"POST", "/v1/buddies", `{"jid":"carol@example.net","name":"Carol"}`, jsonType},
		{"PATCH", "/v1/buddies/carol%40example.net", `{"name":"C."}`, merge},
		{"DELETE", "/v1/buddies/carol%40example.net", "", ""},
		{"GET", "/v1/invitations", "", ""},
		{"POST", "/v1/invitations/eve%40example.net/accept", `{}`, jsonType},
		{"POST", "/v1/invitations/eve%40example.net/decline", ``, ""},
		{"GET", "/v1/presence?jid=bob@example.net&jid=x%40example.net", "", ""},
		{"GET", "/v1/presence/me", "", ""},
		{"PUT", "/v1/presence/me", `{"show":"away","status":"Lünch"}`, jsonType},
		{"GET", "/v1/presence/bob%40example.net", "", ""},
		{"PUT", "/v1/vcards/me", `{"full_name":"Alice"}`, jsonType},
		{"GET", "/v1/vcards/me", "", ""},
		{"GET", "/v1/vcards/bob%40example.net", "", ""},
		{"GET", "/v1/vcards/bob%40example.net/photo", "", ""},
		{"POST", "/v1/messages", `{"id":"m1","to":"bob@example.net","body":"hello"}`, jsonType},
		{"POST", "/v1/messages", `{"id":"m1","to":"bob@example.net","body":"hello"}`, jsonType},
		{"POST", "/v1/messages", `{"id":"m1","to":"bob@example.net","body":"other"}`, jsonType},
		{"POST", "/v1/messages", `{"to":"bob@example.net","body":`, jsonType},
		{"POST", "/v1/messages", long, jsonType},
		{"POST", "/v1/messages", `to=bob`, "application/x-www-form-urlencoded"},
		{"GET", "/v1/messages/none", "", ""},
		{"PUT", "/v1/chat-states/bob%40example.net", `{"state":"composing"}`, jsonType},
		{"GET", "/v1/archive?with=bob@example.net", "", ""},
		{"POST", "/mcp", `{"jsonrpc":"2.0","id":1,"method":"ping"}`, jsonType}, {"POST", "/mcp", `{}`, "text/plain"},
		{"POST", "/v1/stanzas", `{"xml":"<iq type='get'><ping xmlns='urn:xmpp:ping'/></iq>"}`, jsonType},
		{"GET", "/v1/jids?account=mary@contoso.com", "", ""},
		{"GET", "/v1/jids?account=nobody@contoso.com", "", ""},
		{"GET", "/v1/conversations?type=room", "", ""},
		{"GET", "/v1/conversations?type=group", "", ""},
		{"PATCH", "/v1/conversations/carol@example.net", `{"draft":"x","pinned":true}`, "application/merge-patch+json"},
		{"GET", "/v1/conversations/carol@example.net", "", ""},
		{"GET", "/v1/conversations/bob@example.net/messages?limit=5", "", ""},
		{"GET", "/v1/conversations/bob@example.net/messages?q=x", "", ""},
		{"PATCH", "/v1/conversations/bob@example.net/messages/obTE", `{"id":"e1","body":"x"}`, jsonType},
		{"PATCH", "/v1/conversations/bob@example.net/messages/ibTE", `{"id":"e2","body":"x"}`, jsonType},
		{"PUT", "/v1/conversations/bob@example.net/messages/obTE/reactions", `{"id":"r1","emojis":["x"]}`, jsonType},
		{"DELETE", "/v1/conversations/bob@example.net/messages/obTE?id=x1", "", ""},
		{"GET", "/v1/conversations/bob@example.net/messages/ibTE", "", ""},
		{"PUT", "/v1/conversations/bob@example.net/read", `{"ref":"ibTE"}`, jsonType},
		{"GET", "/v1/directory?q=talk", "", ""},
		{"PUT", "/v1/rooms/talk@rooms.example.net", `{"nick":"Al"}`, jsonType},
		{"PATCH", "/v1/rooms/talk@rooms.example.net", `{"delivery":"none"}`, "application/merge-patch+json"},
		{"GET", "/v1/rooms", "", ""},
		{"GET", "/v1/rooms/talk@rooms.example.net", "", ""},
		{"GET", "/v1/rooms/talk@rooms.example.net/occupants", "", ""},
		{"PATCH", "/v1/rooms/talk@rooms.example.net/occupants/bob", `{"role":"visitor"}`, jsonType},
		{"DELETE", "/v1/rooms/talk@rooms.example.net/occupants/bob%2F1", "", ""},
		{"GET", "/v1/rooms/talk@rooms.example.net/members", "", ""},
		{"PUT", "/v1/rooms/talk@rooms.example.net/members/bob@example.net", `{"affiliation":"member"}`, jsonType},
		{"DELETE", "/v1/rooms/talk@rooms.example.net/members/bob@example.net", "", ""},
		{"GET", "/v1/rooms/talk@rooms.example.net/config", "", ""},
		{"PATCH", "/v1/rooms/talk@rooms.example.net/config", `{"name":"Other"}`, jsonType},
		{"PUT", "/v1/rooms/talk@rooms.example.net/photo", `{"data":"x"}`, jsonType},
		{"DELETE", "/v1/rooms/talk@rooms.example.net/photo", "", ""},
		{"GET", "/v1/rooms/talk@rooms.example.net/photo", "", ""},
		{"PUT", "/v1/rooms/talk@rooms.example.net/subject", `{"subject":"x"}`, jsonType},
		{"POST", "/v1/rooms/talk@rooms.example.net/invitations", `{"to":"bob@example.net"}`, jsonType},
		{"POST", "/v1/rooms/talk@rooms.example.net/destroy", "", ""},
		{"DELETE", "/v1/rooms/talk@rooms.example.net", "", ""},
		{"PUT", "/v1/vcards/me/nick", `{"nick":"Al"}`, jsonType}, {"DELETE", "/v1/vcards/me/nick", "", ""},
		{"PUT", "/v1/vcards/me/photo", "x", "image/png"},
		{"GET", "/v1/vcards/me/photo", "", ""}, {"DELETE", "/v1/vcards/me/photo", "", ""},
		{"PUT", "/v1/blocked/eve@example.net", `{"report":{"reason":"spam"}}`, jsonType},
		{"GET", "/v1/blocked", "", ""},
		{"GET", "/v1/blocked/eve@example.net", "", ""},
		{"DELETE", "/v1/blocked/eve@example.net", "", ""},
		{"DELETE", "/v1/blocked", "", ""},
		{"POST", "/v1/uploads", `{"name":"cat.png","size":70}`, jsonType},
		{"PUT", "/v1/uploads/AAAA", "hello", "application/octet-stream"},
		{"POST", "/v1/events/tickets", "", ""},
		{"GET", "/v1/events?types=nonsense", "", ""},
		{"GET", "/v1/events/ws", "", ""},
		{"PUT", "/v1/session/credentials", `{"token":"tok-fresh"}`, jsonType},
		{"GET", "/v1/session", "", ""},
		{"DELETE", "/v1/session", "", ""},
	}...)
}

func tokenRoutes() []call {
	return []call{
		{"POST", "/v1/tokens", `{"name":"x","scopes":["admin"]}`, "application/json"},
		{"GET", "/v1/tokens?x=1", "", ""},
		{"DELETE", "/v1/tokens/none", "", ""},
	}
}

func webhookRoutes() []call {
	return []call{
		{"PUT", "/v1/webhooks/bot", `{"url":"http://bot.example.org/"}`, "application/json"},
		{"GET", "/v1/webhooks?x=1", "", ""},
		{"GET", "/v1/webhooks/none", "", ""},
		{"POST", "/v1/webhooks/none/test", "", ""},
		{"POST", "/v1/webhooks/none/replay", `{"since":"x-1"}`, "application/json"},
		{"DELETE", "/v1/webhooks/no.ne", "", ""},
	}
}

func pushRoutes() []call {
	return []call{
		{"PUT", "/v1/push/phone", `{"endpoint":"http://push.example.org/1"}`, "application/json"},
		{"GET", "/v1/push?x=1", "", ""},
		{"GET", "/v1/push", "", ""},
		{"POST", "/v1/push/none/test", "", ""},
		{"DELETE", "/v1/push/no.ne", "", ""},
	}
}

type call struct{ method, path, body, media string }

// comparedAnswer is an answer without what is different every time.
type comparedAnswer struct {
	Call, Body string
	Status     int
	Header     http.Header
}

var changing = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z|"ticket":"[^"]*"|r=\d+;t=\d+`)

func (g *gateway) compared(c call, id string) comparedAnswer {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(g.t.Context(), 20*time.Second)
	defer cancel()
	token := "tok-alice"
	if c.method == http.MethodDelete && c.path == "/v1/session" {
		token = "tok-fresh"
	}
	r := g.request(ctx, c.method, c.path, token, nil)
	r.Header.Set("X-Request-Id", id)
	if c.media != "" {
		r.Header.Set("Content-Type", c.media)
	}
	if c.body != "" {
		setBody(r, c.body)
	}
	res, err := g.client.Do(r)
	if err != nil {
		g.t.Fatalf("g.client.Do: got error %v, want none", err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		g.t.Fatalf("io.ReadAll: got error %v, want none", err)
	}
	h := maps.Clone(res.Header)
	h.Del("Date")
	if c.path == "/v1/invitations" || strings.HasPrefix(c.path, "/v1/conversations") || strings.HasPrefix(c.path, "/v1/rooms") {
		h.Del("ETag") // has a time in it
	}
	if res.StatusCode == http.StatusRequestEntityTooLarge { // refused before it is passed on
		h.Del("RateLimit")
		h.Del("RateLimit-Policy")
	}
	for k, values := range h {
		h[k] = slices.Clone(values)
		for i, v := range values {
			h[k][i] = changing.ReplaceAllString(v, "*")
		}
	}
	return comparedAnswer{fmt.Sprintf("%s %s %.40s", c.method, c.path, c.body), changing.ReplaceAllString(string(body), "*"), res.StatusCode, h}
}

// comparedAll asks everything of a fresh session that b owns.
func comparedAll(t *testing.T, throughA bool) (all []comparedAnswer, n *nodes) {
	n = newNodes(t, func(o *gatewayOptions) { o.Origins = []string{"https://chat.example"} })
	n.b.up.Edit(func(d *fakexmpp.Data) {
		d.Roster = []perch.Buddy{{JID: "bob@example.net", Name: "Bob", Subscription: perch.SubscriptionBoth}}
		d.Cards["bob@example.net"] = perch.VCard{FullName: "Bob", Photo: &perch.Photo{Type: "image/png", Data: pngOf(t, 2, 2)}}
		d.JIDs["mary@contoso.com"] = "m@example.net"
		d.Services, d.Rooms = []perch.JID{"rooms.example.net"}, map[perch.JID]*fakexmpp.Room{theRoom: {Info: perch.RoomInfo{Name: "Talk"}}}
	})
	conn := n.openAtB("tok-alice")
	conn.Deliver(&perch.SubscriptionIn{From: "eve@example.net", Type: "subscribe", Nick: "Eve"})
	n.b.waitLogged("tok-alice", conn)
	n.b.waitForStreams("tok-alice", 0)
	g := n.b
	if throughA {
		g = n.a
	}
	for i, c := range everyRoute() {
		all = append(all, g.compared(c, fmt.Sprintf("request-%d", i)))
	}
	return all, n
}

// TestForwardedAnswersAreTheSame as those of the owner, byte for byte, on every route.
func TestForwardedAnswersAreTheSame(t *testing.T) {
	direct, _ := comparedAll(t, false)
	forwarded, n := comparedAll(t, true)
	if diff := cmp.Diff(direct, forwarded); diff != "" {
		t.Errorf("answers, -want (direct) +got (forwarded), were:\n%s", diff)
	}
	if n.a.manager.Len() != 0 || len(n.b.up.Dials()) != 1 {
		t.Errorf("node a has %d sessions after %d logins, want 0 after 1", n.a.manager.Len(), len(n.b.up.Dials()))
	}
	asked := map[string]bool{}
	for _, c := range everyRoute() {
		asked[c.method+" "+n.a.api.RouteOf(c.method, c.path)] = true
	}
	for _, route := range n.a.api.Routes() {
		if strings.HasSuffix(route, ".yaml") || strings.Contains(route, "/problems/") {
			continue // no session
		}
		if !asked[route] {
			t.Errorf("%s is not compared, want every route", route)
		}
	}
	ok := 0
	for _, x := range direct {
		if x.Status < 300 {
			ok++
		}
	}
	if ok < 25 {
		t.Errorf("only %d requests go well, want at least 25", ok)
	}
	for _, result := range n.la.results() {
		if result != api.ForwardOK {
			t.Errorf("a request was %s, want ok", result)
		}
	}
}
