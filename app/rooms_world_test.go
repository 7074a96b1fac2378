package app_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/perch-im/perch/internal/testkit"
)

// roomWorld has alice behind the gateway and bob as a foreign client, in front of a server with rooms.
type roomWorld struct {
	*world
	t      *testing.T
	login  login
	stream *testkit.Stream
	room   string
	path   string // of the room
	talk   string // of its messages
}

// newRoomWorld lets alice make a room, and bob enter it.
func newRoomWorld(t *testing.T, w *world) *roomWorld {
	t.Helper()
	r := &roomWorld{world: w, t: t}
	local, _, _ := strings.Cut(w.alice.JID, "@")
	r.room = "tea-" + local + "@" + w.server.RoomHost()
	r.path = "/v1/rooms/" + testkit.Escape(r.room)
	r.talk = "/v1/conversations/" + testkit.Escape(r.room) + "/messages"
	w.peer.Close()
	w.peer = r.foreign(w.bob)
	r.stream = live(t, w.api, "")
	a, err := w.api.Do(t.Context(), http.MethodPut, r.path+"?wait=joined", map[string]any{"nick": "Alice", "occupants": "live",
		"config": map[string]any{"name": "Tea", "persistent": true, "public": true}})
	if err != nil || a.Status != http.StatusCreated {
		t.Fatalf("making the room: %d %s (%v), want 201", a.Status, a.Body, err)
	}
	v := a.JSON(t)
	if v.Str("state") != "joined" || v.Str("role") != "moderator" || v.Str("affiliation") != "owner" || v.Str("name") != "Tea" || !v.Bool("features.archive") || !v.Bool("bookmark.autojoin") {
		t.Errorf("got %s, want Tea, made by its owner, with an archive and a bookmark", a.Body)
	}
	r.bobEnters()
	r.stream.Expect(t, "bob", func(f testkit.Frame) bool {
		return f.Type == "room.occupant" && f.Data.Str("change") == "joined" && f.Data.Str("occupant.nick") == "Bob"
	})
	return r
}

// foreign is a client that shows every message as it is, and is available.
func (r *roomWorld) foreign(u testkit.User) *testkit.Peer {
	r.t.Helper()
	p := testkit.Slixmpp(r.t, testkit.SlixmppOptions{Addr: r.server.Addr, CAFile: r.server.CAFile, JID: u.JID, Password: u.Password, Stanzas: true})
	p.Presence(r.t, "", "")
	p.Message(r.t, u.JID, "here") // a server that does not know yet that it is here keeps what comes, for later
	p.ExpectMessage(r.t, u.JID, "here")
	return p
}

// bobEnters lets bob join the room under the nick Bob.
func (r *roomWorld) bobEnters() {
	r.t.Helper()
	r.peer.Discard() // what was said of him before is not the answer
	r.peer.Raw(r.t, "<presence to='"+r.room+"/Bob'><x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x></presence>")
	r.peer.Expect(r.t, "himself", r.occupant("Bob", "available"))
}

// occupant fits presence of one who is in the room.
func (r *roomWorld) occupant(nick, typ string) func(testkit.PeerEvent) bool {
	return func(e testkit.PeerEvent) bool {
		return e.Event == "presence" && e.From == r.room+"/"+nick && e.Type == typ
	}
}

// bobSays sends something of bob to the room, and returns the message as alice's client gets it.
func (r *roomWorld) bobSays(id, body string) testkit.Object {
	r.t.Helper()
	r.bobSends(id, "<body>"+body+"</body>")
	m := r.stream.Expect(r.t, body, message("message.received", body)).Data
	if m.Str("kind") != "groupchat" || m.Str("from") != r.room+"/Bob" || m.Str("to") != r.room || m.Str("room.nick") != "Bob" || m.Bool("room.own") || m.Str("ref") == "" {
		r.t.Errorf("got %v, want a message of Bob to the room", m)
	}
	return m
}

// bobSends sends a groupchat message of bob as it is.
func (r *roomWorld) bobSends(id, content string) {
	r.t.Helper()
	r.peer.Raw(r.t, fmt.Sprintf("<message to='%s' type='groupchat' id='%s'>%s<store xmlns='urn:xmpp:hints'/></message>", r.room, id, content))
}

// aliceSays sends a message of alice, waits until everybody has it, and returns it.
func (r *roomWorld) aliceSays(id, body string) testkit.Object {
	r.t.Helper()
	r.api.Call(r.t, http.StatusAccepted, http.MethodPost, "/v1/messages", map[string]any{"id": id, "to": r.room, "body": body})
	r.reaches(body, `id="`+id+`"`, "<body>"+body+"</body>", `type="groupchat"`)
	m := r.stream.Expect(r.t, body, message("message.sent", body)).Data
	if m.Str("kind") != "groupchat" || m.Str("from") != r.room+"/Alice" || !m.Bool("room.own") || m.Str("room_stanza_id") == "" {
		r.t.Errorf("got %v, want an own message to the room", m)
	}
	r.stream.Expect(r.t, "acked", func(f testkit.Frame) bool {
		return f.Type == "message.status" && f.Data.Str("id") == id && f.Data.Str("status") == "acked"
	})
	return m
}

// reaches waits until bob has a message with all of these in its XML.
func (r *roomWorld) reaches(what string, parts ...string) {
	r.t.Helper()
	r.peer.Expect(r.t, what, func(e testkit.PeerEvent) bool {
		return e.Event == "stanza" && !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(e.XML, part) })
	})
}

// about waits for an event about a message.
func (r *roomWorld) about(typ, ref string) testkit.Object {
	r.t.Helper()
	return r.stream.Expect(r.t, typ, func(f testkit.Frame) bool { return f.Type == typ && f.Data.Str("ref") == ref }).Data
}

// becomes waits for a state of the room.
func (r *roomWorld) becomes(room, state string) testkit.Object {
	r.t.Helper()
	return r.stream.Expect(r.t, state, func(f testkit.Frame) bool {
		return f.Type == "room.state" && f.Data.Str("jid") == room && f.Data.Str("state") == state
	}).Data
}

// bodies are the texts of the newest page of the room.
func (r *roomWorld) bodies() (list []string) {
	r.t.Helper()
	for _, m := range r.api.Get(r.t, r.talk+"?limit=200").List("items") {
		list = append(list, m.Str("body"))
	}
	return list
}
