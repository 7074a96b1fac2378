package api_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/fakexmpp"
)

type roomPage struct {
	Items []perch.Room `json:"items"`
	Next  *string      `json:"next"`
}

// TestRoomJoin: a room is joined with what the request says, and shown in the list.
func TestRoomJoin(t *testing.T) {
	f := withRooms(t)
	var none roomPage
	if f.want(200, "GET", "/v1/rooms", "", &none); len(none.Items) != 0 || none.Next != nil {
		t.Errorf("got %+v, want no rooms", none)
	}
	a := f.want(202, "PUT", roomPath, `{"nick":"Al","password":"open","name":"Our talk","delivery":"mentions","occupants":"count"}`, nil)
	var v perch.Room
	if err := json.Unmarshal(a.body, &v); err != nil || v.JID != theRoom || v.State != perch.RoomStateJoining || a.header.Get("Location") != roomPath {
		t.Errorf("got %v %s, want a room that is being joined, and its address", a.header, a.body)
	}
	out := next[*perch.RoomJoinOut](f)
	if out.Room != theRoom || out.Nick != "Al" || out.Password != "open" {
		t.Errorf("got %+v, want a join as Al with the password", out)
	}
	f.enters(out)
	f.eventually("joined", func() bool {
		v = perch.Room{}
		f.want(200, "GET", roomPath, "", &v)
		return v.State == perch.RoomStateJoined
	})
	if v.Nick != "Al" || v.Role != perch.RoleModerator || v.Affiliation != perch.AffiliationOwner || v.Name != "Our talk" || v.Subject == nil || v.Subject.Text != "Topic" ||
		v.Delivery != perch.DeliverMentions || v.Occupants.Count != 3 || !v.Occupants.Complete || v.Occupants.Events != perch.OccupantEventsCount || !v.Features.Archive ||
		v.Bookmark == nil || !v.Bookmark.AutoJoin || v.JoinedAt == 0 {
		t.Errorf("got %+v, want it joined as Al, with what was asked for and what the room says", v)
	}
	if bytes.Contains(f.want(200, "GET", roomPath, "", nil).body, []byte("open")) {
		t.Error("got the password in the room, want it nowhere")
	}
	f.want(200, "PUT", roomPath, "", nil) // is in it already
	for query, n := range map[string]int{"": 1, "?state=joined": 1, "?state=bookmarked": 1, "?state=invited": 0, "?limit=1": 1} {
		var list roomPage
		a := f.want(200, "GET", "/v1/rooms"+query, "", &list)
		if len(list.Items) != n {
			t.Errorf("%q: got %s, want %d rooms", query, a.body, n)
		}
		f.want(304, "GET", "/v1/rooms"+query, "", nil, "If-None-Match", a.header.Get("ETag"))
	}
}

// TestRoomWait: with wait=joined the answer is what the room has decided.
func TestRoomWait(t *testing.T) {
	f := withRooms(t)
	for i, want := range []int{http.StatusCreated, http.StatusOK} {
		answers := f.later("PUT", roomPath+"?wait=joined", `{"nick":"Al"}`)
		if i == 0 {
			f.enters(next[*perch.RoomJoinOut](f))
		}
		a := <-answers
		var v perch.Room
		if err := json.Unmarshal(a.body, &v); err != nil || a.status != want || v.State != perch.RoomStateJoined {
			t.Errorf("got %d %s, want %d and the room joined", a.status, a.body, want)
		}
	}
}

// later is call, under way.
func (g *gateway) later(method, path, body string) <-chan answer {
	answers := make(chan answer, 1)
	go func() { answers <- g.call(method, path, body) }()
	return answers
}

