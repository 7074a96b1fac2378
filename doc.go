// Package perch holds the words of the gateway: accounts, buddies, presence,
// messages, events, positions in an event log, and the kinds of errors. It does
// no I/O and starts no goroutine. Every other package speaks in these words and
// none of them imports another's technology: xmppconn never sees HTTP, api never
// sees XML, sessions sees neither.
//
// JIDs that come from the network stay opaque text (type [JID]): some legal ones
// fail strict parsing, and a contact with an odd address must not end a session.
// What a user gives us is parsed strictly with [ParseJID] before it is sent.
package perch
