package stanza_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/streamtest"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

func TestEncodeRoomAdmin(t *testing.T) {
	text := encoded(t)
	const admin = "<query xmlns='http://jabber.org/protocol/muc#admin'>"
	for _, tt := range []struct{ what, got, want string }{
		{"EncodeRoomMembers()", text(stanza.EncodeRoomMembers(perch.AffiliationOutcast)), admin + "<item affiliation='outcast'/></query>"},
		{"EncodeAffiliation()", text(stanza.EncodeAffiliation(perch.Member{JID: "bo@b.test", Affiliation: perch.AffiliationMember, Nick: "B'o", Reason: "a & b"})),
			admin + "<item affiliation='member' jid='bo@b.test' nick='B&apos;o'><reason>a &amp; b</reason></item></query>"},
		{"EncodeAffiliation() of none", text(stanza.EncodeAffiliation(perch.Member{JID: "bo@b.test", Affiliation: perch.AffiliationNone})), admin + "<item affiliation='none' jid='bo@b.test'></item></query>"},
		{"EncodeRole()", text(stanza.EncodeRole("Bo", perch.RoleNone, "out")), admin + "<item role='none' nick='Bo'><reason>out</reason></item></query>"},
		{"EncodeRoomDestroy()", text(stanza.EncodeRoomDestroy("over", "new@c.test")),
			"<query xmlns='http://jabber.org/protocol/muc#owner'><destroy jid='new@c.test'><reason>over</reason></destroy></query>"},
		{"EncodeRoomDestroy() of nothing else", text(stanza.EncodeRoomDestroy("", "")), "<query xmlns='http://jabber.org/protocol/muc#owner'><destroy></destroy></query>"},
		{"EncodeModeration()", text(stanza.EncodeModeration("7'", "spam", false)),
			"<moderate xmlns='urn:xmpp:message-moderate:1' id='7&apos;'><retract xmlns='urn:xmpp:message-retract:1'/><reason>spam</reason></moderate>"},
		{"EncodeModeration() of before", text(stanza.EncodeModeration("7", "", true)),
			"<apply-to xmlns='urn:xmpp:fasten:0' id='7'><moderate xmlns='urn:xmpp:message-moderate:0'><retract xmlns='urn:xmpp:message-retract:0'/></moderate></apply-to>"},
		{"EncodeRoomConfigDefault()", string(stanza.EncodeRoomConfigDefault()), "<query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'/></query>"},
		{"EncodeRoomConfigCancel()", string(stanza.EncodeRoomConfigCancel()), "<query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='cancel'/></query>"},
		{"EncodeDirectory()", text(stanza.EncodeDirectory(20, "a@c.test")),
			"<query xmlns='http://jabber.org/protocol/disco#items'><set xmlns='http://jabber.org/protocol/rsm'><max>20</max><after>a@c.test</after></set></query>"},
	} {
		equal(t, tt.what, tt.got, tt.want)
	}
}

func TestEncodeRoomAdminRefusals(t *testing.T) {
	for want, encode := range map[string]func() ([]byte, error){
		"?affiliation": func() ([]byte, error) { return stanza.EncodeRoomMembers(perch.AffiliationNone) },
		"/jid": func() ([]byte, error) {
			return stanza.EncodeAffiliation(perch.Member{Affiliation: perch.AffiliationOwner})
		},
		"/affiliation": func() ([]byte, error) {
			return stanza.EncodeAffiliation(perch.Member{JID: "b@b.test", Affiliation: "x'/>"})
		},
		"/nick": func() ([]byte, error) {
			return stanza.EncodeAffiliation(perch.Member{JID: "b@b.test", Affiliation: perch.AffiliationOwner, Nick: "\x01"})
		},
		"{nick}":  func() ([]byte, error) { return stanza.EncodeRole("", perch.RoleNone, "") },
		"/role":   func() ([]byte, error) { return stanza.EncodeRole("Bo", "x'/>", "") },
		"/reason": func() ([]byte, error) { return stanza.EncodeRoomDestroy("\x01", "") },
		"{ref}":   func() ([]byte, error) { return stanza.EncodeModeration("", "", false) },
	} {
		if got, err := encode(); fieldOf(err) != want {
			t.Errorf("got %s, %v; want an error of %s", got, err, want)
		}
	}
	if _, err := stanza.EncodeAffiliation(perch.Member{JID: "b@b.test/x", Affiliation: perch.AffiliationOwner}); fieldOf(err) != "/jid" {
		t.Errorf("EncodeAffiliation() of a full JID: got %v, want an error of /jid", err)
	}
}

