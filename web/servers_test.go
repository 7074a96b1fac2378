package web_test

import (
	"encoding/json"
	"testing"

	"github.com/perch-im/perch/internal/testkit"
	"github.com/perch-im/perch/internal/todaytest"
)

// prosody, ejabberd and embedded start the servers that stories are played over: what needs no real server is
// played over the embedded service of today, too.
func prosody(t *testing.T) *testkit.Server  { return testkit.Prosody(t, testkit.ProsodyOptions{}) }
func ejabberd(t *testing.T) *testkit.Server { return testkit.Ejabberd(t) }
func embedded(t *testing.T) *testkit.Server { return todaytest.Server(t) }

// TestRelationsOverServers plays what two people do to messages over real XMPP servers.
func TestRelationsOverServers(t *testing.T) {
	for name, start := range map[string]func(t *testing.T) *testkit.Server{"prosody": prosody, "ejabberd": ejabberd, "today": embedded} {
		t.Run(name, func(t *testing.T) {
			server := start(t)
			s := stageFor(t, "--upstream", upstreamOf(server))
			node(t, "servers.mjs", append(s.env(), twoAccounts(t, server))...)
		})
	}
}

// twoAccounts are those of alice and bob, for a script.
func twoAccounts(t *testing.T, server *testkit.Server) string {
	t.Helper()
	type account struct {
		JID      string `json:"jid"`
		Password string `json:"password"`
	}
	text, err := json.Marshal([]account{account(server.NewUser(t, "alice")), account(server.NewUser(t, "bob"))})
	if err != nil {
		t.Fatalf("json.Marshal: got error %v, want none", err)
	}
	return "PERCH_ACCOUNTS=" + string(text)
}

// TestAccountOverServer does what an account has besides its conversations, by perch.js and in the console.
func TestAccountOverServer(t *testing.T) {
	server := prosody(t)
	s := stageFor(t, "--upstream", upstreamOf(server), "--raw-stanzas")
	node(t, "account.mjs", append(s.env(), twoAccounts(t, server), chromium(t))...)
}
