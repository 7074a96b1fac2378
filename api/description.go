package api

// General part of the API description, read by swag.
//
//	@title						Perch
//	@version					1
//	@description				Long-lived XMPP sessions over HTTP, WebSocket and Server-Sent Events.
//	@license.name				BSD-2-Clause
//	@externalDocs.description	Guides
//	@externalDocs.url			https://github.com/perch-im/perch
//	@tag.name					session
//	@tag.description			Sign in, look at and end the XMPP session
//	@tag.name					tokens
//	@tag.description			Tokens for other devices, bots and services, with what each may do
//	@tag.name					buddies
//	@tag.description			The roster (RFC 6121, 2) and who can be added to it
//	@tag.name					invitations
//	@tag.description			Pending subscription requests (RFC 6121, 3.1; XEP-0172)
//	@tag.name					presence
//	@tag.description			Availability, from the cache (RFC 6121, 4)
//	@tag.name					vcards
//	@tag.description			Cards and photos (XEP-0054)
//	@tag.name					archive
//	@tag.description			Message history (XEP-0136, XEP-0313)
//	@tag.name					messages
//	@tag.description			Messages and chat states (RFC 6121, 5; XEP-0085)
//	@tag.name					rooms
//	@tag.description			Rooms with many people (XEP-0045)
//	@tag.name					events
//	@tag.description			The event stream
//	@tag.name					admin
//	@tag.description			The operator's listener
//	@securityDefinitions.bearerauth	BearerAuth
