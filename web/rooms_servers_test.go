package web_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"testing"

	"github.com/perch-im/perch/internal/testkit"
)

// roomAccounts are who meets in the rooms of a test.
func roomAccounts(t *testing.T, server *testkit.Server) (users map[string]testkit.User, env string) {
	t.Helper()
	type account struct {
		JID      string `json:"jid"`
		Password string `json:"password"`
	}
	users, named := map[string]testkit.User{}, map[string]account{}
	for _, name := range []string{"alice", "bob", "carol"} {
		users[name] = server.NewUser(t, name)
		named[name] = account(users[name])
	}
	text, err := json.Marshal(named)
	if err != nil {
		t.Fatalf("json.Marshal: got error %v, want none", err)
	}
	return users, "PERCH_ACCOUNTS=" + string(text)
}

// foreign lets a story speak as a foreign client: XML that bob or carol sends as it is.
func foreign(t *testing.T, s *stage, server *testkit.Server, users map[string]testkit.User) {
	t.Helper()
	peers := map[string]*testkit.Peer{}
	for _, name := range []string{"bob", "carol"} {
		peers[name] = server.SlixmppFor(t, users[name])
		peers[name].Presence(t, "", "")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.more = map[string]func(map[string]string) (any, error){
		"raw": func(q map[string]string) (any, error) {
			p, ok := peers[q["who"]]
			if !ok {
				return nil, fmt.Errorf("no foreign client of the name %q", q["who"])
			}
			p.Do(t, "raw", map[string]any{"xml": q["xml"]})
			return 0, nil
		},
	}
}

// TestRoomsOverServers plays what people do in rooms over real XMPP servers: through the gateway by
// perch.js, and by foreign clients.
func TestRoomsOverServers(t *testing.T) {
	for name, tc := range map[string]struct {
		start   func(t *testing.T) *testkit.Server
		service string
	}{
		"prosody":  {prosody, "conference.alpha.test"},
		"ejabberd": {ejabberd, "conference.gamma.test"},
		"today":    {embedded, "rooms.perch.localhost"},
	} {
		t.Run(name, func(t *testing.T) {
			server := tc.start(t)
			users, accounts := roomAccounts(t, server)
			s := stageFor(t, "--upstream", upstreamOf(server))
			foreign(t, s, server, users)
			node(t, "rooms_servers.mjs", append(s.env(), accounts, "PERCH_ROOMS="+tc.service, "PERCH_SERVER="+name)...)
		})
	}
}

// TestRoomsInTheConsole plays rooms in a real browser, with foreign clients as the others.
func TestRoomsInTheConsole(t *testing.T) {
	for name, tc := range map[string]struct {
		start   func(t *testing.T) *testkit.Server
		service string
	}{"prosody": {prosody, "conference.alpha.test"}, "today": {embedded, "rooms.perch.localhost"}} {
		t.Run(name, func(t *testing.T) {
			server := tc.start(t)
			users, accounts := roomAccounts(t, server)
			s := stageFor(t, "--upstream", upstreamOf(server))
			foreign(t, s, server, users)
			node(t, "rooms_console.mjs", append(s.env(), accounts, "PERCH_ROOMS="+tc.service, chromium(t), pictures(t))...)
		})
	}
}

// TestBlockingInTheConsole plays blocking and searching in a real browser, with foreign clients as the others.
func TestBlockingInTheConsole(t *testing.T) {
	for name, start := range map[string]func(t *testing.T) *testkit.Server{
		"prosody": func(t *testing.T) *testkit.Server { return testkit.Prosody(t, testkit.ProsodyOptions{Search: true}) },
		"today":   embedded,
	} {
		t.Run(name, func(t *testing.T) {
			server := start(t)
			users, accounts := roomAccounts(t, server)
			s := stageFor(t, "--upstream", upstreamOf(server))
			foreign(t, s, server, users)
			node(t, "blocking_console.mjs", append(s.env(), accounts, chromium(t), pictures(t))...)
		})
	}
}

// upstreamOf leads the gateway to a server.
func upstreamOf(server *testkit.Server) string {
	q := url.Values{"domain": {server.Domain}, "name": {"real"}, "ca-file": {server.CAFile}}
	return "xmpp://" + server.Addr + "?" + q.Encode()
}
