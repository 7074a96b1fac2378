package xmppconn

import (
	"errors"
	"net/netip"
	"syscall"
)

// errAddressRefused is what the guard says; it never shows which rule an address broke, so
// that a client cannot map a private network by asking.
var errAddressRefused = errors.New("this address may not be dialled")

// publicPorts are the ports of a server that a client chose (security: no port scans).
var publicPorts = map[uint16]bool{5222: true, 5223: true, 443: true}

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

// dialControl is a net.Dialer.Control: it sees the address that is really dialled, so a name that
// resolves differently the second time gains nothing.
func dialControl(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil || !publicPorts[ap.Port()] || !publicAddr(ap.Addr()) {
		return errAddressRefused
	}
	return nil
}

// publicAddr reports whether an address belongs to the open Internet.
func publicAddr(ip netip.Addr) bool {
	if !ip.IsValid() || ip.Zone() != "" || ip.Is4In6() || !ip.IsGlobalUnicast() || ip.IsPrivate() {
		return false
	}
	for _, p := range reservedPrefixes {
		if p.Contains(ip) {
			return false
		}
	}
	return true
}
