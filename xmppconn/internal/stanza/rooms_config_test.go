package stanza_test

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/streamtest"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// What Prosody 0.12 and ejabberd 23.01 send to an owner, without labels and some of the rest.
const (
	prosodyRoomForm = "<query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='form'><title>Configuration for r@c.test</title>" +
		"<field type='hidden' var='FORM_TYPE'><value>http://jabber.org/protocol/muc#roomconfig</value></field>" +
		"<field type='fixed'><value>General information</value></field>" +
		"<field type='text-single' var='muc#roomconfig_roomname'><value>Room Two</value></field>" +
		"<field type='text-single' var='muc#roomconfig_roomdesc'><value/></field>" +
		"<field type='text-single' var='muc#roomconfig_lang'><value>en</value></field>" +
		"<field type='boolean' var='muc#roomconfig_persistentroom'><value>1</value></field>" +
		"<field type='boolean' var='muc#roomconfig_publicroom'><value>1</value></field>" +
		"<field type='boolean' var='muc#roomconfig_membersonly'/>" +
		"<field type='boolean' var='{http://prosody.im/protocol/muc}roomconfig_allowmemberinvites'/>" +
		"<field type='list-multi' var='muc#roomconfig_presencebroadcast'><option label='Moderator'><value>moderator</value></option><value>moderator</value><value>participant</value><value>visitor</value></field>" +
		"<field type='list-single' var='muc#roomconfig_whois'><value>moderators</value><option label='Anyone'><value>anyone</value></option></field>" +
		"<field type='text-private' var='muc#roomconfig_roomsecret'><value/></field>" +
		"<field type='boolean' var='muc#roomconfig_moderatedroom'/><field type='boolean' var='muc#roomconfig_changesubject'/>" +
		"<field type='text-single' var='muc#roomconfig_historylength'><value>20</value></field>" +
		"<field type='boolean' var='muc#roomconfig_enablearchiving'><value>1</value></field></x></query>"
	ejabberdRoomForm = "<query xmlns='http://jabber.org/protocol/muc#owner'><instructions>You need</instructions><x type='form' xmlns='jabber:x:data'>" +
		"<field type='hidden' var='FORM_TYPE'><value>http://jabber.org/protocol/muc#roomconfig</value></field>" +
		"<field var='muc#roomconfig_roomname' type='text-single'><value>Room</value></field>" +
		"<field var='muc#roomconfig_persistentroom' type='boolean'><value>0</value></field>" +
		"<field var='muc#roomconfig_passwordprotectedroom' type='boolean'><value>0</value></field>" +
		"<field var='muc#roomconfig_roomsecret' type='text-private'><value>old</value></field>" +
		"<field var='muc#roomconfig_maxusers' type='list-single'><value>200</value><option label='5'><value>5</value></option></field>" +
		"<field var='muc#roomconfig_whois' type='list-single'><value>anyone</value></field>" +
		"<field var='muc#roomconfig_allowinvites' type='boolean'><value>true</value></field>" +
		"<field var='allow_subscription' type='boolean'><value>0</value></field>" +
		"<field var='muc#roomconfig_allowpm' type='list-single'><value>anyone</value></field>" +
		"<field var='mam' type='boolean'><value>1</value></field></x></query>"
)

func roomForm(t testing.TB, raw string) stanza.RoomForm {
	t.Helper()
	f, err := stanza.ParseRoomForm(streamtest.Parse(t, raw))
	if err != nil {
		t.Fatalf("ParseRoomForm(): got error %v, want none", err)
	}
	return f
}

func TestRoomConfigs(t *testing.T) {
	for name, tt := range map[string]struct {
		raw  string
		want perch.RoomConfig
	}{
		"Prosody": {prosodyRoomForm, perch.RoomConfig{
			Name: new("Room Two"), Description: new(""), Language: new("en"), Persistent: new(true), Public: new(true), MembersOnly: new(false),
			Moderated: new(false), RealJIDs: new("moderators"), ChangeSubject: new(false), AllowInvites: new(false), Archive: new(true), Password: new(""),
			PresenceOf: &[]string{"moderator", "participant", "visitor"}, Fields: map[string][]string{"muc#roomconfig_historylength": {"20"}},
		}},
		"ejabberd": {ejabberdRoomForm, perch.RoomConfig{
			Name: new("Room"), Persistent: new(false), RealJIDs: new("anyone"), AllowInvites: new(true), Archive: new(true), MaxOccupants: new(200), Password: new(""),
			Fields: map[string][]string{"allow_subscription": {"0"}, "muc#roomconfig_allowpm": {"anyone"}},
		}},
		"a password and no limit": {strings.NewReplacer("protectedroom' type='boolean'><value>0", "protectedroom' type='boolean'><value>1", "<value>200", "<value>none").Replace(ejabberdRoomForm), perch.RoomConfig{
			Name: new("Room"), Persistent: new(false), RealJIDs: new("anyone"), AllowInvites: new(true), Archive: new(true), MaxOccupants: new(0), Password: new("old"),
			Fields: map[string][]string{"allow_subscription": {"0"}, "muc#roomconfig_allowpm": {"anyone"}},
		}},
		"nothing": {"<query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='form'/></query>", perch.RoomConfig{}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, roomForm(t, tt.raw).Config()); diff != "" {
				t.Errorf("Config(), -want +got:\n%s", diff)
			}
		})
	}
}

