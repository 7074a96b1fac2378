package cluster_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/perch-im/perch/internal/cluster"
	"github.com/perch-im/perch/internal/testkit"
)

// TestLobby: the deployed Prosody has a room to try, which both find, and where what one says on one
// node the other hears on another; its archive has it for who comes later.
func TestLobby(t *testing.T) {
	t.Parallel()
	c := cluster.Start(t, cluster.Options{})
	lobby := c.Lobby()
	path := "/v1/rooms/" + url.PathEscape(lobby)
	alice, bob := c.SignIn(t, c.Alice), c.SignIn(t, c.Bob)
	if found := alice.Get(t, "/v1/directory?q=lobby").List("items"); len(found) != 1 || found[0].Str("jid") != lobby || found[0].Str("name") != "Lobby" {
		t.Fatalf("GET /v1/directory: got %v, want the room %s", found, lobby)
	}
	a := c.Nodes[0].Client(t, alice.Token).Call(t, http.StatusCreated, http.MethodPut, path+"?wait=joined", map[string]any{"nick": "Alice"}).JSON(t)
	if a.Str("affiliation") != "owner" || !a.Bool("features.archive") || a.Str("subject.text") != "Come in" {
		t.Errorf("Alice in the lobby: got %v, want an owner of a room with an archive and a subject", a)
	}
	heard := c.Nodes[1].Client(t, bob.Token).Stream(t, "")
	heard.ExpectType(t, "live")
	bob.Call(t, http.StatusCreated, http.MethodPut, path+"?wait=joined", map[string]any{"nick": "Bob"})
	send(t, alice, testkit.User{JID: lobby}, "anybody here?")
	heard.Expect(t, "what Alice says", body("message.received", "anybody here?"))
	page := bob.Get(t, "/v1/archive?with="+url.QueryEscape(lobby))
	if items := page.List("items"); len(items) == 0 || !strings.HasSuffix(items[len(items)-1].Str("from"), "/Alice") {
		t.Errorf("the archive of the lobby: got %v, want the message of Alice", page)
	}
}
