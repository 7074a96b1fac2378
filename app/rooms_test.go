package app_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch/app"
	"github.com/perch-im/perch/internal/testkit"
)

// roomLogins are logins on the servers that have rooms.
func roomLogins() []login {
	return []login{loginNamed("prosody PLAIN"), loginNamed("ejabberd SCRAM-SHA-1"), loginNamed("today SCRAM-SHA-256")}
}

// inRooms runs a test on each server, with what is kept in memory and in Redis.
func inRooms(t *testing.T, f func(r *roomWorld), edit ...func(*app.Options)) {
	for _, l := range roomLogins() {
		for name, store := range map[string]func(*app.Options){
			"memory": func(*app.Options) {},
			"redis": func(o *app.Options) {
				o.RedisURL, o.Node, o.DrainTime = testkit.Redis(t, testkit.RedisOptions{}).URL(), "kept", time.Second
			},
		} {
			t.Run(l.name+" "+name, func(t *testing.T) {
				r := newRoomWorld(t, newWorld(t, l, l.server(t), append([]func(*app.Options){store}, edit...)...))
				r.login = l
				f(r)
			})
		}
	}
}

// TestRoomTalk: what is said in a room, and about what was said, reaches everybody in it.
func TestRoomTalk(t *testing.T) {
	inRooms(t, func(r *roomWorld) {
		t := r.t
		mine := r.aliceSays("a1", "first")
		theirs := r.bobSays("b1", "hello")
		own, his := mine.Str("ref"), theirs.Str("ref")

		r.verb(http.MethodPatch, own, map[string]any{"id": "e1", "body": "second"})
		r.reaches("the correction", `id="e1"`, "urn:xmpp:message-correct:0", `id="a1"`, "<body>second</body>")
		if m := r.about("message.edited", own); m.Str("body") != "second" {
			t.Errorf("got %v, want the second text", m)
		}
		r.verb(http.MethodPut, his+"/reactions", map[string]any{"id": "r1", "emojis": []string{"👍"}})
		r.reaches("the reaction", "urn:xmpp:reactions:0", theirs.Str("room_stanza_id"), "👍")
		r.about("message.reactions", his)
		r.bobSends("b2", "<reactions xmlns='urn:xmpp:reactions:0' id='"+mine.Str("room_stanza_id")+"'><reaction>🎉</reaction></reactions>")
		if d := r.about("message.reactions", own); d.Str("from") != r.room+"/Bob" {
			t.Errorf("got %v, want a reaction of Bob", d)
		}
		r.bobSends("b3", "<body>hello, all</body><replace xmlns='urn:xmpp:message-correct:0' id='b1'/>")
		if m := r.about("message.edited", his); m.Str("body") != "hello, all" {
			t.Errorf("got %v, want Bob's correction", m)
		}
		gone := r.bobSays("b4", "not this").Str("ref")
		r.bobSends("b5", "<retract xmlns='urn:xmpp:message-retract:1' id='"+r.stanzaID(gone)+"'/>")
		r.about("message.retracted", gone)
		r.verb(http.MethodDelete, own, nil)
		r.reaches("the retraction", "urn:xmpp:message-retract:1", mine.Str("room_stanza_id"))
		r.about("message.retracted", own)

		r.moderates()
		r.typing()
		r.archived(his, "hello, all")
	})
}

// verb asks for something to be done to a message, and waits until the room has it.
func (r *roomWorld) verb(method, of string, body any) {
	r.t.Helper()
	id := r.api.Call(r.t, http.StatusAccepted, method, r.talk+"/"+of, body).JSON(r.t).Str("id")
	testkit.Eventually(r.t, 20*time.Second, func() error {
		if status := r.api.Get(r.t, "/v1/messages/"+id).Str("status"); status != "acked" {
			return fmt.Errorf("the status of %s is %s, want acked", id, status)
		}
		return nil
	})
}

// stanzaID is the id of a message in the archive of the room.
func (r *roomWorld) stanzaID(ref string) string {
	r.t.Helper()
	return r.api.Get(r.t, r.talk+"/"+ref).Str("room_stanza_id")
}

