// Package address tells which network addresses may be dialled: those of a server that a client chose, and
// those that a server sends its clients to.
package address

import (
	"errors"
	"net/netip"
	"syscall"
)

// ErrRefused is what Control says; it never shows which rule an address broke, so
// that a client cannot map a private network by asking.
var ErrRefused = errors.New("this address may not be dialled")

// PublicPorts are the ports of a server that a client chose (security: no port scans).
var PublicPorts = map[uint16]bool{5222: true, 5223: true, 443: true}

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

// Control is a net.Dialer.Control: it sees the address that is really dialled, so a name that
// resolves differently the second time gains nothing.
func Control(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil || !PublicPorts[ap.Port()] || !Public(ap.Addr()) {
		return ErrRefused
	}
	return nil
}

// Public reports whether an address belongs to the open Internet.
func Public(ip netip.Addr) bool {
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

// Class is a kind of network; a server outside must not redirect into most of them.
type Class uint32

// The kinds, which are bits.
const (
	PublicNetwork   Class = 1 << iota // the open Internet
	LoopbackNetwork                   // this host
	PrivateNetwork                    // RFC 1918, RFC 4193, RFC 6598
	ReservedNetwork                   // what is left of RFC 6890
	NeverNetwork                      // link-local, with the metadata services of clouds; multicast, unspecified
)

var sharedSpace = netip.MustParsePrefix("100.64.0.0/10") // RFC 6598

// ClassOf returns the kind of network that an address is in.
func ClassOf(ip netip.Addr) Class {
	ip = ip.Unmap()
	switch {
	case !ip.IsValid() || ip.IsUnspecified() || ip.IsMulticast() || ip.IsLinkLocalUnicast() || ip.Zone() != "":
		return NeverNetwork
	case ip.IsLoopback():
		return LoopbackNetwork
	case ip.IsPrivate() || sharedSpace.Contains(ip):
		return PrivateNetwork
	case Public(ip):
		return PublicNetwork
	}
	return ReservedNetwork
}