// TestRoomRefused: what the room says at the door is a problem of its own, if it is waited for.
func TestRoomRefused(t *testing.T) {
	for _, c := range []struct {
		condition string
		tries     int // joins that are refused
		status    int
		code      string
	}{
		{"not-authorized", 1, 403, "forbidden"},
		{"registration-required", 1, 403, "forbidden"},
		{"forbidden", 1, 403, "forbidden"},
		{"conflict", 4, 409, "nick-conflict"},
		{"gone", 1, 410, "gone"},
		{"item-not-found", 1, 404, "item-not-found"},
		{"service-unavailable", 1, 429, "quota-exceeded"},
		{"not-allowed", 1, 502, "xmpp-error"},
	} {
		t.Run(c.condition, func(t *testing.T) {
			f := withRooms(t)
			answers := f.later("PUT", roomPath+"?wait=joined", `{"nick":"Al"}`)
			for range c.tries {
				out := next[*perch.RoomJoinOut](f)
				e := &perch.RoomJoinError{From: theRoom + "/" + perch.JID(out.Nick), ID: out.ID, Error: perch.XMPPError{Condition: c.condition, Text: "so it is"}}
				if c.condition == "gone" {
					e.Successor = "next@rooms.example.net"
				}
				f.conn.Deliver(e)
			}
			a := <-answers
			p := a.problem(t)
			if a.status != c.status || p.Code != c.code {
				t.Errorf("got %d %s, want %d %s", a.status, a.body, c.status, c.code)
			}
			if want := map[bool]perch.JID{true: "next@rooms.example.net"}[c.condition == "gone"]; p.Successor != want {
				t.Errorf("got the successor %q, want %q", p.Successor, want)
			}
		})
	}
}

// TestRoomPatch changes what is wanted of a room, and asks for another nick.
func TestRoomPatch(t *testing.T) {
	f := withRooms(t)
	f.refused(404, "not-found", "", "PATCH", roomPath, `{"delivery":"none"}`)
	f.joins(`{"nick":"Al","autojoin":null}`)
	var v perch.Room
	f.want(200, "PATCH", roomPath, `{"nick":"Alice","delivery":"none","occupants":"live","autojoin":true,"name":"Mine"}`, &v)
	if v.Delivery != perch.DeliverNone || v.Occupants.Events != perch.OccupantEventsLive || v.Name != "Mine" || v.Bookmark == nil || !v.Bookmark.AutoJoin || v.Nick != "Al" {
		t.Errorf("got %+v, want the changes, and the nick of before until the room has it", v)
	}
	if out := next[*perch.RoomPresenceOut](f); out.Nick != "Alice" || out.Room != theRoom {
		t.Errorf("got %+v, want the nick Alice asked for", out)
	}
	f.want(200, "PATCH", roomPath, `{"autojoin":false}`, &v, "Content-Type", "application/merge-patch+json")
	if v.Bookmark == nil || v.Bookmark.AutoJoin {
		t.Errorf("got %+v, want the bookmark without autojoin", v.Bookmark)
	}
}

// TestRoomLeave leaves a room, and forgets it.
func TestRoomLeave(t *testing.T) {
	f := withRooms(t)
	f.refused(404, "not-found", "", "DELETE", roomPath, "")
	f.joins(`{"nick":"Al"}`)
	f.want(204, "DELETE", roomPath+"?forget=1", "", nil)
	if out := next[*perch.RoomLeaveOut](f); out.Room != theRoom || out.Nick != "Al" {
		t.Errorf("got %+v, want Al to leave", out)
	}
	p := occupantOf("Al", perch.AffiliationOwner, perch.RoleNone)
	p.Available, p.Codes = false, perch.CodeSelf
	f.conn.Deliver(&p)
	f.eventually("forgotten", func() bool { return f.call("GET", roomPath, "").status == 404 })
	f.refused(404, "not-found", "", "GET", roomPath, "")
}

