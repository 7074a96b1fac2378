package roomadmin_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/roomadmin"
	"github.com/perch-im/perch/xmppconn/internal/streamtest"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// service is a service with rooms: what it answers, by "to kind", as XML, or as a condition.
type service struct {
	t       *testing.T
	answers map[string]string
	mu      sync.Mutex
	asked   []string // payloads
}

func (s *service) ask(_ context.Context, kind, typ string, to perch.JID, payload []byte, part func(*xmlstream.Borrowed)) (*xmlstream.Element, error) {
	s.mu.Lock()
	s.asked = append(s.asked, typ+" "+string(payload))
	s.mu.Unlock()
	answer := s.answers[string(to)+" "+kind]
	switch {
	case answer == "":
		return nil, nil
	case answer == "timeout":
		return nil, perch.Errorf(perch.KindUpstreamTimeout, "no answer")
	case answer == "item-not-found":
		return nil, &perch.Error{Kind: perch.KindItemNotFound, XMPP: &perch.XMPPError{Condition: answer}}
	case !strings.HasPrefix(answer, "<"):
		return nil, &perch.Error{Kind: perch.KindXMPP, XMPP: &perch.XMPPError{Condition: answer, Text: "no"}}
	}
	el := streamtest.Parse(s.t, answer)
	if part != nil {
		part(el.Borrowed())
		return nil, nil
	}
	return el, nil
}

func newAdmin(t *testing.T, answers map[string]string) (*service, *roomadmin.Admin) {
	s := &service{t: t, answers: answers}
	a := roomadmin.New(s.ask, func() perch.JID { return "a.test" })
	return s, &a
}

const (
	room  = perch.JID("r@c.test")
	info  = "<query xmlns='http://jabber.org/protocol/disco#info'>"
	items = "<query xmlns='http://jabber.org/protocol/disco#items'>"
)

// TestRefusals gives errors the kinds that they have in a room.
func TestRefusals(t *testing.T) {
	for condition, want := range map[string]perch.Kind{
		"forbidden": perch.KindForbidden, "not-allowed": perch.KindForbidden, "registration-required": perch.KindForbidden, "not-authorized": perch.KindForbidden,
		"conflict": perch.KindXMPP, "not-acceptable": perch.KindXMPP, "item-not-found": perch.KindItemNotFound, "timeout": perch.KindUpstreamTimeout, "": "",
	} {
		answers := map[string]string{}
		for _, kind := range []string{"room_affiliation", "room_role", "room_destroy", "room_config", "room_config_set", "room_members", "disco_info", "directory", "vcard_set"} {
			answers[string(room)+" "+kind] = condition
		}
		_, a := newAdmin(t, answers)
		ctx := context.Background()
		for name, f := range map[string]func() error{
			"SetAffiliation": func() error {
				return a.SetAffiliation(ctx, room, perch.Member{JID: "b@b.test", Affiliation: perch.AffiliationOutcast})
			},
			"SetRole":          func() error { return a.SetRole(ctx, room, "Bo", perch.RoleNone, "") },
			"DestroyRoom":      func() error { return a.DestroyRoom(ctx, room, "", "") },
			"SetRoomConfig":    func() error { return a.SetRoomConfig(ctx, room, perch.RoomConfig{}) },
			"CancelRoomConfig": func() error { return a.CancelRoomConfig(ctx, room) },
			"SetRoomPhoto":     func() error { return a.SetRoomPhoto(ctx, room, nil) },
			"RoomMembers":      func() error { _, err := a.RoomMembers(ctx, room, perch.AffiliationOwner); return err },
			"Directory":        func() error { _, err := a.Directory(ctx, room, 1, ""); return err },
		} {
			err, want := f(), want
			if name == "SetRole" && condition == "not-acceptable" {
				want = perch.KindItemNotFound
			}
			if want == "" && err != nil || want != "" && perch.KindOf(err) != want {
				t.Errorf("%s() refused with %q: got %v, want kind %q", name, condition, err, want)
			}
			if e, ok := err.(*perch.Error); ok && want == perch.KindForbidden && (e.XMPP == nil || e.XMPP.Condition != condition) {
				t.Errorf("%s() refused with %q: got %+v, want the condition", name, condition, e.XMPP)
			}
		}
	}
}

// TestNothingIsSentOfWhatCannotBe finds a mistake before the service does.
func TestNothingIsSentOfWhatCannotBe(t *testing.T) {
	s, a := newAdmin(t, nil)
	ctx := context.Background()
	for _, err := range []error{
		a.SetAffiliation(ctx, room, perch.Member{JID: "b@b.test/x", Affiliation: perch.AffiliationOwner}),
		a.SetRole(ctx, room, "Bo", "king", ""),
		a.DestroyRoom(ctx, room, "\x01", ""),
		func() error { _, err := a.RoomMembers(ctx, room, "king"); return err }(),
		func() error { _, err := a.Directory(ctx, room, 1, "\x01"); return err }(),
	} {
		if perch.KindOf(err) != perch.KindValidation {
			t.Errorf("got %v, want %s", err, perch.KindValidation)
		}
	}
	if len(s.asked) != 0 {
		t.Errorf("asked %q, want nothing", s.asked)
	}
}

