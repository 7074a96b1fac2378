package perch

import (
	"errors"
	"strings"
	"unicode/utf8"

	"mellium.im/xmpp/jid"
)

// JID is an XMPP address (RFC 7622) as it stood on the wire: localpart@domain/resource.
// It is never normalised on the way in, and shown as it came; [JID.Key] and [JID.Equal]
// compare.
type JID string

// Bare returns the JID without its resource.
func (j JID) Bare() JID {
	if i := strings.IndexByte(string(j), '/'); i >= 0 {
		return j[:i]
	}
	return j
}

// Resource returns the part after the first slash, or "".
func (j JID) Resource() string {
	if i := strings.IndexByte(string(j), '/'); i >= 0 {
		return string(j[i+1:])
	}
	return ""
}

// Domain returns the domainpart.
func (j JID) Domain() string {
	s := string(j.Bare())
	if _, domain, ok := strings.Cut(s, "@"); ok {
		return domain
	}
	return s
}

// Local returns the localpart, or "" for the address of a server.
func (j JID) Local() string {
	if local, _, ok := strings.Cut(string(j.Bare()), "@"); ok {
		return local
	}
	return ""
}

// IsBare reports whether the JID has no resource.
func (j JID) IsBare() bool { return strings.IndexByte(string(j), '/') < 0 }

var errUnstable = errors.New("the address has no stable normal form")

// ParseJID checks and normalises (RFC 7622) an address that a user gave us, before
// anything is sent to it. The error has [KindJIDMalformed].
func ParseJID(s string) (JID, error) {
	if s == "" || len(s) > maxJID || !utf8.ValidString(s) {
		return "", &Error{Kind: KindJIDMalformed, Detail: "a JID must be 1 to 3071 octets of UTF-8"}
	}
	j, err := jid.Parse(s)
	if d := j.Domainpart(); err == nil && strings.HasPrefix(d, "[") {
		j, err = jid.New(j.Localpart(), asciiLower(d), j.Resourcepart()) // the digits of an IPv6 address have no case
	}
	if err == nil {
		// A few odd addresses change each time they are normalised ("..", some mixtures of
		// scripts). They would never compare equal to themselves, so they are none.
		var again jid.JID
		if again, err = jid.Parse(j.String()); err == nil && !again.Equal(j) {
			err = errUnstable
		}
	}
	if err != nil {
		return "", &Error{Kind: KindJIDMalformed, Detail: "this is not a valid JID (localpart@domain)", Err: err}
	}
	return JID(j.String()), nil
}

// ParseBareJID is [ParseJID] for places that take an account, not one of its
// resources: a resource, or a missing localpart, is refused.
func ParseBareJID(s string) (JID, error) {
	j, err := ParseJID(s)
	if err != nil {
		return "", err
	}
	if !j.IsBare() || j.Local() == "" {
		return "", &Error{Kind: KindJIDMalformed, Detail: "a bare JID (localpart@domain) is needed"}
	}
	return j, nil
}
