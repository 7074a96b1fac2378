// Package address tells which network addresses may be dialled: those of a server that a client chose, and
// those that a server sends its clients to.
package address

import (
	"net/netip"
	"syscall"

	"github.com/perch-im/perch/internal/dialguard"
)

// ErrRefused is what Control says; it never shows which rule an address broke, so
// that a client cannot map a private network by asking.
var ErrRefused = dialguard.ErrRefused

// PublicPorts are the ports of a server that a client chose (security: no port scans).
var PublicPorts = map[uint16]bool{5222: true, 5223: true, 443: true}

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
func Public(ip netip.Addr) bool { return dialguard.Public(ip) }

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