func TestModerateMessage(t *testing.T) {
	for name, tt := range map[string]struct {
		info, sent string
		kind       perch.Kind
	}{
		"of today":   {info + "<feature var='urn:xmpp:message-moderate:0'/><feature var='urn:xmpp:message-moderate:1'/></query>", "<moderate xmlns='urn:xmpp:message-moderate:1' id='7'>", ""},
		"of before":  {info + "<feature var='urn:xmpp:message-moderate:0'/></query>", "<apply-to xmlns='urn:xmpp:fasten:0' id='7'>", ""},
		"none":       {info + "</query>", "", perch.KindFeatureUnsupported},
		"no answer":  {"timeout", "", perch.KindUpstreamTimeout},
		"not for us": {"forbidden", "", perch.KindForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			s, a := newAdmin(t, map[string]string{"r@c.test disco_info": tt.info})
			err := a.ModerateMessage(context.Background(), room, "7", "spam")
			if tt.kind == "" && err != nil || tt.kind != "" && perch.KindOf(err) != tt.kind {
				t.Errorf("ModerateMessage() = %v, want kind %q", err, tt.kind)
			}
			if last := s.asked[len(s.asked)-1]; tt.sent != "" && !strings.HasPrefix(last, "set "+tt.sent) || tt.sent == "" && len(s.asked) != 1 {
				t.Errorf("asked %q, want %q last", s.asked, tt.sent)
			}
		})
	}
}

func TestReservedNick(t *testing.T) {
	for answer, want := range map[string]string{
		info + "<identity category='conference' type='text' name='Bo'/></query>": "Bo", "": "",
		"item-not-found": "", "service-unavailable": "", "feature-not-implemented": "",
	} {
		_, a := newAdmin(t, map[string]string{"r@c.test room_nick": answer})
		if got, err := a.ReservedNick(context.Background(), room); got != want || err != nil {
			t.Errorf("ReservedNick() answered with %q = %q, %v; want %q", answer, got, err, want)
		}
	}
	_, a := newAdmin(t, map[string]string{"r@c.test room_nick": "forbidden"})
	if _, err := a.ReservedNick(context.Background(), room); perch.KindOf(err) != perch.KindForbidden {
		t.Errorf("ReservedNick() = %v, want %s", err, perch.KindForbidden)
	}
}

// TestSetRoomPhoto keeps the rest of the card.
func TestSetRoomPhoto(t *testing.T) {
	s, a := newAdmin(t, map[string]string{"r@c.test vcard": "<vCard xmlns='vcard-temp'><FN>Room</FN><PHOTO><TYPE>image/png</TYPE><BINVAL>iVBORw0KGgo=</BINVAL></PHOTO></vCard>"})
	if err := a.SetRoomPhoto(context.Background(), room, []byte("GIF89a1")); err != nil {
		t.Fatalf("SetRoomPhoto() = %v, want no error", err)
	}
	want := "set <vCard xmlns='vcard-temp'><FN>Room</FN><PHOTO><TYPE>image/gif</TYPE><BINVAL>R0lGODlhMQ==</BINVAL></PHOTO></vCard>"
	if got := s.asked[len(s.asked)-1]; got != want {
		t.Errorf("sent %s, want %s", got, want)
	}
	s.answers["r@c.test vcard"] = "item-not-found"
	if err := a.SetRoomPhoto(context.Background(), room, nil); err != nil {
		t.Fatalf("SetRoomPhoto() = %v, want no error", err)
	}
	if got, want := s.asked[len(s.asked)-1], "set <vCard xmlns='vcard-temp'></vCard>"; got != want {
		t.Errorf("sent %s, want %s", got, want)
	}
	asked := len(s.asked)
	if err := a.SetRoomPhoto(context.Background(), room, []byte("text")); perch.KindOf(err) != perch.KindValidation || len(s.asked) != asked+1 {
		t.Errorf("SetRoomPhoto() of a text = %v after %d requests, want %s after 1", err, len(s.asked)-asked, perch.KindValidation)
	}
	s.answers["r@c.test vcard"] = "forbidden"
	if err := a.SetRoomPhoto(context.Background(), room, nil); perch.KindOf(err) != perch.KindForbidden {
		t.Errorf("SetRoomPhoto() = %v, want %s", err, perch.KindForbidden)
	}
}

