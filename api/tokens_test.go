package api_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/perch-im/perch"
)

// tokenItem is a row of GET /v1/tokens.
type tokenItem struct {
	ID, Kind, Name string
	Scopes         []string
	Conversations  []string
	CreatedAt      *time.Time `json:"created_at"`
	ExpiresAt      *time.Time `json:"expires_at"`
	LastUsedAt     *time.Time `json:"last_used_at"`
	LastUsedFrom   string     `json:"last_used_from"`
	Current        bool
}

func (g *gateway) tokens(with string) []tokenItem {
	g.t.Helper()
	var list struct{ Items []tokenItem }
	if a := g.as(with, "GET", "/v1/tokens", ""); a.status != 200 || json.Unmarshal(a.body, &list) != nil {
		g.t.Fatalf("GET /v1/tokens: %d %s, want the list", a.status, a.body)
	}
	return list.Items
}

func TestTokens(t *testing.T) {
	f := newGateway(t)
	f.signIn()
	bot, id := f.make(`{"name":"bot","scopes":["tokens","read"],"conversations":["Bob@Example.net","bob@example.net"],"expires_in":3600}`)
	list := f.tokens("")
	if len(list) != 2 || list[0].Kind != "account" || !list[0].Current || !slices.Equal(list[0].Scopes, strings.Fields(allScopes)) || list[0].LastUsedAt == nil {
		t.Fatalf("got the tokens %+v, want the account's, which may do everything and was used", list)
	}
	got := list[1]
	if got.ID != id || got.Kind != "made" || got.Name != "bot" || !slices.Equal(got.Scopes, []string{"read", "tokens"}) || !slices.Equal(got.Conversations, []string{"bob@example.net"}) ||
		got.CreatedAt == nil || got.ExpiresAt == nil || got.ExpiresAt.Sub(*got.CreatedAt).Round(time.Second) != time.Hour || got.LastUsedAt != nil || got.Current {
		t.Errorf("got %+v, want the bot as it was made, not used yet", got)
	}
	list = f.tokens(bot)
	if len(list) != 1 || list[0].ID != id || !list[0].Current || list[0].LastUsedAt == nil || list[0].LastUsedFrom != "127.0.0.1" {
		t.Errorf("the bot sees %+v, want itself alone, used from here", list)
	}
	if _, inner := f.makeWith(bot, tokenBody("read")); f.tokens("")[2].ExpiresAt == nil || !slices.Equal(f.tokens("")[2].Conversations, []string{"bob@example.net"}) {
		t.Errorf("%s, which the bot has made, is %+v, want its end and its conversations", inner, f.tokens("")[2])
	}
	for _, tt := range []struct{ with, body, code, pointer string }{
		{"", `{"scopes":["read"]}`, "validation", "/name"},
		{"", `{"name":"a\nb","scopes":["read"]}`, "validation", "/name"},
		{"", `{"name":"` + strings.Repeat("x", 101) + `","scopes":["read"]}`, "validation", "/name"},
		{"", `{"name":"x"}`, "validation", "/scopes"},
		{"", `{"name":"x","scopes":[]}`, "validation", "/scopes"},
		{"", `{"name":"x","scopes":["read","admin"]}`, "validation", "/scopes/1"},
		{"", `{"name":"x","scopes":["read","read"]}`, "validation", "/scopes/1"},
		{"", `{"name":"x","scopes":["read"],"conversations":[]}`, "validation", "/conversations"},
		{"", `{"name":"x","scopes":["read"],"conversations":["@"]}`, "jid-malformed", "/conversations/0"},
		{"", `{"name":"x","scopes":["read"],"conversations":["` + strings.Repeat(`a@b","`, 50) + `a@b"]}`, "validation", "/conversations"},
		{"", `{"name":"x","scopes":["read"],"expires_in":0}`, "validation", "/expires_in"},
		{"", `{"name":"x","scopes":["read"],"expires_in":99999999}`, "validation", "/expires_in"},
		{bot, `{"name":"x","scopes":["read","send"]}`, "insufficient-scope", "/scopes/1"},
		{bot, `{"name":"x","scopes":["read"],"conversations":["bob@example.net","carol@example.net"]}`, "insufficient-scope", "/conversations/1"},
		{bot, `{"name":"x","scopes":["read"],"conversations":["bob@example.net/phone"]}`, "insufficient-scope", "/conversations/0"},
		{bot, `{"name":"x","scopes":["read"],"expires_in":3700}`, "insufficient-scope", "/expires_in"},
	} {
		p := f.as(tt.with, "POST", "/v1/tokens", tt.body).problem(t)
		if p.Code != tt.code || len(p.Errors) == 0 || p.Errors[0].Pointer != tt.pointer {
			t.Errorf("%s: got %+v, want %s at %s", tt.body, p, tt.code, tt.pointer)
		}
	}
	f.refused(409, "conflict", "", "DELETE", "/v1/tokens/account", "")
	f.refused(404, "not-found", "", "DELETE", "/v1/tokens/none", "")
	f.want(204, "DELETE", "/v1/tokens/"+id, "", nil)
	if p := f.as(bot, "GET", "/v1/session", "").problem(t); p.Status != 401 {
		t.Errorf("the revoked bot: got %+v, want 401", p)
	}
}