// TestRoomInvitation: an invitation is a state of its room, and DELETE declines it.
func TestRoomInvitation(t *testing.T) {
	f := withRooms(t)
	f.want(200, "GET", "/v1/rooms", "", nil) // the session uses rooms from here on
	f.conn.Deliver(&perch.RoomInvitedIn{RoomInvitation: perch.RoomInvitation{JID: theRoom, By: "bob@example.net", Reason: "come", Via: perch.ViaRoom}})
	var list roomPage
	f.eventually("invited", func() bool {
		list = roomPage{}
		f.want(200, "GET", "/v1/rooms?state=invited", "", &list)
		return len(list.Items) == 1
	})
	if v := list.Items[0]; v.State != perch.RoomStateInvited || v.Invited == nil || v.Invited.By.Bare() != "bob@example.net" || v.Invited.Reason != "come" {
		t.Errorf("got %+v, want the invitation of bob", v)
	}
	f.want(204, "DELETE", roomPath, "", nil)
	if out := next[*perch.RoomDeclineOut](f); out.Room != theRoom || out.To.Bare() != "bob@example.net" {
		t.Errorf("got %+v, want bob to hear that it was declined", out)
	}
	f.refused(404, "not-found", "", "GET", roomPath, "")
}

// TestRoomOccupants are pages by nick, with a tag.
func TestRoomOccupants(t *testing.T) {
	f := withRooms(t)
	f.refused(404, "not-found", "", "GET", roomPath+"/occupants", "")
	f.joins(`{"nick":"alice"}`)
	nicks := func(p perch.OccupantPage) (list []string) {
		for _, o := range p.Items {
			list = append(list, o.Nick)
		}
		return list
	}
	for query, want := range map[string]string{"": "alice bob carol", "?q=O": "bob carol", "?role=visitor": "carol", "?role=moderator&limit=1": "alice"} {
		var p perch.OccupantPage
		a := f.want(200, "GET", roomPath+"/occupants"+query, "", &p)
		if got := strings.Join(nicks(p), " "); got != want || p.Count != 3 || !p.Complete || p.AsOf == 0 {
			t.Errorf("%q: got %s, want %s of 3", query, a.body, want)
		}
		f.want(304, "GET", roomPath+"/occupants"+query, "", nil, "If-None-Match", a.header.Get("ETag"))
	}
	var all []string
	for path := roomPath + "/occupants?limit=2"; path != ""; {
		var p perch.OccupantPage
		a := f.want(200, "GET", path, "", &p)
		all = append(all, nicks(p)...)
		path = ""
		if p.Next != nil {
			path = roomPath + "/occupants?limit=2&cursor=" + *p.Next
			if !strings.Contains(a.header.Get("Link"), `rel="next"`) {
				t.Errorf("got the links %q, want the next page", a.header.Get("Link"))
			}
		}
	}
	if strings.Join(all, " ") != "alice bob carol" {
		t.Errorf("got %q by pages, want all three once", all)
	}
	var bob perch.OccupantPage
	f.want(200, "GET", roomPath+"/occupants?q=bob", "", &bob)
	if o := bob.Items[0]; o.JID != "bob@example.net" || o.Role != perch.RoleParticipant || o.Affiliation != perch.AffiliationMember || o.Own {
		t.Errorf("got %+v, want bob as a moderator sees him", o)
	}
}

// TestRoomRoles: voice, and a kick.
func TestRoomRoles(t *testing.T) {
	f := withRooms(t)
	f.joins(`{"nick":"Al"}`)
	f.want(200, "PATCH", roomPath+"/occupants/b%C3%B6%20b%2F1", `{"role":"visitor","reason":"hush"}`, nil)
	f.want(204, "DELETE", roomPath+"/occupants/bob?reason=out", "", nil)
	want := []string{`role talk@rooms.example.net "bö b/1" visitor "hush"`, `role talk@rooms.example.net "bob" none "out"`}
	if diff := cmp.Diff(want, f.asked()); diff != "" {
		t.Errorf("what the room was asked, -want +got:\n%s", diff)
	}
}