// TestRoomConfig asks for the form only when something of it is changed.
func TestRoomConfig(t *testing.T) {
	const form = "<query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='form'><field var='muc#roomconfig_roomname'><value>Old</value></field></x></query>"
	s, a := newAdmin(t, map[string]string{"r@c.test room_config": form})
	ctx := context.Background()
	got, err := a.RoomConfig(ctx, room)
	if diff := cmp.Diff(perch.RoomConfig{Name: new("Old")}, got); diff != "" || err != nil {
		t.Errorf("RoomConfig(): got error %v, want none; -want +got:\n%s", err, diff)
	}
	for _, tt := range []struct {
		config perch.RoomConfig
		asked  int
		last   string
		kind   perch.Kind
	}{
		{perch.RoomConfig{}, 1, "type='submit'/>", ""},
		{perch.RoomConfig{Name: new("New")}, 2, "<value>New</value></field></x></query>", ""},
		{perch.RoomConfig{Language: new("de")}, 1, "", perch.KindFeatureUnsupported},
	} {
		s.asked = nil
		err := a.SetRoomConfig(ctx, room, tt.config)
		if tt.kind == "" && err != nil || tt.kind != "" && perch.KindOf(err) != tt.kind {
			t.Errorf("SetRoomConfig(%+v) = %v, want kind %q", tt.config, err, tt.kind)
		}
		if len(s.asked) != tt.asked || !strings.Contains(s.asked[tt.asked-1], tt.last) {
			t.Errorf("SetRoomConfig(%+v) asked %q, want %d requests and %q at the end", tt.config, s.asked, tt.asked, tt.last)
		}
	}
	s.answers["r@c.test room_config"] = ""
	if _, err := a.RoomConfig(ctx, room); perch.KindOf(err) != perch.KindXMPP {
		t.Errorf("RoomConfig() without a form = %v, want %s", err, perch.KindXMPP)
	}
	if err := a.SetRoomConfig(ctx, room, perch.RoomConfig{Name: new("New")}); perch.KindOf(err) != perch.KindXMPP {
		t.Errorf("SetRoomConfig() without a form = %v, want %s", err, perch.KindXMPP)
	}
}

// TestRoomServices finds the services that have rooms among those of a server.
func TestRoomServices(t *testing.T) {
	const text = info + "<identity category='conference' type='text'/><feature var='http://jabber.org/protocol/muc'/></query>"
	list := items
	answers := map[string]string{
		"upload.test disco_info": info + "<identity category='store' type='file'/></query>", "slow.test disco_info": "timeout",
		"c1.test disco_info": text, "c2.test disco_info": text, "gone.test disco_info": "remote-server-not-found",
	}
	for _, jid := range []string{"upload", "c2", "slow", "gone", "c1"} {
		list += "<item jid='" + jid + ".test'/>"
	}
	answers["a.test disco_items"] = list + "</query>"
	s, a := newAdmin(t, answers)
	got, err := a.RoomServices(context.Background())
	if want := []perch.JID{"c2.test", "c1.test"}; !slices.Equal(got, want) || err != nil {
		t.Errorf("RoomServices() = %q, %v; want %q", got, err, want)
	}
	answers["c1.test disco_info"], answers["c2.test disco_info"] = "forbidden", ""
	if got, err := a.RoomServices(context.Background()); len(got) != 0 || perch.KindOf(err) != perch.KindUpstreamTimeout {
		t.Errorf("RoomServices() with one that may be one = %q, %v; want none and %s", got, err, perch.KindUpstreamTimeout)
	}
	answers["slow.test disco_info"] = "forbidden"
	if got, err := a.RoomServices(context.Background()); got == nil || len(got) != 0 || err != nil {
		t.Errorf("RoomServices() without any = %q, %v; want an empty list", got, err)
	}
	answers["a.test disco_items"] = items + strings.Repeat("<item jid='x.test'/>", 500) + "</query>"
	s.asked = nil
	if _, err := a.RoomServices(context.Background()); err != nil || len(s.asked) != 65 {
		t.Errorf("RoomServices() of many services: got %v after %d requests, want none after 65", err, len(s.asked))
	}
	answers["a.test disco_items"] = "timeout"
	if _, err := a.RoomServices(context.Background()); perch.KindOf(err) != perch.KindUpstreamTimeout {
		t.Errorf("RoomServices() = %v, want %s", err, perch.KindUpstreamTimeout)
	}
}

func TestLists(t *testing.T) {
	ctx := context.Background()
	_, a := newAdmin(t, map[string]string{
		"r@c.test room_members": "<query xmlns='http://jabber.org/protocol/muc#admin'><item affiliation='owner' jid='a@b.test'/></query>",
		"c.test directory":      items + "<item jid='r@c.test' name='R'/></query>",
	})
	list, err := a.RoomMembers(ctx, room, perch.AffiliationOwner)
	if diff := cmp.Diff(perch.MemberList{Items: []perch.Member{{JID: "a@b.test", Affiliation: perch.AffiliationOwner}}}, list); diff != "" || err != nil {
		t.Errorf("RoomMembers(): got error %v, want none; -want +got:\n%s", err, diff)
	}
	page, err := a.Directory(ctx, "c.test", 10, "")
	if diff := cmp.Diff(perch.DirectoryPage{Items: []perch.DirectoryRoom{{JID: "r@c.test", Name: "R"}}}, page); diff != "" || err != nil {
		t.Errorf("Directory(): got error %v, want none; -want +got:\n%s", err, diff)
	}
}
