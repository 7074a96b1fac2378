package api_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/api"
	"github.com/perch-im/perch/sessions"
)

// neededScopes says, for each operation, which scopes are enough, one of them each; "" is every token, "all"
// every scope together, and no single one of those between which there is a plus. It is written out here a second time, so that a change of the rules is seen.
var neededScopes = map[string]string{
	"GET /v1/events": "read presence roster rooms", "GET /v1/events/ws": "read presence roster rooms", "POST /v1/events/tickets": "read presence roster rooms",
	"POST /v1/session": "", "GET /v1/session": "", "DELETE /v1/session": "",
	"PUT /v1/session/credentials": "session", "PUT /v1/session/password": "session",
	"GET /v1/tokens": "tokens", "POST /v1/tokens": "tokens", "DELETE /v1/tokens/{id}": "tokens",
	"GET /v1/webhooks": "webhooks", "GET /v1/webhooks/{id}": "webhooks", "PUT /v1/webhooks/{id}": "webhooks+read", "DELETE /v1/webhooks/{id}": "webhooks",
	"POST /v1/webhooks/{id}/test": "webhooks", "POST /v1/webhooks/{id}/replay": "webhooks+read",
	"GET /v1/push": "read", "PUT /v1/push/{id}": "read", "DELETE /v1/push/{id}": "read", "POST /v1/push/{id}/test": "read", // of others: see TestPushOfToken
	"GET /v1/presence": "read presence", "GET /v1/presence/{jid}": "read presence", "GET /v1/presence/me": "read presence", "PUT /v1/presence/me": "presence",
	"GET /v1/buddies": "read roster", "GET /v1/buddies/{jid}": "read roster", "POST /v1/buddies": "roster", "PATCH /v1/buddies/{jid}": "roster", "DELETE /v1/buddies/{jid}": "roster",
	"GET /v1/invitations": "read roster", "POST /v1/invitations/{jid}/accept": "roster", "POST /v1/invitations/{jid}/decline": "roster", "GET /v1/jids": "read roster",
	"GET /v1/blocked": "read roster", "GET /v1/blocked/{jid}": "read roster", "PUT /v1/blocked/{jid}": "roster", "DELETE /v1/blocked/{jid}": "roster", "DELETE /v1/blocked": "roster",
	"GET /v1/vcards/me": "read roster", "GET /v1/vcards/me/photo": "read roster", "GET /v1/vcards/{jid}": "read roster", "GET /v1/vcards/{jid}/photo": "read roster",
	"PUT /v1/vcards/me": "roster", "PUT /v1/vcards/me/nick": "roster", "DELETE /v1/vcards/me/nick": "roster", "PUT /v1/vcards/me/photo": "roster", "DELETE /v1/vcards/me/photo": "roster",
	"GET /v1/archive": "read", "GET /v1/conversations": "read", "GET /v1/conversations/{jid}": "read", "GET /v1/conversations/{jid}/messages": "read", "GET /v1/conversations/{jid}/messages/{ref}": "read",
	"PATCH /v1/conversations/{jid}": "send", "PUT /v1/conversations/{jid}/read": "send", "PATCH /v1/conversations/{jid}/messages/{ref}": "send",
	"DELETE /v1/conversations/{jid}/messages/{ref}": "send", "PUT /v1/conversations/{jid}/messages/{ref}/reactions": "send",
	"POST /v1/messages": "send", "GET /v1/messages/{id}": "read send", "PUT /v1/chat-states/{jid}": "send", "POST /v1/uploads": "send", "PUT /v1/uploads/{id}": "send",
	"POST /v1/stanzas": "all", "POST /mcp": "",
	"GET /v1/rooms": "read rooms", "GET /v1/directory": "read rooms", "GET /v1/rooms/{jid}": "read rooms", "GET /v1/rooms/{jid}/occupants": "read rooms",
	"GET /v1/rooms/{jid}/members": "read rooms", "GET /v1/rooms/{jid}/config": "read rooms", "GET /v1/rooms/{jid}/photo": "read rooms",
	"PUT /v1/rooms/{jid}": "rooms", "PATCH /v1/rooms/{jid}": "rooms", "DELETE /v1/rooms/{jid}": "rooms", "POST /v1/rooms/{jid}/destroy": "rooms", "PUT /v1/rooms/{jid}/subject": "rooms",
	"PATCH /v1/rooms/{jid}/occupants/{nick}": "rooms", "DELETE /v1/rooms/{jid}/occupants/{nick}": "rooms",
	"PUT /v1/rooms/{jid}/members/{member}": "rooms", "DELETE /v1/rooms/{jid}/members/{member}": "rooms", "POST /v1/rooms/{jid}/invitations": "rooms",
	"PATCH /v1/rooms/{jid}/config": "rooms", "PUT /v1/rooms/{jid}/photo": "rooms", "DELETE /v1/rooms/{jid}/photo": "rooms",
}

