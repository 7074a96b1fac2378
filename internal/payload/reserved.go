package payload

import (
	"slices"
	"strings"
)

// reserved are the namespaces of what the gateway writes itself or decides by: a client that could write
// them would speak in its name. Those of a family have a version behind the last colon.
var reserved = map[string]bool{
	"http://etherx.jabber.org/streams":        true,
	"http://jabber.org/protocol/address":      true,
	"http://jabber.org/protocol/caps":         true,
	"http://jabber.org/protocol/chatstates":   true,
	"http://jabber.org/protocol/muc":          true,
	"http://jabber.org/protocol/muc#user":     true,
	"http://jabber.org/protocol/nick":         true,
	"http://jabber.org/protocol/pubsub":       true,
	"http://jabber.org/protocol/pubsub#event": true,
	"http://jabber.org/protocol/pubsub#owner": true,
	"http://jabber.org/protocol/rsm":          true,
	"http://jabber.org/protocol/url-data":     true,
	"http://www.w3.org/2000/xmlns/":           true,
	"http://www.w3.org/XML/1998/namespace":    true,
	"jabber:client":                           true,
	"jabber:iq:roster":                        true,
	"jabber:server":                           true,
	"jabber:x:conference":                     true,
	"jabber:x:data":                           true,
	"jabber:x:delay":                          true,
	"jabber:x:oob":                            true,
	"urn:xmpp:delay":                          true,
	"urn:xmpp:eme:0":                          true,
	"urn:xmpp:forward:0":                      true,
	"urn:xmpp:hints":                          true,
	"urn:xmpp:mds:displayed:0":                true,
	"urn:xmpp:receipts":                       true,
	"vcard-temp:x:update":                     true,
}

var reservedFamilies = []string{
	"urn:ietf:params:xml:ns:xmpp-",
	"urn:xmpp:carbons:",
	"urn:xmpp:chat-markers:",
	"urn:xmpp:fallback:",
	"urn:xmpp:fasten:",
	"urn:xmpp:feature-fallback:",
	"urn:xmpp:file:metadata:",
	"urn:xmpp:mam:",
	"urn:xmpp:message-correct:",
	"urn:xmpp:message-moderate:",
	"urn:xmpp:message-retract:",
	"urn:xmpp:occupant-id:",
	"urn:xmpp:reactions:",
	"urn:xmpp:reference:",
	"urn:xmpp:reply:",
	"urn:xmpp:sfs:",
	"urn:xmpp:sid:",
	"urn:xmpp:sm:",
	"urn:xmpp:spoiler:",
	"urn:xmpp:styling:",
}

// Reserved reports whether an element of a client may not be of a namespace. The API asks before
// a message is accepted, the codec when it writes one.
func Reserved(space string) bool {
	return reserved[space] || slices.ContainsFunc(reservedFamilies, func(family string) bool { return strings.HasPrefix(space, family) })
}
