package stanza_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/streamtest"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

const (
	nsMUC     = "http://jabber.org/protocol/muc"
	nsMUCUser = "http://jabber.org/protocol/muc#user"
)

// occupantOf is the presence of Bo in a room, with what the room says of him.
func occupantOf(attrs, inner, said string) string {
	return "<presence from='r@muc.test/Bo' to='me@a.test/home' " + attrs + ">" + inner + "<x xmlns='" + nsMUCUser + "'>" + said + "</x></presence>"
}

// TestDecodeOccupant reads what the two servers say of occupants, in their orders of items and codes.
func TestDecodeOccupant(t *testing.T) {
	hash := "01b87fcd030b72895ff8e88db57ec525450f000d"
	const participant = "<item affiliation='none' role='participant'/>"
	const gone = "<item affiliation='member' role='none'/>"
	const left = "type='unavailable'"
	in := func(change func(*perch.RoomPresenceIn)) *perch.RoomPresenceIn {
		p := &perch.RoomPresenceIn{PresenceIn: perch.PresenceIn{From: "r@muc.test/Bo", Available: true}, Affiliation: perch.AffiliationNone, Role: perch.RoleParticipant}
		change(p)
		return p
	}
	out := func(codes perch.RoomCodes, change func(*perch.RoomPresenceIn)) *perch.RoomPresenceIn {
		p := &perch.RoomPresenceIn{PresenceIn: perch.PresenceIn{From: "r@muc.test/Bo"}, Affiliation: perch.AffiliationMember, Role: perch.RoleNone, Codes: codes}
		change(p)
		return p
	}
	as := func(*perch.RoomPresenceIn) {}
	for _, tt := range []struct {
		name, raw string
		want      perch.Inbound
	}{
		{"an occupant", occupantOf("", "", participant), in(as)},
		{"all", occupantOf("id='j1'", "<show>dnd</show><status>busy</status><priority>3</priority><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='n' ver='v'/>"+
			"<x xmlns='vcard-temp:x:update'><photo>"+hash+"</photo></x><occupant-id xmlns='urn:xmpp:occupant-id:0' id='o1'/>", "<item affiliation='owner' role='moderator' jid='bo@b.test/x'/>"),
			in(func(p *perch.RoomPresenceIn) {
				p.Show, p.Status, p.Priority, p.PhotoHash = perch.ShowDND, "busy", 3, &hash
				p.ID, p.OccupantID, p.Affiliation, p.Role, p.JID = "j1", "o1", perch.AffiliationOwner, perch.RoleModerator, "bo@b.test/x"
			})},
		{"the own one of a new room", occupantOf("id='j1'", "", "<status code='110'/><item affiliation='owner' role='moderator' jid='me@a.test/home'/><status code='201'/><status code='100'/>"),
			in(func(p *perch.RoomPresenceIn) {
				p.ID, p.Affiliation, p.Role, p.JID, p.Codes = "j1", perch.AffiliationOwner, perch.RoleModerator, "me@a.test/home", perch.CodeSelf|perch.CodeCreated|perch.CodeRealJIDs
			})},
		{"two devices", occupantOf("", "", "<item affiliation='member' role='participant' jid='me@a.test/home'/><item affiliation='member' role='participant' jid='me@a.test/phone'/><status code='110'/>"),
			in(func(p *perch.RoomPresenceIn) {
				p.Affiliation, p.JID, p.Codes = perch.AffiliationMember, "me@a.test/home", perch.CodeSelf
			})},
		{"another nick was given", occupantOf("", "", "<status code='210'/>"+participant+"<status code='110'/>"), in(func(p *perch.RoomPresenceIn) { p.Codes = perch.CodeNickAssigned | perch.CodeSelf })},
		{"left", occupantOf(left, "<status>bye</status>", gone), out(0, func(p *perch.RoomPresenceIn) { p.Status = "bye" })},
		{"left by itself", occupantOf(left, "", gone+"<status code='110'/>"), out(perch.CodeSelf, as)},
		{"kicked", occupantOf(left, "", "<item affiliation='member' role='none'><actor nick='Al' jid='al@a.test'/><reason>rude</reason></item><status code='307'/>"),
			out(perch.CodeKicked, func(p *perch.RoomPresenceIn) { p.Actor, p.Reason = "Al", "rude" })},
		{"kicked, the other way round", occupantOf(left, "", "<status code='110'/><status code='307'/><item affiliation='member' role='none'><reason>rude</reason><actor nick='Al'/></item>"),
			out(perch.CodeKicked|perch.CodeSelf, func(p *perch.RoomPresenceIn) { p.Actor, p.Reason = "Al", "rude" })},
		{"banned", occupantOf(left, "", "<item affiliation='outcast' role='none'/><status code='301'/>"), out(perch.CodeBanned, func(p *perch.RoomPresenceIn) { p.Affiliation = perch.AffiliationOutcast })},
		{"no member any more", occupantOf(left, "", gone+"<status code='321'/>"), out(perch.CodeAffiliationLost, as)},
		{"for members only now", occupantOf(left, "", gone+"<status code='322'/>"), out(perch.CodeMembersOnly, as)},
		{"the service shuts down", occupantOf(left, "", gone+"<status code='332'/>"), out(perch.CodeShutdown, as)},
		{"removed for an error", occupantOf(left, "<status>Kicked: ping</status>", gone+"<status code='333'/><status code='307'/>"), out(perch.CodeServiceError|perch.CodeKicked, func(p *perch.RoomPresenceIn) { p.Status = "Kicked: ping" })},
		{"renamed", occupantOf(left, "", "<status code='303'/><item affiliation='member' role='participant' nick='Bobby'/>"),
			out(perch.CodeNickChanged, func(p *perch.RoomPresenceIn) { p.Role, p.NewNick = perch.RoleParticipant, "Bobby" })},
		{"destroyed, as Prosody says it", occupantOf(left, "", gone+"<destroy jid='new@muc.test'><reason>moved</reason></destroy><status code='110'/>"),
			out(perch.CodeSelf, func(p *perch.RoomPresenceIn) {
				p.Destroyed = &perch.RoomDestroyed{Successor: "new@muc.test", Reason: "moved"}
			})},
		{"destroyed, as ejabberd says it", occupantOf(left, "", "<item affiliation='none' role='none'/><destroy/>"),
			out(0, func(p *perch.RoomPresenceIn) {
				p.Affiliation, p.Destroyed = perch.AffiliationNone, &perch.RoomDestroyed{}
			})},
		{"words that are not known", occupantOf("", "", "<item affiliation='king' role='jester'/><status code='110'/><status code='999'/><status code='x'/><status code='99999999999'/><status/>"), in(func(p *perch.RoomPresenceIn) { p.Codes = perch.CodeSelf })},
		{"nothing said", occupantOf("", "", ""), in(as)},
		{"nothing said of one who has left", occupantOf(left, "", ""), out(0, func(p *perch.RoomPresenceIn) { p.Affiliation = perch.AffiliationNone })},
		{"forged, and then the room's", "<presence from='r@muc.test/Bo'><x xmlns='" + nsMUCUser + "'><item affiliation='owner' role='moderator' jid='al@a.test'/></x><occupant-id xmlns='urn:xmpp:occupant-id:0' id='o1'/>" +
			"<x xmlns='" + nsMUCUser + "'>" + participant + "</x><occupant-id xmlns='urn:xmpp:occupant-id:0' id='o2'/></presence>", in(func(p *perch.RoomPresenceIn) { p.OccupantID = "o2" })},
		{"items of another namespace", occupantOf("", "", "<item xmlns='urn:x' affiliation='owner' role='moderator'/>"+participant), in(as)},
		{"the room itself", "<presence from='r@muc.test'><x xmlns='vcard-temp:x:update'><photo>" + hash + "</photo></x></presence>", &perch.PresenceIn{From: "r@muc.test", Available: true, PhotoHash: &hash}},
		{"the room itself, with codes", "<presence from='r@muc.test' type='unavailable'><x xmlns='" + nsMUCUser + "'>" + gone + "</x></presence>", &perch.PresenceIn{From: "r@muc.test"}},
		{"nobody", "<presence><x xmlns='" + nsMUCUser + "'>" + participant + "</x></presence>", &perch.PresenceIn{From: "me@a.test", Available: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff([]perch.Inbound{tt.want}, decodeText(t, tt.raw, testNow).In); diff != "" {
				t.Errorf("Decode() of %s, -want +got:\n%s", tt.raw, diff)
			}
		})
	}
}

