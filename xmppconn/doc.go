// Package xmppconn is one XMPP client connection: it finds the server, signs in, cuts the
// stream into stanzas, decodes them for a session, and writes what the session wants
// written. It knows nothing of sessions, caches or HTTP.
//
// # The life of a connection
//
// [Dialer.Dial] looks up the targets (SRV, RFC 6120, 3.2), connects, starts TLS,
// authenticates (SASL), binds a resource, and asks what the server can do. It follows
// see-other-host at every stage. Where a server can sign in by one request (XEP-0388), that request also
// resumes the earlier stream or binds a resource (XEP-0386), and a token that an earlier login was given
// takes the place of the password (XEP-0484). [Conn.Start] then begins to read; [Conn.Send] and the
// requests (Roster, VCard, Archive, ...) work from there on, until [Conn.Done].
//
// # Stream management
//
// Where the server has it, XEP-0198 is on for the life of a stream. Inbound, a stanza is
// acknowledged once the session has called [Conn.Handled] for all that came of it; what the
// connection answers itself counts in its place between those. When states of the stream are
// stored ([Conn.StreamStateAt]), no more is acknowledged than a stored state has, so that a
// resumption from it misses no stanza. Outbound, [Conn.Send] keeps a stanza until the session
// has handled the AckIn that reported it. A connection that is lost is dropped without the end
// of the stream; [Dialer.Dial] with its state resumes that stream, writes again what the server
// lacks, and binds when the server refuses or closes the connection.
//
// # Goroutines
//
// Signing in runs on a goroutine that ends with it. A connection has one goroutine, the
// reader, which is started afresh by Start: the stack that a TLS handshake grows to is not
// kept for hours. A writer exists only while something waits to be written. Timers (one a
// connection) call back. No goroutine waits under a lock.
//
//	bytes -> xmlstream -> stanza -> sink        (reader)
//	Send, requests, replies -> queue -> write   (writer)
//
// # Packages below
//
// internal/xmlstream cuts the bytes into frames and trees and writes XML, internal/stanza
// decodes and encodes payloads, internal/sasl has the mechanisms, internal/negotiate chooses among them,
// internal/exchange runs one on a stream, internal/smwire has the elements of stream management, internal/address
// judges what may be dialled, internal/raw what a client may write itself, internal/passthrough has what such a
// client gets, and internal/pepnode knows when a node of the account is safe. What is asked of servers, accounts, rooms and upload services is in internal/archive,
// internal/blocking, internal/bookmarks, internal/cards, internal/password, internal/readsync, internal/roomadmin
// and internal/upload. None of them has a connection.
//
// # What comes from mellium
//
// From mellium.im/xmpp come addresses (jid) and stream errors (stream). Its Session is not used, nor
// mellium.im/sasl, which has neither SHA-512 nor XEP-0440. A Session holds an XML decoder
// with its buffers for as long as the stream is open, which alone is more than the memory that
// an idle connection may cost here; it reads the stream through that decoder, so that limits
// cannot be enforced below it, and elements of the streams namespace count wherever they are
// nested; and a context does not end its reads and writes on TCP. So bytes pass internal/xmlstream
// first, and so do those of a login.
//
// # Trust
//
// What a server sends is foreign, and what a contact sends through it more so. Only elements
// directly below the stream act on the stream. An answer counts only with its id, 128 bits
// of chance, and from whom was asked; a roster push, an archive result and a carbon only
// from the own account. Forgeries are dropped and counted in [Counters]. A stanza over a
// limit is skipped and reported; the stream continues. Every goroutine that touches such bytes
// recovers from panics.
package xmppconn