// TestRoomMembers: the lists of a room are shown and changed, whether or not it is joined.
func TestRoomMembers(t *testing.T) {
	f := withRooms(t)
	for query, want := range map[string]string{"": "alice bob", "?affiliation=owner": "alice", "?affiliation=outcast": "eve", "?affiliation=admin": ""} {
		var list perch.MemberList
		a := f.want(200, "GET", roomPath+"/members"+query, "", &list)
		var got []string
		for _, m := range list.Items {
			got = append(got, m.JID.Local())
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: got %s, want %q", query, a.body, want)
		}
	}
	var m perch.Member
	f.want(200, "PUT", roomPath+"/members/Dave@example.net", `{"affiliation":"admin","nick":"D","reason":"helps"}`, &m)
	if m.JID != "dave@example.net" || m.Affiliation != perch.AffiliationAdmin {
		t.Errorf("got %+v, want dave as an admin", m)
	}
	f.want(200, "PUT", roomPath+"/members/eve@example.net", `{"affiliation":"outcast"}`, nil)
	f.want(204, "DELETE", roomPath+"/members/bob@example.net?reason=gone", "", nil)
	want := []string{`affiliation talk@rooms.example.net dave@example.net admin "D" "helps"`, `affiliation talk@rooms.example.net eve@example.net outcast "" ""`,
		`affiliation talk@rooms.example.net bob@example.net none "" "gone"`}
	if diff := cmp.Diff(want, f.asked()); diff != "" {
		t.Errorf("what the room was asked, -want +got:\n%s", diff)
	}
}

// TestRoomMembersOfWhoSeesLess: without a filter the lists that the account may see are enough.
func TestRoomMembersOfWhoSeesLess(t *testing.T) {
	f := withRooms(t)
	forbidden := &perch.Error{Kind: perch.KindForbidden, Detail: "no", XMPP: &perch.XMPPError{Condition: "forbidden"}}
	f.up.Edit(func(d *fakexmpp.Data) {
		d.Refuse = func(method string) error {
			if method == "RoomMembers owner" || method == "RoomMembers admin" {
				return forbidden
			}
			return nil
		}
	})
	var list perch.MemberList
	if f.want(200, "GET", roomPath+"/members", "", &list); len(list.Items) != 1 || list.Items[0].JID != "bob@example.net" {
		t.Errorf("got %+v, want bob alone", list)
	}
	f.refused(403, "forbidden", "", "GET", roomPath+"/members?affiliation=owner", "")
	f.refuses(forbidden)
	f.refused(403, "forbidden", "", "GET", roomPath+"/members", "")
}

// TestRoomConfig shows and changes the configuration.
func TestRoomConfig(t *testing.T) {
	f := withRooms(t)
	var c perch.RoomConfig
	if f.want(200, "GET", roomPath+"/config", "", &c); c.Name == nil || *c.Name != "Talk" || !slices.Equal(c.Fields["muc#roomconfig_lang2"], []string{"en"}) {
		t.Errorf("got %+v, want that of the room", c)
	}
	body := `{"name":"Other","description":"d","language":"de","persistent":true,"public":false,"members_only":true,"moderated":false,"real_jids":"anyone","change_subject":true,` +
		`"allow_invites":true,"archive":true,"max_occupants":0,"password":"pw","presence_broadcast":["moderator"],"fields":{"x#y":["a","b"],"z":[]}}`
	f.want(200, "PATCH", roomPath+"/config", body, &c)
	if c.Name == nil || *c.Name != "Other" || !slices.Equal(c.Fields["x#y"], []string{"a", "b"}) {
		t.Errorf("got %+v, want what the room has then", c)
	}
}

