package xmppconn

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/address"
)

func TestValidateNamesTheField(t *testing.T) {
	for _, tt := range []struct {
		change func(*Upstream)
		field  string
	}{
		{func(u *Upstream) {}, ""},
		{func(u *Upstream) { u.Domain = "" }, "/domain"},
		{func(u *Upstream) { u.Domain = "user@a.test" }, "/domain"},
		{func(u *Upstream) { u.Domain = "a.test/x" }, "/domain"},
		{func(u *Upstream) { u.Domain = "a'b" }, "/domain"},
		{func(u *Upstream) { u.Address = "xmpp.a.test" }, ""},
		{func(u *Upstream) { u.Address = "[::1]:5222" }, ""},
		{func(u *Upstream) { u.Address = "a:b:c" }, "/address"},
		{func(u *Upstream) { u.Address = "a.test:0" }, "/address"},
		{func(u *Upstream) { u.TLS = "none" }, "/tls"},
		{func(u *Upstream) { u.Profile = "icq" }, "/profile"},
		{func(u *Upstream) { u.ServerName = "a/b" }, "/server_name"},
		{func(u *Upstream) { u.Mechanisms = []string{"PLAIN", "DIGEST-MD5"} }, "/mechanisms/1"},
		{func(u *Upstream) { u.RedirectAllow = []string{"*.a.test", "*"} }, "/redirect_allow/1"},
		{func(u *Upstream) { u.KeepAlive = -time.Second }, "/keep_alive"},
		{func(u *Upstream) { u.MaxQueue = -1 }, "/max_queue"},
	} {
		u := Upstream{Domain: "a.test"}
		tt.change(&u)
		err := u.Validate()
		if tt.field == "" {
			if err != nil {
				t.Errorf("%+v: got %v, want no error", u, err)
			}
			continue
		}
		e, ok := errors.AsType[*perch.Error](err)
		if !ok || e.Kind != perch.KindValidation || len(e.Fields) != 1 || e.Fields[0].Pointer != tt.field {
			t.Errorf("want a fault of %s, got %v", tt.field, err)
		}
	}
	if _, err := NewDialer(Upstream{}, Options{}); err == nil {
		t.Error("NewDialer took an upstream without a domain, want an error")
	}
}

func TestDefaults(t *testing.T) {
	u := Upstream{Domain: "B\u00fccher.test"}.withDefaults()
	if u.ServerName != "xn--bcher-kva.test" || u.RedirectAllow[0] != "xn--bcher-kva.test" || u.RedirectAllow[1] != "*.xn--bcher-kva.test" {
		t.Errorf("names: got %q %q, want ServerName xn--bcher-kva.test, u.RedirectAllow[0] xn--bcher-kva.test, u.RedirectAllow[1] *.xn--bcher-kva.test", u.ServerName, u.RedirectAllow)
	}
	if u.KeepAlive != 55*time.Second || u.PingTimeout != 20*time.Second || u.DialTimeout != 5*time.Second {
		t.Errorf("times: got %v %v %v, want KeepAlive 55 s, PingTimeout 20 s, DialTimeout 5 s", u.KeepAlive, u.PingTimeout, u.DialTimeout)
	}
	if v := (Upstream{Domain: "a.test", RedirectAllow: []string{}}).withDefaults(); len(v.RedirectAllow) != 0 {
		t.Errorf("an empty list must stay empty: got %q, want none", v.RedirectAllow)
	}
	m := Upstream{Domain: "a.test", Profile: ProfileMessenger}.withDefaults().capabilities()
	if m.EditRoster || m.StoreVCard || !m.ChatOnly || m.Archive != "136" || m.ArchiveMax != 10 || !m.LookupJID {
		t.Errorf("capabilities() of the Messenger profile = %+v, want chat only, archive 136 of 10, lookup, no editing", m)
	}
}

