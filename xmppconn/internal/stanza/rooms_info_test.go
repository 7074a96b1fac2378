package stanza_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/streamtest"
)

// roomInfoSeeds are answers of the two servers, shortened, and others.
var roomInfoSeeds = map[string]string{
	"prosody": "<query xmlns='http://jabber.org/protocol/disco#info'><identity category='conference' type='text' name='Room Two'/><feature var='http://jabber.org/protocol/muc'/>" +
		"<feature var='urn:xmpp:occupant-id:0'/><feature var='urn:xmpp:mam:2'/><feature var='vcard-temp'/><feature var='muc_open'/><feature var='muc_public'/><feature var='muc_persistent'/>" +
		"<feature var='muc_semianonymous'/><feature var='muc_unmoderated'/><feature var='muc_unsecured'/><feature var='urn:xmpp:message-moderate:0'/>" +
		"<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' type='hidden'><value>http://jabber.org/protocol/muc#roominfo</value></field>" +
		"<field var='muc#roominfo_description' type='text-single'><value>About it</value></field><field var='muc#roominfo_occupants' type='text-single'><value>3</value></field>" +
		"<field var='muc#roominfo_lang' type='text-single'><value>en</value></field><field var='muc#roominfo_subject'><value>Topic</value></field>" +
		"<field var='{http://modules.prosody.im/mod_vcard_muc}avatar#sha1'><value>01B87FCD030B72895FF8E88DB57EC525450F000D</value></field></x></query>",
	"ejabberd": "<query xmlns='http://jabber.org/protocol/disco#info'><x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' type='hidden'><value>http://jabber.org/protocol/muc#roominfo</value></field>" +
		"<field var='muc#roominfo_occupants'><value>0</value></field><field var='muc#roominfo_avatarhash'><value/><value>01b87fcd030b72895ff8e88db57ec525450f000d</value></field></x>" +
		"<identity category='conference' type='text' name='r'/><feature var='muc_membersonly'/><feature var='muc_hidden'/><feature var='muc_temporary'/><feature var='muc_nonanonymous'/>" +
		"<feature var='muc_moderated'/><feature var='muc_passwordprotected'/><feature var='urn:xmpp:mucsub:0'/></query>",
	"odd": "<query xmlns='http://jabber.org/protocol/disco#info'><identity category='conference'/><identity category='conference' name='second'/><x xmlns='jabber:x:data'><field var='muc#roominfo_occupants'><value>9</value></field></x>" +
		"<x xmlns='jabber:x:data'><field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#roominfo</value></field><field var='muc#roominfo_occupants'><value>many</value></field><field var='muc#roominfo_avatarhash'><value>x</value></field></x></query>",
}

// TestParseRoomInfo reads what the two servers say of a room.
func TestParseRoomInfo(t *testing.T) {
	const hash = "01b87fcd030b72895ff8e88db57ec525450f000d"
	for name, want := range map[string]perch.RoomInfo{
		"prosody": {Name: "Room Two", Description: "About it", Language: "en", Subject: "Topic", Occupants: 3, PhotoHash: hash,
			Features: perch.RoomFeatures{Archive: true, OccupantIDs: true, Moderation: true, Persistent: true, Public: true, Avatar: true}},
		"ejabberd": {Name: "r", PhotoHash: hash, Features: perch.RoomFeatures{MembersOnly: true, RealJIDs: true, Password: true, Moderated: true}},
		"odd":      {Occupants: -1},
	} {
		got, err := stanza.ParseRoomInfo(streamtest.Parse(t, roomInfoSeeds[name]))
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: got error %v, want none; -want +got:\n%s", name, err, diff)
		}
	}
	for _, raw := range []string{
		"<query xmlns='http://jabber.org/protocol/disco#info'><identity category='account' type='registered'/></query>",
		"<query xmlns='urn:x'><identity category='conference'/></query>", "<query xmlns='http://jabber.org/protocol/disco#info'/>",
	} {
		if got, err := stanza.ParseRoomInfo(streamtest.Parse(t, raw)); perch.KindOf(err) != perch.KindItemNotFound {
			t.Errorf("%s: got %+v, %v; want %s", raw, got, err, perch.KindItemNotFound)
		}
	}
	long := strings.Replace(roomInfoSeeds["odd"], "<value>many</value>", strings.Repeat("<value>x</value>", 5000), 1)
	if _, err := stanza.ParseRoomInfo(streamtest.Parse(t, long)); err == nil {
		t.Error("a form of 5,000 values: got no error, want one")
	}
}

// FuzzRoomInfo reads anything as the answer of a room.
func FuzzRoomInfo(f *testing.F) {
	for _, s := range roomInfoSeeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		_, el, ok := firstFrame(raw)
		if !ok {
			return
		}
		info, err := stanza.ParseRoomInfo(el)
		if err == nil && (info.Occupants < -1 || len(info.PhotoHash) != 0 && len(info.PhotoHash) != 40 || strings.ToLower(info.PhotoHash) != info.PhotoHash) {
			t.Fatalf("got %+v, want a count and a hash that can be", info)
		}
	})
}
