package diagnosis

import (
	"crypto/x509"
	"errors"
	"time"

	"github.com/perch-im/perch"
)

// explain says in a sentence for clients why a login failed; "" leaves the error's own words. It
// names the domain, which the client knows from its JID, and no host, port or address: those are
// the operator's.
func (s Server) explain(cause perch.Cause, e *perch.Error) string {
	of := "the XMPP server of " + s.Domain
	switch cause {
	case perch.CauseName:
		return of + " was not found: there is no such host in DNS"
	case perch.CauseLookup:
		return of + " was not found: the name lookup fails just now"
	case perch.CauseRefused:
		return of + " refuses connections: it does not run, or listens on another port"
	case perch.CauseUnreachable:
		return of + " cannot be reached: there is no route to it, or a firewall forbids it"
	case perch.CauseTimeout, perch.CauseClosed:
		return of + explainSilence(cause, e)
	case perch.CauseNotXMPP:
		return "what answers in place of " + of + " does not speak XMPP there, or expects TLS from the first byte"
	case perch.CauseTLS:
		return of + " does not speak TLS as it should: the handshake failed"
	case perch.CauseCertName, perch.CauseCertCA, perch.CauseCertExpired, perch.CauseCert:
		return "the certificate of " + of + s.explainCertificate(cause, e)
	case perch.CauseDomain:
		return "the XMPP server does not serve the domain " + s.Domain
	case perch.CausePolicy:
		return of + " refuses the login by its policy"
	case perch.CauseTryLater:
		return of + " cannot accept the login at the moment"
	case perch.CauseConflict:
		return of + " says that another client uses the resource"
	}
	return ""
}

// explainSilence keeps what the login was doing, which is the error's own text.
func explainSilence(cause perch.Cause, e *perch.Error) string {
	text := " does not answer in time"
	if cause == perch.CauseClosed {
		text = " closed the connection during the login"
	}
	if at, ok := errors.AsType[*step](e); ok {
		text += " (" + at.doing + ")"
	}
	return text
}

func (s Server) explainCertificate(cause perch.Cause, e *perch.Error) string {
	switch cause {
	case perch.CauseCertName:
		if s.ServerName != "" && s.ServerName != s.Domain {
			return " is for another name than the one that this gateway expects"
		}
		return " is for another name"
	case perch.CauseCertCA:
		return " is signed by an authority that this gateway does not trust (ca-file of the upstream)"
	case perch.CauseCertExpired:
		x, ok := errors.AsType[x509.CertificateInvalidError](e)
		if ok && x.Cert != nil && time.Now().Before(x.Cert.NotBefore) {
			return " is not valid before " + x.Cert.NotBefore.UTC().Format(time.DateOnly)
		} else if ok && x.Cert != nil {
			return " has expired on " + x.Cert.NotAfter.UTC().Format(time.DateOnly)
		}
		return " has expired"
	}
	return " is not valid"
}

// Advice says in a few words what an operator does about a cause.
func Advice(cause perch.Cause) string { return advice[cause] }

var advice = map[perch.Cause]string{
	perch.CauseName:        "correct the domain or address of the upstream, or its SRV and address records in DNS",
	perch.CauseLookup:      "look at the name server of this host (/etc/resolv.conf)",
	perch.CauseRefused:     "start the XMPP server, or correct the port in address (client ports are 5222 with STARTTLS and 5223 with direct TLS)",
	perch.CauseUnreachable: "look at the route and the firewall between this host and the server",
	perch.CauseTimeout:     "look at a firewall that drops packets, and at the load of the server",
	perch.CauseClosed:      "look at the log of the XMPP server; a port for direct TLS needs tls: direct",
	perch.CauseNotXMPP:     "correct the port in address; where the server expects TLS first, set tls: direct (xmpps://)",
	perch.CauseNoTLS:       "let the XMPP server offer STARTTLS to clients: Perch never signs in without TLS",
	perch.CauseTLS:         "set tls: starttls where the port is not for direct TLS (usually 5222), and tls: direct where it is; the server needs TLS 1.2 or newer",
	perch.CauseCertName:    "give the XMPP server a certificate for its domain, or set server-name to the name that the certificate has",
	perch.CauseCertCA:      "set ca-file to the PEM of the authority that signed the certificate; a server with a public certificate must send its intermediate ones",
	perch.CauseCertExpired: "renew the certificate of the XMPP server, and look at the clock of this host",
	perch.CauseCert:        "give the XMPP server a certificate that may be used for servers",
	perch.CauseDomain:      "correct the domain of the upstream, or let the XMPP server serve it",
	perch.CauseClientCert:  "renew client-cert of the upstream, and let the XMPP server trust who has signed it; its log says what it does not like",
	perch.CauseDowngrade:   "find out who has taken the better mechanisms away: the server's operator, or somebody between; name mechanisms for the upstream to accept fewer",
	perch.CauseMechanism:   "compare the mechanisms of the server with mechanisms and token-mechanism of the upstream: see perch check",
	perch.CauseCredential:  "nothing, if a user mistyped it; many at once: look at the accounts, or at who guesses",
	perch.CausePolicy:      "look at the log of the XMPP server: it limits logins, or bans this host",
	perch.CauseBind:        "look at the log of the XMPP server",
	perch.CauseConflict:    "remove resource from the upstream, or let other clients use another one",
	perch.CauseRedirect:    "name the host in redirect-allow of the upstream, if it is one of the server's",
	perch.CauseTryLater:    "look at the XMPP server: it is starting, stopping or overloaded",
	perch.CauseProtocol:    "look at the log of the XMPP server: what it sends is not what the RFC says",
	perch.CauseOther:       "read the error",
}
