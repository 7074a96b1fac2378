// Package today is an embedded XMPP service of today, in memory: a development server that offers what
// an app of today can build on, without Docker, an account or another program. It is no server to run for others: nothing is
// kept over a restart, there is one domain, and no server-to-server link.
// It shares no code with package xmppconn, so that the two cannot share a mistake; what it has in common
// with package messenger is internal/xmppserver.
//
// # How it is made
//
// A feature is a file with a value of type feature: what it answers, and what it adds to service
// discovery. The table features lists them. Rooms and uploads are components: a host of their own under
// the domain.
//
// # Concurrency
//
// As in package messenger: stanzas are handled under one lock, which is never held for I/O; routing ends
// in bounded queues. Everything that happens later runs on one goroutine. Stop waits for all.
package today
