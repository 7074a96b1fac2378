// Package sessions keeps XMPP sessions alive for clients that come and go.
//
// A [Manager] leads from a bearer token to a [Session]. A Session is one account's login:
// it signs in, reconnects by itself when the link is lost, and keeps what a client wants to
// see at once: roster, presence, pending invitations, the event log, the outbox.
//
// # One owner
//
// One goroutine, the owner, has all the state of a session. Other goroutines send it a
// function to run or a stanza to apply. The owner never waits: not for the
// network, not for the [Store], not for a subscriber. What has to wait runs in the
// goroutine of the request, in the short-lived goroutine that signs in, or inside the
// Store; results are posted as functions. An idle session costs two goroutines: the owner and
// the reader of its connection.
//
// # Commit, then publish
//
// Whatever changes state goes into a batch: durable events with their offsets, changes of
// tables, and the number of the last stanza that is covered. Batches are committed to the
// Store one after the other; while one is under way the next one gathers. Only when a
// batch is committed are its events published to subscribers, in order with the ephemeral ones
// that arrived between them, and only then are its stanzas acknowledged to the server.
//
// # Retry and suspend
//
// After a lost link the session tries again, with a back-off that is capped, jittered and can
// be cancelled. After a refused credential it is suspended and never tries again by itself.
// Table decide in supervisor.go has every kind of error.
package sessions
