package address

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// Split reads host, host:port, [v6] and [v6]:port. Port 0 means that none was given.
func Split(s string) (host string, port uint16, err error) {
	host = s
	if strings.LastIndexByte(s, ':') > strings.LastIndexByte(s, ']') && (strings.Count(s, ":") == 1 || s[0] == '[') {
		var p string
		if host, p, err = net.SplitHostPort(s); err != nil {
			return "", 0, fmt.Errorf("address %q: %w", s, err)
		}
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil || n == 0 || p[0] == '+' {
			return "", 0, fmt.Errorf("address %q: bad port", s)
		}
		port = uint16(n)
	} else if strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]") {
		host = s[1 : len(s)-1]
		if !strings.Contains(host, ":") {
			return "", 0, fmt.Errorf("address %q: brackets are for IPv6", s)
		}
	}
	if !Plain(host) {
		return "", 0, fmt.Errorf("address %q: not a host", s)
	}
	return host, port, nil
}

// Plain accepts an IP address without zone, or a name of letters, digits, hyphens and
// underscores in ASCII: nothing that could mean something else to a resolver or in XML.
func Plain(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Zone() == ""
	}
	host = strings.TrimSuffix(host, ".")
	if host == "" || len(host) > 253 {
		return false
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			c := label[i] | 0x20
			if (c < 'a' || c > 'z') && (label[i] < '0' || label[i] > '9') && label[i] != '-' && label[i] != '_' {
				return false
			}
		}
	}
	return true
}
