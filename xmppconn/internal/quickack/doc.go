// Package quickack has TCP acknowledge at once what a connection reads.
//
// A kernel that sees a connection answer to what arrives holds its acknowledgements back for up to
// 40 ms, to send them with the next answer. A server that uses Nagle's algorithm (RFC 9293, 3.7.4), as
// Prosody does, holds its next stanza back until the one before is acknowledged. Together they made
// one message in forty 40 ms late: each answer to a request for an acknowledgement (XEP-0198) began
// such a time.
package quickack
