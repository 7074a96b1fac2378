package callout

import (
	"errors"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// MaxAddress is how many bytes an address may have.
const MaxAddress = 2000

// Check refuses an address that can never be called; the error has the words for a client, without the
// address. It waits for nothing: a name is judged when it is dialled.
func (c *Client) Check(text string) error {
	_, err := c.parse(text)
	return err
}

func (c *Client) parse(text string) (*url.URL, error) {
	if len(text) > MaxAddress {
		return nil, errors.New("has more than " + strconv.Itoa(MaxAddress) + " bytes")
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Opaque != "" || u.Hostname() == "":
		return nil, errors.New("is not an address such as https://example.org/perch")
	case u.Scheme == "http" && len(c.guard.Allow) == 0:
		return nil, errors.New("must begin with https://")
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, errors.New("must begin with https://")
	case u.User != nil:
		return nil, errors.New("must be without a user name and a password")
	case strings.Contains(text, "#"):
		return nil, errors.New("must be without a fragment (#)")
	}
	return u, c.checkHost(u)
}

// checkHost judges what can be judged without looking the name up.
func (c *Client) checkHost(u *url.URL) error {
	port := uint64(443)
	if u.Scheme == "http" {
		port = 80
	}
	if text := u.Port(); text != "" || strings.HasSuffix(u.Host, ":") {
		var err error
		if port, err = strconv.ParseUint(text, 10, 16); err != nil || port == 0 {
			return errors.New("has no port of TCP behind the colon: that is 1 to 65535")
		}
	}
	ip, err := netip.ParseAddr(u.Hostname())
	if err != nil { // a name: an allowed network may be behind it
		if len(c.guard.Allow) == 0 && port < 1024 && port != 443 && port != 80 {
			return errors.New("must have the port 443 or 80, or one above 1023")
		}
		return nil
	}
	g := c.guard
	g.Only = u.Scheme == "http"
	if !g.Allowed(netip.AddrPortFrom(ip, uint16(port))) {
		return errors.New("must be a public address, by https://, on port 443 or 80 or one above 1023, or one that the operator of this gateway allows")
	}
	return nil
}
