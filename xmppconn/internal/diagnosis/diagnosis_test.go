package diagnosis_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/diagnosis"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

const address = "10.0.0.5"

// dialled is an error of the net package, which names the address.
func dialled(err error) error {
	return &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.ParseIP(address), Port: 5222}, Err: &os.SyscallError{Syscall: "connect", Err: err}}
}

func untrusted(err error) error {
	return diagnosis.TLS(&tls.CertificateVerificationError{Err: err})
}

func lost(doing string, err error) error {
	return diagnosis.Network(err, doing)
}

func said(kind perch.Kind, condition string) error {
	return &perch.Error{Kind: kind, Detail: "the server ended the stream", XMPP: &perch.XMPPError{Condition: condition}}
}

// TestOf holds each error of a login to its cause, its kind and its words for the client.
func TestOf(t *testing.T) {
	expired := &x509.Certificate{NotBefore: time.Date(2019, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)}
	future := &x509.Certificate{NotBefore: time.Date(2999, 1, 1, 0, 0, 0, 0, time.UTC)}
	for _, tt := range []struct {
		name  string
		err   error
		cause perch.Cause
		kind  perch.Kind
		text  string
	}{
		{"not in DNS", lost("looking up the server", &net.DNSError{Name: "xmpp.internal", IsNotFound: true}), perch.CauseName, perch.KindUpstreamConfig, "a.test was not found"},
		{"no addresses", lost("looking up the server", &net.AddrError{Addr: "xmpp.internal"}), perch.CauseName, perch.KindUpstreamConfig, "a.test was not found"},
		{"DNS fails", lost("looking up the server", &net.DNSError{Name: "xmpp.internal", IsTemporary: true}), perch.CauseLookup, perch.KindLinkLost, "lookup fails just now"},
		{"DNS does not answer", lost("looking up the server", &net.DNSError{IsTimeout: true, UnwrapErr: context.DeadlineExceeded}), perch.CauseLookup, perch.KindUpstreamTimeout, "lookup fails just now"},
		{"refused", lost("connecting to the server", dialled(syscall.ECONNREFUSED)), perch.CauseRefused, perch.KindLinkLost, "refuses connections"},
		{"no route", lost("connecting to the server", dialled(syscall.EHOSTUNREACH)), perch.CauseUnreachable, perch.KindLinkLost, "no route"},
		{"forbidden by a firewall here", lost("connecting to the server", dialled(syscall.EPERM)), perch.CauseUnreachable, perch.KindLinkLost, "firewall"},
		{"time-out of the dial", lost("connecting to the server", os.ErrDeadlineExceeded), perch.CauseTimeout, perch.KindUpstreamTimeout, "in time (connecting to the server)"},
		{"time-out of TCP", lost("connecting to the server", dialled(syscall.ETIMEDOUT)), perch.CauseTimeout, perch.KindLinkLost, "in time"},
		{"end of file", lost("starting TLS", io.EOF), perch.CauseClosed, perch.KindLinkLost, "closed the connection during the login (starting TLS)"},
		{"reset", lost("opening the stream", dialled(syscall.ECONNRESET)), perch.CauseClosed, perch.KindLinkLost, "(opening the stream)"},
		{"end of the stream", lost("binding a resource", diagnosis.ErrClosedByServer), perch.CauseClosed, perch.KindLinkLost, "(binding a resource)"},
		{"HTTP", lost("opening the stream", diagnosis.FirstAnswer(&xmlstream.Error{Condition: "not-well-formed"})), perch.CauseNotXMPP, perch.KindUpstreamConfig, "does not speak XMPP there"},
		{"broken XML later", lost("authenticating", &xmlstream.Error{Condition: "not-well-formed"}), perch.CauseProtocol, perch.KindLinkLost, ""},
		{"no TLS", diagnosis.NoTLS("does not offer TLS"), perch.CauseNoTLS, perch.KindUpstreamTLS, "does not offer TLS"},
		{"no TLS record", perch.Wrap(perch.KindUpstreamTLS, diagnosis.TLS(tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}), ""), perch.CauseTLS, perch.KindUpstreamTLS, "handshake failed"},
		{"another name", perch.Wrap(perch.KindUpstreamTLS, untrusted(x509.HostnameError{Certificate: &x509.Certificate{}, Host: "xmpp.internal"}), ""), perch.CauseCertName, perch.KindUpstreamTLS, "is for another name"},
		{"unknown authority", perch.Wrap(perch.KindUpstreamTLS, untrusted(x509.UnknownAuthorityError{}), ""), perch.CauseCertCA, perch.KindUpstreamTLS, "ca-file"},
		{"expired", perch.Wrap(perch.KindUpstreamTLS, untrusted(x509.CertificateInvalidError{Cert: expired, Reason: x509.Expired}), ""), perch.CauseCertExpired, perch.KindUpstreamTLS, "has expired on 2020-01-01"},
		{"not valid yet", perch.Wrap(perch.KindUpstreamTLS, untrusted(x509.CertificateInvalidError{Cert: future, Reason: x509.Expired}), ""), perch.CauseCertExpired, perch.KindUpstreamTLS, "is not valid before 2999-01-01"},
		{"for clients", perch.Wrap(perch.KindUpstreamTLS, untrusted(x509.CertificateInvalidError{Cert: future, Reason: x509.IncompatibleUsage}), ""), perch.CauseCert, perch.KindUpstreamTLS, "is not valid"},
		{"host-unknown", said(perch.KindUpstreamConfig, "host-unknown"), perch.CauseDomain, perch.KindUpstreamConfig, "does not serve the domain a.test"},
		{"system-shutdown", said(perch.KindLinkLost, "system-shutdown"), perch.CauseTryLater, perch.KindLinkLost, "at the moment"},
		{"resource-constraint", said(perch.KindTryLater, "resource-constraint"), perch.CauseTryLater, perch.KindTryLater, "at the moment"},
		{"policy-violation", said(perch.KindPolicy, "policy-violation"), perch.CausePolicy, perch.KindPolicy, "by its policy"},
		{"conflict", said(perch.KindStreamConflict, "conflict"), perch.CauseConflict, perch.KindStreamConflict, "another client"},
		{"unsupported-version", said(perch.KindUpstreamConfig, "unsupported-version"), perch.CauseProtocol, perch.KindUpstreamConfig, "the server ended the stream"},
		{"redirect", perch.Errorf(perch.KindRedirectRefused, "redirect refused"), perch.CauseRedirect, perch.KindRedirectRefused, "redirect refused"},
		{"its own words", &perch.Error{Kind: perch.KindUnauthorized, Cause: perch.CauseCredential, Detail: "no"}, perch.CauseCredential, perch.KindUnauthorized, "no"},
		{"a password where tokens are wanted", diagnosis.NoMechanism(false, true, []string{"X-OAUTH2"}), perch.CauseMechanism, perch.KindValidation, "takes access tokens, no passwords (the server has X-OAUTH2)"},
		{"a token where passwords are wanted", diagnosis.NoMechanism(true, true, []string{"PLAIN"}), perch.CauseMechanism, perch.KindValidation, "takes passwords, no access tokens"},
		{"nothing in common", diagnosis.NoMechanism(true, false, []string{"EXTERNAL"}), perch.CauseMechanism, perch.KindUpstreamConfig, "offers no mechanism"},
		{"no kind", errors.New("odd"), perch.CauseOther, perch.KindLinkLost, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := diagnosis.Of(diagnosis.Server{Domain: "a.test"}, fmt.Errorf("wrapped: %w", tt.err))
			if e.Cause != tt.cause || e.Kind != tt.kind || !strings.Contains(e.Detail, tt.text) {
				t.Errorf("got %s, %s: %q, want %s, %s: %q", e.Cause, e.Kind, e.Detail, tt.cause, tt.kind, tt.text)
			}
			for _, secret := range []string{address, "xmpp.internal"} {
				if strings.Contains(e.Detail, secret) {
					t.Errorf("got %s in the words for the client: %q, want it left out", secret, e.Detail)
				}
			}
		})
	}
}