// moderates retracts what bob has said, where the room can: Prosody with its module.
func (r *roomWorld) moderates() {
	r.t.Helper()
	rude := r.bobSays("b6", "rude")
	a, err := r.api.Do(r.t.Context(), http.MethodDelete, r.talk+"/"+rude.Str("ref")+"?reason=manners", nil)
	if err != nil {
		r.t.Fatalf("DELETE: got error %v, want none", err)
	}
	if r.server.Name == "ejabberd" && !testkit.EjabberdAtLeast("24") {
		if a.Status != http.StatusNotImplemented {
			r.t.Errorf("got %d %s, want 501 where rooms have no moderation", a.Status, a.Body)
		}
		return
	}
	if a.Status != http.StatusNoContent {
		r.t.Fatalf("got %d %s, want 204", a.Status, a.Body)
	}
	if d := r.about("message.retracted", rude.Str("ref")); !d.Bool("moderated") {
		r.t.Errorf("got %v, want it retracted by the room", d)
	}
}

// typing: chat states go both ways.
func (r *roomWorld) typing() {
	r.t.Helper()
	r.api.Call(r.t, http.StatusNoContent, http.MethodPut, "/v1/chat-states/"+testkit.Escape(r.room), map[string]string{"state": "composing"})
	r.reaches("composing", "composing", r.room+"/Alice")
	r.peer.Raw(r.t, "<message to='"+r.room+"' type='groupchat'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>")
	r.stream.Expect(r.t, "Bob types", func(f testkit.Frame) bool {
		return f.Type == "chat_state" && f.Data.Str("room") == r.room && f.Data.Str("nick") == "Bob" && f.Data.Str("state") == "composing"
	})
}

// archived: the history of a room is that of the room, as messages of the conversation and as archive.
func (r *roomWorld) archived(ref, body string) {
	r.t.Helper()
	testkit.Eventually(r.t, 20*time.Second, func() error { // servers write the archive in their own time
		for _, query := range []string{"", "?around=" + ref} {
			page := r.api.Get(r.t, r.talk+query)
			if m := page.Find("items", "ref", ref); m == nil || m.Str("body") != body && m.Str("body") != "hello" || m.Str("room.nick") != "Bob" {
				return fmt.Errorf("the page %q has %v of %s, want it: %v", query, m, ref, page)
			}
		}
		return nil
	})
	page := r.api.Get(r.t, "/v1/archive?with="+testkit.Escape(r.room)+"&limit=1")
	if newest := append(page.List("items"), page.List("relations")...); len(newest) != 1 || page.Str("prev") == "" || newest[0].Str("kind") != "groupchat" {
		r.t.Errorf("got %v, want the newest entry and a page before it", page)
	} else if before := r.api.Get(r.t, "/v1/archive?with="+testkit.Escape(r.room)+"&limit=2&before="+page.Str("prev")); len(before.List("items"))+len(before.List("relations"))+len(before.List("dropped")) == 0 {
		r.t.Errorf("got %v, want what came before", before)
	}
	c := r.api.Get(r.t, "/v1/conversations?type=room").Find("items", "jid", r.room)
	if c == nil || c.Str("name") != "Tea" || c.At("last_message") == nil {
		r.t.Errorf("got %v, want Tea in the list of conversations", c)
	}
}

