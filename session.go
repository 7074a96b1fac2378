package perch

// State is the state of a session as clients see it.
type State string

// The states of a session.
const (
	StateConnecting   State = "connecting"   // never online yet
	StateOnline       State = "online"       // signed in, roster and presence fresh
	StateReconnecting State = "reconnecting" // link lost; caches readable, marked stale
	StateSuspended    State = "suspended"    // will not retry by itself; Reason says why
	StateClosed       State = "closed"       // ended by DELETE /v1/session
)

// SessionInfo is the answer of GET /v1/session.
type SessionInfo struct {
	JID          JID      `json:"jid"` // bare; "" until the first login
	Resource     string   `json:"resource"`
	State        State    `json:"state"`
	Reason       string   `json:"reason"`           // "" when online; else such as link-lost, credentials, conflict, policy, config
	Cause        Cause    `json:"cause,omitempty"`  // why the last login failed; "" when none has
	Detail       string   `json:"detail,omitempty"` // the same as a sentence
	Since        Time     `json:"since"`
	RetryAt      Time     `json:"retry_at"`
	Upstream     string   `json:"upstream"`
	Delivery     string   `json:"delivery"` // A, B, C or D
	Features     []string `json:"features"`
	LastStanzaAt Time     `json:"last_stanza_at"`
	PingRTT      *int64   `json:"ping_rtt_ms"` // null: not measured yet
	Streams      int      `json:"streams"`
	// Rooms is "autojoin" for a session that joins the rooms of the account's bookmarks; else "".
	Rooms    string           `json:"rooms,omitempty"`
	Services *SessionServices `json:"services,omitempty"` // nil: nothing was asked for yet
	Uploads  *SessionUploads  `json:"uploads,omitempty"`  // left out: the upstream takes no files, or has not said so yet
}

// SessionServices are services of the account's server, by what they are for.
type SessionServices struct {
	MUC []JID `json:"muc"` // with rooms (XEP-0045), in the order of the server
}

// Reasons of a state that is not online.
const (
	ReasonLinkLost    = "link-lost"
	ReasonCredentials = "credentials"
	ReasonConflict    = "conflict"
	ReasonPolicy      = "policy"
	ReasonConfig      = "config"
	ReasonRedirect    = "redirect-refused"
	ReasonTLS         = "upstream-tls"
	ReasonSignedOut   = "signed-out"
	ReasonTryLater    = "try-later"
)
