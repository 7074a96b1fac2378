package xmppconn

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/address"
)

// records reads "host:port/priority/weight".
func records(texts ...string) (list []*net.SRV) {
	for _, t := range texts {
		r := &net.SRV{}
		parts := strings.FieldsFunc(t, func(r rune) bool { return r == ':' || r == '/' })
		r.Target = parts[0] + "."
		_, _ = fmt.Sscan(strings.Join(parts[1:], " "), &r.Port, &r.Priority, &r.Weight)
		list = append(list, r)
	}
	return list
}

// dnsServer answers from a zone over UDP on loopback, and returns a resolver that asks it.
func dnsServer(t *testing.T, zone ...string) *net.Resolver {
	t.Helper()
	byName := map[string][]dns.RR{}
	for _, line := range zone {
		rr, err := dns.NewRR(line)
		if err != nil {
			t.Fatalf("dns.NewRR(): got error %v, want none", err)
		}
		key := strings.ToLower(rr.Header().Name) + dns.TypeToString[rr.Header().Rrtype]
		byName[key] = append(byName[key], rr)
	}
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("net.ListenPacket(): got error %v, want none", err)
	}
	s := &dns.Server{PacketConn: pc, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg)
		m.SetReply(q)
		m.Answer = byName[strings.ToLower(q.Question[0].Name)+dns.TypeToString[q.Question[0].Qtype]]
		if len(m.Answer) == 0 {
			m.Rcode = dns.RcodeNameError
		}
		_ = w.WriteMsg(m)
	})}
	served := make(chan struct{})
	go func() { _ = s.ActivateAndServe(); close(served) }()
	t.Cleanup(func() { _ = s.Shutdown(); _ = pc.Close(); <-served })
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", pc.LocalAddr().String())
	}}
}

// TestM01TargetsFromDNS asks a real name server.
func TestM01TargetsFromDNS(t *testing.T) {
	const client, secure = "_xmpp-client._tcp.a.test. 60 IN SRV ", "_xmpps-client._tcp.a.test. 60 IN SRV "
	for _, tt := range []struct {
		name string
		mode TLSMode
		zone []string
		want string
		kind perch.Kind
	}{
		{"no records", TLSAuto, nil, "a.test:5222", ""},
		{"no records, direct", TLSDirect, nil, "a.test:5223+", ""},
		{"by priority", TLSAuto, []string{client + "20 0 5222 two.a.test.", client + "10 0 5299 One.a.test."}, "one.a.test:5299 two.a.test:5222", ""},
		{"both kinds merged", TLSAuto, []string{client + "20 0 5222 c2.a.test.", secure + "10 0 5223 s1.a.test.", secure + "30 0 443 s3.a.test."},
			"s1.a.test:5223+ c2.a.test:5222 s3.a.test:443+", ""},
		{"only STARTTLS wanted", TLSStartTLS, []string{client + "20 0 5222 c2.a.test.", secure + "10 0 5223 s1.a.test."}, "c2.a.test:5222", ""},
		{"only direct wanted", TLSDirect, []string{client + "5 0 5222 c2.a.test.", secure + "10 0 5223 s1.a.test."}, "s1.a.test:5223+", ""},
		{"not offered", TLSAuto, []string{client + "0 0 0 .", secure + "0 0 0 ."}, "", perch.KindUpstreamConfig},
		{"STARTTLS not offered", TLSStartTLS, []string{client + "0 0 0 ."}, "", perch.KindUpstreamConfig},
		{"one kind not offered", TLSAuto, []string{client + "0 0 0 .", secure + "10 0 5223 s1.a.test."}, "s1.a.test:5223+", ""},
		{"direct not offered, STARTTLS not said", TLSAuto, []string{secure + "0 0 0 ."}, "a.test:5222", ""},
		{"STARTTLS not offered, direct not said", TLSAuto, []string{client + "0 0 0 ."}, "", perch.KindUpstreamConfig},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u := Upstream{Domain: "a.test", TLS: tt.mode, Resolver: dnsServer(t, tt.zone...)}.withDefaults()
			targets, err := u.targets(context.Background())
			if tt.kind != "" {
				if perch.KindOf(err) != tt.kind {
					t.Errorf("got %v, %v; want %v", targets, err, tt.kind)
				}
				return
			}
			if got := targetsText(targets); got != tt.want || err != nil {
				t.Errorf("%q, %v; want %q", got, err, tt.want)
			}
		})
	}
}