// TestRoomRule: those who run a room change what it is and who may what, and end it.
func TestRoomRule(t *testing.T) {
	inRooms(t, func(r *roomWorld) {
		t := r.t
		var page struct {
			Items []struct{ Nick, JID, Role string }
			Count int
		}
		a := r.api.Call(t, http.StatusOK, http.MethodGet, r.path+"/occupants", nil)
		if err := json.Unmarshal(a.Body, &page); err != nil || page.Count != 2 || page.Items[0].Nick != "Alice" || page.Items[1].JID != r.bob.JID {
			t.Errorf("got %s, want Alice, and Bob with his address", a.Body)
		}
		r.api.Call(t, http.StatusOK, http.MethodPut, r.path+"/members/"+testkit.Escape(r.bob.JID), map[string]string{"affiliation": "member"})
		if m := r.api.Get(t, r.path+"/members").Find("items", "jid", r.bob.JID); m == nil || m.Str("affiliation") != "member" {
			t.Errorf("got %v, want bob a member", m)
		}
		c := r.api.Call(t, http.StatusOK, http.MethodPatch, r.path+"/config", map[string]any{"name": "Coffee", "moderated": true}).JSON(t)
		if c.Str("name") != "Coffee" || !c.Bool("moderated") {
			t.Errorf("got %v, want the room configured so", c)
		}
		r.stream.Expect(t, "the other name", func(f testkit.Frame) bool { return f.Type == "room.changed" && f.Data.Str("name") == "Coffee" })
		r.api.Call(t, http.StatusAccepted, http.MethodPut, r.path+"/subject", map[string]string{"subject": "Arabica"})
		r.stream.Expect(t, "the subject", func(f testkit.Frame) bool { return f.Type == "room.changed" && f.Data.Str("subject.text") == "Arabica" })
		r.reaches("the subject", "<subject>Arabica</subject>")
		if d := r.api.Get(t, "/v1/directory?q=tea-&limit=200").Find("items", "jid", r.room); d == nil {
			t.Errorf("got no %s in the directory, want it", r.room)
		}
		if s := r.api.Get(t, "/v1/session"); !slices.Contains(asStrings(s.At("services.muc")), r.server.RoomHost()) {
			t.Errorf("got the services %v, want the one of rooms", s.At("services"))
		}
		r.photo()
		r.invites()
		r.ends()
	})
}

func asStrings(v any) (list []string) {
	items, _ := v.([]any)
	for _, x := range items {
		text, _ := x.(string)
		list = append(list, text)
	}
	return list
}

// photo gives the room a picture, and takes it away.
func (r *roomWorld) photo() {
	r.t.Helper()
	const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
	r.api.Call(r.t, http.StatusNoContent, http.MethodPut, r.path+"/photo", map[string]string{"data": pixel})
	if a := r.api.Call(r.t, http.StatusOK, http.MethodGet, r.path+"/photo", nil); a.Header.Get("Content-Type") != "image/png" || len(a.Body) != 70 {
		r.t.Errorf("got %v and %d bytes, want the picture", a.Header, len(a.Body))
	}
}

// invites: invitations go out by the room and directly, and come in.
func (r *roomWorld) invites() {
	r.t.Helper()
	carol := r.server.NewUserAt(r.t, "carol", r.server.Domain)
	c := r.foreign(carol)
	for _, via := range []string{"room", "direct"} {
		r.api.Call(r.t, http.StatusAccepted, http.MethodPost, r.path+"/invitations", map[string]string{"to": carol.JID, "reason": "by " + via, "via": via})
		c.Expect(r.t, via, func(e testkit.PeerEvent) bool {
			return e.Event == "stanza" && strings.Contains(e.XML, "by "+via) && strings.Contains(e.XML, r.room)
		})
	}
	other := "his-" + r.room
	r.peer.Raw(r.t, "<presence to='"+other+"/Bob'><x xmlns='http://jabber.org/protocol/muc'/></presence>")
	r.peer.Raw(r.t, "<iq type='set' id='own' to='"+other+"'><query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'/></query></iq>")
	r.peer.Roster(r.t)
	r.peer.Raw(r.t, "<message to='"+other+"'><x xmlns='http://jabber.org/protocol/muc#user'><invite to='"+r.alice.JID+"'><reason>come over</reason></invite></x></message>")
	r.stream.Expect(r.t, "the invitation", func(f testkit.Frame) bool {
		return f.Type == "room.invited" && f.Data.Str("jid") == other && f.Data.Str("reason") == "come over"
	})
	if v := r.api.Get(r.t, "/v1/rooms?state=invited").Find("items", "jid", other); v == nil || v.Str("state") != "invited" {
		r.t.Errorf("got %v, want an invitation to his room", v)
	}
	v := r.api.Call(r.t, http.StatusOK, http.MethodPut, "/v1/rooms/"+testkit.Escape(other)+"?wait=joined", map[string]any{"nick": "Alice", "autojoin": nil}).JSON(r.t)
	if v.At("invited") != nil || v.At("bookmark") != nil {
		r.t.Errorf("got %v, want the invitation accepted, and no bookmark", v)
	}
	r.api.Call(r.t, http.StatusForbidden, http.MethodGet, "/v1/rooms/"+testkit.Escape(other)+"/config", nil)
	r.api.Call(r.t, http.StatusForbidden, http.MethodPost, "/v1/rooms/"+testkit.Escape(other)+"/destroy", nil)
	r.api.Call(r.t, http.StatusNoContent, http.MethodDelete, "/v1/rooms/"+testkit.Escape(other)+"?forget=1", nil)
	r.peer.Expect(r.t, "alice leaving", func(e testkit.PeerEvent) bool {
		return e.Event == "presence" && e.From == other+"/Alice" && e.Type == "unavailable"
	})
}

