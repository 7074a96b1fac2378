package dialguard_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"

	"github.com/perch-im/perch/internal/dialguard"
)

// TestAllowed: what is inside is refused, on every port and in every spelling, unless it is named.
func TestAllowed(t *testing.T) {
	named := dialguard.Guard{Allow: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("fd00:1::/32")}}
	for address, want := range map[string][2]bool{ // by the zero value, and where some are named
		"8.8.8.8:443": {true, true}, "8.8.8.8:80": {true, true}, "8.8.8.8:5281": {true, true}, "8.8.8.8:1024": {true, true},
		"8.8.8.8:22": {false, false}, "8.8.8.8:25": {false, false}, "8.8.8.8:1023": {false, false}, "8.8.8.8:0": {false, false},
		"[2a00:1450::1]:443": {true, true}, "[2a00:1450::1]:22": {false, false},
		"127.0.0.1:443": {false, true}, "127.0.0.1:22": {false, true}, "127.0.0.2:443": {false, false}, "[::1]:443": {false, false},
		"[::ffff:127.0.0.1]:443": {false, true}, "[::ffff:8.8.8.8]:443": {false, false}, "[::ffff:10.0.0.1]:443": {false, false},
		"10.0.0.1:443": {false, false}, "10.1.2.3:8443": {false, true}, "172.16.0.1:443": {false, false}, "192.168.1.1:443": {false, false},
		"169.254.169.254:80": {false, false}, "[fe80::1]:443": {false, false}, "100.64.0.1:443": {false, false}, "0.0.0.0:443": {false, false},
		"[::]:443": {false, false}, "224.0.0.1:443": {false, false}, "255.255.255.255:443": {false, false}, "192.0.2.1:443": {false, false},
		"[fd00:1::5]:443": {false, true}, "[fd00:2::5]:443": {false, false}, "[64:ff9b::a00:1]:443": {false, false}, "[2002:a00:1::]:443": {false, false},
		"[2001:db8::1]:443": {false, false}, "198.18.0.1:443": {false, false},
	} {
		at := netip.MustParseAddrPort(address)
		if got := [2]bool{dialguard.Guard{}.Allowed(at), named.Allowed(at)}; got != want {
			t.Errorf("%s: got %v, want %v", address, got, want)
		}
	}
	only := dialguard.Guard{Allow: named.Allow, Only: true}
	for address, want := range map[string]bool{"8.8.8.8:443": false, "10.1.2.3:80": true, "10.2.2.3:80": false} {
		if got := only.Allowed(netip.MustParseAddrPort(address)); got != want {
			t.Errorf("%s, where nothing else may be dialled: got %v, want %v", address, got, want)
		}
	}
	if at := netip.MustParseAddrPort("[fd00:1::5%eth0]:443"); named.Allowed(at) {
		t.Errorf("%s: got allowed, want a zone refused", at)
	}
}

// TestControl: the address that is dialled is judged, whatever the name was.
func TestControl(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("Listen: got error %v, want none", err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	dialer := net.Dialer{Control: dialguard.Guard{}.Control}
	for _, host := range []string{"127.0.0.1", "localhost"} {
		if _, err := dialer.DialContext(context.Background(), "tcp", net.JoinHostPort(host, port)); !errors.Is(err, dialguard.ErrRefused) {
			t.Errorf("%s: got error %v, want %v", host, err, dialguard.ErrRefused)
		}
	}
	dialer.Control = dialguard.Guard{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}}.Control
	conn, err := dialer.DialContext(context.Background(), "tcp4", net.JoinHostPort("localhost", port))
	if err != nil {
		t.Fatalf("a network that is named: got error %v, want none", err)
	}
	_ = conn.Close()
	for network, address := range map[string]string{"udp4": "8.8.8.8:443", "unix": "/run/a.sock", "tcp": "nonsense"} {
		if err := (dialguard.Guard{}).Control(network, address, nil); !errors.Is(err, dialguard.ErrRefused) {
			t.Errorf("%s %s: got error %v, want %v", network, address, err, dialguard.ErrRefused)
		}
	}
}

// FuzzControl: no text of an address gets past the guard that does not lead to the open Internet.
func FuzzControl(f *testing.F) {
	for _, address := range []string{"8.8.8.8:443", "[::ffff:10.0.0.1]:80", "127.1:443", "[fe80::1%lo]:443", "localhost:443"} {
		f.Add(address)
	}
	f.Fuzz(func(t *testing.T, address string) {
		if (dialguard.Guard{}).Control("tcp", address, nil) != nil {
			return
		}
		at, err := netip.ParseAddrPort(address)
		if ip := at.Addr(); err != nil || ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast() || ip.IsMulticast() || ip.IsUnspecified() || ip.Is4In6() || ip.Zone() != "" {
			t.Errorf("%q: got it let through, want it refused", address)
		}
	})
}
