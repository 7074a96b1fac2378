package xmppconn

import (
	"encoding/base64"

	"github.com/perch-im/perch"
)

// testSelf is who the scripts say that signed in.
const testSelf = perch.JID("me@a.test/home")

// Namespaces that only scripts of servers write.
const (
	nsArchive    = "urn:xmpp:archive"
	nsChatStates = "http://jabber.org/protocol/chatstates"
	nsDelay      = "urn:xmpp:delay"
	nsDiscoInfo  = "http://jabber.org/protocol/disco#info"
	nsForward    = "urn:xmpp:forward:0"
	nsMAM        = "urn:xmpp:mam:2"
	nsNick       = "http://jabber.org/protocol/nick"
	nsPing       = "urn:xmpp:ping"
	nsRSM        = "http://jabber.org/protocol/rsm"
	nsRoster     = "jabber:iq:roster"
	nsStanzas    = "urn:ietf:params:xml:ns:xmpp-stanzas"
	nsVersion    = "jabber:iq:version"

	nsLookup      = "http://messenger.live.com/xmpp/jidlookup"
	nsLookupShort = "jidlookup"
)

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
