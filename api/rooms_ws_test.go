package api_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/fakexmpp"
)

// TestRoomCommands: a room is joined and left by a socket, in order with its messages.
func TestRoomCommands(t *testing.T) {
	f := withRooms(t)
	stream := f.dial(token)
	defer stream.close()
	e := stream.answerTo(`{"id":"j1","type":"room.join","data":{"jid":"talk@rooms.example.net","nick":"Al","autojoin":null,"occupants":"live"}}`)
	var v perch.Room
	if err := json.Unmarshal(e.Data, &v); err != nil || e.Status != 202 || v.JID != theRoom || v.State != perch.RoomStateJoining || v.Bookmark != nil {
		t.Fatalf("got %d %s (%+v), want 202 and the room without a bookmark", e.Status, e.Data, e.Error)
	}
	f.enters(next[*perch.RoomJoinOut](f))
	for {
		all := upTo(t, stream, "room.state")
		if all[len(all)-1].into(t, &v); v.State == perch.RoomStateJoined {
			break
		}
	}
	if e := stream.answerTo(`{"id":"j2","type":"room.join","data":{"jid":"talk@rooms.example.net"}}`); e.Status != 200 {
		t.Errorf("got %d (%+v), want 200: it is in the room", e.Status, e.Error)
	}
	if e := stream.answerTo(`{"id":"s1","type":"room.subject","data":{"jid":"talk@rooms.example.net","subject":"Next"}}`); e.Status != 202 || !strings.Contains(string(e.Data), `"subject":"Next"`) {
		t.Errorf("got %d %s (%+v), want 202 with the subject", e.Status, e.Data, e.Error)
	}
	f.conn.Deliver(&perch.RoomSubjectIn{From: theRoom + "/Al", StanzaID: "sub1", Text: "Next"})
	all := upTo(t, stream, "room.changed")
	if all[len(all)-1].into(t, &v); v.Subject == nil || v.Subject.Text != "Next" || v.Subject.By != "Al" {
		t.Errorf("got %+v, want the new subject", v.Subject)
	}
	gone := occupantOf("bob", perch.AffiliationMember, perch.RoleNone)
	gone.Available, gone.Codes, gone.Reason, gone.Actor = false, perch.CodeKicked, "out", "Al"
	f.conn.Deliver(&gone)
	all = upTo(t, stream, "room.occupant")
	var o perch.RoomOccupantChange
	if all[len(all)-1].into(t, &o); o.JID != theRoom || o.Change != perch.OccupantLeft || o.Occupant.Nick != "bob" || o.Reason != "out" || o.By != "Al" {
		t.Errorf("got %+v, want bob kicked by Al", o)
	}
	all = upTo(t, stream, "room.occupants")
	var n perch.RoomOccupants
	if all[len(all)-1].into(t, &n); n.JID != theRoom || n.Count != 2 || !n.Complete {
		t.Errorf("got %+v, want two", n)
	}
	f.conn.Deliver(&perch.RoomNoticeIn{From: theRoom, Affiliation: perch.AffiliationAdmin, Account: "alice@example.net", Actor: "bob"})
	all = upTo(t, stream, "room.affiliation")
	var a perch.RoomAffiliationChange
	if all[len(all)-1].into(t, &a); !a.Own || a.Affiliation != perch.AffiliationAdmin {
		t.Errorf("got %+v, want the own affiliation", a)
	}
	if e := stream.answerTo(`{"id":"l1","type":"room.leave","data":{"jid":"talk@rooms.example.net","forget":true}}`); e.Status != 204 {
		t.Errorf("got %d (%+v), want 204", e.Status, e.Error)
	}
}