func members(parts ...*xmlstream.Element) perch.MemberList {
	var c stanza.MemberCollector
	for _, p := range parts {
		c.Add(p.Borrowed())
	}
	return c.Result()
}

// TestRoomMembers reads what Prosody answers, and what ejabberd does.
func TestRoomMembers(t *testing.T) {
	const admin = "<query xmlns='http://jabber.org/protocol/muc#admin'>"
	for name, tt := range map[string]struct {
		parts []string
		want  []perch.Member
	}{
		"Prosody":  {[]string{admin + "<item affiliation='member' jid='bo@b.test' nick='Bo'/></query>"}, []perch.Member{{JID: "bo@b.test", Affiliation: "member", Nick: "Bo"}}},
		"ejabberd": {[]string{admin + "<item affiliation='outcast' jid='bo@b.test'><reason>spam</reason></item></query>"}, []perch.Member{{JID: "bo@b.test", Affiliation: "outcast", Reason: "spam"}}},
		"in parts": {[]string{admin + "<item affiliation='owner' jid='a@b.test'/></query>", admin + "<item affiliation='owner' jid='b@b.test/x'/></query>"},
			[]perch.Member{{JID: "a@b.test", Affiliation: "owner"}, {JID: "b@b.test", Affiliation: "owner"}}},
		"no entries": {[]string{admin + "<item affiliation='king' jid='a@b.test'/><item affiliation='owner'/><x jid='a@b.test' affiliation='owner'/></query>", "<query xmlns='urn:x'/>"}, []perch.Member{}},
	} {
		t.Run(name, func(t *testing.T) {
			var parts []*xmlstream.Element
			for _, raw := range tt.parts {
				parts = append(parts, streamtest.Parse(t, raw))
			}
			if diff := cmp.Diff(perch.MemberList{Items: tt.want}, members(parts...)); diff != "" {
				t.Errorf("Result(), -want +got:\n%s", diff)
			}
		})
	}
	if got := members(nil); len(got.Items) != 0 || got.LeftOut != 0 {
		t.Errorf("Result() of no answer = %+v, want none", got)
	}
}

// TestRoomMembersAreBounded counts what it does not take.
func TestRoomMembersAreBounded(t *testing.T) {
	for name, tt := range map[string]struct {
		reason string
		n      int
	}{"items": {"", 20_100}, "bytes": {strings.Repeat("x", 1<<10), 5000}} {
		var b strings.Builder
		for i := range tt.n {
			fmt.Fprintf(&b, "<item affiliation='outcast' jid='b%d@b.test'><reason>%s</reason></item>", i, tt.reason)
		}
		el, err := xmlstream.Parse("<query xmlns='http://jabber.org/protocol/muc#admin'>"+b.String()+"</query>", fuzzLimits)
		if err != nil {
			t.Fatalf("Parse(): got error %v, want none", err)
		}
		got := members(el)
		if got.LeftOut == 0 || len(got.Items)+got.LeftOut != tt.n || len(got.Items) > 20_000 {
			t.Errorf("too many %s: got %d entries and %d left out, want %d together, and at most 20000", name, len(got.Items), got.LeftOut, tt.n)
		}
	}
}

func TestReservedNick(t *testing.T) {
	equal(t, "EncodeReservedNick()", string(stanza.EncodeReservedNick()), "<query xmlns='http://jabber.org/protocol/disco#info' node='x-roomuser-item'/>")
	for raw, want := range map[string]string{
		"<query xmlns='http://jabber.org/protocol/disco#info' node='x-roomuser-item'><identity category='conference' name='Bo' type='text'/></query>": "Bo",
		"<query xmlns='http://jabber.org/protocol/disco#info' node='x-roomuser-item'/>":                                                               "",
		"<query xmlns='urn:x'><identity name='Bo'/></query>":                                                                                          "",
	} {
		if got := stanza.ParseReservedNick(streamtest.Parse(t, raw)); got != want {
			t.Errorf("ParseReservedNick(%s) = %q, want %q", raw, got, want)
		}
	}
	if got := stanza.ParseReservedNick(nil); got != "" {
		t.Errorf("ParseReservedNick(nil) = %q, want none", got)
	}
}
