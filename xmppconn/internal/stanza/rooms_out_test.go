package stanza_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// TestRoomsOut writes what goes to rooms.
func TestRoomsOut(t *testing.T) {
	const room = perch.JID("r@muc.test")
	caps := regexp.MustCompile(`<c xmlns='http://jabber.org/protocol/caps'[^>]*/>`)
	busy := perch.OwnPresence{Show: perch.ShowDND, Status: "a < b", Priority: 5}
	const store = "<store xmlns='urn:xmpp:hints'/>"
	for _, tt := range []struct {
		name string
		out  perch.Outbound
		want string
	}{
		{"join", &perch.RoomJoinOut{Room: room, Nick: "Al", ID: "j1"}, "<presence to='r@muc.test/Al' id='j1'>CAPS<x xmlns='" + nsMUC + "'><history maxstanzas='0'/></x></presence>"},
		{"join with all", &perch.RoomJoinOut{Room: room, Nick: "A'l / x", ID: "j1", Password: "<geheim>", Since: stanza.ParseTime("2024-05-31T08:00:00Z"), Presence: busy},
			"<presence to='r@muc.test/A&apos;l / x' id='j1'><show>dnd</show><status>a &lt; b</status><priority>5</priority>CAPS<x xmlns='" + nsMUC + "'><password>&lt;geheim&gt;</password><history since='2024-05-31T08:00:00.000Z'/></x></presence>"},
		{"presence", &perch.RoomPresenceOut{Room: room, Nick: "Al", ID: "n1", Presence: busy}, "<presence to='r@muc.test/Al' id='n1'><show>dnd</show><status>a &lt; b</status><priority>5</priority>CAPS</presence>"},
		{"leave", &perch.RoomLeaveOut{Room: room, Nick: "Al", ID: "l1", Status: "bye"}, "<presence to='r@muc.test/Al' id='l1' type='unavailable'><status>bye</status></presence>"},
		{"subject", &perch.RoomSubjectOut{Room: room, ID: "s1", Text: "a < b"}, "<message to='r@muc.test' id='s1' type='groupchat'><subject>a &lt; b</subject></message>"},
		{"no subject", &perch.RoomSubjectOut{Room: room, ID: "s1"}, "<message to='r@muc.test' id='s1' type='groupchat'><subject></subject></message>"},
		{"invitation", &perch.RoomInviteOut{Room: room, To: "bo@b.test", ID: "i1", Reason: "come", Password: "geheim"},
			"<message to='r@muc.test' id='i1'><x xmlns='" + nsMUCUser + "'><invite to='bo@b.test'><reason>come</reason></invite><password>geheim</password></x></message>"},
		{"direct invitation", &perch.RoomInviteOut{Room: room, To: "bo@b.test", ID: "i1", Reason: "come", Password: "geheim", Direct: true},
			"<message to='bo@b.test' id='i1'><x xmlns='jabber:x:conference' jid='r@muc.test' reason='come' password='geheim'/>" + store + "</message>"},
		{"decline", &perch.RoomDeclineOut{Room: room, To: "bo@b.test", ID: "d1", Reason: "no time"}, "<message to='r@muc.test' id='d1'><x xmlns='" + nsMUCUser + "'><decline to='bo@b.test'><reason>no time</reason></decline></x></message>"},
		{"message", &perch.MessageOut{ID: "1", To: room, Kind: perch.GroupchatMessage, Body: "hi", Receipt: true}, "<message to='r@muc.test' id='1' type='groupchat'><body>hi</body><origin-id xmlns='urn:xmpp:sid:0' id='1'/></message>"},
		{"edit", &perch.MessageOut{ID: "2", To: room, Kind: perch.GroupchatMessage, Body: "ho", Relation: &perch.Relation{Kind: perch.RelationEdit, Target: "1"}},
			"<message to='r@muc.test' id='2' type='groupchat'><body>ho</body><origin-id xmlns='urn:xmpp:sid:0' id='2'/><replace xmlns='urn:xmpp:message-correct:0' id='1'/></message>"},
		{"reactions", &perch.MessageOut{ID: "3", To: room, Kind: perch.GroupchatMessage, Relation: &perch.Relation{Kind: perch.RelationReactions, Target: "s0", Emojis: []string{"👍"}}},
			"<message to='r@muc.test' id='3' type='groupchat'><origin-id xmlns='urn:xmpp:sid:0' id='3'/><reactions xmlns='urn:xmpp:reactions:0' id='s0'><reaction>👍</reaction></reactions>" + store + "</message>"},
		{"chat state", &perch.ChatStateOut{To: room, State: perch.StateComposing, Kind: perch.GroupchatMessage}, "<message to='r@muc.test' type='groupchat'><composing xmlns='" + nsChatStates + "'/></message>"},
	} {
		got := encoded(t)(stanza.AppendOutbound(nil, tt.out))
		equal(t, tt.name, caps.ReplaceAllString(got, "CAPS"), tt.want)
		_, isPresence := tt.out.(*perch.RoomPresenceOut)
		if _, isJoin := tt.out.(*perch.RoomJoinOut); strings.Contains(tt.want, "CAPS") != (isPresence || isJoin) {
			t.Errorf("%s: got %s, want caps in what says that the account is available", tt.name, got)
		}
	}
}

