// Package api serves sessions over HTTP: REST for single requests, and one event stream in four
// encodings. It encodes the types of package perch as JSON, knows no XML, and has no state of an
// account: every handler finds the session of its bearer token and asks it.
//
// The files, from the outside in: server.go (limits of the listener), router.go (the
// table of routes), middleware.go (what every request passes), auth.go (authentication),
// decode.go and params.go (bodies and parameters), problem.go and problem_table.go (errors as
// problems), limits*.go, then one file for each resource, and the event stream: stream.go with
// its encodings stream_sse.go, stream_ndjson.go and stream_poll.go, and ws*.go for the WebSocket
// and its commands. admin.go is for the operator only.
//
// A request for a session of another node, a peer, is forwarded to it: peer_locate.go (which node
// has it), peer_auth.go (what nodes vouch for), peer_transport.go and peer_forward.go (one
// attempt), and for streams relay.go with relay_ws.go and relay_lines.go, which insert frames of
// this node (relay_splice.go, relay_scan.go).
package api
