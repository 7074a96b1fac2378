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
