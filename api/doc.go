// Package api serves sessions over HTTP: REST for what is asked once, and one event
// stream in four encodings. It speaks JSON in the words of package perch, knows no XML,
// and holds no state of an account: every handler finds the session of its bearer token
// and asks it.
//
// The files, from the outside in: server.go (limits of the listener), router.go (the
// table of routes), middleware.go (what every request passes), auth.go (authentication),
// decode.go and params.go (what a request may say), problem.go and problems.go (how a
// refusal looks), then one file for each resource, and the stream: stream.go with its
// encodings ws.go, sse.go, ndjson.go and poll.go. admin.go is for the operator only.
//
// What belongs to a session of another node is passed on to it: locate.go (which node has it,
// and looking again), peer_auth.go (what nodes vouch for), peer_transport.go and forward.go
// (the way there), and for streams relay.go with relay_ws.go and relay_lines.go, which put frames
// of this node in between (relay_splice.go, relay_scan.go).
package api