// TestBadRoomCommands are refused by the field of their data.
func TestBadRoomCommands(t *testing.T) {
	f := withRooms(t)
	stream := f.dial(token)
	defer stream.close()
	for i, c := range []struct{ command, code, pointer string }{
		{`"room.join","data":{}`, "validation", "/data/jid"},
		{`"room.join","data":{"jid":"rooms.example.net"}`, "jid-malformed", "/data/jid"},
		{`"room.join","data":{"jid":"talk@rooms.example.net/x"}`, "jid-malformed", "/data/jid"},
		{`"room.join","data":{"jid":"talk@rooms.example.net","nick":"a\nb"}`, "validation", "/data/nick"},
		{`"room.join","data":{"jid":"talk@rooms.example.net","autojoin":1}`, "validation", "/data/autojoin"},
		{`"room.join","data":{"jid":"talk@rooms.example.net","config":{"max_occupants":-1}}`, "validation", "/data/config/max_occupants"},
		{`"room.join","data":{"jid":"talk@rooms.example.net","wait":"joined"}`, "validation", "/data/wait"},
		{`"room.leave","data":{"jid":"talk@rooms.example.net"}`, "not-found", ""},
		{`"room.leave","data":{"jid":"talk@rooms.example.net","forget":"x"}`, "validation", "/data/forget"},
		{`"room.subject","data":{"jid":"talk@rooms.example.net"}`, "validation", "/data/subject"},
		{`"room.subject","data":{"jid":"talk@rooms.example.net","subject":"x"}`, "not-found", ""},
	} {
		e := stream.answerTo(fmt.Sprintf(`{"id":"c%d","type":%s}`, i, c.command))
		if e.Error == nil || e.Error.Code != c.code || c.pointer != "" && (len(e.Error.Errors) == 0 || e.Error.Errors[0].Pointer != c.pointer) {
			t.Errorf("%s: got %+v, want %s at %s", c.command, e.Error, c.code, c.pointer)
		}
	}
}

// TestRoomsSnapshot: a stream without a cursor gets the rooms of a session that has some, and no other
// stream does.
func TestRoomsSnapshot(t *testing.T) {
	f := withRooms(t)
	before := f.stream("ws", token, "")
	if types := typesIn(upTo(t, before, "live")); strings.Contains(strings.Join(types, " "), "rooms.snapshot") {
		t.Errorf("got %q before rooms are used, want no rooms.snapshot", types)
	}
	before.close()
	f.joins(`{"nick":"Al"}`)
	stream := f.stream("ws", token, "types=rooms.snapshot,room.*")
	defer stream.close()
	all := upTo(t, stream, "live")
	var page struct {
		Last  bool         `json:"last"`
		Items []perch.Room `json:"items"`
	}
	for _, e := range all {
		if e.Type == "rooms.snapshot" {
			e.into(t, &page)
		}
	}
	if len(page.Items) != 1 || page.Items[0].JID != theRoom || page.Items[0].State != perch.RoomStateJoined || !page.Last {
		t.Errorf("got %q with %+v, want the room in a snapshot", typesIn(all), page)
	}
	want := []string{"roster.snapshot", "invitations.snapshot", "rooms.snapshot", "presence.snapshot"}
	if got := typesIn(f.poll(token, "limit=1").Events); !slices.Equal(got, want) {
		t.Errorf("a long poll of one event: got %q, want %q, as snapshots do not count", got, want)
	}
}

// inRoom is a message that bob, or alice as Al, has written in talk.
func inRoom(id, nick string) *perch.MessageIn {
	return &perch.MessageIn{Message: perch.Message{ID: id, RoomStanzaID: "s-" + id, From: theRoom + "/" + perch.JID(nick), To: "alice@example.net/perch",
		Kind: perch.GroupchatMessage, Body: "number " + id, Source: perch.SourceLive, Room: &perch.MessageRoom{Nick: nick}}}
}

