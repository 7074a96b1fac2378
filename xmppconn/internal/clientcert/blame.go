package clientcert

import (
	"errors"
	"net"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/diagnosis"
)

// Blame is the error of a login that was made with the certificate. What the server says of it is for the
// operator to put right: the client has shown the token that it should.
func Blame(err error) error {
	if e, ok := errors.AsType[*diagnosis.SASLError](err); ok && (perch.KindOf(err) == perch.KindUnauthorized || perch.KindOf(err) == perch.KindUpstreamConfig) {
		text := "the XMPP server does not take the certificate that this gateway has for the account (" + e.Condition + ")"
		return refused(text, err)
	}
	// An alert of TLS 1.3 about it comes after the handshake, in place of an answer (RFC 8446, 4.4.3).
	if e, ok := errors.AsType[*net.OpError](err); ok && e.Op == "remote error" {
		return refused("the XMPP server ended the TLS connection, on which this gateway has shown the certificate of the account", err)
	}
	return err
}

// NotOffered is the error where the server has no EXTERNAL for a connection on which the certificate was shown:
// some offer it only to one that they would take.
func NotOffered() error {
	return refused("the XMPP server does not offer EXTERNAL to the certificate that this gateway has for the account", nil)
}

func refused(detail string, err error) error {
	return &perch.Error{Kind: perch.KindUpstreamConfig, Cause: perch.CauseClientCert, Detail: detail, Err: err}
}