// TestSignOutOfOneDevice: what DELETE /v1/session ends, by the token that asks.
func TestSignOutOfOneDevice(t *testing.T) {
	f := newGateway(t)
	signIn := func() (token string) {
		t.Helper()
		var answer struct {
			Token  string
			Shared bool
		}
		a := f.do("POST", "/v1/session", `{"upstream":"other","jid":"alice@example.net","password":"good"}`, "Content-Type", "application/json")
		if json.Unmarshal(a.body, &answer) != nil || answer.Token == "" || answer.Shared != (a.status == 200) {
			t.Fatalf("POST /v1/session: %d %s, want a token, and shared when the session was there", a.status, a.body)
		}
		return answer.Token
	}
	leads := func(token string) bool { return f.as(token, "GET", "/v1/session", "").status == 200 }
	phone, tablet := signIn(), signIn()
	made, _ := f.makeWith(phone, tokenBody("read"))
	boss, _ := f.makeWith(phone, tokenBody("session"))
	for _, tt := range []struct {
		with, path string
		status     int
	}{
		{made, "/v1/session?all=1", 403}, {made, "/v1/session?all=2", 422}, {made, "/v1/session", 204},
		{phone, "/v1/session?all=0", 204},
	} {
		if a := f.as(tt.with, "DELETE", tt.path, ""); a.status != tt.status {
			t.Errorf("DELETE %s: %d %s, want %d", tt.path, a.status, a.body, tt.status)
		}
	}
	if leads(made) || leads(phone) || !leads(tablet) || !leads(boss) {
		t.Errorf("the made token leads there %v, the phone %v, the tablet %v, the other %v; want the last two", leads(made), leads(phone), leads(tablet), leads(boss))
	}
	if a := f.as(boss, "DELETE", "/v1/session?all=1", ""); a.status != 204 || leads(tablet) || leads(boss) {
		t.Errorf("all=1: %d %s, the tablet leads there %v; want the end of the session", a.status, a.body, leads(tablet))
	}
	phone, tablet = signIn(), signIn()
	if a := f.as(phone, "DELETE", "/v1/session", ""); a.status != 204 || leads(tablet) {
		t.Errorf("with the token of a sign-in: %d %s, the tablet leads there %v; want the end of the session", a.status, a.body, leads(tablet))
	}
	phone = signIn()
	if a := f.as(phone, "DELETE", "/v1/session?all=0", ""); a.status != 204 || f.manager.Len() != 0 {
		t.Errorf("the last token: %d %s, %d sessions; want none left", a.status, a.body, f.manager.Len())
	}
	phone = signIn()
	made, _ = f.makeWith(phone, tokenBody("read"))
	narrow, _ := f.makeWith(phone, tokenBody("session", `,"conversations":["bob@example.net"]`))
	if a := f.as(narrow, "DELETE", "/v1/session?all=1", ""); !a.outOfScope(t) {
		t.Errorf("all=1 with a token for bob: %d %s, want it refused", a.status, a.body)
	}
	for _, tt := range []struct {
		with, path string
		left       int
	}{{phone, "/v1/session?all=0", 1}, {narrow, "/v1/session", 1}, {made, "/v1/session", 0}} {
		if a := f.as(tt.with, "DELETE", tt.path, ""); a.status != 204 || f.manager.Len() != tt.left {
			t.Errorf("DELETE %s: %d %s, %d sessions; want %d", tt.path, a.status, a.body, f.manager.Len(), tt.left)
		}
	}
	f.signIn()
	f.refused(409, "conflict", "", "DELETE", "/v1/session?all=0", "")
}

