package app_test

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/testkit"
)

// upgradeWorld is one whose secrets and accounts are the same in every run, so that what one program has
// kept can be given to another.
type upgradeWorld struct {
	*redisWorld
	eve  testkit.User
	kept kept
}

// kept is what a client and its user know, and find again.
type kept struct {
	Tokens  []string          // of two sign-ins
	Cursor  string            // of the client
	After   []string          // that bob has said since
	Message string            // id of the one with the idempotency key
	View    map[string]string // see upgradeWorld.view
}

const (
	patience   = 15 * time.Second
	roomSays   = "to the room: "
	upgradeKey = "once-and-for-all"
	// Those of upgradeWorld stand in files: they are secrets of nothing.
	upgradeSecret   = "an upgrade finds what was kept under this secret"
	upgradePassword = "an-upgrade-signs-in-with-this"
)

func newUpgradeWorld(t *testing.T) *upgradeWorld {
	t.Helper()
	u := &upgradeWorld{redisWorld: newRedisWorld(t, loginNamed("prosody X-MESSENGER-OAUTH2"))}
	u.o.Upstreams[0].TokenMechanism = ""
	u.o.Secret, u.o.SealKeys = upgradeSecret, [][]byte{bytes.Repeat([]byte{7}, 32)}
	u.alice = testkit.User{JID: "upgrade-alice@alpha.test", Password: upgradePassword}
	u.bob = testkit.User{JID: "upgrade-bob@alpha.test", Password: upgradePassword}
	u.eve = testkit.User{JID: "upgrade-eve@alpha.test", Password: upgradePassword}
	canary.Note(upgradeSecret, upgradePassword, string(u.o.SealKeys[0]))
	return u
}

// enter makes the accounts, and lets bob in.
func (u *upgradeWorld) enter(t *testing.T) {
	t.Helper()
	for _, x := range []testkit.User{u.alice, u.bob, u.eve} {
		u.server.AddUser(t, x.JID, x.Password)
	}
	u.peer = u.server.SlixmppFor(t, u.bob)
	u.peer.Presence(t, "dnd", "at work")
}

// has reports whether the gateway that runs has a resource.
func (u *upgradeWorld) has(t *testing.T, path string) bool {
	t.Helper()
	a, err := u.api.Do(t.Context(), http.MethodGet, path, nil)
	if err != nil {
		t.Fatalf("GET %s: got error %v, want none", path, err)
	}
	return a.Status == http.StatusOK
}

const upgradeRoom = "upgrade@conference.alpha.test"

// fill lets alice do what leaves something in Redis, and notes what she finds.
func (u *upgradeWorld) fill(t *testing.T) {
	t.Helper()
	for _, status := range []int{http.StatusCreated, http.StatusOK} {
		token := u.api.Call(t, status, http.MethodPost, "/v1/session", map[string]string{"jid": u.alice.JID, "password": u.alice.Password}).JSON(t).Str("token")
		u.kept.Tokens, u.api.Token = append(u.kept.Tokens, token), token
		canary.Note(token)
	}
	stream := live(t, u.api, "")
	u.befriendBusy(t, stream)
	eve := u.server.SlixmppFor(t, u.eve)
	eve.Subscription(t, u.alice.JID, "subscribe", "Eve")
	stream.ExpectType(t, "invitation.received")
	eve.Close()
	u.kept.Message = u.once(t)
	u.peer.ExpectMessage(t, u.alice.JID, upgradeKey)
	u.peer.Message(t, u.alice.JID, "before")
	stream.Expect(t, "before", message("message.received", "before"))
	if u.has(t, "/v1/conversations") {
		u.api.Call(t, http.StatusOK, http.MethodPatch, "/v1/conversations/"+testkit.Escape(u.bob.JID), map[string]any{"pinned": true, "draft": "to be continued"})
	}
	if u.has(t, "/v1/rooms") {
		u.api.Call(t, http.StatusCreated, http.MethodPut, "/v1/rooms/"+testkit.Escape(upgradeRoom)+"?wait=joined",
			map[string]any{"nick": "Alice", "config": map[string]any{"name": "Upgrades", "persistent": true}})
		u.peer.Raw(t, "<presence to='"+upgradeRoom+"/Bob'><x xmlns='http://jabber.org/protocol/muc'/></presence>")
		u.peer.Raw(t, "<message to='"+upgradeRoom+"' type='groupchat' id='r1'><body>"+roomSays+"hello</body></message>")
		stream.Expect(t, "the room", message("message.received", roomSays+"hello"))
	}
	stream.Close()
	var client ledger
	client.open(t, u.api)
	u.peer.Message(t, u.alice.JID, "the last that was seen")
	client.received(t, "the last that was seen")
	client.stream.Close()
	u.kept.Cursor = client.cursor()
	for _, body := range []string{"after the cursor", "and after that, größer"} {
		u.say(t, body)
	}
	u.kept.View = u.view(t)
}