// TestRoomPhoto sets, serves and removes the picture.
func TestRoomPhoto(t *testing.T) {
	f := withRooms(t)
	f.refused(404, "item-not-found", "", "GET", roomPath+"/photo", "")
	png := pngOf(t, 1, 1)
	f.want(204, "PUT", roomPath+"/photo", `{"data":"`+base64.StdEncoding.EncodeToString(png)+`"}`, nil)
	a := f.want(200, "GET", roomPath+"/photo", "", nil)
	if !bytes.Equal(a.body, png) || a.header.Get("Content-Type") != "image/png" {
		t.Errorf("got %v and %d bytes, want the picture", a.header, len(a.body))
	}
	f.want(304, "GET", roomPath+"/photo", "", nil, "If-None-Match", a.header.Get("ETag"))
	f.want(204, "DELETE", roomPath+"/photo", "", nil)
	f.refused(404, "item-not-found", "", "GET", roomPath+"/photo", "")
}

// TestRoomInviteSubjectDestroy: what a member, a moderator and an owner send goes out as it is.
func TestRoomInviteSubjectDestroy(t *testing.T) {
	f := withRooms(t)
	f.joins(`{"nick":"Al"}`)
	f.want(202, "POST", roomPath+"/invitations", `{"to":"Carol@example.net","reason":"come","via":"room"}`, nil)
	if out := next[*perch.RoomInviteOut](f); out.To != "carol@example.net" || out.Reason != "come" || out.Direct || out.Room != theRoom {
		t.Errorf("got %+v, want an invitation of carol by the room", out)
	}
	f.want(202, "POST", roomPath+"/invitations", `{"to":"carol@example.net"}`, nil)
	if out := next[*perch.RoomInviteOut](f); !out.Direct {
		t.Errorf("got %+v, want a direct one: the room is open to all", out)
	}
	f.want(202, "PUT", roomPath+"/subject", `{"subject":"Today"}`, nil)
	if out := next[*perch.RoomSubjectOut](f); out.Text != "Today" || out.Room != theRoom {
		t.Errorf("got %+v, want the subject", out)
	}
	f.want(202, "PUT", roomPath+"/subject", `{"subject":""}`, nil)
	f.want(204, "POST", roomPath+"/destroy", `{"reason":"over","successor":"next@rooms.example.net"}`, nil)
	if want := []string{`destroy talk@rooms.example.net "over" "next@rooms.example.net"`}; !slices.Equal(f.asked(), want) {
		t.Errorf("got %q, want %q", f.asked(), want)
	}
	f.refused(404, "item-not-found", "", "POST", roomPath+"/destroy", "")
}

// TestDirectory lists the rooms of a service, by pages and by a text.
func TestDirectory(t *testing.T) {
	f := withRooms(t, func(d *fakexmpp.Data) {
		for i := range 5 {
			d.Rooms[perch.JID(fmt.Sprintf("r%d@rooms.example.net", i))] = &fakexmpp.Room{Info: perch.RoomInfo{Name: fmt.Sprintf("Room %d", i)}}
		}
	})
	for query, want := range map[string]string{"": "r0 r1 r2 r3 r4 talk", "?service=rooms.example.net&limit=2": "r0 r1", "?q=ALK": "talk", "?q=ALK&limit=1": "talk", "?q=nothing": ""} {
		var p perch.DirectoryPage
		a := f.want(200, "GET", "/v1/directory"+query, "", &p)
		var got []string
		for _, r := range p.Items {
			got = append(got, r.JID.Local())
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: got %s, want %q", query, a.body, want)
		}
	}
	var p perch.DirectoryPage
	f.want(200, "GET", "/v1/directory?limit=4", "", &p)
	f.want(200, "GET", "/v1/directory?limit=4&cursor="+*p.Next, "", &p)
	if len(p.Items) != 2 || p.Next != nil {
		t.Errorf("got %+v, want the last two", p)
	}
	f.refused(404, "item-not-found", "", "GET", "/v1/directory?service=other.example.net", "")
	if s := f.state(); s.Services == nil || !slices.Equal(s.Services.MUC, []perch.JID{"rooms.example.net"}) || !slices.Contains(s.Features, "rooms") {
		t.Errorf("got %+v, want the service and the feature", s)
	}
}
