package diagnosis

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"syscall"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// ErrClosedByServer is a </stream:stream> during a login.
var ErrClosedByServer = errors.New("the server closed the stream")

// NoTLS is the error of a server without it.
func NoTLS(does string) error {
	return &perch.Error{Kind: perch.KindUpstreamTLS, Cause: perch.CauseNoTLS, Detail: "the server " + does + "; without it nothing is sent"}
}

// step remembers in which step of a login an error came.
type step struct {
	doing string
	err   error
}

func (e *step) Error() string { return e.err.Error() }
func (e *step) Unwrap() error { return e.err }

// Network gives an error of dialling, TLS, reading or writing its kind:
//
//   - a certificate or a handshake that one side refuses: KindUpstreamTLS
//   - a deadline, of the upstream or of the caller: KindUpstreamTimeout
//   - bytes that are not XMPP, and everything that the network does: KindLinkLost
//
// An error that has a kind keeps it.
func Network(err error, doing string) *perch.Error {
	if e, ok := errors.AsType[*perch.Error](err); ok {
		return e
	}
	err = &step{doing, err}
	switch {
	case IsTLS(err):
		return perch.Wrap(perch.KindUpstreamTLS, err, "%s: the server's TLS or certificate is refused", doing)
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return perch.Wrap(perch.KindUpstreamTimeout, err, "%s: no answer in time", doing)
	}
	if fe, ok := errors.AsType[*xmlstream.Error](err); ok {
		return perch.Wrap(perch.KindLinkLost, err, "%s: the server sent invalid XMPP (%s)", doing, fe.Condition)
	}
	return perch.Wrap(perch.KindLinkLost, err, "%s: the connection is lost", doing)
}

// notXMPP is an answer to the first stream header that is no XMPP.
type notXMPP struct{ err error }

func (e *notXMPP) Error() string { return e.err.Error() }
func (e *notXMPP) Unwrap() error { return e.err }

// FirstAnswer is for the answer to the first stream header: one that cannot be read as XMPP comes
// from another kind of server, or from one that expects TLS first.
func FirstAnswer(err error) error {
	if _, ok := errors.AsType[*xmlstream.Error](err); !ok {
		return err
	}
	return &notXMPP{err}
}

// tlsError is an error of TLS itself: a certificate, a handshake or a record that one side
// refuses. It makes those that crypto/tls gives no type of its own recognizable.
type tlsError struct{ err error }

func (e *tlsError) Error() string { return e.err.Error() }
func (e *tlsError) Unwrap() error { return e.err }

// TLS is for what crypto/tls returns: all but the errors of the network below it and of
// deadlines are of TLS. A reset or a timeout in the middle of a handshake is
// transient and may be tried again, a refusal is not.
func TLS(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); !ok && isNetwork(err) {
		return err
	}
	return &tlsError{err}
}

// IsTLS reports whether an error is of TLS itself.
func IsTLS(err error) bool {
	_, ok := errors.AsType[*tlsError](err)
	return ok
}

// isNetwork reports whether an error comes from a socket, or from its end.
func isNetwork(err error) bool {
	for _, known := range []error{io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe, net.ErrClosed,
		os.ErrDeadlineExceeded, context.DeadlineExceeded, context.Canceled} {
		if errors.Is(err, known) {
			return true
		}
	}
	_, ok := errors.AsType[syscall.Errno](err)
	return ok
}
