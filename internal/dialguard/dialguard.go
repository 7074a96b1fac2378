// Package dialguard decides which addresses may be dialled for others: a client, or a server that a
// client has chosen, must not reach through the gateway what is only inside of its network.
//
// The address is judged that is really dialled, after the name was looked up: a name that is looked up
// differently the second time gains nothing.
package dialguard

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"syscall"
)

// ErrRefused is the cause of an error of a dial to an address that is not allowed. It never says which
// rule that broke, so that nobody maps a private network by asking.
var ErrRefused = errors.New("this address may not be dialled")

// reservedPrefixes are the ranges that netip.Addr has no method for: what RFC 6890 and its followers
// reserve, and the prefixes that carry an IPv4 address inside an IPv6 one.
var reservedPrefixes = parsePrefixes(
	"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15",
	"198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
	"::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16",
	"3fff::/20", "5f00::/16", "fec0::/10",
)

func parsePrefixes(texts ...string) []netip.Prefix {
	list := make([]netip.Prefix, len(texts))
	for i, t := range texts {
		list[i] = netip.MustParsePrefix(t)
	}
	return list
}

// Public reports whether an address belongs to the open Internet.
func Public(ip netip.Addr) bool {
	if !ip.IsValid() || ip.Zone() != "" || ip.Is4In6() || !ip.IsGlobalUnicast() || ip.IsPrivate() {
		return false
	}
	return !within(ip, reservedPrefixes)
}

func within(ip netip.Addr, prefixes []netip.Prefix) bool {
	for _, p := range prefixes {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}

// Guard says what may be dialled. The zero value lets to public addresses, on the ports of the web and
// on those that no service of a system has. It is safe for concurrent use.
type Guard struct {
	// Allow are networks that may be dialled besides, on every port: the operator has named them.
	Allow []netip.Prefix
	// Only has the networks of Allow dialled and nothing else: what is sent there must not go over the
	// Internet as it is.
	Only bool
}

// Allowed reports whether an address may be dialled. The port of a public one is that of the web, or
// one that any user may listen on: other services of foreign hosts are nobody's business.
func (g Guard) Allowed(to netip.AddrPort) bool {
	ip := to.Addr()
	if ip.Zone() == "" && within(ip.Unmap(), g.Allow) {
		return true
	}
	return !g.Only && Public(ip) && (to.Port() == 443 || to.Port() == 80 || to.Port() >= 1024)
}

// Control is a net.Dialer.Control: it refuses with ErrRefused.
func (g Guard) Control(network, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || !strings.HasPrefix(network, "tcp") || !g.Allowed(to) {
		return fmt.Errorf("dialguard: %w", ErrRefused)
	}
	return nil
}