// endCode reads a stream to its end, and returns the code that it has ended with.
func endCode(t testing.TB, f feed) (code int) {
	t.Helper()
	for {
		e, err := f.next()
		switch {
		case err != nil:
			if s := websocket.CloseStatus(err); s != -1 {
				return int(s)
			}
			return code
		case e.Close != nil:
			code = e.Close.Code
		}
	}
}

// TestRevokedStreams: a token that is revoked, or expires, is out within a second: its streams end with 4001,
// those through another node too, and the others continue.
func TestRevokedStreams(t *testing.T) {
	for _, through := range []string{"the owner", "another node"} {
		for _, end := range []string{"revoked", "expired", "signed out"} {
			t.Run(through+" "+end, func(t *testing.T) {
				n := newNodes(t)
				n.openAtB(token)
				n.b.conn = nil
				g := n.b
				if through == "another node" {
					g = n.a
				}
				body := tokenBody("read presence")
				if end == "expired" {
					body = tokenBody("read", `,"expires_in":2`)
				}
				with, id := g.make(body)
				stays := g.stream("ws", token, "")
				upTo(t, stays, "live")
				var feeds []feed
				for _, encoding := range encodings {
					s := g.stream(encoding, with, "")
					upTo(t, s, "live")
					feeds = append(feeds, s)
				}
				polled := make(chan answer, 1)
				tip := g.poll(with, "").Next
				go func() { polled <- g.as(with, "GET", "/v1/events?wait=60&"+since(tip), "") }()
				n.b.waitForStreams(token, 5)
				began := time.Now()
				switch end {
				case "revoked":
					g.want(204, "DELETE", "/v1/tokens/"+id, "", nil)
				case "signed out":
					if a := g.as(with, "DELETE", "/v1/session", ""); a.status != 204 {
						t.Fatalf("DELETE /v1/session: %d %s, want 204", a.status, a.body)
					}
				}
				for i, s := range feeds {
					if code := endCode(t, s); code != 4001 {
						t.Errorf("%s ended with %d, want 4001", encodings[i], code)
					}
					s.close()
				}
				if a := <-polled; a.status != 401 {
					t.Errorf("the poll: %d %s, want 401", a.status, a.body)
				}
				if took := time.Since(began); took > 3*time.Second || end != "expired" && took > time.Second {
					t.Errorf("it took %v until all had ended, want less than a second", took)
				}
				for _, node := range []*gateway{n.a, n.b} {
					if a := node.as(with, "GET", "/v1/session", ""); a.status != 401 {
						t.Errorf("a request afterwards: %d %s, want 401", a.status, a.body)
					}
				}
				stays.(*socketFeed).send(`{"id":"p","type":"ping"}`)
				answerTo(t, stays, "p")
				stays.close()
			})
		}
	}
}

