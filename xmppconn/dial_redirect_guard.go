package xmppconn

import (
	"net/netip"
	"strings"

	"github.com/perch-im/perch/xmppconn/internal/address"
)

// redirectAllowed reports whether see-other-host may lead to host:port, and whether an entry
// of RedirectAllow names this very host. An entry with a port allows that one. An exact name
// without a port allows every port of it: the operator has chosen the machine. A pattern, and
// the default, allow the ports of XMPP and that of the upstream's own address: the server
// chooses the machine, and must not reach other services there. What a client brought is held
// to the ports of XMPP in any case.
func (u *Upstream) redirectAllowed(host string, port uint16) (allowed, named bool) {
	if u.BringYourOwn && !address.PublicPorts[port] {
		return false, false
	}
	_, own, _ := address.Split(u.Address)
	for _, entry := range u.RedirectAllow {
		pattern, only, wildcard, err := splitRedirectEntry(entry)
		switch {
		case err != nil || !matchesHost(pattern, wildcard, host) || only != 0 && only != port:
		case u.named.redirects && !wildcard:
			return true, true
		case only != 0 || address.PublicPorts[port] || port == own:
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
	host, port, err = address.Split(rest)
	host = strings.TrimSuffix(host, ".")
	if wildcard {
		host = "." + host
	}
	return host, port, wildcard, err
}

// noteNetwork notes that the upstream itself, and not a redirect, is at an address of this kind.
func (d *Dialer) noteNetwork(text string) {
	if ip, err := netip.ParseAddr(text); err == nil {
		d.networks.Or(uint32(address.ClassOf(ip)))
	}
}

// redirectAddresses keeps those addresses of a redirect's host that are public, or in a kind
// of network in which the upstream itself was reached: a name below an allowed domain must not
// lead from outside to what is inside.
func (d *Dialer) redirectAddresses(addrs []string) (kept []string) {
	may := address.Class(d.networks.Load())&^address.NeverNetwork | address.PublicNetwork
	for _, a := range addrs {
		if ip, err := netip.ParseAddr(a); err == nil && address.ClassOf(ip)&may != 0 {
			kept = append(kept, a)
		}
	}
	return kept
}
