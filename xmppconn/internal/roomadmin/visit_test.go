package roomadmin_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
)

const conference = info + "<identity category='conference' type='text' name='Room'/><feature var='urn:xmpp:mam:2'/></query>"

// TestSelfPing gives each answer its meaning.
func TestSelfPing(t *testing.T) {
	for _, tt := range []struct {
		name, ping, info string
		want             perch.SelfPing
		kind             perch.Kind // of the error
	}{
		{"an answer", "", "", perch.SelfPingIn, ""},
		{"of the own client", "service-unavailable", "", perch.SelfPingIn, ""},
		{"of the own client, which knows no pings", "feature-not-implemented", "", perch.SelfPingIn, ""},
		{"not in", "not-acceptable", "", perch.SelfPingOut, ""},
		{"banned meanwhile", "forbidden", "", perch.SelfPingOut, ""},
		{"another nick", "item-not-found", conference, perch.SelfPingRenamed, ""},
		{"no room", "item-not-found", "item-not-found", perch.SelfPingNoRoom, ""},
		{"no room, but something else", "item-not-found", info + "<identity category='account' type='registered'/></query>", perch.SelfPingNoRoom, ""},
		{"perhaps another nick", "item-not-found", "timeout", perch.SelfPingUnknown, perch.KindUpstreamTimeout},
		{"no answer", "timeout", "", perch.SelfPingUnknown, perch.KindUpstreamTimeout},
		{"no service", "remote-server-not-found", "", perch.SelfPingUnknown, perch.KindXMPP},
		{"a service that does not answer", "remote-server-timeout", "", perch.SelfPingUnknown, perch.KindXMPP},
		{"too many pings", "resource-constraint", "", perch.SelfPingUnknown, perch.KindXMPP},
	} {
		_, a := newAdmin(t, map[string]string{"r@c.test/Al room_ping": tt.ping, "r@c.test room_info": tt.info})
		got, err := a.SelfPing(t.Context(), room, "Al")
		if kind := kindOf(err); got != tt.want || kind != tt.kind {
			t.Errorf("%s: got %d, error %v; want %d, error of kind %q", tt.name, got, err, tt.want, tt.kind)
		}
	}
}

func kindOf(err error) perch.Kind {
	if err == nil {
		return ""
	}
	return perch.KindOf(err)
}

// TestRoomInfo asks a room, and what is none.
func TestRoomInfo(t *testing.T) {
	for _, tt := range []struct {
		name, answer string
		want         perch.RoomInfo
		kind         perch.Kind
	}{
		{"a room", conference, perch.RoomInfo{Name: "Room", Occupants: -1, Features: perch.RoomFeatures{Archive: true}}, ""},
		{"nothing", "item-not-found", perch.RoomInfo{}, perch.KindItemNotFound},
		{"an account", info + "<feature var='urn:xmpp:mam:2'/></query>", perch.RoomInfo{}, perch.KindItemNotFound},
		{"for others", "forbidden", perch.RoomInfo{}, perch.KindForbidden},
	} {
		_, a := newAdmin(t, map[string]string{"r@c.test room_info": tt.answer})
		got, err := a.RoomInfo(t.Context(), room)
		if diff := cmp.Diff(tt.want, got); diff != "" || kindOf(err) != tt.kind {
			t.Errorf("%s: got error %v, want kind %q; -want +got:\n%s", tt.name, err, tt.kind, diff)
		}
	}
}