// neededForCommands is the same for the commands of the socket.
var neededForCommands = map[string]string{
	"message.send": "send", "message.edit": "send", "message.retract": "send", "message.react": "send", "conversation.read": "send", "chat_state.set": "send",
	"room.join": "rooms", "room.leave": "rooms", "room.subject": "rooms", "blocked.add": "roster", "blocked.remove": "roster", "presence.set": "presence",
	"subscribe": "", "ack": "", "ping": "",
}

// enough reports whether a token with one scope may do what needs these.
func enough(needed, scope string) bool {
	return needed == "" || slices.Contains(strings.Fields(needed), scope)
}

// make makes a token with the token of alice, and returns it with its id.
func (g *gateway) make(body string) (token, id string) {
	g.t.Helper()
	return g.makeWith("", body)
}

// makeWith is make with another token; "" is that of alice.
func (g *gateway) makeWith(with, body string) (token, id string) {
	g.t.Helper()
	var made struct{ Token, ID string }
	a := g.as(with, "POST", "/v1/tokens", body)
	if a.status != 201 || json.Unmarshal(a.body, &made) != nil || !strings.HasPrefix(made.Token, "perch_") || made.ID == "" {
		g.t.Fatalf("POST /v1/tokens %s: %d %s, want a token", body, a.status, a.body)
	}
	return made.Token, made.ID
}

// as is call with another token; "" is that of alice.
func (g *gateway) as(with, method, path, body string, header ...string) answer {
	g.t.Helper()
	if with == "" {
		with = token
	}
	header = append([]string{"Authorization", "Bearer " + with}, header...)
	if body != "" && !slices.Contains(header, "Content-Type") {
		header = append(header, "Content-Type", "application/json")
	}
	return g.do(method, path, body, header...)
}

// outOfScope reports whether an answer is the refusal of a token that has not the scope.
func (a answer) outOfScope(t testing.TB) bool {
	t.Helper()
	return a.status == 403 && a.problem(t).Code == "insufficient-scope"
}

func tokenBody(scopes string, more ...string) string {
	list, _ := json.Marshal(strings.Fields(scopes))
	return fmt.Sprintf(`{"name":"test","scopes":%s%s}`, list, strings.Join(more, ""))
}

const allScopes = "read send presence roster rooms session webhooks tokens"

// TestEveryOperationHasAScope: what has none is refused to every token that is restricted, so whoever adds an
// operation, a command or an event says here who may have it.
func TestEveryOperationHasAScope(t *testing.T) {
	f := newBare(t, new(sessions.Manager))
	var want []string
	for _, route := range f.api.Routes() {
		if !strings.HasSuffix(route, ".yaml") && !strings.Contains(route, "/problems/") {
			want = append(want, route)
		}
	}
	slices.Sort(want)
	operations, names := api.RuledOperations()
	if !slices.Equal(operations, want) {
		t.Errorf("rules of operations: got %q, want one for each of %q", operations, want)
	}
	if !slices.Equal(names, api.Commands()) {
		t.Errorf("rules of commands: got %q, want one for each of %q", names, api.Commands())
	}
	if got := slices.Sorted(maps.Keys(neededScopes)); !slices.Equal(got, want) {
		t.Errorf("this test: got %q, want one for each of %q", got, want)
	}
	if got := slices.Sorted(maps.Keys(neededForCommands)); !slices.Equal(got, api.Commands()) {
		t.Errorf("this test: got the commands %q, want %q", got, api.Commands())
	}
	if got := api.UnscopedTypes(); len(got) > 0 {
		t.Errorf("events that no scope shows: got %q, want none", got)
	}
}