// brokenResolver fails to look up addresses, and SRV records too.
type brokenResolver struct{ err error }

func (r brokenResolver) LookupSRV(context.Context, string, string, string) (string, []*net.SRV, error) {
	return "", nil, r.err
}

func (r brokenResolver) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return nil, r.err
}

// TestNameServerFailures: that DNS does not answer, or fails, proves nothing about the upstream's
// configuration; that it does not know the name does.
func TestNameServerFailures(t *testing.T) {
	for name, tt := range map[string]struct {
		err   error
		kind  perch.Kind
		cause perch.Cause
	}{
		"no such host": {&net.DNSError{Err: "no such host", Name: "a.test", IsNotFound: true}, perch.KindUpstreamConfig, perch.CauseName},
		"SERVFAIL":     {&net.DNSError{Err: "server misbehaving", Name: "a.test", IsTemporary: true}, perch.KindLinkLost, perch.CauseLookup},
		"no answer":    {&net.DNSError{Err: "i/o timeout", Name: "a.test", IsTimeout: true, IsTemporary: true}, perch.KindLinkLost, perch.CauseLookup},
	} {
		t.Run(name, func(t *testing.T) {
			_, got := Dial(context.Background(), Upstream{Domain: "a.test", Resolver: brokenResolver{tt.err}}, tokenAccount, Options{})
			if perch.KindOf(got) != tt.kind || perch.CauseOf(got) != tt.cause {
				t.Errorf("got %s, %s (%v), want %s, %s", perch.KindOf(got), perch.CauseOf(got), got, tt.kind, tt.cause)
			}
		})
	}
}

// TestFailureNamesItsTarget: an operator is sent to the place that the reported error is from.
func TestFailureNamesItsTarget(t *testing.T) {
	foreign := func(p *fakeServer) { p.cert = testPKI().issue(nil, "b.test"); p.startTLS() }
	for name, tt := range map[string]struct {
		second func(*fakeServer)
		within time.Duration
		want   string
		cause  perch.Cause
	}{
		"a certificate, then another one":             {foreign, 10 * time.Second, "one.a.test:5222", perch.CauseCertName},
		"a certificate, then silence":                 {(*fakeServer).silence, 10 * time.Second, "one.a.test:5222", perch.CauseCertName},
		"a certificate, then silence to the very end": {(*fakeServer).silence, 3 * time.Second, "two.a.test:5222", perch.CauseTimeout},
		"a certificate, then a refusal":               {failing("<not-authorized/>"), 10 * time.Second, "two.a.test:5222", perch.CauseCredential},
	} {
		bubble(t, name, func(t *testing.T) {
			up := messengerUp()
			up.Address, up.StepTimeout, up.SignInTimeout = "", 2*time.Second, tt.within
			w := newFakeNetwork(t, up)
			w.srv["xmpp-client"] = records("one.a.test:5222/10/0", "two.a.test:5222/20/0")
			w.serve("one.a.test:5222", foreign)
			w.serve("two.a.test:5222", tt.second)
			var got Failure
			w.d.failed = func(f Failure) { got = f }
			if _, err := w.d.Dial(context.Background(), tokenAccount, nil); err == nil || got.Target != tt.want || got.Cause != tt.cause {
				t.Errorf("got %+v, %v; want %s at %s", got, err, tt.cause, tt.want)
			}
		})
	}
}

func targetsText(list []target) string {
	var texts []string
	for _, t := range list {
		s := t.String()
		if t.direct {
			s += "+"
		}
		texts = append(texts, s)
	}
	return strings.Join(texts, " ")
}

func TestM01TargetsFromAddress(t *testing.T) {
	for _, tt := range []struct {
		address string
		mode    TLSMode
		want    string
	}{
		{"XMPP.a.test", "", "xmpp.a.test:5222"}, {"xmpp.a.test:443", "", "xmpp.a.test:443+"}, {"xmpp.a.test:5223", "", "xmpp.a.test:5223+"},
		{"xmpp.a.test:443", TLSStartTLS, "xmpp.a.test:443"}, {"xmpp.a.test", TLSDirect, "xmpp.a.test:5223+"}, {"::1", "", "[::1]:5222"},
		{"127.0.0.1:9", "", "127.0.0.1:9"},
	} {
		u := Upstream{Domain: "a.test", Address: tt.address, TLS: tt.mode}.withDefaults()
		targets, err := u.targets(context.Background())
		if got := targetsText(targets); got != tt.want || err != nil {
			t.Errorf("%s %s: got %q, %v; want %v, no error", tt.address, tt.mode, got, err, tt.want)
		}
	}
}

