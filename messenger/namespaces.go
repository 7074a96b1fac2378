package messenger

// Namespaces of what this service alone has.
const (
	nsVCard    = "vcard-temp"
	nsArchive  = "urn:xmpp:archive"
	nsLookup   = "http://messenger.live.com/xmpp/jidlookup"
	nsLookupV1 = "jidlookup" // as on the page of April 2012
)
