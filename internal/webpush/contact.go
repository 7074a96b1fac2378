package webpush

import (
	"errors"
	"net/url"
	"strings"
)

// DefaultContact is whom push services find when the operator has named nobody: the project, which does not
// know who runs this gateway. Some push services refuse messages without a contact.
const DefaultContact = "https://github.com/perch-im/perch"

const longestContact = 200

// CheckContact refuses what push services would (RFC 8292, 2.1).
func CheckContact(text string) error {
	wrong := errors.New("must be mailto: with an address, or an https: address, of who runs this gateway, such as mailto:push@example.org")
	u, err := url.Parse(text)
	if err != nil || len(text) > longestContact || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return wrong
	}
	switch u.Scheme {
	case "mailto":
		name, domain, ok := strings.Cut(u.Opaque, "@")
		if !ok || name == "" || !strings.Contains(strings.Trim(domain, "."), ".") || strings.ContainsAny(domain, "@<>,") {
			return wrong // some push services refuse the domain localhost
		}
	case "https":
		if u.Hostname() == "" || u.User != nil {
			return wrong
		}
	default:
		return wrong
	}
	return nil
}
