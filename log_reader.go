package perch

// ReaderKind is how a part of the log is brought to a reader.
type ReaderKind string

// The kinds of readers.
const (
	WebhookReader ReaderKind = "webhook" // POSTs of events to a URL
	PushReader    ReaderKind = "push"    // Web Push messages (RFC 8030)
)

// ReaderWhen says which events are brought to a reader.
type ReaderWhen string

// When events are brought.
const (
	ReadAlways   ReaderWhen = "always"
	ReadDetached ReaderWhen = "detached" // only what has come while no event stream was open
)

// ReaderInclude says how much of an event is brought to a reader.
type ReaderInclude string

// What is brought.
const (
	IncludeFull ReaderInclude = "full" // the events as the streams have them; of push messages the name and the text, cut to fit
	IncludeIDs  ReaderInclude = "ids"  // types, ids and conversations alone
)

// ReaderState is how a reader is.
type ReaderState string

// The states of a reader.
const (
	ReaderActive   ReaderState = "active"
	ReaderRetrying ReaderState = "retrying" // the last delivery failed, and is tried again
	ReaderDisabled ReaderState = "disabled" // given up; a client enables it again by putting it anew
)

// Why a reader is disabled.
const (
	ReaderGone       = "gone"        // its server says that there is no such thing
	ReaderFailing    = "failing"     // no delivery has arrived for a day
	ReaderPolicy     = "policy"      // its address may not be dialled
	ReaderSecretLost = "secret_lost" // its address and its secrets cannot be unsealed: the keys were changed
)

// ReaderEnd is the data of webhook.disabled.
type ReaderEnd struct {
	ID     string `json:"id"`
	Reason string `json:"reason"`
}

// ReaderSpec is what a client wants of a reader: which events of the session's log it is brought.
type ReaderSpec struct {
	Types         []string      `json:"types,omitempty"`         // as the filter of a stream; nil: those of its kind
	Conversations []JID         `json:"conversations,omitempty"` // nil: all
	When          ReaderWhen    `json:"when"`
	Include       ReaderInclude `json:"include"`
}

// Reader is somebody outside to whom the events of a session are brought, as its owner sees it.
type Reader struct {
	Kind    ReaderKind
	ID      string // by the client: 1 to 64 of A-Z a-z 0-9 - _
	Target  ReaderTarget
	Spec    ReaderSpec
	Created Time
	By      string // id of the token that has put it, with which it ends

	State    ReaderState
	Why      string   // one of the words for why it is disabled; "" while it is not
	Cursor   Position // everything up to it was delivered, or is not for this reader
	Failures int      // in a row
	Since    Time     // of the first of them; 0: none
	Next     Time     // of the next attempt; 0: none is planned
	Last     ReaderAttempt
}

// ReaderTarget is where a reader is. Its parts are secrets: whoever knows a push endpoint can write to it.
type ReaderTarget struct {
	URL    string // of a webhook, or the endpoint of a push subscription
	P256DH string // of a push subscription: the key of the browser, base64url
	Auth   string // of a push subscription: its secret, base64url
}

// ReaderAttempt is the last delivery that was tried.
type ReaderAttempt struct {
	At     Time
	Status int    // of HTTP; 0: there was no answer
	Error  string // why it failed, in a few words without addresses; "": it did not
}
