package sessions

// ID names a session in the Store: the hex of a keyed hash, made by the Manager from the
// token and the upstream. It is no secret and tells nothing about the token.
type ID string

// NodeID names one process of the gateway: its node's name, a slash, and a word of this
// very process. Two processes of one name never live at once: the later one replaces the
// earlier, whose leases are over from then on.
type NodeID string

// Short is what logs call the session: the beginning of its id.
func (id ID) Short() string { return shortID(id) }

// shortID is what logs call a session.
func shortID(id ID) string { return string(id[:min(8, len(id))]) }
