package stanza_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
)

// inRoom is a message of a room, from Bo or from the room itself.
func inRoom(from, inner string) string {
	return "<message xmlns='jabber:client' from='" + from + "' to='me@a.test/home' type='groupchat' id='m-1'>" + inner + "</message>"
}

const (
	roomBo   = "r@muc.test/Bo"
	roomID   = "<stanza-id xmlns='urn:xmpp:sid:0' by='r@muc.test' id='s1'/>"
	occupant = "<occupant-id xmlns='urn:xmpp:occupant-id:0' id='o1'/>"
)

// TestDecodeRoomMessage reads messages of rooms: whose they are, their ids, and whether they are of before
// the join.
func TestDecodeRoomMessage(t *testing.T) {
	stamp := stanza.ParseTime("2024-05-31T08:00:00Z")
	delay := func(from string) string {
		return "<delay xmlns='urn:xmpp:delay' from='" + from + "' stamp='2024-05-31T08:00:00Z'/>"
	}
	m := func(change func(*perch.MessageIn)) *perch.MessageIn {
		in := &perch.MessageIn{Message: perch.Message{ID: "m-1", From: roomBo, To: "r@muc.test", Kind: perch.GroupchatMessage, Body: "hi", Source: perch.SourceLive, Room: &perch.MessageRoom{Nick: "Bo"}}}
		change(in)
		return in
	}
	for _, tt := range []struct {
		name, raw string
		want      []perch.Inbound
	}{
		{"plain", inRoom(roomBo, "<body>hi</body>"), []perch.Inbound{m(func(*perch.MessageIn) {})}},
		{"with ids", inRoom(roomBo, "<body>hi</body><origin-id xmlns='urn:xmpp:sid:0' id='u1'/>"+roomID+occupant), []perch.Inbound{m(func(in *perch.MessageIn) {
			in.OriginID, in.RoomStanzaID, in.Room.OccupantID = "u1", "s1", "o1"
		})}},
		{"by the room", inRoom("r@muc.test", "<body>hi</body>"), []perch.Inbound{m(func(in *perch.MessageIn) { in.From, in.Room.Nick = "r@muc.test", "" })}},
		{"of before the join", inRoom(roomBo, "<body>hi</body>"+delay("r@muc.test")+roomID), []perch.Inbound{m(func(in *perch.MessageIn) {
			in.History, in.Delay, in.RoomStanzaID = true, &perch.Delay{Stamp: stamp, From: "r@muc.test"}, "s1"
		})}},
		{"resumed", inRoom(roomBo, "<body>hi</body>"+delay("me@a.test")), []perch.Inbound{m(func(in *perch.MessageIn) { in.Delay = &perch.Delay{Stamp: stamp, From: "me@a.test"} })}},
		{"resumed, and of before the join", inRoom(roomBo, "<body>hi</body>"+strings.Replace(delay("me@a.test"), "08:", "07:", 1)+delay("r@muc.test")), []perch.Inbound{m(func(in *perch.MessageIn) {
			in.History, in.Delay = true, &perch.Delay{Stamp: stamp, From: "r@muc.test"}
		})}},
		{"of tomorrow", inRoom(roomBo, "<body>hi</body>"+strings.Replace(delay("r@muc.test"), "05-31", "06-30", 1)), []perch.Inbound{m(func(*perch.MessageIn) {})}},
		{"with a receipt asked and a marker", inRoom(roomBo, "<body>hi</body><request xmlns='urn:xmpp:receipts'/><displayed xmlns='urn:xmpp:chat-markers:0' id='9'/>"), []perch.Inbound{m(func(*perch.MessageIn) {})}},
		{"with a chat state", inRoom(roomBo, "<body>hi</body><active xmlns='"+nsChatStates+"'/>"), []perch.Inbound{m(func(*perch.MessageIn) {}), &perch.RoomChatStateIn{From: roomBo, State: perch.StateActive}}},
		{"a chat state", inRoom(roomBo, "<composing xmlns='"+nsChatStates+"'/>"), []perch.Inbound{&perch.RoomChatStateIn{From: roomBo, State: perch.StateComposing}}},
		{"a chat state of before", inRoom(roomBo, "<composing xmlns='"+nsChatStates+"'/>"+delay("r@muc.test")), nil},
		{"a receipt", inRoom(roomBo, "<received xmlns='urn:xmpp:receipts' id='9'/>"), nil},
		{"a marker", inRoom(roomBo, "<displayed xmlns='urn:xmpp:chat-markers:0' id='9'/>"), nil},
		{"an edit", inRoom(roomBo, "<body>hi</body><replace xmlns='urn:xmpp:message-correct:0' id='m-0'/>"+roomID+occupant), []perch.Inbound{m(func(in *perch.MessageIn) {
			in.RoomStanzaID, in.Room.OccupantID, in.Relation = "s1", "o1", &perch.Relation{Kind: perch.RelationEdit, Target: "m-0"}
		})}},
		{"a retraction", inRoom(roomBo, "<body>gone</body><retract xmlns='urn:xmpp:message-retract:1' id='s0'/>"+roomID), []perch.Inbound{m(func(in *perch.MessageIn) {
			in.Body, in.RoomStanzaID, in.Relation = "", "s1", &perch.Relation{Kind: perch.RelationRetraction, Target: "s0"}
		})}},
		{"reactions", inRoom(roomBo, "<reactions xmlns='urn:xmpp:reactions:0' id='s0'><reaction>👍</reaction></reactions><store xmlns='urn:xmpp:hints'/>"+occupant), []perch.Inbound{m(func(in *perch.MessageIn) {
			in.Body, in.Room.OccupantID, in.Relation = "", "o1", &perch.Relation{Kind: perch.RelationReactions, Target: "s0", Emojis: []string{"👍"}}
		})}},
		{"a moderator's", inRoom("r@muc.test", "<retract xmlns='urn:xmpp:message-retract:1' id='s0'><moderated xmlns='urn:xmpp:message-moderate:1' by='r@muc.test/Mod'/><reason>rude</reason></retract>"), []perch.Inbound{m(func(in *perch.MessageIn) {
			in.From, in.Body, in.Room.Nick = "r@muc.test", "", ""
			in.Relation = &perch.Relation{Kind: perch.RelationRetraction, Target: "s0", Moderated: true, By: "r@muc.test/Mod", Reason: "rude"}
		})}},
		{"forged occupant-id before that of the room", inRoom(roomBo, "<occupant-id xmlns='urn:xmpp:occupant-id:0' id='o0'/><body>hi</body>"+occupant), []perch.Inbound{m(func(in *perch.MessageIn) { in.Room.OccupantID = "o1" })}},
		{"a real address that anybody can write", inRoom(roomBo, "<body>hi</body><x xmlns='"+nsMUCUser+"'><item jid='al@a.test'/></x>"), []perch.Inbound{m(func(*perch.MessageIn) {})}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := decodeText(t, tt.raw, testNow)
			if diff := cmp.Diff(tt.want, d.In); diff != "" || d.Silent != (tt.want == nil) {
				t.Errorf("Decode() of %s: silent %v, -want +got:\n%s", tt.raw, d.Silent, diff)
			}
		})
	}
}

