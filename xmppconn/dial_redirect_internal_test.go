package xmppconn

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/streamtest"
)

func seeOther(content string) string {
	return "<stream:error><see-other-host xmlns='" + nsStreams + "'>" + content + "</see-other-host></stream:error></stream:stream>"
}

// TestM03RedirectStages follows see-other-host wherever a server may send it.
func TestM03RedirectStages(t *testing.T) {
	const to = "BY2MSG1.Gateway.a.test"
	for _, tt := range []struct {
		name   string
		script func(*fakeServer)
	}{
		{"before TLS", func(p *fakeServer) { p.header(); p.send(streamtest.Header + seeOther(to)) }},
		{"in place of proceed", func(p *fakeServer) { p.open(offerTLS); p.next(); p.send(seeOther(to)) }},
		{"after TLS", func(p *fakeServer) { p.startTLS(); p.header(); p.send(streamtest.Header + seeOther(to)) }},
		{"in place of success", func(p *fakeServer) {
			p.startTLS()
			p.open(offerSASL("X-MESSENGER-OAUTH2"))
			p.next()
			p.send(seeOther(to))
		}},
		{"after authentication", func(p *fakeServer) {
			p.startTLS()
			p.authenticate()
			p.fr.Reset(p.conn)
			p.header()
			p.send(streamtest.Header + seeOther(to))
		}},
		{"in place of bind", func(p *fakeServer) {
			p.startTLS()
			p.authenticate()
			p.open(offerBind)
			p.next()
			p.send(seeOther(to))
		}},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			w := newFakeNetwork(t, messengerUp())
			w.serve("xmpp.a.test:5222", func(p *fakeServer) { tt.script(p); p.drain() })
			w.serve("by2msg1.gateway.a.test:5222", func(p *fakeServer) { // the certificate is still a.test's
				p.startTLS()
				if got := p.authenticate(); got != testToken {
					t.Errorf("token %q at the second host, want %v", got, testToken)
				}
				if p.lastTo != "a.test" || p.state.ServerName != "a.test" {
					t.Errorf("to %q, SNI %q at the second host; want to a.test, ServerName a.test", p.lastTo, p.state.ServerName)
				}
				p.open(offerBind)
				p.bind(string(testSelf))
				p.drain()
			})
			w.dial()
			if w.d.counters.Redirects.Load() != 1 || len(w.dialed) != 2 {
				t.Errorf("got %d redirects, dialled %q; want Redirects 1, 2 dialled", w.d.counters.Redirects.Load(), w.dialed)
			}
		})
	}
}

// TestM03RedirectRefused is where a redirect may not lead. Nothing but a stream header, and
// above all no token, may get there.
func TestM03RedirectRefused(t *testing.T) {
	for _, content := range []string{
		"evil.test", "127.0.0.1:6379", "169.254.169.254", "[::1]:5222", "::1", "a.test.evil", "a.test@evil.test", "a.test/x",
		"gw.a.test:6379", "gw.a.test:7000", "gw.a.test:22", "a.test:80",
		"a.test:0", "a.test:99999", "", " ", "xa.test", "http://gw.a.test/", "gw.a.test\u2024evil", "a.test evil.test",
	} {
		bubble(t, content, func(t *testing.T) {
			w := newFakeNetwork(t, messengerUp())
			w.serve("xmpp.a.test:5222", func(p *fakeServer) {
				p.startTLS()
				p.header()
				p.send(streamtest.Header + seeOther(content))
				p.silence()
			})
			w.dialError(perch.KindRedirectRefused)
			if len(w.dialed) != 1 {
				t.Errorf("dialled %q, want 1 dialled", w.dialed)
			}
		})
	}
	bubble(t, "the new host has another certificate", func(t *testing.T) {
		w := newFakeNetwork(t, messengerUp())
		w.serve("xmpp.a.test:5222", func(p *fakeServer) { p.header(); p.send(streamtest.Header + seeOther("gw.a.test")); p.drain() })
		w.serve("gw.a.test:5222", func(p *fakeServer) { p.cert = testPKI().issue(nil, "gw.a.test"); p.startTLS() })
		w.dialError(perch.KindUpstreamTLS)
	})
}