// ends: a kick, a ban, and the end of the room.
func (r *roomWorld) ends() {
	r.t.Helper()
	r.api.Call(r.t, http.StatusNotFound, http.MethodDelete, r.path+"/occupants/Nobody", nil)
	r.api.Call(r.t, http.StatusNoContent, http.MethodDelete, r.path+"/occupants/Bob?reason=enough", nil)
	r.peer.Expect(r.t, "being kicked", r.occupant("Bob", "unavailable"))
	r.stream.Expect(r.t, "bob kicked", func(f testkit.Frame) bool {
		return f.Type == "room.occupant" && f.Data.Str("change") == "left" && f.Data.Str("occupant.nick") == "Bob" && f.Data.Str("reason") == "enough"
	})
	r.bobEnters()
	r.api.Call(r.t, http.StatusOK, http.MethodPut, r.path+"/members/"+testkit.Escape(r.bob.JID), map[string]string{"affiliation": "outcast"})
	r.peer.Expect(r.t, "being banned", r.occupant("Bob", "unavailable"))
	if m := r.api.Get(r.t, r.path+"/members?affiliation=outcast").Find("items", "jid", r.bob.JID); m == nil {
		r.t.Error("got no outcast, want bob")
	}
	next := "next-" + r.room
	r.api.Call(r.t, http.StatusNoContent, http.MethodPost, r.path+"/destroy", map[string]string{"reason": "over", "successor": next})
	if v := r.becomes(r.room, "destroyed"); v.Str("successor") != next || v.Str("text") != "over" {
		r.t.Errorf("got %v, want the successor and the reason", v)
	}
	r.api.Call(r.t, http.StatusConflict, http.MethodPut, r.path+"/subject", map[string]string{"subject": "x"})
}

// TestRoomRefusesAlice: what a room says at the door is a problem of its own.
func TestRoomRefusesAlice(t *testing.T) {
	inRooms(t, func(r *roomWorld) {
		t := r.t
		r.api.Call(t, http.StatusNoContent, http.MethodDelete, r.path, nil)
		r.becomes(r.room, "left")
		own := r.foreign(r.alice) // alice by another client, which owns the room
		enter := func(nick string) {
			own.Raw(t, "<presence to='"+r.room+"/"+nick+"'><x xmlns='http://jabber.org/protocol/muc'/></presence>")
			own.Expect(t, nick, r.occupant(nick, "available"))
		}
		enter("Owner")
		carol := r.server.NewUserAt(t, "carol", r.server.Domain)
		c := r.login.signIn(t, r.app, r.server, carol)
		refused := func(status int, code string, body map[string]any) {
			t.Helper()
			a := c.Call(t, status, http.MethodPut, r.path+"?wait=joined", body).JSON(t)
			if a.Str("code") != code {
				t.Errorf("got %v, want %s", a, code)
			}
		}
		configure := func(fields string) {
			t.Helper()
			own.Raw(t, "<iq type='set' id='c' to='"+r.room+"'><query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'>"+
				"<field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#roomconfig</value></field>"+fields+"</x></query></iq>")
			own.Roster(t)
		}
		field := func(name, value string) string {
			return "<field var='muc#roomconfig_" + name + "'><value>" + value + "</value></field>"
		}
		configure(field("membersonly", "1"))
		refused(http.StatusForbidden, "forbidden", map[string]any{"nick": "Carol"})
		configure(field("membersonly", "0") + field("passwordprotectedroom", "1") + field("roomsecret", "open"))
		refused(http.StatusForbidden, "forbidden", map[string]any{"nick": "Carol", "password": "shut"})
		c.Call(t, http.StatusOK, http.MethodPut, r.path+"?wait=joined", map[string]any{"nick": "Owner", "password": "open"}) // as Owner_
		if v := c.Get(t, r.path); v.Str("nick") != "Owner_" {
			t.Errorf("got %v, want the next nick", v)
		}
	})
}