// TestOfLeavesTheErrorAlone: an error may be shared between callers.
func TestOfLeavesTheErrorAlone(t *testing.T) {
	shared := perch.Errorf(perch.KindPolicy, "x")
	diagnosis.Of(diagnosis.Server{Domain: "a.test"}, shared)
	if shared.Cause != "" || shared.Detail != "x" {
		t.Errorf("got %+v afterwards, want it unchanged", shared)
	}
}

// TestEveryCauseHasAdvice: an operator who sees the word is told what to do.
func TestEveryCauseHasAdvice(t *testing.T) {
	for _, c := range perch.Causes {
		if diagnosis.Advice(c) == "" {
			t.Errorf("got no advice for %s, want some", c)
		}
	}
}

// TestCounts: every cause has a counter of its own, and a word that is none is the last.
func TestCounts(t *testing.T) {
	var c diagnosis.Counts
	for i, cause := range perch.Causes {
		for range i + 1 {
			c.Add(cause)
		}
	}
	c.Add("no word of ours")
	n := len(perch.Causes)
	for i, cause := range perch.Causes {
		want := int64(i + 1)
		if cause == perch.CauseOther {
			want++
		}
		if got := c.Of(cause); got != want {
			t.Errorf("%s: got %d, want %d", cause, got, want)
		}
	}
	if got, want := c.Load(), int64(n*(n+1)/2+1); got != want {
		t.Errorf("in total: got %d, want %d", got, want)
	}
	if got := c.Of("no word of ours"); got != 0 {
		t.Errorf("no cause: got %d, want 0", got)
	}
}