// TestDecodeRoomSubject reads subjects, which end a join: there may be none, and no body beside it.
func TestDecodeRoomSubject(t *testing.T) {
	delayed := "<delay xmlns='urn:xmpp:delay' from='r@muc.test' stamp='2024-05-31T08:00:00Z'/>"
	at := &perch.Delay{Stamp: stanza.ParseTime("2024-05-31T08:00:00Z"), From: "r@muc.test"}
	for _, tt := range []struct {
		name, raw string
		want      perch.RoomSubjectIn
	}{
		{"none", inRoom("r@muc.test", "<subject/>"), perch.RoomSubjectIn{From: "r@muc.test", ID: "m-1"}},
		{"none, with an empty body", inRoom("r@muc.test", "<subject></subject><body/>"), perch.RoomSubjectIn{From: "r@muc.test", ID: "m-1"}},
		{"one", inRoom(roomBo, "<subject>s</subject>"), perch.RoomSubjectIn{From: roomBo, ID: "m-1", Text: "s"}},
		{"all, at a join", inRoom(roomBo, "<subject>s</subject>"+delayed+occupant), perch.RoomSubjectIn{From: roomBo, ID: "m-1", Text: "s", OccupantID: "o1", Delay: at}},
		{"changed", inRoom(roomBo, "<subject>s</subject><thread>t</thread>"+roomID), perch.RoomSubjectIn{From: roomBo, ID: "m-1", Text: "s", StanzaID: "s1"}},
	} {
		d := decodeText(t, tt.raw, testNow)
		if len(d.In) != 1 {
			t.Fatalf("%s: got %+v, want a subject", tt.name, d.In)
		}
		got, ok := d.In[0].(*perch.RoomSubjectIn)
		if !ok {
			t.Fatalf("%s: got %+v, want a subject", tt.name, d.In[0])
		}
		checkRoomInbound(t, got)
		got.Plain = nil
		if diff := cmp.Diff(&tt.want, got); diff != "" {
			t.Errorf("%s, -want +got:\n%s", tt.name, diff)
		}
	}
	for name, raw := range map[string]string{
		"with a body":     inRoom(roomBo, "<subject>s</subject><body>hi</body>"),
		"with a file":     inRoom(roomBo, "<subject>s</subject><x xmlns='jabber:x:oob'><url>https://b.test/f</url></x>"),
		"of a retraction": inRoom(roomBo, "<subject>s</subject><retract xmlns='urn:xmpp:message-retract:1' id='s0'/>"),
		"of two":          strings.Replace(inRoom("bo@b.test/x", "<subject>s</subject>"), "groupchat", "chat", 1),
	} {
		if got := decodeText(t, raw, testNow).In; len(got) != 1 || cmp.Equal(got[0], &perch.RoomSubjectIn{}) {
			t.Errorf("%s: got %+v, want a message", name, got)
		} else if _, ok := got[0].(*perch.MessageIn); !ok {
			t.Errorf("%s: got %T, want a message", name, got[0])
		}
	}
}

