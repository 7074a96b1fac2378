package xmppconn

import (
	"net/netip"
	"strings"
)

// redirectAllowed reports whether see-other-host may lead to host:port, and whether an entry
// of RedirectAllow names this very host. An entry with a port allows that one. An exact name
// without a port allows every port of it: the operator has chosen the machine. A pattern, and
// the default, allow the ports of XMPP and that of the upstream's own address: the server
// chooses the machine, and must not reach other services there. What a client brought is held
// to the ports of XMPP in any case.
func (u *Upstream) redirectAllowed(host string, port uint16) (allowed, named bool) {
	if u.BringYourOwn && !publicPorts[port] {
		return false, false
	}
	_, own, _ := splitAddress(u.Address)
	for _, entry := range u.RedirectAllow {
		pattern, only, wildcard, err := splitRedirectEntry(entry)
		switch {
		case err != nil || !matchesHost(pattern, wildcard, host) || only != 0 && only != port:
		case u.explicitRedirects && !wildcard:
			return true, true
		case only != 0 || publicPorts[port] || port == own:
			allowed = true
		}
	}
	return allowed, false
}

// matchesHost reports whether host is the one of an entry, or, with wildcard, below its suffix.
func matchesHost(pattern string, wildcard bool, host string) bool {
	if wildcard {
		return len(host) > len(pattern) && strings.HasSuffix(host, pattern)
	}
	return host == pattern
}

// splitRedirectEntry reads an entry of RedirectAllow: a host or "*.suffix", either with a port
// or without. Of a wildcard it returns the suffix with its dot.
func splitRedirectEntry(entry string) (host string, port uint16, wildcard bool, err error) {
	entry = strings.ToLower(entry)
	rest, wildcard := strings.CutPrefix(entry, "*.")
	host, port, err = splitAddress(rest)
	host = strings.TrimSuffix(host, ".")
	if wildcard {
		host = "." + host
	}
	return host, port, wildcard, err
}

// addressClass is a kind of network; a server outside must not redirect into most of them.
type addressClass uint32

const (
	classPublic addressClass = 1 << iota
	classLoopback
	classPrivate  // RFC 1918, RFC 4193, RFC 6598
	classReserved // what is left of RFC 6890
	classNever    // link-local, with the metadata services of clouds; multicast, unspecified
)

var sharedSpace = netip.MustParsePrefix("100.64.0.0/10") // RFC 6598

func classOf(ip netip.Addr) addressClass {
	ip = ip.Unmap()
	switch {
	case !ip.IsValid() || ip.IsUnspecified() || ip.IsMulticast() || ip.IsLinkLocalUnicast() || ip.Zone() != "":
		return classNever
	case ip.IsLoopback():
		return classLoopback
	case ip.IsPrivate() || sharedSpace.Contains(ip):
		return classPrivate
	case publicAddr(ip):
		return classPublic
	}
	return classReserved
}

// noteNetwork notes that the upstream itself, and not a redirect, is at an address of this kind.
func (d *Dialer) noteNetwork(address string) {
	if ip, err := netip.ParseAddr(address); err == nil {
		d.networks.Or(uint32(classOf(ip)))
	}
}

// redirectAddresses keeps those addresses of a redirect's host that are public, or in a kind
// of network in which the upstream itself was reached: a name below an allowed domain must not
// lead from outside to what is inside.
func (d *Dialer) redirectAddresses(addrs []string) (kept []string) {
	may := addressClass(d.networks.Load())&^classNever | classPublic
	for _, a := range addrs {
		if ip, err := netip.ParseAddr(a); err == nil && classOf(ip)&may != 0 {
			kept = append(kept, a)
		}
	}
	return kept
}