func TestM03RedirectChains(t *testing.T) {
	hop := func(to string) func(*fakeServer) {
		return func(p *fakeServer) { p.header(); p.send(streamtest.Header + seeOther(to)); p.drain() }
	}
	chain := func(w *fakeNetwork, n int) {
		w.serve("xmpp.a.test:5222", hop("h1.a.test"))
		for i := 1; i < n; i++ {
			w.serve(fmt.Sprintf("h%d.a.test:5222", i), hop(fmt.Sprintf("h%d.a.test", i+1)))
		}
		w.serve(fmt.Sprintf("h%d.a.test:5222", n), func(p *fakeServer) { p.login(); p.drain() })
	}
	bubble(t, "five", func(t *testing.T) { w := newFakeNetwork(t, messengerUp()); chain(w, 5); w.dial() })
	bubble(t, "six", func(t *testing.T) {
		w := newFakeNetwork(t, messengerUp())
		chain(w, 6)
		w.dialError(perch.KindRedirectRefused)
		if len(w.dialed) != 6 {
			t.Errorf("dialled %q, want 6 dialled", w.dialed)
		}
	})
	otherPort := func() Upstream {
		up := messengerUp()
		up.RedirectAllow = []string{"*.a.test", "gw.a.test:7000"}
		return up
	}
	bubble(t, "a circle", func(t *testing.T) {
		w := newFakeNetwork(t, otherPort())
		w.serve("xmpp.a.test:5222", hop("gw.a.test:7000"))
		w.serve("gw.a.test:7000", hop("XMPP.a.test."))
		w.dialError(perch.KindRedirectRefused)
		if len(w.dialed) != 2 {
			t.Errorf("dialled %q, want 2 dialled", w.dialed)
		}
	})
	bubble(t, "bare IPv6, allowed by name", func(t *testing.T) {
		up := messengerUp()
		up.RedirectAllow = []string{"2001:db8::7"}
		w := newFakeNetwork(t, up)
		w.serve("xmpp.a.test:5222", hop("2001:DB8::7"))
		w.serve("[2001:db8::7]:5222", hop("[2001:db8::7]:7000"))
		w.serve("[2001:db8::7]:7000", func(p *fakeServer) { p.login(); p.drain() })
		w.dial()
	})
	bubble(t, "direct TLS stays direct", func(t *testing.T) {
		up := otherPort()
		up.Address = "xmpp.a.test:443"
		w := newFakeNetwork(t, up)
		w.serve("xmpp.a.test:443", func(p *fakeServer) { p.handshake(); hop("gw.a.test:7000")(p) })
		w.serve("gw.a.test:7000", func(p *fakeServer) { p.handshake(); hop("gw.a.test")(p) })
		w.serve("gw.a.test:5222", func(p *fakeServer) { p.login(); p.drain() }) // 5222 is STARTTLS
		w.dial()
	})
}

// TestM03RedirectOnlyFromTheStream sends what a contact could: the same words inside of a
// message do nothing.
func TestM03RedirectOnlyFromTheStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, c, b, p := online(t, messengerUp())
		inner := strings.TrimSuffix(seeOther("gw.a.test"), "</stream:stream>")
		p.send("<message from='x@a.test' type='chat'><body>hi</body>" + inner + "</message>")
		p.send("<message from='x@a.test'><body>" + "&lt;/message>" + "</body><stream:stream>" + inner + "</stream:stream></message>")
		p.send("<message from='x@a.test'><error xmlns='" + nsStream + "'><see-other-host xmlns='" + nsStreams + "'>gw.a.test</see-other-host></error><body>ho</body></message>")
		if in := b.take(); len(in) != 3 {
			t.Errorf("%d messages: got %v, want 3 deliveries", len(in), in)
		}
		if c.Err() != nil {
			t.Errorf("the connection ended: got %v, want no error", c.Err())
		}
	})
}

func TestM03RedirectInMidSession(t *testing.T) {
	bubble(t, "the next Dial begins there", func(t *testing.T) {
		w, c, _, p := online(t, messengerUp())
		go func() { defer func() { _ = recover() }(); p.drain() }()
		if _, err := p.conn.Write([]byte(seeOther("gw.a.test"))); err != nil {
			t.Fatalf("p.conn.Write(): got error %v, want none", err)
		}
		<-c.Done()
		re, ok := errors.AsType[*RedirectError](c.Err())
		if !ok || re.Host != "gw.a.test" || re.Port != 5222 || re.Stage != StageMidSession || perch.KindOf(c.Err()) != perch.KindLinkLost {
			t.Errorf("got %v, want Host gw.a.test, Port 5222, Stage %v, %s", c.Err(), StageMidSession, perch.KindLinkLost)
		}
		w.serve("gw.a.test:5222", func(p *fakeServer) { p.login(); p.drain() })
		w.dialed = nil
		w.dial()
		w.serve("xmpp.a.test:5222", func(p *fakeServer) { p.login(); p.drain() })
		w.dial() // once only
		if want := []string{"gw.a.test:5222", "xmpp.a.test:5222"}; !slices.Equal(w.dialed, want) {
			t.Errorf("dialled %q, want %v", w.dialed, want)
		}
	})
	bubble(t, "a refused host", func(t *testing.T) {
		w, c, _, p := online(t, messengerUp())
		go func() { defer func() { _ = recover() }(); p.drain() }()
		if _, err := p.conn.Write([]byte(seeOther("evil.test"))); err != nil {
			t.Fatalf("p.conn.Write(): got error %v, want none", err)
		}
		<-c.Done()
		if perch.KindOf(c.Err()) != perch.KindRedirectRefused {
			t.Errorf("got %v, want %s", c.Err(), perch.KindRedirectRefused)
		}
		if _, ok := w.d.redirects.pop(c.account, time.Now()); ok {
			t.Error("it is remembered, want none")
		}
	})
	bubble(t, "memory fades", func(t *testing.T) {
		r := newRedirects()
		r.remember(1, target{host: "a"}, time.Now())
		r.remember(2, target{host: "b"}, time.Now())
		time.Sleep(5*time.Minute + 1)
		if _, ok := r.pop(1, time.Now()); ok {
			t.Error("remembered for too long, want none")
		}
		for i := range uint64(1<<16 + 10) {
			r.remember(i+10, target{}, time.Now())
		}
		if n := r.targets.Len(); n != 1<<16 {
			t.Errorf("%d remembered, want 65536", n)
		}
		if _, ok := r.pop(10, time.Now()); !ok {
			t.Error("got the first one forgotten for those that were too many, want it remembered")
		}
	})
}