// TestRoomConfigChanges submits what is changed and nothing else.
func TestRoomConfigChanges(t *testing.T) {
	field := func(name string, values ...string) string {
		s := "<field var='" + name + "'>"
		for _, v := range values {
			s += "<value>" + v + "</value>"
		}
		return s + "</field>"
	}
	for name, tt := range map[string]struct {
		form   string
		config perch.RoomConfig
		want   string
	}{
		"a name":                        {prosodyRoomForm, perch.RoomConfig{Name: new("A & B"), Public: new(true)}, field("muc#roomconfig_roomname", "A &amp; B")},
		"nothing new":                   {prosodyRoomForm, perch.RoomConfig{Name: new("Room Two"), MembersOnly: new(false), PresenceOf: &[]string{"moderator", "participant", "visitor"}}, ""},
		"a boolean as a word":           {ejabberdRoomForm, perch.RoomConfig{AllowInvites: new(true)}, ""},
		"an empty boolean":              {prosodyRoomForm, perch.RoomConfig{MembersOnly: new(true)}, field("muc#roomconfig_membersonly", "1")},
		"archive":                       {ejabberdRoomForm, perch.RoomConfig{Archive: new(false)}, field("mam", "0")},
		"archive, by its standard name": {prosodyRoomForm, perch.RoomConfig{Archive: new(false)}, field("muc#roomconfig_enablearchiving", "0")},
		"a password":                    {prosodyRoomForm, perch.RoomConfig{Password: new("new")}, field("muc#roomconfig_roomsecret", "new")},
		"a password and its switch": {ejabberdRoomForm, perch.RoomConfig{Password: new("new")},
			field("muc#roomconfig_roomsecret", "new") + field("muc#roomconfig_passwordprotectedroom", "1")},
		"the password of before": {ejabberdRoomForm, perch.RoomConfig{Password: new("old")}, field("muc#roomconfig_passwordprotectedroom", "1")},
		"no password":            {strings.Replace(ejabberdRoomForm, "protectedroom' type='boolean'><value>0", "protectedroom' type='boolean'><value>1", 1), perch.RoomConfig{Password: new("")}, field("muc#roomconfig_roomsecret", "") + field("muc#roomconfig_passwordprotectedroom", "0")},
		"no limit":               {ejabberdRoomForm, perch.RoomConfig{MaxOccupants: new(0)}, field("muc#roomconfig_maxusers", "none")},
		"lines": {strings.Replace(prosodyRoomForm, "text-single' var='muc#roomconfig_roomdesc'><value/>", "text-multi' var='muc#roomconfig_roomdesc'><value>a</value><value>b</value>", 1),
			perch.RoomConfig{Description: new("a\nc")}, field("muc#roomconfig_roomdesc", "a", "c")},
		"a limit":  {ejabberdRoomForm, perch.RoomConfig{MaxOccupants: new(5)}, field("muc#roomconfig_maxusers", "5")},
		"roles":    {prosodyRoomForm, perch.RoomConfig{PresenceOf: &[]string{"moderator"}}, field("muc#roomconfig_presencebroadcast", "moderator")},
		"no roles": {prosodyRoomForm, perch.RoomConfig{PresenceOf: &[]string{}}, field("muc#roomconfig_presencebroadcast")},
		"other fields": {ejabberdRoomForm, perch.RoomConfig{Fields: map[string][]string{"muc#roomconfig_allowpm": {"none"}, "allow_subscription": {"0"}}},
			field("muc#roomconfig_allowpm", "none")},
	} {
		t.Run(name, func(t *testing.T) {
			want := "<query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'>" +
				"<field var='FORM_TYPE' type='hidden'><value>http://jabber.org/protocol/muc#roomconfig</value></field>" + tt.want + "</x></query>"
			equal(t, "Encode()", encoded(t)(roomForm(t, tt.form).Encode(tt.config)), want)
		})
	}
}