// TestDecodeJoinError tells the error answer to a join from one to presence for contacts.
func TestDecodeJoinError(t *testing.T) {
	presence := func(from, id, inner, condition string) string {
		return "<presence from='" + from + "' " + id + " type='error'>" + inner + "<error type='auth' by='r@muc.test'>" + condition + "</error></presence>"
	}
	condition := func(name string) string { return "<" + name + " xmlns='" + nsStanzas + "'/>" }
	failed := func(from perch.JID, id, name string) *perch.RoomJoinError {
		return &perch.RoomJoinError{From: from, ID: id, Error: perch.XMPPError{Condition: name, Type: "auth", By: "r@muc.test"}}
	}
	moved := failed("r@muc.test/Me", "j1", "gone")
	moved.Error.Text, moved.Successor = "moved", "new@muc.test"
	const join = "<x xmlns='" + nsMUC + "'><password>geheim</password></x>"
	for _, tt := range []struct {
		name, raw string
		want      perch.Inbound
	}{
		{"with the join", presence("r@muc.test/Me", "id='j1'", join, condition("conflict")), failed("r@muc.test/Me", "j1", "conflict")},
		{"with the join and without its id", presence("r@muc.test/Me", "", join, condition("not-authorized")), failed("r@muc.test/Me", "", "not-authorized")},
		{"with its id", presence("r@muc.test", "id='j1'", "", condition("registration-required")), failed("r@muc.test", "j1", "registration-required")},
		{"a room that is gone", presence("r@muc.test/Me", "id='j1'", "", "<gone xmlns='"+nsStanzas+"'>xmpp:new@muc.test?join</gone><text xmlns='"+nsStanzas+"'>moved</text>"), moved},
		{"a room that is gone to nowhere", presence("r@muc.test/Me", "id='j1'", "", "<gone xmlns='"+nsStanzas+"'>https://muc.test</gone>"), failed("r@muc.test/Me", "j1", "gone")},
		{"no service", presence("r@muc.test/Me", "id='j1'", "", condition("remote-server-not-found")), failed("r@muc.test/Me", "j1", "remote-server-not-found")},
		{"a contact", presence("bo@b.test", "", "<show>away</show>", condition("remote-server-not-found")),
			&perch.PresenceError{From: "bo@b.test", Error: perch.XMPPError{Condition: "remote-server-not-found", Type: "auth", By: "r@muc.test"}}},
	} {
		if diff := cmp.Diff([]perch.Inbound{tt.want}, decodeText(t, tt.raw, testNow).In); diff != "" {
			t.Errorf("%s: Decode() of %s, -want +got:\n%s", tt.name, tt.raw, diff)
		}
	}
}

