package api_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/fakexmpp"
)

// TestBadRoomInput: what is wrong in a request about rooms is refused by its name, and nothing is sent.
func TestBadRoomInput(t *testing.T) {
	f := withRooms(t)
	f.joins(`{"nick":"Al"}`)
	sent := len(f.conn.Sent())
	long := func(n int) string { return strings.Repeat("x", n) }
	for _, c := range []struct{ name, method, path, body, code, pointer string }{
		{"no address", "PUT", "/v1/rooms/@", `{}`, "jid-malformed", "{jid}"},
		{"a service", "PUT", "/v1/rooms/rooms.example.net", `{}`, "jid-malformed", "{jid}"},
		{"an occupant", "PUT", "/v1/rooms/talk@rooms.example.net%2Fbob", `{}`, "jid-malformed", "{jid}"},
		{"a service to show", "GET", "/v1/rooms/rooms.example.net", "", "jid-malformed", "{jid}"},
		{"another field", "PUT", roomPath, `{"colour":"red"}`, "validation", "/colour"},
		{"a long nick", "PUT", roomPath, `{"nick":"` + long(1024) + `"}`, "validation", "/nick"},
		{"a nick that cannot be one", "PUT", roomPath, `{"nick":"a\u200eb\u2028"}`, "validation", "/nick"},
		{"a nick with a control character", "PUT", roomPath, `{"nick":"a\tb"}`, "validation", "/nick"},
		{"a number for a nick", "PUT", roomPath, `{"nick":7}`, "validation", "/nick"},
		{"a long name", "PUT", roomPath, `{"name":"` + long(256) + `"}`, "validation", "/name"},
		{"a long password", "PUT", roomPath, `{"password":"` + long(1025) + `"}`, "validation", "/password"},
		{"a word for autojoin", "PUT", roomPath, `{"autojoin":"yes"}`, "validation", "/autojoin"},
		{"another delivery", "PUT", roomPath, `{"delivery":"some"}`, "validation", "/delivery"},
		{"another setting of occupants", "PUT", roomPath, `{"occupants":"all"}`, "validation", "/occupants"},
		{"a configuration that cannot be", "PUT", roomPath, `{"config":{"real_jids":"nobody"}}`, "validation", "/config/real_jids"},
		{"another field of it", "PUT", roomPath, `{"config":{"colour":1}}`, "validation", "/config/colour"},
		{"another wait", "PUT", roomPath + "?wait=left", `{}`, "validation", "?wait"},
		{"another query", "PUT", roomPath + "?x=1", `{}`, "validation", "?x"},
		{"a message to an occupant who is none", "POST", "/v1/messages", `{"to":"bob@example.net","body":"x","occupant_id":"y"}`, "validation", "/occupant_id"},
		{"an occupant of two lines", "POST", "/v1/messages", `{"to":"talk@rooms.example.net/bob","body":"x","occupant_id":"a\nb"}`, "validation", "/occupant_id"},
		{"another state", "GET", "/v1/rooms?state=left", "", "validation", "?state"},
		{"a foreign cursor", "GET", "/v1/rooms?cursor=abc", "", "validation", "?cursor"},
		{"nothing to change", "PATCH", roomPath, `{}`, "validation", "/nick"},
		{"no nick", "PATCH", roomPath, `{"nick":""}`, "validation", "/nick"},
		{"a name of two lines", "PATCH", roomPath, `{"name":"a\nb"}`, "validation", "/name"},
		{"another delivery of a change", "PATCH", roomPath, `{"delivery":""}`, "validation", "/delivery"},
		{"a password of a change", "PATCH", roomPath, `{"password":"x"}`, "validation", "/password"},
		{"forget maybe", "DELETE", roomPath + "?forget=maybe", "", "validation", "?forget"},
		{"a long reason", "POST", roomPath + "/destroy", `{"reason":"` + long(256) + `"}`, "validation", "/reason"},
		{"itself as successor", "POST", roomPath + "/destroy", `{"successor":"talk@rooms.example.net"}`, "validation", "/successor"},
		{"a service as successor", "POST", roomPath + "/destroy", `{"successor":"rooms.example.net"}`, "jid-malformed", "/successor"},
		{"no subject", "PUT", roomPath + "/subject", `{}`, "validation", "/subject"},
		{"null for a subject", "PUT", roomPath + "/subject", `{"subject":null}`, "validation", "/subject"},
		{"a long subject", "PUT", roomPath + "/subject", `{"subject":"` + long(1025) + `"}`, "validation", "/subject"},
		{"limit 201", "GET", roomPath + "/occupants?limit=201", "", "validation", "?limit"},
		{"another role to show", "GET", roomPath + "/occupants?role=none", "", "validation", "?role"},
		{"a foreign cursor of occupants", "GET", roomPath + "/occupants?cursor=bob", "", "validation", "?cursor"},
		{"no role", "PATCH", roomPath + "/occupants/bob", `{}`, "validation", "/role"},
		{"another role", "PATCH", roomPath + "/occupants/bob", `{"role":"owner"}`, "validation", "/role"},
		{"a nick that is none", "PATCH", roomPath + "/occupants/a%07b", `{"role":"visitor"}`, "validation", "{nick}"},
		{"a reason of two lines", "DELETE", roomPath + "/occupants/bob?reason=a%0Ab", "", "validation", "?reason"},
		{"another list", "GET", roomPath + "/members?affiliation=none", "", "validation", "?affiliation"},
		{"a member without an address", "PUT", roomPath + "/members/@", `{"affiliation":"member"}`, "jid-malformed", "{member}"},
		{"a device as a member", "PUT", roomPath + "/members/bob@example.net%2Fphone", `{"affiliation":"member"}`, "jid-malformed", "{member}"},
		{"no affiliation", "PUT", roomPath + "/members/bob@example.net", `{}`, "validation", "/affiliation"},
		{"another affiliation", "PUT", roomPath + "/members/bob@example.net", `{"affiliation":"king"}`, "validation", "/affiliation"},
		{"a long nick of a member", "PUT", roomPath + "/members/bob@example.net", `{"affiliation":"member","nick":"` + long(1024) + `"}`, "validation", "/nick"},
		{"nobody to invite", "POST", roomPath + "/invitations", `{}`, "validation", "/to"},
		{"a device to invite", "POST", roomPath + "/invitations", `{"to":"bob@example.net/x"}`, "jid-malformed", "/to"},
		{"another way", "POST", roomPath + "/invitations", `{"to":"bob@example.net","via":"mail"}`, "validation", "/via"},
		{"no setting", "PATCH", roomPath + "/config", `{}`, "validation", "/name"},
		{"a setting that cannot be", "PATCH", roomPath + "/config", `{"max_occupants":-1}`, "validation", "/max_occupants"},
		{"a role that hears nothing", "PATCH", roomPath + "/config", `{"presence_broadcast":["moderator","none"]}`, "validation", "/presence_broadcast/1"},
		{"a role twice", "PATCH", roomPath + "/config", `{"presence_broadcast":["visitor","visitor"]}`, "validation", "/presence_broadcast/1"},
		{"fields that are no object", "PATCH", roomPath + "/config", `{"fields":["a"]}`, "validation", "/fields"},
		{"a field that is no list", "PATCH", roomPath + "/config", `{"fields":{"a/b":"c"}}`, "validation", "/fields/a~1b"},
		{"a value that is no text", "PATCH", roomPath + "/config", `{"fields":{"a":["b",1]}}`, "validation", "/fields/a/1"},
		{"a long value", "PATCH", roomPath + "/config", `{"fields":{"a":["` + long(4097) + `"]}}`, "validation", "/fields/a/0"},
		{"a picture that is none", "PUT", roomPath + "/photo", `{"data":"aGVsbG8="}`, "validation", "/data"},
		{"no picture", "PUT", roomPath + "/photo", `{}`, "validation", "/data"},
		{"no base64", "PUT", roomPath + "/photo", `{"data":"?"}`, "validation", "/data"},
		{"a service that is none", "GET", "/v1/directory?service=@", "", "jid-malformed", "?service"},
		{"a device as a service", "GET", "/v1/directory?service=rooms.example.net%2Fx", "", "jid-malformed", "?service"},
		{"a long text", "GET", "/v1/directory?q=" + long(256), "", "validation", "?q"},
		{"another mode of the session", "POST", "/v1/session", `{"rooms":"all"}`, "validation", "/rooms"},
		{"true as a mode", "POST", "/v1/session", `{"rooms":true}`, "validation", "/rooms"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := *f
			f.t = t
			f.refused(422, c.code, c.pointer, c.method, c.path, c.body)
		})
	}
	if got := f.conn.Sent(); len(got) != sent || len(f.asked()) != 0 {
		t.Errorf("got %+v and %q sent, want nothing", got[sent:], f.asked())
	}
	f.want(400, "PUT", roomPath, `{"nick":"a","nick":"b"}`, nil)
}