// TestRedirectPorts holds which ports a redirect may lead to.
func TestRedirectPorts(t *testing.T) {
	for _, tt := range []struct {
		name           string
		allow          []string
		address, to    string
		byo            bool
		allowed, named bool
	}{
		{name: "the default, port of XMPP", to: "gw.a.test:5223", allowed: true},
		{name: "the default, no port", to: "a.test", allowed: true},
		{name: "the default, another port", to: "gw.a.test:6379"},
		{name: "the default, the domain itself", to: "a.test:6379"},
		{name: "the default, port of the address", address: "xmpp.a.test:7000", to: "gw.a.test:7000", allowed: true},
		{name: "a pattern, another port", allow: []string{"*.a.test"}, to: "gw.a.test:6379"},
		{name: "a pattern with the port", allow: []string{"*.A.test:7000"}, to: "gw.a.test:7000", allowed: true},
		{name: "a pattern with another port", allow: []string{"*.a.test:7000"}, to: "gw.a.test:5222"},
		{name: "a name, any port", allow: []string{"gw.a.test"}, to: "gw.a.test:7000", allowed: true, named: true},
		{name: "a name with another port", allow: []string{"gw.a.test:7000"}, to: "gw.a.test:5222"},
		{name: "a name with the port", allow: []string{"gw.a.test:7000"}, to: "gw.a.test:7000", allowed: true, named: true},
		{name: "an address", allow: []string{"[::1]:7000"}, to: "[::1]:7000", allowed: true, named: true},
		{name: "a client's upstream", byo: true, to: "gw.a.test:7000"},
		{name: "a client's upstream, whatever is named", byo: true, allow: []string{"gw.a.test"}, to: "gw.a.test:6379"},
		{name: "a client's upstream, port of XMPP", byo: true, to: "gw.a.test:443", allowed: true},
		{name: "nowhere", allow: []string{}, to: "a.test"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			up := Upstream{Domain: "a.test", Address: tt.address, RedirectAllow: tt.allow, BringYourOwn: tt.byo}
			if err := up.Validate(); err != nil {
				t.Fatalf("up.Validate(): got error %v, want none", err)
			}
			up = up.withDefaults()
			err := up.redirect(tt.to, StageAfterTLS, false)
			re, _ := errors.AsType[*RedirectError](error(err))
			if got := err.Kind == perch.KindLinkLost; got != tt.allowed || got && re.checkAddress == tt.named {
				t.Errorf("got %v (%+v), want allowed %v, named %v", err, re, tt.allowed, tt.named)
			}
		})
	}
	if err := (Upstream{Domain: "a.test", RedirectAllow: []string{"a.test:99999"}}).Validate(); perch.KindOf(err) != perch.KindValidation {
		t.Errorf("a port that is none: got %v, want %s", err, perch.KindValidation)
	}
}

// TestRedirectAddresses follows a name below the domain only to where a server outside may
// lead.
func TestRedirectAddresses(t *testing.T) {
	all := []string{"8.8.8.8", "127.0.0.1", "::1", "10.0.0.1", "100.64.0.1", "fd00::1", "169.254.169.254", "fe80::1", "0.0.0.0", "224.0.0.1", "192.0.2.1", "::ffff:127.0.0.1"}
	for _, tt := range []struct {
		reached, want []string
	}{
		{nil, []string{"8.8.8.8"}},
		{[]string{"1.1.1.1"}, []string{"8.8.8.8"}},
		{[]string{"127.0.0.1"}, []string{"8.8.8.8", "127.0.0.1", "::1", "::ffff:127.0.0.1"}},
		{[]string{"192.168.0.1"}, []string{"8.8.8.8", "10.0.0.1", "100.64.0.1", "fd00::1"}},
		{[]string{"169.254.1.1"}, []string{"8.8.8.8"}},
	} {
		d := &Dialer{}
		for _, a := range tt.reached {
			d.noteNetwork(a)
		}
		if got := d.redirectAddresses(all); !slices.Equal(got, tt.want) {
			t.Errorf("reached %q: got %q, want %q", tt.reached, got, tt.want)
		}
	}
	bubble(t, "from outside to loopback", func(t *testing.T) {
		w := newFakeNetwork(t, messengerUp())
		w.names["gw.a.test"] = netip.MustParseAddr("127.0.0.1")
		w.serve("xmpp.a.test:5222", func(p *fakeServer) { p.header(); p.send(streamtest.Header + seeOther("gw.a.test")); p.drain() })
		w.dialError(perch.KindRedirectRefused)
		if len(w.dialed) != 1 {
			t.Errorf("dialled %q, want 1 dialled", w.dialed)
		}
	})
}