// TestRoomPresenceHasAnID: without one, an error could not be told from one to other presence.
func TestRoomPresenceHasAnID(t *testing.T) {
	id := regexp.MustCompile(` id='[^']{22}'`)
	for _, out := range []perch.Outbound{&perch.RoomJoinOut{Room: "r@muc.test", Nick: "Al"}, &perch.RoomPresenceOut{Room: "r@muc.test", Nick: "Al"}, &perch.RoomLeaveOut{Room: "r@muc.test", Nick: "Al"}} {
		if got := encoded(t)(stanza.AppendOutbound(nil, out)); !id.MatchString(got) {
			t.Errorf("%T: got %s, want an id", out, got)
		}
	}
}

// TestRoomsOutRefuses names the field of what would be no stanza to a room.
func TestRoomsOutRefuses(t *testing.T) {
	long := strings.Repeat("x", 1024)
	for _, tt := range []struct {
		out   perch.Outbound
		field string
	}{
		{&perch.RoomJoinOut{Nick: "Al"}, "/room"},
		{&perch.RoomJoinOut{Room: "r@muc.test/x", Nick: "Al"}, "/room"},
		{&perch.RoomJoinOut{Room: "muc.test", Nick: "Al"}, "/room"},
		{&perch.RoomJoinOut{Room: "r@muc.test"}, "/nick"},
		{&perch.RoomJoinOut{Room: "r@muc.test", Nick: long}, "/nick"},
		{&perch.RoomJoinOut{Room: "r@muc.test", Nick: "A\x00l"}, "/nick"},
		{&perch.RoomJoinOut{Room: "r@muc.test", Nick: "Al", Password: "\x01"}, "/password"},
		{&perch.RoomJoinOut{Room: "r@muc.test", Nick: "Al", Presence: perch.OwnPresence{Show: 99}}, "/show"},
		{&perch.RoomPresenceOut{Room: "r@muc.test"}, "/nick"},
		{&perch.RoomLeaveOut{Room: "r@muc.test/x", Nick: "Al"}, "/room"},
		{&perch.RoomLeaveOut{Room: "r@muc.test", Nick: "Al", Status: "\xff"}, "/status"},
		{&perch.RoomSubjectOut{Room: "r@muc.test/x"}, "/room"},
		{&perch.RoomSubjectOut{Room: "r@muc.test", Text: "\x02"}, "/text"},
		{&perch.RoomInviteOut{Room: "r@muc.test"}, "/to"},
		{&perch.RoomInviteOut{To: "bo@b.test"}, "/room"},
		{&perch.RoomInviteOut{To: "bo@b.test", Direct: true}, "/room"},
		{&perch.RoomInviteOut{Room: "r@muc.test", Direct: true}, "/to"},
		{&perch.RoomInviteOut{Room: "r@muc.test", To: "bo@b.test", Direct: true, Reason: "\x03"}, "/reason"},
		{&perch.RoomDeclineOut{Room: "r@muc.test"}, "/to"},
		{&perch.RoomDeclineOut{To: "bo@b.test"}, "/room"},
	} {
		b, err := stanza.AppendOutbound([]byte("x"), tt.out)
		if got := fieldOf(err); got != tt.field || string(b) != "x" {
			t.Errorf("%+v: got %q, %q; want x and an error of %s", tt.out, b, got, tt.field)
		}
	}
}