// TestDecodeRoomNotice reads what a room says of itself, and of those who are not in it.
func TestDecodeRoomNotice(t *testing.T) {
	said := func(from, typ, inner string) string {
		return "<message from='" + from + "' " + typ + ">" + inner + "</message>"
	}
	x := func(inner string) string { return "<x xmlns='" + nsMUCUser + "'>" + inner + "</x>" }
	changed := &perch.RoomNoticeIn{From: "r@muc.test", Codes: perch.CodeConfigChanged | perch.CodeNonAnonymous}
	text := &perch.MessageIn{Message: perch.Message{From: "r@muc.test", To: "r@muc.test", Kind: perch.GroupchatMessage, Body: "hi", Source: perch.SourceLive, Room: &perch.MessageRoom{}}}
	const codes = "<status code='104'/><status code='172'/>"
	for _, tt := range []struct {
		name, raw string
		want      []perch.Inbound
	}{
		{"another configuration", said("r@muc.test", "type='groupchat'", x(codes)), []perch.Inbound{changed}},
		{"with words", said("r@muc.test", "type='groupchat'", "<body>hi</body>"+x(codes)), []perch.Inbound{text, changed}},
		{"an affiliation, as Prosody says it", said("r@muc.test", "", x("<item affiliation='member' jid='cy@a.test' role='none'><actor nick='Al'/><reason>welcome</reason></item>")),
			[]perch.Inbound{&perch.RoomNoticeIn{From: "r@muc.test", Affiliation: perch.AffiliationMember, Account: "cy@a.test", Actor: "Al", Reason: "welcome"}}},
		{"an affiliation, as ejabberd says it", said("r@muc.test", "type='groupchat' id='1'", x("<item affiliation='outcast' jid='cy@a.test/x'/>")),
			[]perch.Inbound{&perch.RoomNoticeIn{From: "r@muc.test", Affiliation: perch.AffiliationOutcast, Account: "cy@a.test"}}},
		{"by an occupant", said(roomBo, "type='groupchat'", x(codes)), nil},
		{"by a contact", said("bo@b.test/x", "type='chat'", x(codes)), nil},
		{"by a server", said("muc.test", "", x(codes)), nil},
		{"by the own account", said("me@a.test", "", x(codes)), nil},
		{"of nothing", said("r@muc.test", "", x("<status code='9'/><item/>")), nil},
	} {
		if diff := cmp.Diff(tt.want, decodeText(t, tt.raw, testNow).In); diff != "" {
			t.Errorf("%s: -want +got:\n%s", tt.name, diff)
		}
	}
}