// adminRequests are the requests that go to a room, as they are made, with what they need.
var adminRequests = []struct{ method, path, body string }{
	{"GET", roomPath + "/members", ""},
	{"PUT", roomPath + "/members/bob@example.net", `{"affiliation":"member"}`},
	{"DELETE", roomPath + "/members/bob@example.net", ""},
	{"PATCH", roomPath + "/occupants/bob", `{"role":"visitor"}`},
	{"DELETE", roomPath + "/occupants/bob", ""},
	{"GET", roomPath + "/config", ""},
	{"PATCH", roomPath + "/config", `{"name":"x"}`},
	{"PUT", roomPath + "/photo", ""},
	{"DELETE", roomPath + "/photo", ""},
	{"POST", roomPath + "/destroy", ""},
}

// TestRoomRefusals: the words of a room have one meaning in all requests.
func TestRoomRefusals(t *testing.T) {
	f := withRooms(t)
	f.joins(`{"nick":"Al"}`)
	photo := `{"data":"` + pictureText(t) + `"}`
	for _, c := range []struct {
		err    *perch.Error
		status int
		code   string
	}{
		{&perch.Error{Kind: perch.KindForbidden, XMPP: &perch.XMPPError{Condition: "forbidden"}}, 403, "forbidden"},
		{&perch.Error{Kind: perch.KindXMPP, XMPP: &perch.XMPPError{Condition: "item-not-found", By: string(theRoom)}}, 404, "item-not-found"},
		{&perch.Error{Kind: perch.KindXMPP, XMPP: &perch.XMPPError{Condition: "not-acceptable"}}, 409, "room-not-joined"},
		{&perch.Error{Kind: perch.KindXMPP, XMPP: &perch.XMPPError{Condition: "conflict"}}, 409, "conflict"},
		{&perch.Error{Kind: perch.KindXMPP, Successor: "next@rooms.example.net", XMPP: &perch.XMPPError{Condition: "gone"}}, 410, "gone"},
		{&perch.Error{Kind: perch.KindXMPP, XMPP: &perch.XMPPError{Condition: "service-unavailable", By: string(theRoom)}}, 501, "feature-unsupported"},
		{&perch.Error{Kind: perch.KindXMPP, XMPP: &perch.XMPPError{Condition: "feature-not-implemented", By: string(theRoom)}}, 501, "feature-unsupported"},
		{perch.Errorf(perch.KindFeatureUnsupported, "this room has no setting %q", "x"), 501, "feature-unsupported"},
		{&perch.Error{Kind: perch.KindXMPP, XMPP: &perch.XMPPError{Condition: "remote-server-not-found"}}, 502, "xmpp-error"},
		{perch.Errorf(perch.KindUpstreamTimeout, "no answer"), 504, "upstream-timeout"},
	} {
		f.refuses(c.err)
		for _, r := range adminRequests {
			body := r.body
			if r.method == "PUT" && strings.HasSuffix(r.path, "/photo") {
				body = photo
			}
			p := f.refused(c.status, c.code, "", r.method, r.path, body).problem(t)
			if c.err.XMPP != nil && (p.XMPP == nil || p.XMPP.Condition != c.err.XMPP.Condition) || p.Successor != c.err.Successor {
				t.Errorf("%s %s: got %+v, want the words of the room and its successor", r.method, r.path, p)
			}
		}
	}
}

