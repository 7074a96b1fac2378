package perch

import (
	"errors"
	"fmt"
	"time"
)

// Kind says once what an error means. The api package has the one table that turns
// a kind into an HTTP status, a problem type and a close code; the sessions package
// has the one that decides whether to try again.
type Kind string

// Kinds that a client of the API sees under the same slug.
const (
	KindUnauthorized        Kind = "unauthorized"         // the upstream, or we, refuse the credential
	KindForbidden           Kind = "forbidden"            // known, but not allowed
	KindInsufficientScope   Kind = "insufficient-scope"   // the token of the request may not do this; see Scopes
	KindNotFound            Kind = "not-found"            // no such resource here
	KindItemNotFound        Kind = "item-not-found"       // the upstream knows no such item
	KindConflict            Kind = "conflict"             // in the way of an operation in progress
	KindIdempotencyMismatch Kind = "idempotency-mismatch" // same key, other body
	KindRoomNotJoined       Kind = "room-not-joined"      // it needs an account that is in the room (XEP-0045)
	KindNickConflict        Kind = "nick-conflict"        // somebody else in the room has the nick
	KindOccupantChanged     Kind = "occupant-changed"     // another occupant of the room has the nick than was meant
	KindBlocked             Kind = "blocked"              // the account blocks the one whom it is for
	KindGone                Kind = "gone"                 // the room was destroyed; see Successor
	KindValidation          Kind = "validation"           // a field is wrong; see Fields
	KindJIDMalformed        Kind = "jid-malformed"        // RFC 7622
	KindMalformedJSON       Kind = "malformed-json"
	KindBodyTooLarge        Kind = "body-too-large"
	KindFileTooLarge        Kind = "file-too-large" // for the upload service; see MaxSize
	KindUploadRefused       Kind = "upload-refused" // the upload service did not take the file; see UpstreamStatus
	KindUnsupportedMedia    Kind = "unsupported-media-type"
	KindUpgradeRequired     Kind = "upgrade-required"
	KindQuotaExceeded       Kind = "quota-exceeded"
	KindFeatureUnsupported  Kind = "feature-unsupported" // this upstream has no such feature
	KindXMPP                Kind = "xmpp-error"          // the upstream answered with an error; see XMPP
	KindUpstreamTLS         Kind = "upstream-tls"        // certificate or TLS refused; never retried in clear
	KindSessionOffline      Kind = "session-offline"     // no XMPP stream just now
	KindDraining            Kind = "draining"            // this node is stopping
	KindStorageUnavailable  Kind = "storage-unavailable" // the Store cannot take a write now
	KindUpstreamTimeout     Kind = "upstream-timeout"    // no answer in time
	KindInternal            Kind = "internal"            // a fault of the gateway; its text never leaves the process
)

// Kinds that only the supervision of a session distinguishes (RFC 6120, 4.9.3).
const (
	KindLinkLost        Kind = "link-lost"        // transient: TCP reset, end of stream, system-shutdown, ping not answered
	KindStreamConflict  Kind = "stream-conflict"  // another client took our resource
	KindPolicy          Kind = "policy-violation" // the upstream refused what we sent
	KindUpstreamConfig  Kind = "upstream-config"  // host-unknown and the like: the operator must act
	KindRedirectRefused Kind = "redirect-refused" // see-other-host to a host that is not allowed
	KindTryLater        Kind = "try-later"        // temporary-auth-failure, resource-constraint
)

// Error is an error with a kind. Detail is safe to show to the client; Err is not.
type Error struct {
	Kind       Kind
	Detail     string        // one sentence for the client: what is wrong and what to do
	Fields     []FieldError  // for KindValidation and KindJIDMalformed
	XMPP       *XMPPError    // the upstream's own words, when it answered
	Successor  JID           // for KindGone: the room to go to; "": none is named
	RetryAfter time.Duration // 0: not known
	MaxSize    int64         // for KindFileTooLarge: of a file, in bytes; 0: not known
	Scopes     []Scope       // for KindInsufficientScope: what the token lacks; empty: it is for other conversations
	// UpstreamStatus is the HTTP status that an upload service answered with, for KindUploadRefused; 0: none.
	UpstreamStatus int
	Cause          Cause // why a login failed; "" in every other error
	Err            error // what is behind it, for logs
}

// FieldError names a wrong field by its JSON pointer (RFC 6901), such as "/to".
// A query or path parameter is named "?limit" or "{jid}".
type FieldError struct {
	Pointer string `json:"pointer"`
	Detail  string `json:"detail"`
}

// XMPPError is a stanza error (RFC 6120, 8.3), stream error (4.9) or SASL failure (6.5)
// as the upstream sent it.
type XMPPError struct {
	Condition string `json:"condition"`
	Type      string `json:"type,omitempty"`
	Text      string `json:"text,omitempty"`
	By        string `json:"by,omitempty"`
}

func (e *Error) Error() string {
	s := string(e.Kind)
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	if e.XMPP != nil {
		s += " (" + e.XMPP.Condition + ")"
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an error of a kind. The text is shown to clients: no secret, no cause.
func Errorf(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Detail: fmt.Sprintf(format, args...)}
}

// Wrap gives a cause a kind and a sentence for clients; the cause is for logs only.
func Wrap(kind Kind, cause error, format string, args ...any) *Error {
	return &Error{Kind: kind, Detail: fmt.Sprintf(format, args...), Err: cause}
}

// Invalid is a validation error of one field.
func Invalid(pointer, format string, args ...any) *Error {
	d := fmt.Sprintf(format, args...)
	return &Error{Kind: KindValidation, Detail: pointer + ": " + d, Fields: []FieldError{{Pointer: pointer, Detail: d}}}
}

// FileTooLarge is the error of a file of more bytes than maxSize; 0: the limit is not known.
func FileTooLarge(maxSize int64) *Error {
	detail := "is more than the upload service takes"
	if maxSize > 0 {
		detail = fmt.Sprintf("must be at most %d bytes", maxSize)
	}
	return &Error{Kind: KindFileTooLarge, Detail: "/size: " + detail, MaxSize: maxSize, Fields: []FieldError{{Pointer: "/size", Detail: detail}}}
}

// KindOf returns the kind of err, or KindInternal for an error without one.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return KindInternal
}

// ConditionOf is the condition of the error that the upstream answered with, or "" for any other error.
func ConditionOf(err error) string {
	if e, ok := errors.AsType[*Error](err); ok && e.XMPP != nil {
		return e.XMPP.Condition
	}
	return ""
}

// ErrAnswerTooLarge is the cause of a request's error when the upstream's answer is over a
// limit of the gateway.
var ErrAnswerTooLarge = errors.New("the answer is larger than this gateway takes")
