package stanza

import "github.com/perch-im/perch"

// IsPush reports whether a request tells of a change of what the server keeps for the account: its roster
// (RFC 6121, 2.1.6) or its block list (XEP-0191). Who may send it is checked by the connection.
func IsPush(request IQ) bool { return IsRosterPush(request) || IsBlockPush(request) }

// ParsePush reads a push; nil with ok says that there is nothing in it for the session, and ok is false for
// one that is malformed.
func ParsePush(request IQ) (push perch.Inbound, ok bool) {
	if IsRosterPush(request) {
		if in, ok := ParseRosterPush(request); ok {
			return in, true
		}
		return nil, false
	}
	in, ok := ParseBlockPush(request)
	if in == nil {
		return nil, ok
	}
	return in, ok
}
