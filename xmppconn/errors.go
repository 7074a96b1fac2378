package xmppconn

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
	"mellium.im/xmpp/stream"
)

// SASLError is a refused authentication (RFC 6120, 6.5): the cause of the error that Dial
// returns then. Status is what OAUTHBEARER said beside it (RFC 7628, 3.2.2), such as
// "invalid_token".
type SASLError struct {
	Mechanism string
	Condition string
	Text      string
	Status    string
}

func (e *SASLError) Error() string {
	parts := []string{"sasl", e.Mechanism, e.Condition}
	if e.Status != "" {
		parts = append(parts, e.Status)
	}
	return strings.Join(parts, ": ")
}

// saslKind is the half of the error table that concerns signing in. A refusal that is not
// known counts as a refused credential: trying again would only lock the account.
func saslKind(condition string) perch.Kind {
	switch condition {
	case "temporary-auth-failure":
		return perch.KindTryLater
	case "aborted":
		return perch.KindLinkLost
	case "encryption-required", "invalid-mechanism", "mechanism-too-weak":
		return perch.KindUpstreamConfig
	}
	return perch.KindUnauthorized // not-authorized, account-disabled, credentials-expired, ...
}

func saslError(mechanism, status string, x perch.XMPPError) *perch.Error {
	if x.Condition == "" {
		x.Condition = "not-authorized" // some servers send <failure/> with nothing in it
	}
	detail := "the server refuses this credential"
	switch saslKind(x.Condition) {
	case perch.KindTryLater, perch.KindLinkLost:
		detail = "the server cannot check credentials at the moment"
	case perch.KindUpstreamConfig:
		detail = "the server refuses this mechanism"
	}
	return &perch.Error{
		Kind: saslKind(x.Condition), Detail: detail, XMPP: &x,
		Err: &SASLError{Mechanism: mechanism, Condition: x.Condition, Text: x.Text, Status: status},
	}
}

// streamKind is the half of the error table that concerns stream errors (RFC 6120, 4.9.3).
// See-other-host is not here: it is a redirect.
func streamKind(condition string) perch.Kind {
	switch condition {
	case "conflict":
		return perch.KindStreamConflict
	case "policy-violation", "not-well-formed", "invalid-xml", "invalid-namespace", "restricted-xml", "bad-format",
		"bad-namespace-prefix", "unsupported-stanza-type", "improper-addressing":
		return perch.KindPolicy // something that we sent: it would be refused again
	case "not-authorized":
		return perch.KindUnauthorized
	case "host-unknown", "host-gone", "unsupported-version":
		return perch.KindUpstreamConfig
	case "resource-constraint":
		return perch.KindTryLater
	}
	return perch.KindLinkLost // system-shutdown, reset, connection-timeout, ...
}

// streamError turns a stream error into a perch.Error. The cause is mellium's stream.Error, so that
// errors.Is(err, stream.Conflict) and the like work.
func streamError(x perch.XMPPError, content string) *perch.Error {
	return &perch.Error{
		Kind: streamKind(x.Condition), Detail: "the server ended the stream", XMPP: &x,
		Err: stream.Error{Err: x.Condition, Content: content},
	}
}

// requestError turns the error answer of an IQ into a perch.Error.
func requestError(x perch.XMPPError) *perch.Error {
	kind := perch.KindXMPP
	if x.Condition == "item-not-found" {
		kind = perch.KindItemNotFound
	}
	return &perch.Error{Kind: kind, Detail: "the server answered with an error", XMPP: &x}
}

// networkError gives an error of dialling, TLS, reading or writing its kind:
//
//   - a certificate or a handshake that one side refuses: KindUpstreamTLS
//   - a deadline, of the upstream or of the caller: KindUpstreamTimeout
//   - bytes that are not XMPP, and everything that the network does: KindLinkLost
//
// An error that has a kind keeps it.
func networkError(err error, doing string) *perch.Error {
	if e, ok := errors.AsType[*perch.Error](err); ok {
		return e
	}
	switch {
	case isTLSError(err):
		return perch.Wrap(perch.KindUpstreamTLS, err, "%s: the server's TLS or certificate is refused", doing)
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return perch.Wrap(perch.KindUpstreamTimeout, err, "%s: no answer in time", doing)
	}
	if fe, ok := errors.AsType[*xmlstream.Error](err); ok {
		return perch.Wrap(perch.KindLinkLost, err, "%s: the server sent invalid XMPP (%s)", doing, fe.Condition)
	}
	return perch.Wrap(perch.KindLinkLost, err, "%s: the connection is lost", doing)
}

// tlsError is an error of TLS itself: a certificate, a handshake or a record that one side
// refuses. It makes those that crypto/tls gives no type of its own recognizable.
type tlsError struct{ err error }

func (e *tlsError) Error() string { return e.err.Error() }
func (e *tlsError) Unwrap() error { return e.err }

// asTLSError is for what crypto/tls returns: all but the errors of the network below it and of
// deadlines are of TLS. A reset or a timeout in the middle of a handshake is
// transient and may be tried again, a refusal is not.
func asTLSError(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); !ok && isNetworkError(err) {
		return err
	}
	return &tlsError{err}
}

func isTLSError(err error) bool {
	_, ok := errors.AsType[*tlsError](err)
	return ok
}

// isNetworkError reports whether an error comes from a socket, or from its end.
func isNetworkError(err error) bool {
	for _, known := range []error{io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe, net.ErrClosed,
		os.ErrDeadlineExceeded, context.DeadlineExceeded, context.Canceled} {
		if errors.Is(err, known) {
			return true
		}
	}
	_, ok := errors.AsType[syscall.Errno](err)
	return ok
}

// errOffline is what every call on an ended connection gets; the cause is why it ended.
func errOffline(cause error) *perch.Error {
	return perch.Wrap(perch.KindSessionOffline, cause, "the XMPP stream is not connected")
}

// conditionOf returns the condition of an error that the upstream answered with, or "".
func conditionOf(err error) string {
	if e, ok := errors.AsType[*perch.Error](err); ok && e.XMPP != nil {
		return e.XMPP.Condition
	}
	return ""
}
