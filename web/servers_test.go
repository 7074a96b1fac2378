package web_test

import (
	"encoding/json"
	"testing"

	"github.com/perch-im/perch/internal/testkit"
)

// TestRelationsOverServers plays what two people do to messages over real XMPP servers.
func TestRelationsOverServers(t *testing.T) {
	for name, start := range map[string]func(t *testing.T) *testkit.Server{
		"prosody":  func(t *testing.T) *testkit.Server { return testkit.Prosody(t, testkit.ProsodyOptions{}) },
		"ejabberd": func(t *testing.T) *testkit.Server { return testkit.Ejabberd(t) },
	} {
		t.Run(name, func(t *testing.T) {
			server := start(t)
			type account struct {
				JID      string `json:"jid"`
				Password string `json:"password"`
			}
			accounts := []account{account(server.NewUser(t, "alice")), account(server.NewUser(t, "bob"))}
			text, err := json.Marshal(accounts)
			if err != nil {
				t.Fatalf("json.Marshal: got error %v, want none", err)
			}
			s := stageFor(t, "--upstream", upstreamOf(server))
			node(t, "servers.mjs", append(s.env(), "PERCH_ACCOUNTS="+string(text))...)
		})
	}
}