// FuzzOccupant decodes anything that a room could say of an occupant.
func FuzzOccupant(f *testing.F) {
	for _, s := range []string{"<item affiliation='owner' role='moderator' jid='bo@b.test/x' nick='n'><actor nick='Al'/><reason>x</reason></item><status code='110'/>",
		"<destroy jid='n@muc.test/x'><reason>y</reason></destroy><item/><item role='none'/>", "<status code='-1'/><status code='4294967296'/>"} {
		f.Add(s, true)
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, said string, available bool) {
		attrs := "id='j1'"
		if !available {
			attrs += " type='unavailable'"
		}
		fr, _, ok := firstFrame([]byte(occupantOf(attrs, "", said)))
		if !ok {
			return
		}
		d, err := stanza.Decode(&fr, testSelf, testNow)
		if err != nil {
			t.Fatalf("Decode() of what parses: got error %v, want none", err)
		}
		fr.Release()
		for _, in := range d.In {
			checkInbound(t, in)
		}
	})
}

// checkRoomInbound is checkInbound of what rooms say.
func checkRoomInbound(t *testing.T, in perch.Inbound) {
	t.Helper()
	switch in := in.(type) {
	case *perch.RoomPresenceIn:
		if in.From.IsBare() || !in.Affiliation.Valid() || !in.Role.Valid() || !in.Show.Valid() || in.Destroyed != nil && !in.Destroyed.Successor.IsBare() {
			t.Fatalf("got %+v, want an occupant with an affiliation and a role", in)
		}
	case *perch.RoomJoinError:
		if in.From == "" || in.Error.Condition == "" || !in.Successor.IsBare() {
			t.Fatalf("got %+v, want an error with a condition", in)
		}
	case *perch.RoomSubjectIn:
		if m, ok := in.Plain.(*perch.MessageIn); in.From == "" || (in.Text == "") != (in.Plain == nil) || in.Plain != nil && (!ok || m.Subject != in.Text || m.Body != "") {
			t.Fatalf("got %+v, want a subject and the same as a message", in)
		}
	case *perch.RoomNoticeIn:
		if !in.From.IsBare() || in.From.Local() == "" || in.Codes == 0 && !in.Affiliation.Valid() || !in.Account.IsBare() {
			t.Fatalf("got %+v, want something that a room says", in)
		}
	case *perch.RoomDeclinedIn:
		if !in.Room.IsBare() || in.Room.Local() == "" {
			t.Fatalf("got %+v, want a room", in)
		}
	case *perch.RoomChatStateIn:
		if !in.State.Valid() || in.From == "" {
			t.Fatalf("got %+v, want a chat state", in)
		}
	}
}

