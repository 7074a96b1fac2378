package xmppconn

import "github.com/perch-im/perch/xmppconn/internal/xmlstream"

// Namespaces of the stream itself; those of stanzas are in internal/stanza.
const (
	nsClient    = xmlstream.NSClient
	nsStream    = xmlstream.NSStream
	nsStreams   = "urn:ietf:params:xml:ns:xmpp-streams" // stream error conditions
	nsTLS       = "urn:ietf:params:xml:ns:xmpp-tls"
	nsSASL      = "urn:ietf:params:xml:ns:xmpp-sasl"
	nsBind      = "urn:ietf:params:xml:ns:xmpp-bind"
	nsSession   = "urn:ietf:params:xml:ns:xmpp-session"
	nsRosterVer = "urn:xmpp:features:rosterver"
	nsCSI       = "urn:xmpp:csi:0"
	nsSM        = "urn:xmpp:sm:3"
	nsCarbons   = "urn:xmpp:carbons:2"
)