// TestRoomMessages: a message to a room is of groupchat, and acked when the room has reflected it; chat
// states go to it; its history is that of the room.
func TestRoomMessages(t *testing.T) {
	f := withRooms(t, func(d *fakexmpp.Data) {
		d.Rooms[theRoom].Archive = perch.ArchivePage{Complete: true, First: "s-a1", Last: "s-a2", Items: []perch.ArchiveItem{
			{MessageIn: *inRoom("a1", "bob"), Time: 1000}, {MessageIn: *inRoom("a2", "Al"), Time: 2000},
		}}
	})
	f.joins(`{"nick":"Al"}`)
	f.want(202, "POST", "/v1/messages", `{"id":"m1","to":"talk@rooms.example.net","body":"hello"}`, nil)
	if out := next[*perch.MessageOut](f); out.Kind != perch.GroupchatMessage || out.To != theRoom {
		t.Errorf("got %+v, want a groupchat message", out)
	}
	f.conn.Deliver(inRoom("m1", "Al"))
	f.eventually("acked", func() bool { return field(t, f.want(200, "GET", "/v1/messages/m1", "", nil).body, "status") == "acked" })
	f.want(204, "PUT", "/v1/chat-states/talk@rooms.example.net", `{"state":"composing"}`, nil)
	if out := next[*perch.ChatStateOut](f); out.Kind != perch.GroupchatMessage || out.To != theRoom {
		t.Errorf("got %+v, want the state in the room", out)
	}
	a := f.want(200, "GET", "/v1/archive?with=talk@rooms.example.net", "", nil)
	var page struct {
		Items []struct {
			ID, Ref, Direction string
			Room               *perch.MessageRoom
		}
	}
	if err := json.Unmarshal(a.body, &page); err != nil || len(page.Items) != 2 || page.Items[0].ID != "s-a1" || page.Items[0].Direction != "in" || page.Items[1].Direction != "out" ||
		page.Items[0].Room == nil || page.Items[0].Room.Nick != "bob" || !page.Items[1].Room.Own {
		t.Errorf("got %s, want both messages of the room with who has written them", a.body)
	}
	m := f.want(200, "GET", "/v1/conversations/talk@rooms.example.net/messages", "", nil)
	var list messagePage
	if err := json.Unmarshal(m.body, &list); err != nil || list.ids() != "a1 a2" || list.Items[0].Room == nil {
		t.Errorf("got %s, want both messages", m.body)
	}
	other := f.want(200, "GET", "/v1/conversations/talk@rooms.example.net/messages/"+page.Items[0].Ref, "", nil)
	if field(t, other.body, "body") != "number a1" {
		t.Errorf("got %s, want a1", other.body)
	}
}

// TestModeration: DELETE of what somebody else has written in a room asks the room to retract it.
func TestModeration(t *testing.T) {
	f := withRooms(t)
	f.joins(`{"nick":"Al"}`)
	f.conn.Deliver(inRoom("b1", "bob"))
	path := "/v1/conversations/talk@rooms.example.net/messages/" + perch.Ref{StanzaID: "s-b1", Room: true}.String()
	f.eventually("logged", func() bool { return f.call("GET", path, "").status == 200 })
	f.want(204, "DELETE", path+"?reason=rude", "", nil)
	stream := f.dial(token)
	defer stream.close()
	if e := stream.answerTo(`{"id":"d1","type":"message.retract","data":{"conversation":"talk@rooms.example.net","ref":"` + perch.Ref{StanzaID: "s-b1", Room: true}.String() + `"}}`); e.Status != 204 {
		t.Errorf("got %d (%+v), want 204", e.Status, e.Error)
	}
	if got := f.asked(); len(got) != 2 || got[0] != `moderate talk@rooms.example.net s-b1 "rude"` {
		t.Errorf("got %q, want the room asked twice", got)
	}
	for _, c := range []struct {
		err    error
		status int
		code   string
	}{
		{&perch.Error{Kind: perch.KindForbidden, XMPP: &perch.XMPPError{Condition: "forbidden"}}, 403, "forbidden"},
		{perch.Errorf(perch.KindFeatureUnsupported, "this room has no moderation of messages"), 501, "feature-unsupported"},
	} {
		f.refuses(c.err)
		f.refused(c.status, c.code, "", "DELETE", path, "")
	}
	f.refused(403, "forbidden", "", "PATCH", path, `{"body":"x"}`)
}

// TestRoomsMode: rooms of the account's bookmarks are joined when the session asks for it.
func TestRoomsMode(t *testing.T) {
	f := withRooms(t)
	if a := f.want(200, "POST", "/v1/session", `{"rooms":"autojoin"}`, nil); !strings.Contains(string(a.body), `"rooms":"autojoin"`) {
		t.Errorf("got %s, want the mode", a.body)
	}
	f.eventually("the services", func() bool { return f.state().Services != nil })
	if a := f.want(200, "POST", "/v1/session", `{"rooms":null}`, nil); strings.Contains(string(a.body), `"rooms":"`) {
		t.Errorf("got %s, want no mode", a.body)
	}
	a := f.do("POST", "/v1/session", `{"jid":"alice@example.net","password":"secret-1","upstream":"other","rooms":"autojoin"}`, "Content-Type", "application/json")
	if a.status != 201 || !strings.Contains(string(a.body), `"rooms":"autojoin"`) {
		t.Errorf("got %d %s, want a session that joins its rooms", a.status, a.body)
	}
}