// TestScopesOfOperations asks for every operation with a token of every single scope.
func TestScopesOfOperations(t *testing.T) {
	f := newGateway(t)
	f.signIn()
	calls := map[string]call{}
	for _, c := range everyRoute() {
		if route := c.method + " " + f.api.RouteOf(c.method, c.path); c.method != "HEAD" && calls[route].method == "" {
			calls[route] = c
		}
	}
	for op, needed := range neededScopes {
		c, ok := calls[op]
		if op == "DELETE /v1/session" || op == "GET /v1/events" { // below, and in TestScopesOfStreams
			continue
		}
		if !ok {
			t.Errorf("%s: no request, want one in everyRoute", op)
			continue
		}
		for _, scope := range perch.Scopes() {
			with, id := f.make(tokenBody(string(scope)))
			var header []string
			if c.media != "" {
				header = []string{"Content-Type", c.media}
			}
			if op == "GET /v1/events/ws" { // a handshake that nobody upgrades
				header = []string{"Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}
				c.path = "/v1/events/ws?since=1&since=2"
			}
			a := f.as(with, c.method, c.path, c.body, header...)
			allowed := enough(needed, string(scope))
			if got := !a.outOfScope(t); got != allowed {
				t.Errorf("%s with %s: %d %s, allowed %v, want %v", op, scope, a.status, a.body, got, allowed)
			} else if a.outOfScope(t) && op != "POST /v1/stanzas" {
				p := a.problem(t)
				if len(p.Scopes) == 0 || !strings.Contains(a.header.Get("WWW-Authenticate"), string(p.Scopes[0])) || !strings.Contains(p.Detail, string(p.Scopes[0])) {
					t.Errorf("%s with %s: %s, want the scope that is missing in scopes, detail and the challenge", op, scope, a.body)
				}
			}
			f.want(204, "DELETE", "/v1/tokens/"+id, "", nil)
		}
	}
}

// TestScopesOfCommands gives every command with a token of every single scope.
func TestScopesOfCommands(t *testing.T) {
	f := newGateway(t)
	f.signIn()
	for _, scope := range perch.Scopes() {
		scopes := string(scope)
		if !enough(neededScopes["GET /v1/events/ws"], scopes) {
			scopes += " read" // to open the socket at all
		}
		with, _ := f.make(tokenBody(scopes))
		s := f.dial(with)
		for i, name := range api.Commands() {
			s.send(fmt.Sprintf(`{"id":"c%d","type":%q,"data":{}}`, i, name))
			frame := answerTo(t, s, fmt.Sprintf("c%d", i))
			refused := frame.Error != nil && frame.Error.Code == "insufficient-scope"
			if want := !enough(neededForCommands[name], string(scope)) && !(scopes != string(scope) && enough(neededForCommands[name], "read")); refused != want {
				t.Errorf("%s with %s: got %+v, refused %v, want %v", name, scopes, frame.Error, refused, want)
			}
		}
		s.close()
	}
}

// TestSocketWithoutAScope: a page sees no status, so the close code tells it to stop.
func TestSocketWithoutAScope(t *testing.T) {
	n := newNodes(t)
	n.openAtB(token)
	with, _ := n.b.make(tokenBody("send"))
	for name, g := range map[string]*gateway{"the owner": n.b, "another node": n.a} {
		if r := g.try("", header("Origin", g.srv.URL), "perch.v1", bearer(with)); r.code != 4003 || r.problem != "insufficient-scope" || len(r.types) != 1 {
			t.Errorf("%s, from a page: got %+v, want insufficient-scope and 4003", name, r)
		}
		if r := g.try("", nil, "perch.v1", bearer(with)); r.status != 403 {
			t.Errorf("%s, from a program: got %+v, want 403", name, r)
		}
	}
}

// answerTo reads up to the answer to a command.
func answerTo(t testing.TB, f feed, ref string) envelope {
	t.Helper()
	for {
		e, err := f.next()
		if err != nil {
			t.Fatalf("waiting for the answer to %s: %v, want it", ref, err)
		}
		if e.Ref == ref {
			return e
		}
	}
}

// TestConversationsOfOperations: a token with all scopes, for one conversation, reaches nothing of others.
func TestConversationsOfOperations(t *testing.T) {
	f := newGateway(t)
	f.signIn()
	with, _ := f.make(tokenBody(allScopes, `,"conversations":["bob@example.net"]`))
	anyone := []string{"GET /v1/buddies", "POST /v1/buddies", "GET /v1/invitations", "GET /v1/jids", "GET /v1/blocked", "DELETE /v1/blocked", "GET /v1/presence", "GET /v1/rooms", "GET /v1/directory", "POST /v1/stanzas"}
	free := []string{"GET /v1/session", "POST /v1/session", "PUT /v1/session/credentials", "PUT /v1/session/password", "GET /v1/presence/me", "PUT /v1/presence/me", "GET /v1/vcards/me", "PUT /v1/vcards/me",
		"GET /v1/vcards/me/photo", "PUT /v1/vcards/me/nick", "DELETE /v1/vcards/me/nick", "PUT /v1/vcards/me/photo", "DELETE /v1/vcards/me/photo", "POST /v1/uploads", "PUT /v1/uploads/{id}", "POST /v1/events/tickets", "GET /v1/events", "GET /v1/events/ws",
		"GET /v1/tokens", "POST /v1/tokens", "DELETE /v1/tokens/{id}", "GET /v1/messages/{id}", "GET /v1/conversations", "POST /mcp",
		"GET /v1/webhooks", "GET /v1/webhooks/{id}", "PUT /v1/webhooks/{id}", "DELETE /v1/webhooks/{id}", "POST /v1/webhooks/{id}/test", "POST /v1/webhooks/{id}/replay",
		"GET /v1/push", "PUT /v1/push/{id}", "DELETE /v1/push/{id}", "POST /v1/push/{id}/test"}
	seen := map[string]bool{}
	for _, c := range everyRoute() {
		op := c.method + " " + f.api.RouteOf(c.method, c.path)
		if c.method == "HEAD" || op == "DELETE /v1/session" || c.media == "application/x-www-form-urlencoded" || len(c.body) > 1000 || strings.Contains(c.path, "no%2Fbody") || strings.Contains(c.body, "tok-fresh") {
			continue
		}
		header := []string{}
		if c.media != "" {
			header = append(header, "Content-Type", c.media)
		}
		a := f.as(with, c.method, c.path, c.body, header...)
		mine := strings.Contains(c.path, "bob@") || strings.Contains(c.path, "bob%40") || strings.Contains(c.body, `"to":"bob@example.net"`) && op == "POST /v1/messages"
		mine = mine && !strings.Contains(c.path, "/rooms/") && !slices.Contains(anyone, op)
		if want := !mine && !slices.Contains(free, op); a.outOfScope(t) != want {
			t.Errorf("%s: %d %s, refused %v, want %v", c.method+" "+c.path, a.status, a.body, a.outOfScope(t), want)
		}
		seen[op] = true
	}
	for op := range neededScopes {
		if !seen[op] && op != "DELETE /v1/session" {
			t.Errorf("%s was not asked for, want every operation", op)
		}
	}
	for path, want := range map[string]bool{
		"/v1/archive?with=carol@example.net":                      true,
		"/v1/archive?q=text":                                      true,
		"/v1/archive?q=text&with=bob@example.net":                 false,
		"/v1/conversations/BOB@example.net":                       false,
		"/v1/conversations/bob@example.net%2Fphone":               true,
		"/v1/conversations/carol@example.net/messages?around=obT": true,
	} {
		if a := f.as(with, "GET", path, ""); a.outOfScope(t) != want {
			t.Errorf("GET %s: %d %s, refused %v, want %v", path, a.status, a.body, a.outOfScope(t), want)
		}
	}
	if a := f.as(with, "POST", "/v1/messages", `{"to":"carol@example.net","body":"x"}`); !a.outOfScope(t) {
		t.Errorf("POST /v1/messages to another: %d %s, want it refused", a.status, a.body)
	}
	if a := f.as(with, "POST", "/v1/session", `{"rooms":"autojoin"}`); !a.outOfScope(t) {
		t.Errorf("POST /v1/session with rooms: %d %s, want it refused", a.status, a.body)
	}
	f.want(202, "POST", "/v1/messages", `{"id":"toCarol","to":"carol@example.net","body":"x"}`, nil)
	f.want(202, "POST", "/v1/messages", `{"id":"toBob","to":"bob@example.net","body":"x"}`, nil)
	for id, want := range map[string]int{"toCarol": 404, "toBob": 200} {
		if a := f.as(with, "GET", "/v1/messages/"+id, ""); a.status != want {
			t.Errorf("GET /v1/messages/%s: %d %s, want %d", id, a.status, a.body, want)
		}
	}
	var list struct{ Items []perch.Conversation }
	if a := f.as(with, "GET", "/v1/conversations", ""); json.Unmarshal(a.body, &list) != nil || len(list.Items) != 1 || list.Items[0].JID != "bob@example.net" {
		t.Errorf("GET /v1/conversations: %s, want that with bob alone", a.body)
	}
	// Through a socket.
	s := f.dial(with)
	for i, c := range []struct {
		text string
		want bool
	}{
		{`"message.send","data":{"to":"carol@example.net","body":"x"}`, true},
		{`"message.send","data":{"to":"bob@example.net","body":"x"}`, false},
		{`"message.edit","data":{"conversation":"carol@example.net","ref":"obTE","body":"x"}`, true},
		{`"message.retract","data":{"conversation":"carol@example.net","ref":"obTE"}`, true},
		{`"message.react","data":{"conversation":"carol@example.net","ref":"obTE","emojis":[]}`, true},
		{`"conversation.read","data":{"conversation":"carol@example.net","ref":"obTE"}`, true},
		{`"chat_state.set","data":{"to":"carol@example.net","state":"active"}`, true},
		{`"chat_state.set","data":{"to":"bob@example.net","state":"active"}`, false},
		{`"room.join","data":{"jid":"talk@rooms.example.net"}`, true},
		{`"room.leave","data":{"jid":"talk@rooms.example.net"}`, true},
		{`"room.subject","data":{"jid":"talk@rooms.example.net","subject":"x"}`, true},
		{`"blocked.add","data":{"jid":"carol@example.net"}`, true},
		{`"blocked.remove","data":{"jid":"carol@example.net"}`, true},
	} {
		s.send(fmt.Sprintf(`{"id":"c%d","type":%s}`, i, c.text))
		frame := answerTo(t, s, fmt.Sprintf("c%d", i))
		if refused := frame.Error != nil && frame.Error.Code == "insufficient-scope"; refused != c.want {
			t.Errorf("%s: got %+v, refused %v, want %v", c.text, frame.Error, refused, c.want)
		}
	}
	s.close()
}

// TestPagesOfConversations: the pages of a token for one conversation are full, and no cursor names another one.
func TestPagesOfConversations(t *testing.T) {
	f := newGateway(t)
	f.signIn()
	f.want(200, "GET", "/v1/conversations", "", nil)
	for _, to := range []string{"bob", "carol", "dave"} { // the latest comes first
		f.want(202, "POST", "/v1/messages", fmt.Sprintf(`{"id":"to-%s","to":"%[1]s@example.net","body":"x"}`, to), nil)
	}
	with, _ := f.make(tokenBody("read", `,"conversations":["bob@example.net"]`))
	a := f.as(with, "GET", "/v1/conversations?limit=1", "")
	var page struct {
		Items []perch.Conversation
		Next  *string
	}
	if json.Unmarshal(a.body, &page) != nil || len(page.Items) != 1 || page.Items[0].JID != "bob@example.net" {
		t.Errorf("the first page: got %s, want bob on it", a.body)
	}
	if page.Next == nil {
		return
	}
	if place, err := base64.RawURLEncoding.DecodeString(*page.Next); err != nil || strings.Contains(string(place), "dave") || strings.Contains(string(place), "carol") {
		t.Errorf("next is %q (%v), want the place of bob at most", place, err)
	}
}
