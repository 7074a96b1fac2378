package stanza

import (
	"slices"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// ourIdentity is what this client is, as XEP-0115, 5.1 writes it: category, type, language and name.
const ourIdentity = "client/web//Perch"

// chatFeatures are what is announced on a service that has nothing but text between two, sorted.
var chatFeatures = []string{nsChatStates, nsDiscoInfo, nsNick, nsDelay, nsPing, nsReceipts}

// ourFeatures are in the answer about this client (XEP-0030, 3.1): what clients of the gateway can
// read and write. With +notify at its end it is a node whose changes the server is to send.
var ourFeatures = slices.Sorted(slices.Values(append([]string{
	nsCaps, nsConference, nsCorrection, nsEME, nsFallback, nsFileMetadata, nsFileSharing, nsMUC, nsMarkers, nsOOB, nsReactions, nsReference,
	nsReply, nsRetraction, nsSID, nsSpoiler, nsStyling, nsTime, nsVersion, nsReadPositions + "+notify", NodeBookmarks + "+notify", NodeBookmarksOld + "+notify",
	NodeNick + "+notify",
}, chatFeatures...)))

// EncodeDiscoInfo is the payload of a get (XEP-0030, 3.1).
func EncodeDiscoInfo() []byte { return []byte("<query xmlns='" + nsDiscoInfo + "'/>") }

// isDiscoInfo reports whether a request asks what this client can do. The node to repeat in the
// answer is its attribute of that name.
func isDiscoInfo(payload *xmlstream.Element) bool { return payload.Is(nsDiscoInfo, "query") }

// isOurNode reports whether a node is that of the own presence (XEP-0115, 6.2) or none: of others
// nothing is known.
func isOurNode(node string) bool { return node == "" || node == capsNode+"#"+capsVersion }

// encodeDiscoInfoResult is the answer.
func encodeDiscoInfoResult(node string, features []string) ([]byte, error) {
	var w writer
	w.Raw("<query xmlns='" + nsDiscoInfo + "'")
	w.Attr("/node", "node", node)
	w.Raw("><identity category='client' type='web' name='Perch'/>")
	for _, f := range features {
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

// featurePublishOptions is what a server says that makes a node as a publication wants it, or refuses
// the publication (XEP-0060, 7.1.5): another one ignores what a publication wants.
const featurePublishOptions = nsPubSub + "#publish-options"

// AccountCapabilities adds what the answer about the own account says that it has: an archive
// (XEP-0313, 7), and nodes of its own for read positions (XEP-0163, 6; XEP-0490).
func AccountCapabilities(can *perch.Capabilities, payload *xmlstream.Element) {
	if HasFeature(payload, FeatureArchive) {
		can.Archive = "313"
	}
	can.PEP = slices.ContainsFunc(payload.Children(), func(c *xmlstream.Element) bool {
		return c.Is(nsDiscoInfo, "identity") && c.Attr("category") == "pubsub" && c.Attr("type") == "pep"
	})
	can.ReadSync = can.PEP && HasFeature(payload, featurePublishOptions)
	can.AvatarConversion = can.PEP && HasFeature(payload, featureAvatarConversion)
}