// TestDecodeDecline reads that an invitation was declined, with the sentence of Prosody and without.
func TestDecodeDecline(t *testing.T) {
	const decline = "<x xmlns='" + nsMUCUser + "'><decline from='cy@a.test/x'><reason>no time</reason></decline></x>"
	for _, body := range []string{"", "<body>cy declined your invitation</body>"} {
		d := decodeText(t, "<message from='r@muc.test' to='me@a.test/home' id='1'>"+body+decline+"</message>", testNow)
		plain := perch.Inbound(&perch.MessageIn{Message: perch.Message{ID: "1", From: "r@muc.test", To: testSelf, Kind: perch.NormalMessage, Body: "cy declined your invitation", Source: perch.SourceLive}})
		if body == "" {
			plain = &perch.DroppedIn{Dropped: perch.Dropped{Reason: perch.DroppedInvitation, From: "r@muc.test"},
				Of: perch.Message{ID: "1", From: "r@muc.test", To: testSelf, Kind: perch.NormalMessage, Source: perch.SourceLive}}
		}
		if diff := cmp.Diff([]perch.Inbound{&perch.RoomDeclinedIn{Room: "r@muc.test", By: "cy@a.test/x", Reason: "no time", Plain: plain}}, d.In); diff != "" {
			t.Errorf("with body %q, -want +got:\n%s", body, diff)
		}
	}
}

// TestDecodePrivateMessage reads messages between two occupants, and their copies.
func TestDecodePrivateMessage(t *testing.T) {
	const mark = "<x xmlns='" + nsMUCUser + "'/>"
	chat := func(from, to, inner string) string {
		return "<message xmlns='jabber:client' from='" + from + "' to='" + to + "' type='chat' id='1'><body>hi</body>" + inner + "</message>"
	}
	carbon := func(kind, inner string) string {
		return "<message from='me@a.test'><" + kind + " xmlns='" + nsCarbons + "'><forwarded xmlns='" + nsForward + "'>" + inner + "</forwarded></" + kind + "></message>"
	}
	in := func(sent bool, from, to perch.JID, room *perch.MessageRoom) []perch.Inbound {
		return []perch.Inbound{&perch.MessageIn{Sent: sent, Message: perch.Message{ID: "1", From: from, To: to, Kind: perch.ChatMessage, Body: "hi", Source: perch.SourceLive, Room: room}}}
	}
	for _, tt := range []struct {
		name, raw string
		want      []perch.Inbound
	}{
		{"received", chat(roomBo, "me@a.test/home", mark+occupant), in(false, roomBo, testSelf, &perch.MessageRoom{Nick: "Bo", OccupantID: "o1"})},
		{"without the mark", chat(roomBo, "me@a.test/home", ""), in(false, roomBo, testSelf, nil)},
		{"an invitation, which only a room may send", chat(roomBo, "me@a.test/home", "<x xmlns='"+nsMUCUser+"'><invite from='cy@a.test'/></x>"), in(false, roomBo, testSelf, nil)},
		{"a refusal, which only a room may send", chat(roomBo, "me@a.test/home", "<x xmlns='"+nsMUCUser+"'><decline from='cy@a.test'/></x>"), in(false, roomBo, testSelf, nil)},
		{"by a room", chat("r@muc.test", "me@a.test/home", mark), in(false, "r@muc.test", testSelf, nil)},
		{"by a service", chat("muc.test/x", "me@a.test/home", mark), in(false, "muc.test/x", testSelf, nil)},
		{"sent by another device", carbon("sent", chat("me@a.test/phone", roomBo, mark)), in(true, "me@a.test/phone", roomBo, &perch.MessageRoom{Own: true})},
		{"sent by another device, without the mark", carbon("sent", chat("me@a.test/phone", roomBo, "")), in(true, "me@a.test/phone", roomBo, nil)},
		{"received by another device", carbon("received", chat(roomBo, "me@a.test/phone", mark)), nil},
		{"of a room, in a carbon", carbon("received", inRoom(roomBo, "<body>hi</body>")), nil},
		{"of a room, in a carbon of the own", carbon("sent", strings.Replace(inRoom("me@a.test/phone", "<body>hi</body>"), "to='me@a.test/home'", "to='r@muc.test'", 1)), nil},
	} {
		if diff := cmp.Diff(tt.want, decodeText(t, tt.raw, testNow).In); diff != "" {
			t.Errorf("%s: -want +got:\n%s", tt.name, diff)
		}
	}
}
