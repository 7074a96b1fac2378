package stanza

import "github.com/perch-im/perch/xmppconn/internal/xmlstream"

// FeatureArchive is what an account with an archive by XEP-0313 says that it has.
const FeatureArchive = nsMAM

// Namespaces on the wire.
const (
	nsClient        = xmlstream.NSClient
	nsStanzas       = "urn:ietf:params:xml:ns:xmpp-stanzas" // stanza error conditions
	nsRoster        = "jabber:iq:roster"
	nsMAM           = "urn:xmpp:mam:2"
	nsVCard         = "vcard-temp"
	nsVCardUpd      = "vcard-temp:x:update"
	nsDelay         = "urn:xmpp:delay"
	nsDelayOld      = "jabber:x:delay"
	nsSID           = "urn:xmpp:sid:0"
	nsNick          = "http://jabber.org/protocol/nick"
	nsChatStates    = "http://jabber.org/protocol/chatstates"
	nsReceipts      = "urn:xmpp:receipts"
	nsMarkers       = "urn:xmpp:chat-markers:0"
	nsCarbons       = "urn:xmpp:carbons:2"
	nsForward       = "urn:xmpp:forward:0"
	nsRSM           = "http://jabber.org/protocol/rsm"
	nsForms         = "jabber:x:data"
	nsArchive       = "urn:xmpp:archive"
	nsOOB           = "jabber:x:oob"
	nsXHTMLIM       = "http://jabber.org/protocol/xhtml-im"
	nsHints         = "urn:xmpp:hints"
	nsEME           = "urn:xmpp:eme:0"
	nsOMEMO         = "urn:xmpp:omemo:" // and a version
	nsOMEMOOld      = "eu.siacs.conversations.axolotl"
	nsOpenPGP       = "urn:xmpp:openpgp:0"
	nsPGP           = "jabber:x:encrypted"
	nsConference    = "jabber:x:conference"
	nsMUCUser       = "http://jabber.org/protocol/muc#user"
	nsPubSubEvent   = "http://jabber.org/protocol/pubsub#event"
	nsJingleMessage = "urn:xmpp:jingle-message:0"
	nsPing          = "urn:xmpp:ping"
	nsDiscoInfo     = "http://jabber.org/protocol/disco#info"
	nsCSI           = "urn:xmpp:csi:0"
	nsXHTML         = "http://www.w3.org/1999/xhtml"
)