// befriendBusy is befriend while bob is at work.
func (u *upgradeWorld) befriendBusy(t *testing.T, stream *testkit.Stream) {
	t.Helper()
	u.api.Call(t, http.StatusCreated, http.MethodPost, "/v1/buddies", map[string]any{"jid": u.bob.JID, "name": "Bob"})
	u.peer.ExpectSubscription(t, u.alice.JID, "subscribe")
	u.peer.Subscription(t, u.alice.JID, "subscribed", "")
	u.peer.Subscription(t, u.alice.JID, "subscribe", "")
	u.peer.ExpectSubscription(t, u.alice.JID, "subscribed")
	stream.Expect(t, "bob", u.presence(true, "dnd"))
}

// say lets bob say something, and waits until the log has it.
func (u *upgradeWorld) say(t *testing.T, body string) {
	t.Helper()
	u.peer.Message(t, u.alice.JID, body)
	u.kept.After = append(u.kept.After, body)
	client := ledger{ids: []string{u.kept.Cursor}}
	client.open(t, u.api)
	client.received(t, body)
	client.stream.Close()
}

// talk is a message each way through the program that runs now.
func (u *upgradeWorld) talk(t *testing.T, name string) {
	t.Helper()
	u.say(t, "bob to the "+name)
	u.api.Call(t, http.StatusAccepted, http.MethodPost, "/v1/messages", map[string]string{"to": u.bob.JID, "body": "by the " + name})
	u.peer.ExpectMessage(t, u.alice.JID, "by the "+name)
	u.kept.View = u.view(t)
}

// once sends the message with an idempotency key, and returns its id.
func (u *upgradeWorld) once(t *testing.T) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, u.api.URL+"/v1/messages",
		strings.NewReader(fmt.Sprintf(`{"to":%q,"body":%q}`, u.bob.JID, upgradeKey)))
	if err != nil {
		t.Fatalf("NewRequest: got error %v, want none", err)
	}
	for name, value := range map[string]string{"Authorization": "Bearer " + u.api.Token, "Content-Type": "application/json", "Idempotency-Key": upgradeKey} {
		req.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatalf("POST /v1/messages: got error %v, want none", err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusAccepted {
		t.Fatalf("POST /v1/messages: got %d %s, error %v, want 202", res.StatusCode, text, err)
	}
	return testkit.ParseObject(t, string(text)).Str("id")
}

// differs says what is not yet as it was kept.
func (u *upgradeWorld) differs(t *testing.T) error {
	t.Helper()
	if diff := cmp.Diff(u.kept.View, u.known(t)); diff != "" {
		return fmt.Errorf("what was kept (-want +got):\n%s", diff)
	}
	return nil
}

// known is view without what the program did not have by which it was kept.
func (u *upgradeWorld) known(t *testing.T) map[string]string {
	t.Helper()
	v := u.view(t)
	maps.DeleteFunc(v, func(part, _ string) bool { return u.kept.View[part] == "" })
	return v
}

// view is what alice's client shows, without what depends on the time or on the link.
func (u *upgradeWorld) view(t *testing.T) map[string]string {
	t.Helper()
	rows := func(path string, fields ...string) string {
		a, err := u.api.Do(t.Context(), http.MethodGet, path, nil)
		if err != nil || a.Status != http.StatusOK {
			return fmt.Sprintf("%d %s, error %v", a.Status, a.Body, err)
		}
		o := a.JSON(t)
		items := o.List("items")
		if o.At("items") == nil {
			items = []testkit.Object{o}
		}
		var list []string
		for _, item := range items {
			var row []string
			for _, f := range fields {
				row = append(row, fmt.Sprintf("%s=%v", f, item.At(f)))
			}
			list = append(list, strings.Join(row, " "))
		}
		slices.Sort(list)
		return strings.Join(list, "\n")
	}
	bob := testkit.Escape(u.bob.JID)
	v := map[string]string{
		"session":     rows("/v1/session", "jid"),
		"buddies":     rows("/v1/buddies", "jid", "name", "groups", "subscription"),
		"presence":    rows("/v1/presence/"+bob, "jid", "available", "show", "status"),
		"invitations": rows("/v1/invitations", "jid", "nick"),
		"message":     rows("/v1/messages/"+u.kept.Message, "id", "to", "status"),
	}
	if u.has(t, "/v1/conversations") {
		v["conversations"] = rows("/v1/conversations?type=chat", "jid", "unread", "pinned", "draft", "last_message.body")
	}
	if u.has(t, "/v1/rooms") {
		v["rooms"] = rows("/v1/rooms", "jid", "nick", "name")
	}
	return v
}