// TestRoomNotJoined: what only those may who are in a room is refused before it is sent.
func TestRoomNotJoined(t *testing.T) {
	f := withRooms(t)
	f.want(202, "PUT", roomPath, `{"nick":"Al"}`, nil)
	out := next[*perch.RoomJoinOut](f)
	f.conn.Deliver(&perch.RoomJoinError{From: theRoom, ID: out.ID, Error: perch.XMPPError{Condition: "registration-required"}})
	f.eventually("refused", func() bool {
		var v perch.Room
		f.want(200, "GET", roomPath, "", &v)
		return v.State == perch.RoomStateFailed
	})
	sent := len(f.conn.Sent())
	for _, c := range []struct{ method, path, body string }{
		{"GET", roomPath + "/occupants", ""},
		{"PATCH", roomPath + "/occupants/bob", `{"role":"visitor"}`},
		{"DELETE", roomPath + "/occupants/bob", ""},
		{"PUT", roomPath + "/subject", `{"subject":"x"}`},
		{"POST", roomPath + "/invitations", `{"to":"bob@example.net"}`},
		{"POST", "/v1/messages", `{"to":"talk@rooms.example.net","body":"x"}`},
		{"PUT", "/v1/chat-states/talk@rooms.example.net", `{"state":"composing"}`},
	} {
		f.refused(409, "room-not-joined", "", c.method, c.path, c.body)
	}
	if got := f.conn.Sent(); len(got) != sent || len(f.asked()) != 0 {
		t.Errorf("got %+v and %q sent, want nothing", got[sent:], f.asked())
	}
}

