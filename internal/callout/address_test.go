package callout_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/perch-im/perch/internal/callout"
)

// allowed is an operator who has named some networks.
var allowed = []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fd00:1::/32")}

// TestCheck: what can never be called is refused before it is stored, in every spelling of an address.
func TestCheck(t *testing.T) {
	strict, named := callout.New(callout.Options{}), callout.New(callout.Options{Allow: allowed})
	for address, want := range map[string][2]bool{ // by the zero value, and where some networks are named
		"https://example.org/perch?a=b": {true, true}, "https://example.org:8443": {true, true}, "https://8.8.8.8/": {true, true},
		"HTTPS://EXAMPLE.ORG/": {true, true}, "https://[2a00:1450::1]/": {true, true}, "https://example.org:80/": {true, true},
		"http://example.org/": {false, true}, // a name: where it leads is seen when it is dialled
		"http://10.1.2.3/":    {false, true}, "https://10.1.2.3:22/": {false, true}, "http://[fd00:1::5]:8080/": {false, true},
		"http://8.8.8.8/": {false, false}, "https://10.2.0.1/": {false, false}, "https://127.0.0.1/": {false, false},
		"https://[::1]/": {false, false}, "https://[::ffff:127.0.0.1]/": {false, false}, "https://[::ffff:8.8.8.8]/": {false, false},
		"https://[::ffff:10.1.2.3]/": {false, true}, "https://[::ffff:a01:203]/": {false, true}, "https://[::10.0.0.1]/": {false, false},
		"https://[64:ff9b::a00:1]/": {false, false}, "https://[2002:a00:1::]/": {false, false}, "https://[fe80::1]/": {false, false},
		"https://[fe80::1%25eth0]/": {false, false}, "https://[fd00:1::5%25eth0]/": {false, false}, "https://169.254.169.254/latest": {false, false},
		"https://0.0.0.0/": {false, false}, "https://100.64.0.1/": {false, false}, "https://8.8.8.8:22/": {false, false},
		"https://example.org:25/": {false, true}, "https://example.org:0/": {false, false}, "https://example.org:65536/": {false, false},
		"https://example.org:/": {false, false}, "https://example.org:http/": {false, false}, "https://u:p@example.org/": {false, false},
		"https://u@example.org/": {false, false}, "https://example.org/#a": {false, false}, "https://example.org/#": {false, false},
		"ftp://example.org/": {false, false}, "file:///etc/passwd": {false, false}, "https:example.org": {false, false}, "https:///a": {false, false},
		"//example.org/": {false, false}, "example.org": {false, false}, "": {false, false}, "https://exa mple.org/": {false, false},
		"https://example.org/\n": {false, false}, "gopher://127.0.0.1:70/": {false, false},
		"https://example.org/" + strings.Repeat("a", callout.MaxAddress-20): {true, true}, "https://example.org/" + strings.Repeat("a", callout.MaxAddress-19): {false, false},
	} {
		for i, c := range []*callout.Client{strict, named} {
			err := c.Check(address)
			if got := err == nil; got != want[i] {
				t.Errorf("Check(%.60q), networks named: %v: got error %v, want none: %v", address, i == 1, err, want[i])
			}
			if host := strings.Trim(strings.TrimPrefix(address, "https://"), "/"); err != nil && len(host) > 6 && host != "example.org" && strings.Contains(err.Error(), host) {
				t.Errorf("Check(%.60q): got the address in the error %q, want it left out", address, err)
			}
		}
	}
}

// FuzzCheck: no spelling gets an address past Check that is not public.
func FuzzCheck(f *testing.F) {
	for _, address := range []string{"https://example.org/", "https://[::ffff:10.0.0.1]/", "https://127.1/", "https://0x7f.1/", "https://a@b/", "https://[fe80::1%25lo]/", "http://10.0.0.1"} {
		f.Add(address)
	}
	c := callout.New(callout.Options{})
	f.Fuzz(func(t *testing.T, address string) {
		if c.Check(address) != nil {
			return
		}
		rest, ok := strings.CutPrefix(strings.ToLower(address), "https://")
		if !ok || len(address) > callout.MaxAddress || strings.Contains(address, "#") {
			t.Fatalf("Check(%q): got it let through, want it refused", address)
		}
		host := rest[:strings.IndexAny(rest+"/", "/?")]
		if at, err := netip.ParseAddrPort(host); err == nil {
			host = at.Addr().String()
		}
		if ip, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil && (!ip.IsGlobalUnicast() || ip.IsPrivate() || ip.Is4In6() || ip.Zone() != "") {
			t.Fatalf("Check(%q): got it let through, want it refused", address)
		}
		if strings.Contains(host, "@") {
			t.Fatalf("Check(%q): got a user let through, want it refused", address)
		}
	})
}
