package diagnosis

import (
	"strings"

	"github.com/perch-im/perch"
	"mellium.im/xmpp/stream"
)

// SASLError is a refused authentication (RFC 6120, 6.5), the cause of such an
// error. Status is what OAUTHBEARER said beside it (RFC 7628, 3.2.2), such as
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

// SASL is the error of a <failure/> (RFC 6120, 6.5).
func SASL(mechanism, status string, x perch.XMPPError) *perch.Error {
	if x.Condition == "" {
		x.Condition = "not-authorized" // some servers send <failure/> with nothing in it
	}
	cause, detail := perch.CauseCredential, "the server refuses this credential"
	switch saslKind(x.Condition) {
	case perch.KindTryLater, perch.KindLinkLost:
		cause, detail = perch.CauseTryLater, "the server cannot check credentials at the moment"
	case perch.KindUpstreamConfig:
		cause, detail = perch.CauseMechanism, "the server refuses this mechanism"
	}
	return &perch.Error{
		Kind: saslKind(x.Condition), Cause: cause, Detail: detail, XMPP: &x,
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

// Stream turns a stream error into a perch.Error. The cause is mellium's stream.Error, so that
// errors.Is(err, stream.Conflict) and the like work.
func Stream(x perch.XMPPError, content string) *perch.Error {
	return &perch.Error{
		Kind: streamKind(x.Condition), Detail: "the server ended the stream", XMPP: &x,
		Err: stream.Error{Err: x.Condition, Content: content},
	}
}
