package negotiate_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/perch-im/perch/xmppconn/internal/negotiate"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

func features(t testing.TB, inner string) *xmlstream.Element {
	t.Helper()
	el, err := xmlstream.Parse("<stream:features xmlns:stream='http://etherx.jabber.org/streams'>"+inner+"</stream:features>", xmlstream.DefaultLimits())
	if err != nil {
		t.Fatalf("Parse(%q): got error %v, want none", inner, err)
	}
	return el
}

func TestOfferOf(t *testing.T) {
	const sasl, cb = "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>", "<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'>"
	const sasl2 = "<authentication xmlns='urn:xmpp:sasl:2'>"
	for name, tt := range map[string]struct {
		inner string
		want  negotiate.Offer
	}{
		"nothing":              {"", negotiate.Offer{}},
		"blanks after a name":  {sasl + "<mechanism>X-MESSENGER-OAUTH2 </mechanism></mechanisms>", negotiate.Offer{Mechanisms: []string{"X-MESSENGER-OAUTH2"}}},
		"what else is in it":   {sasl + "<hostname/><mechanism xmlns='x'>PLAIN</mechanism><mechanism>SCRAM-SHA-1</mechanism></mechanisms>", negotiate.Offer{Mechanisms: []string{"SCRAM-SHA-1"}}},
		"of another namespace": {"<mechanisms xmlns='x'><mechanism>PLAIN</mechanism></mechanisms><sasl-channel-binding xmlns='x'><channel-binding type='tls-exporter'/></sasl-channel-binding>", negotiate.Offer{}},
		"types of binding": {sasl + "<mechanism>SCRAM-SHA-1-PLUS</mechanism></mechanisms>" + cb + "<channel-binding type='tls-server-end-point'/><x/><channel-binding type='tls-exporter'/></sasl-channel-binding>",
			negotiate.Offer{Mechanisms: []string{"SCRAM-SHA-1-PLUS"}, Bindings: []string{"tls-server-end-point", "tls-exporter"}}},
		"the newer profile": {sasl + "<mechanism>PLAIN</mechanism></mechanisms>" + sasl2 + "<mechanism> SCRAM-SHA-1 </mechanism><upgrade>SCRAM-SHA-256</upgrade><inline><sm xmlns='urn:xmpp:sm:3'/>" +
			"<bind xmlns='urn:xmpp:bind:0'><inline><feature var='urn:xmpp:carbons:2'/><x var='y'/><feature var='urn:xmpp:sm:3'/></inline></bind>" +
			"<fast xmlns='urn:xmpp:fast:0' tls-0rtt='true'><mechanism>HT-SHA-256-EXPR</mechanism></fast></inline></authentication>",
			negotiate.Offer{Mechanisms: []string{"PLAIN"}, SASL2: negotiate.SASL2{Mechanisms: []string{"SCRAM-SHA-1"}, Resume: true, Bind: true,
				Enable: []string{"urn:xmpp:carbons:2", "urn:xmpp:sm:3"}, Fast: []string{"HT-SHA-256-EXPR"}}}},
		"the newer profile alone":          {sasl2 + "<mechanism>PLAIN</mechanism></authentication>", negotiate.Offer{SASL2: negotiate.SASL2{Mechanisms: []string{"PLAIN"}}}},
		"the newer profile without a name": {sasl2 + "<inline><sm xmlns='urn:xmpp:sm:3'/></inline></authentication>", negotiate.Offer{}},
	} {
		if got := negotiate.OfferOf(features(t, tt.inner)); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: OfferOf() = %+v, want %+v", name, got, tt.want)
		}
	}
	many := sasl + strings.Repeat("<mechanism>A</mechanism>", 1000) + "</mechanisms>" + cb + strings.Repeat("<channel-binding type='a'/>", 1000) + "</sasl-channel-binding>"
	if got := negotiate.OfferOf(features(t, many)); len(got.Mechanisms) != 64 || len(got.Bindings) != 64 {
		t.Errorf("OfferOf() of a thousand each has %d and %d, want 64 and 64", len(got.Mechanisms), len(got.Bindings))
	}
}

// FuzzOffer reads anything as features: nothing panics, and every list is bounded.
func FuzzOffer(f *testing.F) {
	f.Add("<authentication xmlns='urn:xmpp:sasl:2'><mechanism>PLAIN</mechanism><inline><bind xmlns='urn:xmpp:bind:0'><inline><feature var='a'/></inline></bind><fast xmlns='urn:xmpp:fast:0'><mechanism>HT-SHA-256-NONE</mechanism></fast></inline></authentication>")
	f.Add("<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms>")
	f.Fuzz(func(t *testing.T, inner string) {
		el, err := xmlstream.Parse("<stream:features xmlns:stream='http://etherx.jabber.org/streams'>"+inner+"</stream:features>", xmlstream.DefaultLimits())
		if err != nil {
			return
		}
		o := negotiate.OfferOf(el)
		for _, list := range [][]string{o.Mechanisms, o.Bindings, o.SASL2.Mechanisms, o.SASL2.Enable, o.SASL2.Fast} {
			if len(list) > 64 {
				t.Fatalf("got a list of %d, want at most 64", len(list))
			}
		}
		if o.SASL2.Mechanisms == nil && (o.SASL2.Bind || o.SASL2.Resume || o.SASL2.Fast != nil) {
			t.Fatalf("got %+v, want nothing to be done in one step without a mechanism", o.SASL2)
		}
	})
}
