package stanza

import (
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// The lookup of the Messenger service, which is no XEP. Its documents name two namespaces.
const (
	nsLookup      = "http://messenger.live.com/xmpp/jidlookup"
	nsLookupShort = "jidlookup"
)

// EncodeLookup asks the Messenger service for the JID of the account that the IQ is sent to,
// in the long or the short namespace.
func EncodeLookup(short bool) []byte {
	if short {
		return []byte("<getjid xmlns='" + nsLookupShort + "'/>")
	}
	return []byte("<getjid xmlns='" + nsLookup + "'/>")
}

// ParseLookup reads the answer in either namespace; ok is false when it has no JID.
func ParseLookup(payload *xmlstream.Element) (jid perch.JID, ok bool) {
	space := payload.Space()
	if payload.Local() != "getjid" || space != nsLookup && space != nsLookupShort {
		return "", false
	}
	jid = cloneJID(payload.Child(space, "jid").InnerText())
	return jid, jid != ""
}
