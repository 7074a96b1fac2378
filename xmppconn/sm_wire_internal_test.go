package xmppconn

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/streamtest"
)

func TestStreamManagement(t *testing.T) {
	text := encoded(t)
	for _, tt := range []struct{ got, want string }{
		{string(appendSMEnable(nil)), "<enable xmlns='urn:xmpp:sm:3' resume='true'/>"},
		{text(appendSMResume([]byte("x"), "i'd", 4294967295)), "x<resume xmlns='urn:xmpp:sm:3' h='4294967295' previd='i&apos;d'/>"},
		{string(appendSMRequest(nil)), "<r xmlns='urn:xmpp:sm:3'/>"},
		{string(appendSMAck(nil, 4294967295)), "<a xmlns='urn:xmpp:sm:3' h='4294967295'/>"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s, want %s", tt.got, tt.want)
		}
	}
	notFound := perch.XMPPError{Condition: "item-not-found"}
	tests := []struct {
		raw  string
		want smIn
		ok   bool
	}{
		{"<enabled xmlns='urn:xmpp:sm:3' max='60' id='x' resume='true' location='[::1]:9'/>", smIn{kind: smEnabled, id: "x", resume: true, max: 60, location: "[::1]:9"}, true},
		{"<enabled xmlns='urn:xmpp:sm:3' id='x' resume='1'/>", smIn{kind: smEnabled, id: "x", resume: true}, true},
		{"<enabled xmlns='urn:xmpp:sm:3' resume='true'/>", smIn{kind: smEnabled}, true},
		{"<resumed xmlns='urn:xmpp:sm:3' previd='x' h='4294967295'/>", smIn{kind: smResumed, id: "x", h: 4294967295, hasH: true}, true},
		{"<resumed xmlns='urn:xmpp:sm:3' previd='x'/>", smIn{kind: smResumed, id: "x"}, false},
		{"<failed xmlns='urn:xmpp:sm:3' h='7'><item-not-found xmlns='" + nsStanzas + "'/></failed>", smIn{kind: smFailed, h: 7, hasH: true, err: notFound}, true},
		{"<failed xmlns='urn:xmpp:sm:3'/>", smIn{kind: smFailed, err: perch.XMPPError{Condition: "undefined-condition"}}, true},
		{"<r xmlns='urn:xmpp:sm:3'/>", smIn{kind: smRequest}, true},
		{"<a xmlns='urn:xmpp:sm:3' h='3'/>", smIn{kind: smAck, h: 3, hasH: true}, true},
		{"<a xmlns='urn:xmpp:sm:3' h='4294967296'/>", smIn{kind: smAck}, false},
		{"<a xmlns='urn:xmpp:sm:3' h='-1'/>", smIn{kind: smAck}, false},
		{"<b xmlns='urn:xmpp:sm:3'/>", smIn{}, false},
		{"<r xmlns='urn:xmpp:sm:2'/>", smIn{}, false},
	}
	for _, tt := range tests {
		got, ok := parseSM(streamtest.Parse(t, tt.raw))
		if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(smIn{})); diff != "" || ok != tt.ok {
			t.Errorf("%s: got %v %s, want ok %v", tt.raw, ok, diff, tt.ok)
		}
	}
	if _, ok := parseSM(nil); ok {
		t.Error("nothing was accepted, want none")
	}
}
