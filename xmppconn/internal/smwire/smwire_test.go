package smwire_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/smwire"
	"github.com/perch-im/perch/xmppconn/internal/streamtest"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

func TestStreamManagement(t *testing.T) {
	text := func(b []byte, err error) string {
		t.Helper()
		if err != nil {
			t.Fatalf("encoding: got error %v, want none", err)
		}
		return string(b)
	}
	for _, tt := range []struct{ got, want string }{
		{string(smwire.AppendEnable(nil)), "<enable xmlns='urn:xmpp:sm:3' resume='true'/>"},
		{text(smwire.AppendResume([]byte("x"), "i'd", 4294967295)), "x<resume xmlns='urn:xmpp:sm:3' h='4294967295' previd='i&apos;d'/>"},
		{string(smwire.AppendRequest(nil)), "<r xmlns='urn:xmpp:sm:3'/>"},
		{string(smwire.AppendAck(nil, 4294967295)), "<a xmlns='urn:xmpp:sm:3' h='4294967295'/>"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s, want %s", tt.got, tt.want)
		}
	}
	notFound := perch.XMPPError{Condition: "item-not-found"}
	tests := []struct {
		raw  string
		want smwire.In
		ok   bool
	}{
		{"<enabled xmlns='urn:xmpp:sm:3' max='60' id='x' resume='true' location='[::1]:9'/>", smwire.In{Kind: smwire.Enabled, ID: "x", Resume: true, Max: 60, Location: "[::1]:9"}, true},
		{"<enabled xmlns='urn:xmpp:sm:3' id='x' resume='1'/>", smwire.In{Kind: smwire.Enabled, ID: "x", Resume: true}, true},
		{"<enabled xmlns='urn:xmpp:sm:3' resume='true'/>", smwire.In{Kind: smwire.Enabled}, true},
		{"<resumed xmlns='urn:xmpp:sm:3' previd='x' h='4294967295'/>", smwire.In{Kind: smwire.Resumed, ID: "x", H: 4294967295, HasH: true}, true},
		{"<resumed xmlns='urn:xmpp:sm:3' previd='x'/>", smwire.In{Kind: smwire.Resumed, ID: "x"}, false},
		{"<failed xmlns='urn:xmpp:sm:3' h='7'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>", smwire.In{Kind: smwire.Failed, H: 7, HasH: true, Err: notFound}, true},
		{"<failed xmlns='urn:xmpp:sm:3'/>", smwire.In{Kind: smwire.Failed, Err: perch.XMPPError{Condition: "undefined-condition"}}, true},
		{"<r xmlns='urn:xmpp:sm:3'/>", smwire.In{Kind: smwire.Request}, true},
		{"<a xmlns='urn:xmpp:sm:3' h='3'/>", smwire.In{Kind: smwire.Ack, H: 3, HasH: true}, true},
		{"<a xmlns='urn:xmpp:sm:3' h='4294967296'/>", smwire.In{Kind: smwire.Ack}, false},
		{"<a xmlns='urn:xmpp:sm:3' h='-1'/>", smwire.In{Kind: smwire.Ack}, false},
		{"<b xmlns='urn:xmpp:sm:3'/>", smwire.In{}, false},
		{"<r xmlns='urn:xmpp:sm:2'/>", smwire.In{}, false},
	}
	for _, tt := range tests {
		got, ok := smwire.Parse(streamtest.Parse(t, tt.raw))
		if diff := cmp.Diff(tt.want, got); diff != "" || ok != tt.ok {
			t.Errorf("%s: got %v %s, want ok %v", tt.raw, ok, diff, tt.ok)
		}
	}
	if _, ok := smwire.Parse(nil); ok {
		t.Error("nothing was accepted, want none")
	}
}

// FuzzParse reads anything as an element of XEP-0198: what counts has a kind, and what needs a count has one.
func FuzzParse(f *testing.F) {
	f.Add("<enabled xmlns='urn:xmpp:sm:3' id='x' resume='true' max='60' location='h:1'/>")
	f.Add("<resumed xmlns='urn:xmpp:sm:3' previd='x' h='3'/>")
	f.Add("<a xmlns='urn:xmpp:sm:3' h='-1'/>")
	f.Fuzz(func(t *testing.T, raw string) {
		el, err := xmlstream.Parse(raw, xmlstream.DefaultLimits())
		if err != nil {
			return
		}
		in, ok := smwire.Parse(el)
		if ok && (in.Kind == 0 || (in.Kind == smwire.Ack || in.Kind == smwire.Resumed) && !in.HasH || in.Max < 0) {
			t.Fatalf("Parse(%s) = %+v, true; want a kind, its count and no negative time", raw, in)
		}
	})
}
