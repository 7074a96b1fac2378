package xmlstream

// Namespaces that a stream header declares (RFC 6120, 4.8).
const (
	NSClient = "jabber:client"
	NSStream = "http://etherx.jabber.org/streams"
)

const nsXML = "http://www.w3.org/XML/1998/namespace"