// TestMessengerHasNoRooms: on an upstream that has chat messages only every route of rooms is 501, and
// nothing is sent.
func TestMessengerHasNoRooms(t *testing.T) {
	f := newGateway(t)
	var asked []string
	f.up.Edit(func(d *fakexmpp.Data) {
		d.Capabilities = perch.Capabilities{ChatOnly: true, Archive: "136"}
	})
	f.signIn()
	f.up.Edit(func(d *fakexmpp.Data) {
		d.Refuse = func(method string) error { asked = append(asked, method); return nil }
	})
	sent := len(f.conn.Sent())
	bodies := map[string]string{
		"PUT /v1/rooms/{jid}":                    `{"nick":"Al"}`,
		"PATCH /v1/rooms/{jid}":                  `{"delivery":"all"}`,
		"PUT /v1/rooms/{jid}/subject":            `{"subject":"x"}`,
		"PATCH /v1/rooms/{jid}/occupants/{nick}": `{"role":"visitor"}`,
		"PUT /v1/rooms/{jid}/members/{member}":   `{"affiliation":"member"}`,
		"POST /v1/rooms/{jid}/invitations":       `{"to":"bob@example.net"}`,
		"PATCH /v1/rooms/{jid}/config":           `{"name":"x"}`,
		"PUT /v1/rooms/{jid}/photo":              `{"data":"` + pictureText(t) + `"}`,
	}
	n := 0
	for _, route := range f.api.Routes() {
		method, path, _ := strings.Cut(route, " ")
		if !strings.HasPrefix(path, "/v1/rooms") && path != "/v1/directory" {
			continue
		}
		n++
		path = strings.NewReplacer("{jid}", string(theRoom), "{nick}", "bob", "{member}", "bob@example.net").Replace(path)
		f.refused(501, "feature-unsupported", "", method, path, bodies[route])
	}
	if n != 20 {
		t.Errorf("got %d routes of rooms, want 20", n)
	}
	f.refused(501, "feature-unsupported", "", "POST", "/v1/session", `{"rooms":"autojoin"}`)
	stream := f.dial(token)
	defer stream.close()
	for i, c := range []string{`"room.join","data":{"jid":"talk@rooms.example.net"}`, `"room.leave","data":{"jid":"talk@rooms.example.net"}`, `"room.subject","data":{"jid":"talk@rooms.example.net","subject":"x"}`} {
		if e := stream.answerTo(fmt.Sprintf(`{"id":"c%d","type":%s}`, i, c)); e.Error == nil || e.Error.Code != "feature-unsupported" {
			t.Errorf("%s: got %+v, want feature-unsupported", c, e)
		}
	}
	if got := f.conn.Sent(); len(got) != sent || len(asked) != 0 {
		t.Errorf("got %+v and %q sent, want nothing", got[sent:], asked)
	}
	for _, name := range f.state().Features {
		if name == "rooms" {
			t.Error("got the feature rooms, want none")
		}
	}
}
