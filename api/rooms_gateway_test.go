package api_test

import (
	"encoding/base64"
	"slices"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/fakexmpp"
)

const (
	theRoom  = perch.JID("talk@rooms.example.net")
	roomPath = "/v1/rooms/talk@rooms.example.net"
)

// withRooms is a gateway whose upstream has the room talk, which alice owns and is not in.
func withRooms(t *testing.T, edit ...func(*fakexmpp.Data)) *gateway {
	t.Helper()
	f := newGateway(t)
	name := "Talk"
	f.up.Edit(func(d *fakexmpp.Data) {
		d.Services = []perch.JID{"rooms.example.net"}
		d.Rooms = map[perch.JID]*fakexmpp.Room{theRoom: {
			Info: perch.RoomInfo{Name: name, Occupants: 2, Features: perch.RoomFeatures{Archive: true, Moderation: true}},
			Members: []perch.Member{{JID: "alice@example.net", Affiliation: perch.AffiliationOwner}, {JID: "bob@example.net", Affiliation: perch.AffiliationMember, Nick: "Bo"},
				{JID: "eve@example.net", Affiliation: perch.AffiliationOutcast, Reason: "loud"}},
			Config:  perch.RoomConfig{Name: &name, Fields: map[string][]string{"muc#roomconfig_lang2": {"en"}}},
			Archive: perch.ArchivePage{Complete: true},
		}}
		for _, f := range edit {
			f(d)
		}
	})
	f.signIn()
	return f
}

// asked are the changes of rooms that the upstream was asked for.
func (g *gateway) asked() (list []string) {
	g.up.Edit(func(d *fakexmpp.Data) { list = slices.Clone(d.Asked) })
	return list
}

// refuses has the upstream refuse every request about rooms.
func (g *gateway) refuses(err error) {
	g.up.Edit(func(d *fakexmpp.Data) { d.Refuse = func(string) error { return err } })
}

// occupantOf is the presence of one who is in talk.
func occupantOf(nick string, a perch.Affiliation, r perch.Role) perch.RoomPresenceIn {
	return perch.RoomPresenceIn{PresenceIn: perch.PresenceIn{From: theRoom + "/" + perch.JID(nick), Available: true}, Affiliation: a, Role: r, JID: perch.JID(nick) + "@example.net"}
}

// enters answers a join with the room.
func (g *gateway) enters(out *perch.RoomJoinOut) {
	self := occupantOf(out.Nick, perch.AffiliationOwner, perch.RoleModerator)
	self.ID, self.Codes = out.ID, perch.CodeSelf
	g.conn.EnterRoom(theRoom, self, occupantOf("bob", perch.AffiliationMember, perch.RoleParticipant), occupantOf("carol", perch.AffiliationNone, perch.RoleVisitor))
}

// joins joins talk, and returns it as it is then.
func (g *gateway) joins(body string) (v perch.Room) {
	g.t.Helper()
	g.want(202, "PUT", roomPath, body, nil)
	g.enters(next[*perch.RoomJoinOut](g))
	g.eventually("joined", func() bool {
		v = perch.Room{}
		g.want(200, "GET", roomPath, "", &v)
		return v.State == perch.RoomStateJoined
	})
	return v
}

// pictureText is a picture in base64.
func pictureText(t *testing.T) string {
	t.Helper()
	return base64.StdEncoding.EncodeToString(pngOf(t, 1, 1))
}