// kindsIn are the kinds of events in frames, those of carol apart, without the frames of the connection itself.
func kindsIn(into map[string]bool, all []envelope) map[string]bool {
	for _, e := range all {
		switch {
		case slices.Contains([]string{"hello", "live", "heartbeat", "reply", "error", "session.state", "conversation.changed"}, e.Type): // the last one comes when it comes
		case strings.Contains(string(e.Data), "carol@"):
			into[e.Type+" of carol"] = true
		default:
			into[e.Type] = true
		}
	}
	return into
}

// TestScopesOfStreams: a stream shows what its token may see, in snapshots, live and replayed, and no filter
// widens it.
func TestScopesOfStreams(t *testing.T) {
	read := []string{"chat_state", "invitations.snapshot", "message.received", "message.received of carol", "presence", "presence.snapshot", "roster.item", "roster.snapshot"}
	for name, tt := range map[string]struct {
		token string
		want  []string
	}{
		"read":          {tokenBody("read"), read},
		"presence":      {tokenBody("presence send"), []string{"presence", "presence.snapshot"}},
		"roster":        {tokenBody("roster"), []string{"invitations.snapshot", "roster.item", "roster.snapshot"}},
		"rooms":         {tokenBody("rooms"), nil},
		"bob alone":     {tokenBody(allScopes, `,"conversations":["bob@example.net"]`), []string{"chat_state", "message.received"}},
		"carol, roster": {tokenBody("roster", `,"conversations":["carol@example.net"]`), nil},
		"everything":    {"", read},
	} {
		t.Run(name, func(t *testing.T) { scopesOfStreams(t, tt.token, tt.want) })
	}
}

func scopesOfStreams(t *testing.T, made string, want []string) {
	f := newGateway(t)
	conn := f.signIn()
	f.want(200, "GET", "/v1/conversations", "", nil)
	with := token
	if made != "" {
		with, _ = f.make(made)
	}
	before := f.poll(token, "").Next
	feeds, got := map[string]feed{}, map[string]map[string]bool{}
	for _, encoding := range encodings {
		s := f.stream(encoding, with, "conversations=*")
		feeds[encoding], got[encoding] = s, kindsIn(map[string]bool{}, upTo(t, s, "live"))
	}
	feeds["ws"].(*socketFeed).send(`{"id":"all","type":"subscribe","data":{"types":[],"conversations":["*"]}}`)
	answerTo(t, feeds["ws"], "all")
	conn.Deliver(&perch.PresenceIn{From: "bob@example.net/phone", Available: true})
	conn.Deliver(&perch.ChatStateIn{From: "bob@example.net/phone", State: perch.StateComposing})
	conn.Deliver(&perch.RosterPush{Item: perch.Buddy{JID: "dave@example.net", Name: "Dave", Subscription: perch.SubscriptionNone}})
	for _, from := range []perch.JID{"bob@example.net/phone", "carol@example.net/x"} {
		conn.Deliver(&perch.MessageIn{Message: perch.Message{ID: "m-" + string(from[:3]), From: from, To: "alice@example.net", Kind: perch.ChatMessage, Body: "x"}})
	}
	f.waitLogged(token, conn)
	got["poll"] = kindsIn(map[string]bool{}, f.poll(with, "").Events)
	for _, query := range []string{since(before), since(before) + "&types=*&conversations=*"} {
		if strings.Contains(query, "types") {
			query = since(before) + "&conversations=carol@example.net,bob@example.net"
		}
		s := f.stream("ndjson", with, query)
		for kind := range kindsIn(map[string]bool{}, upTo(t, s, "live")) {
			if !slices.Contains(want, kind) {
				t.Errorf("replayed by %s: got %s, want %q alone", query, kind, want)
			}
		}
		s.close()
	}
	replayed := kindsIn(map[string]bool{}, f.poll(with, since(before)).Events)
	for _, kind := range []string{"message.received", "message.received of carol", "roster.item"} {
		if replayed[kind] != slices.Contains(want, kind) {
			t.Errorf("polled from a cursor: got %s %v, want %v", kind, replayed[kind], slices.Contains(want, kind))
		}
	}
	for kind := range got["poll"] {
		if !slices.Contains(want, kind) {
			t.Errorf("polled: got %s, want %q alone", kind, want)
		}
	}
	f.want(204, "DELETE", "/v1/session", "", nil)
	for _, encoding := range encodings {
		s := feeds[encoding]
		for {
			e, err := s.next()
			if err != nil {
				break
			}
			kindsIn(got[encoding], []envelope{e})
		}
		s.close()
		if kinds := slices.Sorted(maps.Keys(got[encoding])); !slices.Equal(kinds, want) {
			t.Errorf("%s: got %q, want %q", encoding, kinds, want)
		}
	}
}

