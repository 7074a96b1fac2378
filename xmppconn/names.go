package xmppconn

// Namespaces on the wire.
const (
	nsClient        = "jabber:client"
	nsStream        = "http://etherx.jabber.org/streams"
	nsStreams       = "urn:ietf:params:xml:ns:xmpp-streams" // stream error conditions
	nsStanzas       = "urn:ietf:params:xml:ns:xmpp-stanzas" // stanza error conditions
	nsTLS           = "urn:ietf:params:xml:ns:xmpp-tls"
	nsSASL          = "urn:ietf:params:xml:ns:xmpp-sasl"
	nsBind          = "urn:ietf:params:xml:ns:xmpp-bind"
	nsSession       = "urn:ietf:params:xml:ns:xmpp-session"
	nsRoster        = "jabber:iq:roster"
	nsRosterVer     = "urn:xmpp:features:rosterver"
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
	nsMAM           = "urn:xmpp:mam:2"
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
	nsSM            = "urn:xmpp:sm:3"
	nsXHTML         = "http://www.w3.org/1999/xhtml"
	nsXML           = "http://www.w3.org/XML/1998/namespace"

	// XEP-less lookup of the Messenger service; the long name first.
	nsLookup      = "http://messenger.live.com/xmpp/jidlookup"
	nsLookupShort = "jidlookup"
)
