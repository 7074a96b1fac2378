package stanza

import (
	"slices"

	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// ourFeatures are in the answer about this client, sorted (XEP-0030, 3.1).
var ourFeatures = []string{nsChatStates, nsDiscoInfo, nsNick, nsDelay, nsPing, nsReceipts}

// EncodeDiscoInfo is the payload of a get (XEP-0030, 3.1).
func EncodeDiscoInfo() []byte { return []byte("<query xmlns='" + nsDiscoInfo + "'/>") }

// isDiscoInfo reports whether a request asks what this client can do. The node to repeat in the
// answer is its attribute of that name.
func isDiscoInfo(payload *xmlstream.Element) bool { return payload.Is(nsDiscoInfo, "query") }

// encodeDiscoInfoResult is the answer.
func encodeDiscoInfoResult(node string) ([]byte, error) {
	var w writer
	w.Raw("<query xmlns='" + nsDiscoInfo + "'")
	w.Attr("/node", "node", node)
	w.Raw("><identity category='client' type='web' name='Perch'/>")
	for _, f := range ourFeatures {
		w.Raw("<feature var='" + f + "'/>")
	}
	w.Raw("</query>")
	return w.Result()
}

// HasFeature reports whether an answer to EncodeDiscoInfo names a feature.
func HasFeature(payload *xmlstream.Element, feature string) bool {
	if !isDiscoInfo(payload) {
		return false
	}
	return slices.ContainsFunc(payload.Children(), func(c *xmlstream.Element) bool {
		return c.Is(nsDiscoInfo, "feature") && c.Attr("var") == feature
	})
}
