package main

import (
	"fmt"
	"net/netip"
)

// proxyAddress is a value of --trusted-proxy: a network, or the one address of a proxy.
type proxyAddress netip.Prefix

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *proxyAddress) UnmarshalText(text []byte) error {
	if one, err := netip.ParseAddr(string(text)); err == nil && one.Zone() == "" {
		one = one.Unmap()
		*p = proxyAddress(netip.PrefixFrom(one, one.BitLen()))
		return nil
	}
	network, err := netip.ParsePrefix(string(text))
	if err != nil {
		return fmt.Errorf("%q is no IP address and no network, such as 10.0.0.2 or 10.0.0.0/24; a host name is not looked up", text)
	}
	*p = proxyAddress(network.Masked())
	return nil
}

func prefixes(proxies []proxyAddress) []netip.Prefix {
	var list []netip.Prefix
	for _, p := range proxies {
		list = append(list, netip.Prefix(p))
	}
	return list
}
