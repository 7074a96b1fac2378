package xmppserver

// Namespaces of streams and of what every XMPP service has.
const (
	NSClient  = "jabber:client"
	NSStream  = "http://etherx.jabber.org/streams"
	NSStreams = "urn:ietf:params:xml:ns:xmpp-streams"
	NSStanzas = "urn:ietf:params:xml:ns:xmpp-stanzas"
	NSTLS     = "urn:ietf:params:xml:ns:xmpp-tls"
	NSSASL    = "urn:ietf:params:xml:ns:xmpp-sasl"
	NSBind    = "urn:ietf:params:xml:ns:xmpp-bind"
	NSSession = "urn:ietf:params:xml:ns:xmpp-session"
	NSRoster  = "jabber:iq:roster"
	NSPhoto   = "vcard-temp:x:update"
	NSRSM     = "http://jabber.org/protocol/rsm"
	NSNick    = "http://jabber.org/protocol/nick"
	NSDelay   = "urn:xmpp:delay"
	NSStates  = "http://jabber.org/protocol/chatstates"
	NSPing    = "urn:xmpp:ping"
	NSInfo    = "http://jabber.org/protocol/disco#info"
	NSFraming = "urn:ietf:params:xml:ns:xmpp-framing"
	NSXML     = "http://www.w3.org/XML/1998/namespace"
)