// TestRoomOverACut: a stream that is resumed is still in its rooms, and nothing is lost or comes twice.
func TestRoomOverACut(t *testing.T) {
	inRooms(t, func(r *roomWorld) {
		t := r.t
		r.bobSays("b1", "before")
		r.proxy.Down()
		r.stream.Expect(t, "reconnecting", state("reconnecting"))
		r.api.Call(t, http.StatusAccepted, http.MethodPost, "/v1/messages", map[string]any{"id": "a1", "to": r.room, "body": "mine meanwhile"})
		for i := range 5 {
			r.bobSends(fmt.Sprintf("c%d", i), fmt.Sprintf("<body>meanwhile %d</body>", i))
		}
		r.reaches("the last one", "<body>meanwhile 4</body>")
		r.proxy.Up(t)
		r.stream.Expect(t, "online", state("online"))
		for i := range 5 {
			r.stream.Expect(t, "meanwhile", message("message.received", fmt.Sprintf("meanwhile %d", i)))
		}
		r.stream.Expect(t, "mine", message("message.sent", "mine meanwhile"))
		r.reaches("mine", "<body>mine meanwhile</body>")
		r.bobSays("b2", "after")
		r.onlyOnce()
	})
}

// TestRoomOverACutThatIsNotResumed: a stream that the server has forgotten is in no room. It is joined again,
// and what was missed comes from its archive, in order and once.
func TestRoomOverACutThatIsNotResumed(t *testing.T) {
	inRooms(t, func(r *roomWorld) {
		t := r.t
		r.bobSays("b1", "before")
		r.proxy.Down()
		r.stream.Expect(t, "reconnecting", state("reconnecting"))
		r.api.Call(t, http.StatusAccepted, http.MethodPost, "/v1/messages", map[string]any{"id": "a1", "to": r.room, "body": "mine meanwhile"})
		r.forgetStream(r.api.Get(t, "/v1/session").Str("resource"))
		said := r.saysMeanwhile()
		r.proxy.Up(t)
		r.stream.Expect(t, "joining", func(f testkit.Frame) bool {
			return f.Type == "room.state" && f.Data.Str("state") == "joining" && f.Data.Str("reason") == "link-lost"
		})
		for _, body := range said {
			m := r.stream.Expect(t, body, message("message.received", body)).Data
			if m.Str("source") != "archive" {
				t.Errorf("got %v, want it from the archive", m)
			}
		}
		r.becomes(r.room, "joined")
		r.stream.Expect(t, "mine", message("message.sent", "mine meanwhile"))
		r.reaches("mine", "<body>mine meanwhile</body>")
		r.bobSays("b2", "after")
		r.onlyOnce()
	})
}

// forgetStream has another client take the address of alice, so that the server forgets her stream.
func (r *roomWorld) forgetStream(resource string) {
	r.t.Helper()
	thief := testkit.Slixmpp(r.t, testkit.SlixmppOptions{Addr: r.server.Addr, CAFile: r.server.CAFile, JID: r.alice.JID + "/" + resource, Password: r.alice.Password})
	r.peer.Expect(r.t, "alice gone", r.occupant("Alice", "unavailable"))
	thief.Close()
}

// saysMeanwhile lets bob say something that alice cannot hear, and waits until the room has it.
func (r *roomWorld) saysMeanwhile() (said []string) {
	r.t.Helper()
	for i := range 5 {
		said = append(said, fmt.Sprintf("while it was away %d", i))
		r.bobSends(fmt.Sprintf("c%d", i), "<body>"+said[i]+"</body>")
	}
	r.reaches("the last one", "<body>"+said[4]+"</body>")
	return said
}