func TestSplitAddress(t *testing.T) {
	for _, tt := range []struct {
		in, host string
		port     uint16
	}{
		{"a.test", "a.test", 0}, {"a.test:5223", "a.test", 5223}, {"A.Test.", "A.Test.", 0},
		{"192.0.2.1:1", "192.0.2.1", 1}, {"2001:db8::1", "2001:db8::1", 0}, {"[2001:db8::1]", "2001:db8::1", 0},
		{"[2001:db8::1]:5222", "2001:db8::1", 5222}, {"BAYMSG1020127.gateway.edge.a.test", "BAYMSG1020127.gateway.edge.a.test", 0},
		{"", "", 0}, {":5222", "", 0}, {"a.test:", "", 0}, {"a.test:0", "", 0}, {"a.test:65536", "", 0}, {"a.test:+1", "", 0},
		{"a.test:5222:1", "", 0}, {"[a.test]", "", 0}, {"user@a.test", "", 0}, {"a.test/x", "", 0}, {"a test", "", 0},
		{"fe80::1%eth0", "", 0}, {"-a.test", "", 0}, {"a..test", "", 0}, {strings.Repeat("a", 64), "", 0}, {"a.test\n", "", 0},
		{"[::1", "", 0}, {"::1]", "", 0}, {"\u00e4.test", "", 0},
	} {
		host, port, err := address.Split(tt.in)
		if host != tt.host || port != tt.port || (err == nil) != (tt.host != "") {
			t.Errorf("%q: got %q %d %v, want host %v, port %v, taken: %v", tt.in, host, port, err, tt.host, tt.port, (tt.host != ""))
		}
	}
}

func FuzzSplitAddress(f *testing.F) {
	for _, s := range []string{"a.test", "a.test:5222", "[::1]:1", "::1", "[", "]:", "a:b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		host, port, err := address.Split(s)
		if err != nil {
			return
		}
		if strings.ContainsAny(host, " <>'\"/@[]%\x00\n") {
			t.Errorf("%q gave host %q, want a name or an address", s, host)
		}
		if port != 0 { // what was understood is understood again
			h, p, err := address.Split(target{host: host, port: port}.String())
			if h != host || p != port || err != nil {
				t.Errorf("%q: got %q %d, then %q %d %v; want h %v, p %v, no error", s, host, port, h, p, err, host, port)
			}
		}
	})
}

func TestDialControl(t *testing.T) {
	for addr, ok := range map[string]bool{
		"8.8.8.8:5222": true, "8.8.8.8:443": true, "[2606:4700::1111]:5223": true,
		"8.8.8.8:22": false, "8.8.8.8:6379": false, "8.8.8.8:5269": false,
		"127.0.0.1:5222": false, "127.9.9.9:5222": false, "[::1]:5222": false, "0.0.0.0:5222": false, "[::]:5222": false,
		"10.0.0.1:5222": false, "172.16.0.1:5222": false, "192.168.1.1:5222": false, "[fd00:ec2::254]:5222": false,
		"169.254.169.254:443": false, "[fe80::1%lo]:5222": false, "100.64.0.1:5222": false, "100.127.255.255:443": false,
		"[::ffff:8.8.8.8]:5222": false, "[::ffff:127.0.0.1]:5222": false, "[::127.0.0.1]:5222": false,
		"[64:ff9b::7f00:1]:5222": false, "[2002:7f00:1::]:5222": false, "[2001::1]:5222": false, "[fec0::1]:5222": false,
		"224.0.0.1:5222": false, "255.255.255.255:5222": false, "240.0.0.1:5222": false, "198.18.0.1:5222": false,
		"192.0.2.1:5222": false, "[2001:db8::1]:5222": false, "[ff02::1]:5222": false, "not an address": false, "a.test:5222": false,
	} {
		if got := address.Control("tcp", addr, nil) == nil; got != ok {
			t.Errorf("%s: %v, want %v", addr, got, ok)
		}
	}
	if address.Public(netip.Addr{}) {
		t.Error("the zero address is public, want it refused")
	}
}

func TestRedirectAllowed(t *testing.T) {
	patterns := []string{"a.test", "*.a.test", "Gw.Other.test.", "192.0.2.7"}
	for host, ok := range map[string]bool{
		"a.test": true, "x.a.test": true, "x.y.a.test": true, "gw.other.test": true, "192.0.2.7": true,
		"evil.test": false, "xa.test": false, "a.test.evil": false, ".a.test": false, "other.test": false, "x.gw.other.test": false,
		"192.0.2.70": false, "": false,
	} {
		up := Upstream{RedirectAllow: patterns, named: named{redirects: true}}
		if got, _ := up.redirectAllowed(host, portStartTLS); got != ok {
			t.Errorf("%q: want %v", host, ok)
		}
	}
}
