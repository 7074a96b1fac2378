package perch

import (
	"strings"

	"mellium.im/xmpp/jid"
)

// maxJID is the length in octets of the longest legal JID (RFC 7622, 3.1): three parts of
// 1023 octets and two separators. Normalising anything longer is wasted work.
const maxJID = 3071

// Key returns the form in which JIDs are compared: two spellings of one address have the
// same key, and a key is its own key. Each part is in its normal form (RFC 7622, 3.2 to
// 3.4) where it has one and stays as it is where it has none, so that addresses which some
// servers hand out although they are no valid JIDs are compared too. Keys are for
// comparing, and for tables; what is shown and sent is the JID as the server wrote it.
//
// A JID in lower-case ASCII, which nearly all are, is its own key and costs no memory.
func (j JID) Key() JID {
	s := string(j)
	if len(s) > maxJID {
		return j
	}
	bare, resource, full := strings.Cut(s, "/")
	local, domain, account := strings.Cut(bare, "@")
	if !account {
		local, domain = "", bare
	}
	if plainLocal(local) && plainDomain(domain) && plainResource(resource) {
		return j
	}
	key := domainKey(domain)
	if account {
		key = localKey(local) + "@" + key
	}
	if full {
		key += "/" + ResourceKey(resource)
	}
	return JID(key)
}

// Equal reports whether two JIDs are spellings of one address.
func (j JID) Equal(other JID) bool { return j == other || j.Key() == other.Key() }

// Plain reports whether a JID is valid and in its normal form by its looks, as nearly all
// are. It costs little; false proves nothing: [ParseJID] decides.
func (j JID) Plain() bool {
	bare, resource, full := strings.Cut(string(j), "/")
	local, domain, account := strings.Cut(bare, "@")
	if !account {
		local, domain = "", bare
	}
	if len(j) > 1023 || account && local == "" || full && resource == "" ||
		!plainLocal(local) || !plainDomain(domain) || !plainResource(resource) {
		return false
	}
	return plainLabels(domain)
}

// plainLabels reports whether each label of a domain is one by its looks (RFC 5890, 2.3.1).
func plainLabels(domain string) bool {
	start := 0
	for i := 0; i <= len(domain); i++ {
		switch {
		case i == len(domain) || domain[i] == '.':
			if i == start || i-start > 63 || domain[start] == '-' || domain[i-1] == '-' {
				return false
			}
			start = i + 1
		case domain[i] == '-' && i > start && domain[i-1] == '-':
			return false
		}
	}
	return true
}

// ResourceKey is [JID.Key] for a resource alone (RFC 7622, 3.4), which is case-sensitive.
func ResourceKey(s string) string {
	if plainResource(s) {
		return s
	}
	return normalPart(s, func(s string) (string, error) {
		n, err := jid.New("", "x", s)
		return n.Resourcepart(), err
	})
}

func localKey(s string) string {
	if plainLocal(s) {
		return s
	}
	if lower := asciiLower(s); plainLocal(lower) {
		return lower
	}
	return normalPart(s, func(s string) (string, error) {
		n, err := jid.New(s, "x", "")
		return n.Localpart(), err
	})
}

// domainKey compares domains as DNS does also where they are no valid domain names:
// letters of ASCII have no case.
func domainKey(s string) string {
	if plainDomain(s) {
		return s
	}
	lower := asciiLower(s)
	if plainDomain(lower) {
		return lower
	}
	return normalPart(lower, func(s string) (string, error) {
		n, err := jid.New("", s, "")
		return n.Domainpart(), err
	})
}

// normalPart returns the normal form of one part of a JID, or the part itself when it has
// none. A form that changes when it is normalised once more is none: it would never compare
// equal to itself.
func normalPart(s string, normal func(string) (string, error)) string {
	once, err := normal(s)
	if err != nil || once == "" {
		return s
	}
	if twice, err := normal(once); err != nil || twice != once {
		return s
	}
	return once
}

// What a byte may stand in, in its normal form, without more than a look at it.
const (
	inLocal    = 1 << iota // lower-case ASCII without what RFC 7622, 3.3.1 forbids
	inDomain               // lower-case letters, digits, hyphens and dots
	inResource             // printable ASCII
)

var plainIn = func() (t [256]uint8) {
	for c := ' '; c <= '~'; c++ {
		t[c] = inResource
		if c != ' ' && (c < 'A' || c > 'Z') && !strings.ContainsRune("\"&'/:<>@", c) {
			t[c] |= inLocal
		}
		if 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '.' {
			t[c] |= inDomain
		}
	}
	return t
}()

// plain reports whether a part is in its normal form by its looks. The others may be in it
// too.
func plain(s string, part uint8) bool {
	for i := range len(s) {
		if plainIn[s[i]]&part == 0 {
			return false
		}
	}
	return true
}

func plainLocal(s string) bool { return plain(s, inLocal) }

// plainDomain wants no final dot (RFC 7622, 3.2) and no label that stands for another one
// in Unicode.
func plainDomain(s string) bool {
	for i := range len(s) {
		c := s[i]
		if plainIn[c]&inDomain == 0 || c == '-' && i >= 3 && s[i-3:i] == "xn-" {
			return false
		}
	}
	return !strings.HasSuffix(s, ".")
}

func plainResource(s string) bool { return plain(s, inResource) }

// asciiLower leaves what is not ASCII, or no UTF-8, as it is.
func asciiLower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + ('a' - 'A')
		}
	}
	return string(b)
}
