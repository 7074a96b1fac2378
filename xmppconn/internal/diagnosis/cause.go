// Package diagnosis finds out why a login failed, and says so in words: for the client whose login
// it was, without a host or an address, and for the operator, with what to do.
package diagnosis

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"syscall"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// Server is whose login failed, as far as a client may know it.
type Server struct {
	Domain     string
	ServerName string // the name that the certificate must have; "" = Domain
}

// Of completes the error of a login: it has a cause, and says in words for clients what is wrong.
// An error that has its cause keeps its words. What an operator has to put right is
// KindUpstreamConfig, whatever the network called it.
func Of(s Server, err error) *perch.Error {
	e, ok := errors.AsType[*perch.Error](err)
	if !ok {
		e = perch.Wrap(perch.KindLinkLost, err, "")
	}
	told := *e // the error may be shared
	if told.Cause == "" {
		told.Cause = find(e)
		if text := s.explain(told.Cause, e); text != "" {
			told.Detail = text
		}
	}
	if told.Cause == perch.CauseName || told.Cause == perch.CauseNotXMPP {
		told.Kind = perch.KindUpstreamConfig
	}
	return &told
}

// byKind are the causes of errors whose kind says it all.
var byKind = map[perch.Kind]perch.Cause{
	perch.KindUnauthorized: perch.CauseCredential, perch.KindForbidden: perch.CauseCredential,
	perch.KindUpstreamTLS: perch.CauseTLS, perch.KindPolicy: perch.CausePolicy, perch.KindStreamConflict: perch.CauseConflict,
	perch.KindTryLater: perch.CauseTryLater, perch.KindUpstreamTimeout: perch.CauseTimeout, perch.KindRedirectRefused: perch.CauseRedirect,
}

// byCondition are those of stream errors (RFC 6120, 4.9.3) whose kind says less.
var byCondition = map[string]perch.Cause{
	"host-unknown": perch.CauseDomain, "host-gone": perch.CauseDomain,
	"system-shutdown": perch.CauseTryLater, "reset": perch.CauseTryLater, "internal-server-error": perch.CauseTryLater,
	"remote-connection-failed": perch.CauseTryLater, "connection-timeout": perch.CauseTryLater,
}

// find looks at what TLS and the network said, at the kind, and at what the server said.
func find(e *perch.Error) perch.Cause {
	if e.Kind == perch.KindRedirectRefused {
		return perch.CauseRedirect
	}
	if c := certificate(e); c != "" {
		return c
	}
	if c := network(e); c != "" {
		return c
	}
	if c := byKind[e.Kind]; c != "" {
		return c
	}
	if e.XMPP != nil && byCondition[e.XMPP.Condition] != "" {
		return byCondition[e.XMPP.Condition]
	}
	if _, ok := errors.AsType[*xmlstream.Error](e); ok || e.Kind == perch.KindUpstreamConfig || e.Kind == perch.KindXMPP {
		return perch.CauseProtocol
	}
	return perch.CauseOther
}

// certificate tells the ways in which a certificate can be wrong (RFC 5280, RFC 6125).
func certificate(err error) perch.Cause {
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return perch.CauseCertName
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return perch.CauseCertCA
	}
	if e, ok := errors.AsType[x509.CertificateInvalidError](err); ok && e.Reason == x509.Expired {
		return perch.CauseCertExpired
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return perch.CauseCert
	}
	return ""
}

func network(err error) perch.Cause {
	if _, ok := errors.AsType[*notXMPP](err); ok {
		return perch.CauseNotXMPP
	}
	if IsTLS(err) {
		return perch.CauseTLS
	}
	if e, ok := errors.AsType[*net.DNSError](err); ok {
		if e.IsNotFound {
			return perch.CauseName
		}
		return perch.CauseLookup
	}
	if _, ok := errors.AsType[*net.AddrError](err); ok {
		return perch.CauseName // a name without addresses
	}
	for _, known := range knownErrors {
		if errors.Is(err, known.err) {
			return known.cause
		}
	}
	return ""
}

var knownErrors = []struct {
	err   error
	cause perch.Cause
}{
	{os.ErrDeadlineExceeded, perch.CauseTimeout}, {context.DeadlineExceeded, perch.CauseTimeout}, {syscall.ETIMEDOUT, perch.CauseTimeout},
	{syscall.ECONNREFUSED, perch.CauseRefused},
	{syscall.EHOSTUNREACH, perch.CauseUnreachable}, {syscall.ENETUNREACH, perch.CauseUnreachable},
	{syscall.EACCES, perch.CauseUnreachable}, {syscall.EPERM, perch.CauseUnreachable}, {syscall.EADDRNOTAVAIL, perch.CauseUnreachable},
	{syscall.ECONNRESET, perch.CauseClosed}, {syscall.EPIPE, perch.CauseClosed}, {ErrClosedByServer, perch.CauseClosed},
	{io.EOF, perch.CauseClosed}, {io.ErrUnexpectedEOF, perch.CauseClosed}, {io.ErrClosedPipe, perch.CauseClosed}, {net.ErrClosed, perch.CauseClosed},
}