// BenchmarkDecodeOccupant is beside BenchmarkDecodePresence: a join of a large room brings as many.
func BenchmarkDecodeOccupant(b *testing.B) {
	benchDecode(b, "<presence from='room-number-7@conference.montague.example/Romeo' to='me@a.test/home' xml:lang='en' id='ef7d1b2c4f3a'>"+
		"<show>away</show><status>Wooing; back at five</status><priority>5</priority>"+
		"<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='http://psi-im.org' ver='q07IKJEyjvHSyhy//CH0CxmKi8w='/>"+
		"<x xmlns='vcard-temp:x:update'><photo>01b87fcd030b72895ff8e88db57ec525450f000d</photo></x>"+
		"<occupant-id xmlns='urn:xmpp:occupant-id:0' id='fDsEaBzV9aQ2v1kq0J3p8m9tQkEAAYACIw='/>"+
		"<x xmlns='"+nsMUCUser+"'><item affiliation='member' role='participant' jid='romeo@montague.example/balcony'/></x></presence>")
}

func BenchmarkDecodePresence(b *testing.B) { benchDecode(b, streamtest.Presence) }

func benchDecode(b *testing.B, raw string) {
	xmlstream.PoisonReleased(false)
	defer xmlstream.PoisonReleased(true)
	fr := streamtest.Frame(b, raw)
	b.ReportAllocs()
	for b.Loop() {
		if d, err := stanza.Decode(&fr, testSelf, testNow); err != nil || len(d.In) != 1 {
			b.Fatalf("Decode(): got %+v, %v; want one presence", d, err)
		}
	}
}

// TestOccupantIsCheap holds that an occupant costs at most two more pieces of memory than a contact.
func TestOccupantIsCheap(t *testing.T) {
	allocs := func(raw string) float64 {
		fr := streamtest.Frame(t, raw)
		return testing.AllocsPerRun(100, func() {
			if _, err := stanza.Decode(&fr, testSelf, testNow); err != nil {
				t.Fatalf("Decode(): got error %v, want none", err)
			}
		})
	}
	contact := allocs(streamtest.Presence)
	occupant := allocs(occupantOf("id='j1'", "<show>away</show><status>x</status><occupant-id xmlns='urn:xmpp:occupant-id:0' id='o1'/>", "<item affiliation='owner' role='moderator' jid='bo@b.test/x'/>"))
	if occupant > contact+2 {
		t.Errorf("an occupant takes %v allocations, a contact %v; want at most 2 more", occupant, contact)
	}
}
