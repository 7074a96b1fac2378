package web_test

import (
	"net"
	"testing"

	"github.com/perch-im/perch/internal/testkit"
)

// TestConverse puts the console and converse.js, a client of browsers that speaks XMPP by itself, into one
// room of a real server.
func TestConverse(t *testing.T) {
	server := testkit.Prosody(t, testkit.ProsodyOptions{WebSocket: true})
	_, accounts := roomAccounts(t, server)
	s := stageFor(t, "--upstream", upstreamOf(server))
	_, port, err := net.SplitHostPort(server.HTTPAddr)
	if err != nil {
		t.Fatalf("net.SplitHostPort(%q): got error %v, want none", server.HTTPAddr, err)
	}
	// Prosody serves it for the HTTP host localhost.
	node(t, "converse.mjs", append(s.env(), accounts, "PERCH_ROOMS=conference.alpha.test", "PERCH_WEBSOCKET=ws://localhost:"+port+"/xmpp-websocket",
		chromium(t), pictures(t))...)
}
