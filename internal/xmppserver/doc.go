// Package xmppserver is what the embedded XMPP services are made of: sockets with STARTTLS and
// WebSockets, streams, bounded queues, the element model, and accounts with roster, presence,
// subscriptions and routing. Package messenger makes the service of 2011 of it, package today one of
// today: each decides what it offers and what it refuses.
//
// It shares no code with package xmppconn, so that the two sides cannot share a mistake.
//
// # Layers
//
//   - Server accepts connections, bounds their number, and stops.
//   - Conn is one of them: stream headers, TLS, one element at a time, and a queue for what is written.
//   - Handler is what a service does with one connection.
//   - Directory, Account, Resource are who is there: roster, subscriptions, presence and where a
//     message goes to (RFC 6121). They do no I/O; their owner guards them by one lock.
//
// # Concurrency
//
// A connection has one goroutine that reads it, and a second one only while something is being
// written. Routing ends in the bounded queues of the receivers, and a receiver that does not read is
// cut: the lock of a service is never held for I/O.
package xmppserver