// TestScopesOfTickets: a ticket opens a socket for what its token may do, through another node too, and none
// once the token has ended.
func TestScopesOfTickets(t *testing.T) {
	n := newNodes(t)
	n.openAtB(token)
	for name, g := range map[string]*gateway{"the owner": n.b, "another node": n.a} {
		with, id := g.make(tokenBody("presence", `,"expires_in":3600`))
		ticket := func(with string) string {
			t.Helper()
			var k struct{ Ticket string }
			if a := g.as(with, "POST", "/v1/events/tickets", ""); a.status != 201 || json.Unmarshal(a.body, &k) != nil {
				t.Fatalf("%s: POST /v1/events/tickets: %d %s, want a ticket", name, a.status, a.body)
			}
			return "ticket=" + k.Ticket
		}
		s := g.stream("ws", "", ticket(with)).(*socketFeed)
		if got := slices.Sorted(maps.Keys(kindsIn(map[string]bool{}, upTo(t, s, "live")))); !slices.Equal(got, []string{"presence.snapshot"}) {
			t.Errorf("%s: the socket shows %q, want presence alone", name, got)
		}
		s.send(`{"id":"c1","type":"message.send","data":{"to":"bob@example.net","body":"x"}}`)
		if e := answerTo(t, s, "c1"); e.Error == nil || e.Error.Code != "insufficient-scope" {
			t.Errorf("%s: message.send got %+v, want it refused", name, e)
		}
		late, whole := ticket(with), ticket(token)
		g.want(204, "DELETE", "/v1/tokens/"+id, "", nil)
		if code := endCode(t, s); code != 4001 {
			t.Errorf("%s: the socket ended with %d, want 4001", name, code)
		}
		s.close()
		if r := g.try(late, nil, "perch.v1"); r.status != 401 {
			t.Errorf("%s: the ticket of a revoked token: got %+v, want 401", name, r)
		}
		s = g.stream("ws", "", whole).(*socketFeed)
		if got := kindsIn(map[string]bool{}, upTo(t, s, "live")); !got["roster.snapshot"] {
			t.Errorf("%s: the ticket of the account shows %v, want everything", name, got)
		}
		s.close()
	}
}

// TestScopesThroughANode: a node that passes requests on does not decide, and cannot widen.
func TestScopesThroughANode(t *testing.T) {
	n := newNodes(t)
	n.openAtB(token)
	with, _ := n.a.make(tokenBody("read"))
	for _, g := range []*gateway{n.a, n.b} {
		if a := g.as(with, "POST", "/v1/messages", `{"to":"bob@example.net","body":"x"}`); !a.outOfScope(t) {
			t.Errorf("POST /v1/messages: %d %s, want it refused", a.status, a.body)
		}
		if a := g.as(with, "GET", "/v1/buddies", ""); a.status != 200 {
			t.Errorf("GET /v1/buddies: %d %s, want 200", a.status, a.body)
		}
	}
	n.handOver(t, token)
	n.a.want(200, "GET", "/v1/session", "", nil)
	if a := n.a.as(with, "POST", "/v1/messages", `{"to":"bob@example.net","body":"x"}`); !a.outOfScope(t) {
		t.Errorf("after the session has moved: %d %s, want it refused", a.status, a.body)
	}
}