// TestChatOnlyHasNoRooms: nothing is written to a room where there are none.
func TestChatOnlyHasNoRooms(t *testing.T) {
	for _, out := range []perch.Outbound{
		&perch.RoomJoinOut{Room: "r@muc.test", Nick: "Al"}, &perch.RoomPresenceOut{Room: "r@muc.test", Nick: "Al"}, &perch.RoomLeaveOut{Room: "r@muc.test", Nick: "Al"},
		&perch.RoomSubjectOut{Room: "r@muc.test"}, &perch.RoomInviteOut{Room: "r@muc.test", To: "bo@b.test"}, &perch.RoomDeclineOut{Room: "r@muc.test", To: "bo@b.test"},
		&perch.ChatStateOut{To: "r@muc.test", State: perch.StateActive, Kind: perch.GroupchatMessage},
	} {
		if b, err := stanza.AppendFor([]byte("x"), out, true); perch.KindOf(err) != perch.KindFeatureUnsupported || string(b) != "x" {
			t.Errorf("%T: got %q, %v; want x, %s", out, b, err, perch.KindFeatureUnsupported)
		}
		if b, err := stanza.AppendFor(nil, out, false); err != nil || len(b) == 0 {
			t.Errorf("%T elsewhere: got %q, %v; want it written", out, b, err)
		}
	}
}

// FuzzRoomsOut writes texts to a room and reads them back: exactly one stanza, with exactly these texts.
func FuzzRoomsOut(f *testing.F) {
	f.Add("r@muc.test", "Al", "geheim", "reason")
	f.Add("r@muc.test", "'/><presence/>", "]]>", "\r\n\t")
	f.Add("r@'muc.test", "\x00", "\xff", "\ufffe")
	f.Fuzz(func(t *testing.T, room, nick, secret, text string) {
		jid := perch.JID(room)
		sound := jid.IsBare() && jid.Local() != ""
		for _, tt := range []struct {
			out  perch.Outbound
			may  bool
			same func(*xmlstream.Element) bool
		}{
			{&perch.RoomJoinOut{Room: jid, Nick: nick, ID: "1", Password: secret, Presence: perch.OwnPresence{Status: text}}, sound && nick != "" && len(nick) < 1024 && sendable(nick) && sendable(secret) && sendable(text), func(el *xmlstream.Element) bool {
				return el.Attr("to") == room+"/"+nick && el.ChildText(nsClient, "status") == text && el.Child(nsMUC, "x").ChildText(nsMUC, "password") == secret
			}},
			{&perch.RoomSubjectOut{Room: jid, Text: text}, sound && sendable(text), func(el *xmlstream.Element) bool {
				return el.Attr("to") == room && el.ChildText(nsClient, "subject") == text
			}},
			{&perch.RoomInviteOut{Room: jid, To: "bo@b.test", Reason: text, Password: secret, Direct: true}, sound && sendable(text) && sendable(secret), func(el *xmlstream.Element) bool {
				x := el.Child("jabber:x:conference", "x")
				return x.Attr("jid") == room && x.Attr("reason") == text && x.Attr("password") == secret
			}},
		} {
			b, err := stanza.AppendOutbound(nil, tt.out)
			if want := tt.may && sendable(room); want != (err == nil) {
				t.Fatalf("%+v: got error %v, want it sent: %v", tt.out, err, want)
			}
			if err != nil {
				continue
			}
			trees, _ := parseAll(b)
			if len(trees) != 1 || !tt.same(trees[0]) {
				t.Fatalf("%q was read back as %+v, want 1 element with the same texts", b, trees)
			}
		}
	})
}
