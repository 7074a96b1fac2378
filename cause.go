package perch

import "errors"

// Cause is why a login to an upstream failed, as one of a small set of words: it is a label of
// metrics, an attribute of log lines, and what GET /v1/session shows beside the reason. Where a
// kind says what is done about an error, a cause says what has to be put right, and where.
type Cause string

// The causes, in the order in which a login meets them.
const (
	CauseName        Cause = "no-such-host"          // the name of the server is not in DNS, or DNS says that there is no such service
	CauseLookup      Cause = "name-lookup"           // DNS does not answer, or fails
	CauseRefused     Cause = "refused"               // nothing listens at the address
	CauseUnreachable Cause = "unreachable"           // no route to the address, or it is not allowed
	CauseTimeout     Cause = "timeout"               // no answer in time, whatever was asked
	CauseClosed      Cause = "closed"                // the connection ended before the login did
	CauseNotXMPP     Cause = "not-xmpp"              // something else than an XMPP server answers, or one that expects TLS first
	CauseNoTLS       Cause = "tls-missing"           // the server does not offer STARTTLS, or refuses it
	CauseTLS         Cause = "tls"                   // no TLS is spoken there, or the handshake failed
	CauseCertName    Cause = "certificate-name"      // the certificate is for another name
	CauseCertCA      Cause = "certificate-authority" // nobody that this gateway trusts has signed the certificate
	CauseCertExpired Cause = "certificate-expired"   // or it is not valid yet
	CauseCert        Cause = "certificate"           // it is not valid for another reason
	CauseDomain      Cause = "host-unknown"          // the server does not serve the domain
	CauseClientCert  Cause = "client-certificate"    // the gateway's own certificate for the account has expired, or the server does not take it
	CauseMechanism   Cause = "mechanism"             // no SASL mechanism that server, upstream and credential have in common
	CauseDowngrade   Cause = "downgrade"             // the server offers less than the account's last login has used
	CauseCredential  Cause = "credentials"           // the server refuses the credential
	CausePolicy      Cause = "policy"                // the server refuses the login by its own rules
	CauseBind        Cause = "bind"                  // the server binds no resource
	CauseConflict    Cause = "conflict"              // another client took the resource
	CauseRedirect    Cause = "redirect"              // to a host that is not allowed, or in a circle
	CauseTryLater    Cause = "try-later"             // the server says that it cannot just now
	CauseProtocol    Cause = "protocol"              // the server breaks the protocol
	CauseOther       Cause = "other"                 // none of these; the log has the error
)

// Causes are all of them.
var Causes = []Cause{
	CauseName, CauseLookup, CauseRefused, CauseUnreachable, CauseTimeout, CauseClosed, CauseNotXMPP, CauseNoTLS, CauseTLS,
	CauseCertName, CauseCertCA, CauseCertExpired, CauseCert, CauseDomain, CauseClientCert, CauseMechanism, CauseDowngrade, CauseCredential, CausePolicy,
	CauseBind, CauseConflict, CauseRedirect, CauseTryLater, CauseProtocol, CauseOther,
}

// CauseOf returns why the login failed that err is of, or "" for any other error.
func CauseOf(err error) Cause {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Cause
	}
	return ""
}