func TestRoomConfigRefusals(t *testing.T) {
	for _, tt := range []struct {
		field, form string
		config      perch.RoomConfig
	}{
		{"/real_jids", ejabberdRoomForm, perch.RoomConfig{RealJIDs: new("nobody")}},
		{"/presence_broadcast", prosodyRoomForm, perch.RoomConfig{PresenceOf: &[]string{"moderator", "none"}}},
		{"/max_occupants", ejabberdRoomForm, perch.RoomConfig{MaxOccupants: new(-1)}},
		{"/name", ejabberdRoomForm, perch.RoomConfig{Name: new("a\x01b")}},
		{"/fields/x~1y~0", ejabberdRoomForm, perch.RoomConfig{Fields: map[string][]string{"x/y~": {"1"}}}},
		{"/fields/FORM_TYPE", ejabberdRoomForm, perch.RoomConfig{Fields: map[string][]string{"FORM_TYPE": {"1"}}}},
		{"/fields/mam", ejabberdRoomForm, perch.RoomConfig{Fields: map[string][]string{"mam": {"1"}}}},
		{"/fields/allow_subscription", ejabberdRoomForm, perch.RoomConfig{Fields: map[string][]string{"allow_subscription": {"\xff"}}}},
		{"/fields/muc#roomconfig_passwordprotectedroom", ejabberdRoomForm, perch.RoomConfig{Fields: map[string][]string{"muc#roomconfig_passwordprotectedroom": {"0"}}}},
	} {
		if _, err := roomForm(t, tt.form).Encode(tt.config); fieldOf(err) != tt.field {
			t.Errorf("Encode(): got %v, want an error of %s", err, tt.field)
		}
	}
	if _, err := roomForm(t, prosodyRoomForm).Encode(perch.RoomConfig{MaxOccupants: new(5)}); perch.KindOf(err) != perch.KindFeatureUnsupported {
		t.Errorf("a setting that the room does not have: got %v, want %s", err, perch.KindFeatureUnsupported)
	}
	for _, raw := range []string{"<query xmlns='http://jabber.org/protocol/muc#owner'/>", "<query xmlns='urn:x'><x xmlns='jabber:x:data'/></query>"} {
		if _, err := stanza.ParseRoomForm(streamtest.Parse(t, raw)); perch.KindOf(err) != perch.KindXMPP {
			t.Errorf("ParseRoomForm(%s): got %v, want %s", raw, err, perch.KindXMPP)
		}
	}
	if _, err := stanza.ParseRoomForm(nil); perch.KindOf(err) != perch.KindXMPP {
		t.Errorf("ParseRoomForm(nil): got %v, want %s", err, perch.KindXMPP)
	}
}

// TestRoomFormsAreBounded refuses a form that no service has.
func TestRoomFormsAreBounded(t *testing.T) {
	var many strings.Builder
	for i := range 257 {
		fmt.Fprintf(&many, "<field var='f%d'/>", i)
	}
	for name, fields := range map[string]string{
		"fields": many.String(),
		"values": "<field var='a'>" + strings.Repeat("<value/>", 5000) + "</field>",
		"bytes":  "<field var='a'><value>" + strings.Repeat("x", 65<<10) + "</value></field>",
	} {
		raw := "<query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data'>" + fields + "</x></query>"
		if _, err := stanza.ParseRoomForm(streamtest.Parse(t, raw)); !errors.Is(err, perch.ErrAnswerTooLarge) {
			t.Errorf("too many %s: got %v, want %v", name, err, perch.ErrAnswerTooLarge)
		}
	}
}

// FuzzRoomForm reads anything as a form. What it says, submitted again, changes nothing, and each of its
// other fields can be changed.
func FuzzRoomForm(f *testing.F) {
	f.Add(prosodyRoomForm)
	f.Add(ejabberdRoomForm)
	f.Add("<query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data'><field var='a'><value>1</value></field><field var='a'/><field/><reported/></x></query>")
	f.Fuzz(func(t *testing.T, raw string) {
		el, err := xmlstream.Parse(raw, fuzzLimits)
		if err != nil {
			return
		}
		form, err := stanza.ParseRoomForm(el)
		if err != nil {
			return
		}
		config := form.Config()
		for name, values := range config.Fields {
			other := perch.RoomConfig{Fields: map[string][]string{name: append([]string{"x"}, values...)}}
			b, err := form.Encode(other)
			if err != nil {
				t.Fatalf("Encode() of a field %q: got error %v, want none", name, err)
			}
			again, err := stanza.ParseRoomForm(reparse(t, b))
			if err != nil || len(again.Config().Fields[name]) != 1+len(values) {
				t.Fatalf("%s: got %v, %v; want a field %q with %d values", b, again.Config(), err, name, 1+len(values))
			}
		}
		same := config
		same.Fields = maps.Clone(config.Fields)
		same.RealJIDs, same.PresenceOf, same.MaxOccupants = nil, nil, nil // may be what this gateway does not send
		b, err := form.Encode(same)
		if err != nil {
			t.Fatalf("Encode() of its own values: got error %v, want none", err)
		}
		if n := len(reparse(t, b).Child("jabber:x:data", "x").Children()); n != 1 {
			t.Fatalf("Encode() of its own values: got %d fields in %s, want 1: what it is a form of", n, b)
		}
	})
}

func reparse(t testing.TB, b []byte) *xmlstream.Element {
	t.Helper()
	el, err := xmlstream.Parse(string(b), fuzzLimits)
	if err != nil {
		t.Fatalf("Parse(%s): got error %v, want none", b, err)
	}
	return el
}