func TestM01OrderSRV(t *testing.T) {
	all := func() []srvTarget {
		var list []srvTarget
		for _, r := range records("a:1/10/0", "b:1/10/10", "c:1/10/90", "d:1/5/1") {
			list = append(list, srvTarget{target{host: strings.TrimSuffix(r.Target, "."), port: r.Port}, r.Priority, r.Weight})
		}
		return list
	}
	first := func(list []target) string {
		var s string
		for _, t := range list {
			s += t.host
		}
		return s
	}
	if got := first(orderSRV(all(), func(int) int { return 0 })); got != "dabc" {
		t.Errorf("lowest draws: got %s, want dabc", got)
	}
	if got := first(orderSRV(all(), func(n int) int { return n - 1 })); got != "dcba" {
		t.Errorf("highest draws: got %s, want dcba", got)
	}
	counts := map[byte]int{}
	for draw := range 101 { // each value that can be drawn for the first of priority 10
		calls := 0
		order := first(orderSRV(all(), func(n int) int {
			if calls++; calls == 2 {
				return draw % n
			}
			return 0
		}))
		counts[order[1]]++
	}
	if counts['a'] != 1 || counts['b'] != 10 || counts['c'] != 90 {
		t.Errorf("weights 0, 10, 90 were drawn %v times; want about 1, 10 and 90 of 101", counts)
	}
	var many []srvTarget
	for i := range 100 {
		many = append(many, srvTarget{target{host: fmt.Sprint("h", i), port: 1}, uint16(i), 0})
	}
	if got := len(orderSRV(many, func(int) int { return 0 })); got != 16 {
		t.Errorf("%d targets of one answer, want 16", got)
	}
}

// fixedResolver gives every name the same addresses.
type fixedResolver []netip.Addr

func (r fixedResolver) LookupSRV(context.Context, string, string, string) (string, []*net.SRV, error) {
	return "", nil, errors.New("no SRV")
}

func (r fixedResolver) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return r, nil
}

// TestBringYourOwn dials for real: whatever the name server says, nothing private is
// reached, and the error does not show what is there.
func TestBringYourOwn(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("net.Listen(): got error %v, want none", err)
	}
	defer l.Close()
	for name, addrs := range map[string]fixedResolver{
		"loopback": {netip.MustParseAddr("127.0.0.1")}, "mapped": {netip.MustParseAddr("::ffff:127.0.0.1")}, "v6": {netip.MustParseAddr("::1")},
		"several": {netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("127.0.0.1")},
	} {
		t.Run(name, func(t *testing.T) {
			for _, hostport := range []string{"", l.Addr().String(), "127.0.0.1:5222"} {
				_, err := Dial(context.Background(), Upstream{Domain: "evil.test", Address: hostport, BringYourOwn: true, Resolver: addrs}, tokenAccount, Options{})
				if perch.KindOf(err) != perch.KindUpstreamConfig || !errors.Is(err, address.ErrRefused) {
					t.Errorf("%q: got %v, want %s, %v", hostport, err, perch.KindUpstreamConfig, address.ErrRefused)
				}
			}
		})
	}
}

func TestAddressesAlternate(t *testing.T) {
	var r fixedResolver
	for _, s := range []string{"192.0.2.1", "192.0.2.2", "2001:db8::1", "::ffff:192.0.2.3"} {
		r = append(r, netip.MustParseAddr(s))
	}
	d, err := NewDialer(Upstream{Domain: "a.test", Resolver: r}, Options{})
	if err != nil {
		t.Fatalf("NewDialer(): got error %v, want none", err)
	}
	got, err := d.addresses(context.Background(), "a.test")
	if want := []string{"2001:db8::1", "192.0.2.1", "192.0.2.2", "192.0.2.3"}; !slices.Equal(got, want) || err != nil {
		t.Errorf("got %q, %v; want %v, no error", got, err, want)
	}
	d.up.Resolver = fixedResolver{}
	if _, err := d.addresses(context.Background(), "a.test"); err == nil {
		t.Error("no addresses is no error, want an error")
	}
}
