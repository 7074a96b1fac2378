package perch

import "slices"

// Scope names what a token may do. A client asks for the scopes of a token when it makes one.
type Scope string

// The scopes. Each of them but ScopeRead covers what changes things of its kind, and the reading of
// just these.
const (
	ScopeRead     Scope = "read"     // messages, conversations, the roster, presence, rooms and cards; changes nothing
	ScopeSend     Scope = "send"     // messages and what is done to them, chat states, read positions, files
	ScopePresence Scope = "presence" // the own presence
	ScopeRoster   Scope = "roster"   // buddies, invitations, the block list, the own card and photo
	ScopeRooms    Scope = "rooms"    // join, leave and manage rooms
	ScopeSession  Scope = "session"  // the credential, the password, and signing the account out
	ScopeWebhooks Scope = "webhooks" // calls to a server of the client's
	ScopeTokens   Scope = "tokens"   // list, make and revoke tokens that may do no more than this one
)

// Scopes are all scopes, in the order in which they are shown.
func Scopes() []Scope {
	return []Scope{ScopeRead, ScopeSend, ScopePresence, ScopeRoster, ScopeRooms, ScopeSession, ScopeWebhooks, ScopeTokens}
}

// Valid reports whether there is such a scope.
func (s Scope) Valid() bool { return slices.Contains(Scopes(), s) }

// Grant is what a token may do. The zero value is that of a sign-in: everything, for as long as the
// session lives.
type Grant struct {
	Scopes        []Scope `json:"scopes,omitempty"`        // nil: all, those of later versions too
	Conversations []JID   `json:"conversations,omitempty"` // the only ones that it is for; nil: all
	Expires       Time    `json:"expires,omitempty"`       // 0: with the session
}

// Full reports whether nothing is out of the grant's reach.
func (g Grant) Full() bool { return g.Scopes == nil && g.Conversations == nil }

// Allows reports whether the grant has one of these scopes.
func (g Grant) Allows(one ...Scope) bool {
	return g.Scopes == nil || slices.ContainsFunc(one, func(s Scope) bool { return slices.Contains(g.Scopes, s) })
}

// AllowsAll reports whether the grant has all of these scopes.
func (g Grant) AllowsAll(all ...Scope) bool {
	return !slices.ContainsFunc(all, func(s Scope) bool { return !g.Allows(s) })
}

// AllowsConversation reports whether the grant is for a conversation: an account or room by its bare
// JID, an occupant of a room by the full one.
func (g Grant) AllowsConversation(jid JID) bool {
	return g.Conversations == nil || jid != "" && slices.ContainsFunc(g.Conversations, jid.Equal)
}

// Expired reports whether the grant has had its time.
func (g Grant) Expired(now Time) bool { return g.Expires != 0 && now >= g.Expires }

// Covers reports whether another grant allows nothing that this one does not.
func (g Grant) Covers(other Grant) bool {
	switch {
	case g.Scopes != nil && (other.Scopes == nil || !g.AllowsAll(other.Scopes...)):
		return false
	case g.Conversations == nil:
	case other.Conversations == nil || slices.ContainsFunc(other.Conversations, func(j JID) bool { return !g.AllowsConversation(j) }):
		return false
	}
	return g.Expires == 0 || other.Expires != 0 && other.Expires <= g.Expires
}