// onlyOnce fails when something comes a second time.
func (r *roomWorld) onlyOnce() {
	r.t.Helper()
	for _, f := range r.stream.Frames() {
		if f.Type == "message.received" || f.Type == "message.sent" || f.Type == "session.gap" {
			r.t.Errorf("got %s, want nothing more", f.Raw)
		}
	}
}

// TestRoomOverARestart: a gateway that was away goes on in its rooms. Where its stream cannot be resumed it
// joins them again, and reads in their archive what it has missed.
func TestRoomOverARestart(t *testing.T) {
	for _, l := range roomLogins() {
		for name, bound := range map[string]bool{"resumed": false, "bound": true} {
			t.Run(l.name+" "+name, func(t *testing.T) {
				k := newRedisWorld(t, l)
				k.o.SealKeys = sealKeys(1)
				k.start(t)
				k.peer = k.server.SlixmppFor(t, k.bob)
				k.api.Token = l.signIn(t, k.app, k.server, k.alice).Token
				newRoomWorld(t, &k.world).overARestart(k, bound)
			})
		}
	}
}

func (r *roomWorld) overARestart(k *redisWorld, bound bool) {
	t := r.t
	r.bobSays("b1", "before")
	since := r.stream.Last()
	resource := r.api.Get(t, "/v1/session").Str("resource")
	r.stream.Close()
	k.end(t)
	if bound { // somebody else takes the address, and the server forgets the stream
		r.forgetStream(resource)
	}
	said := r.saysMeanwhile()
	k.start(t)
	r.stream = k.api.Stream(t, since)
	for _, body := range said {
		r.stream.Expect(t, body, message("message.received", body))
	}
	if bound {
		r.becomes(r.room, "joined")
	}
	if v := r.api.Get(t, r.path); v.Str("state") != "joined" {
		t.Errorf("got %v, want it joined", v)
	}
	r.bobSays("b2", "after")
	r.aliceSays("a1", "back")
	r.onlyOnce()
	want := append(append([]string{"before"}, said...), "after", "back")
	testkit.Eventually(t, 20*time.Second, func() error {
		if got := r.bodies(); !slices.Equal(got, want) {
			return fmt.Errorf("the room has %q, want %q", got, want)
		}
		return nil
	})
}

// TestRoomsOfBookmarks: a session with autojoin is in the rooms that another device has put into the bookmarks
// of the account, and leaves those that it takes out.
func TestRoomsOfBookmarks(t *testing.T) {
	inRooms(t, func(r *roomWorld) {
		t := r.t
		r.api.Call(t, http.StatusOK, http.MethodPost, "/v1/session", map[string]string{"rooms": "autojoin"})
		r.anotherRoom()
		other := r.foreign(r.alice)
		document := func(id, rooms string) { // the store that every server knows (XEP-0049), and bridges
			other.Raw(t, "<iq type='set' id='"+id+"'><query xmlns='jabber:iq:private'><storage xmlns='storage:bookmarks'>"+rooms+"</storage></query></iq>")
			other.Roster(t)
		}
		document("m1", "<conference jid='"+r.room+"' name='Tea time' autojoin='true'><nick>Ally</nick></conference>")
		if v := r.becomes(r.room, "joined"); v.Str("nick") != "Ally" || v.Str("bookmark.name") != "Tea time" {
			t.Errorf("got %v, want it joined as the bookmark says", v)
		}
		r.bobSays("b1", "hello")
		if c := r.api.Get(t, "/v1/conversations?type=room").Find("items", "jid", r.room); c == nil || c.Str("name") != "Tea time" {
			t.Errorf("got %v, want it in the list of conversations", c)
		}
		document("m2", "")
		r.becomes(r.room, "left")
	})
}

// anotherRoom lets bob make a room that alice's session has not heard of.
func (r *roomWorld) anotherRoom() {
	r.t.Helper()
	r.room = "den-" + strings.TrimPrefix(r.room, "tea-")
	r.path = "/v1/rooms/" + testkit.Escape(r.room)
	r.talk = "/v1/conversations/" + testkit.Escape(r.room) + "/messages"
	r.bobEnters()
	r.peer.Raw(r.t, "<iq type='set' id='unlock' to='"+r.room+"'><query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'/></query></iq>")
	r.peer.Roster(r.t) // answered behind it
}
