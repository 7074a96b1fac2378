package app_test

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/perch-im/perch/app"
	"github.com/perch-im/perch/internal/testkit"
	"github.com/perch-im/perch/messenger"
)

// TestM01FoundByRecords starts from the domain alone: the name server knows targets that
// are dead, and one that is the service, where the certificate is the domain's.
func TestM01FoundByRecords(t *testing.T) {
	p := startMessenger(t, messengerAccounts(), func(u *app.Upstream) {
		_, port, _ := net.SplitHostPort(u.Address)
		u.Address, u.TLS = "", "starttls"
		nameServer(t, "dead.messenger.live.com. 60 IN A 127.0.0.1", "xmpp.messenger.live.com. 60 IN A 127.0.0.1",
			"_xmpp-client._tcp.messenger.live.com. 60 IN SRV 10 0 1 dead.messenger.live.com.",
			"_xmpp-client._tcp.messenger.live.com. 60 IN SRV 20 0 "+port+" xmpp.messenger.live.com.")
	})
	p.api.Get(t, "/v1/buddies")
	if n := p.s.Logins("alice"); n != 1 {
		t.Errorf("%d logins, want 1", n)
	}
}

// TestM01NotOffered is a domain whose records say that there is no such service.
func TestM01NotOffered(t *testing.T) {
	p := startMessenger(t, messengerAccounts(), func(u *app.Upstream) {
		u.Address, u.TLS = "", "starttls"
		nameServer(t, "_xmpp-client._tcp.messenger.live.com. 60 IN SRV 0 0 0 .")
	})
	wantProblem(t, p.api.Call(t, http.StatusBadGateway, http.MethodGet, "/v1/buddies", nil), "xmpp-error")
	if n := p.s.Stats().Connections; n != 0 {
		t.Errorf("%d connections, want 0", n)
	}
}

// nameServer answers from a zone on loopback, and is the one that the process asks until
// the test ends.
func nameServer(t *testing.T, zone ...string) {
	t.Helper()
	records := map[string][]dns.RR{}
	for _, line := range zone {
		rr, err := dns.NewRR(line)
		if err != nil {
			t.Fatalf("dns.NewRR: got error %v, want none", err)
		}
		key := rr.Header().Name + dns.TypeToString[rr.Header().Rrtype]
		records[key] = append(records[key], rr)
	}
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("net.ListenPacket: got error %v, want none", err)
	}
	s := &dns.Server{PacketConn: pc, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg)
		m.SetReply(q)
		m.Answer = records[strings.ToLower(q.Question[0].Name)+dns.TypeToString[q.Question[0].Qtype]]
		if len(m.Answer) == 0 {
			m.Rcode = dns.RcodeNameError
		}
		_ = w.WriteMsg(m)
	})}
	served := make(chan struct{})
	go func() { _ = s.ActivateAndServe(); close(served) }()
	before := net.DefaultResolver
	net.DefaultResolver = resolverAt(pc.LocalAddr().String())
	t.Cleanup(func() { net.DefaultResolver = before; _ = s.Shutdown(); _ = pc.Close(); <-served })
}

// TestM02CertificateIsChecked signs in to a service whose certificate another authority
// has signed: no token gets there.
func TestM02CertificateIsChecked(t *testing.T) {
	other := startMessenger(t, messengerAccounts())
	p := startMessenger(t, messengerAccounts(), func(u *app.Upstream) { u.CAFile = other.upstream.CAFile })
	wantProblem(t, p.api.Call(t, http.StatusBadGateway, http.MethodGet, "/v1/buddies", nil), "upstream-tls")
	if st := p.s.Stats(); st.Logins != 0 || st.Failures != 0 || st.Connections == 0 {
		t.Errorf("got %+v, want 0 and more than 0", st)
	}
}

// TestM03SeeOtherHostAtEveryStage follows a redirect wherever in signing in it comes, also
// when the host is in capitals or an IPv6 address.
func TestM03SeeOtherHostAtEveryStage(t *testing.T) {
	for _, stage := range []messenger.RedirectStage{messenger.RedirectPreTLS, messenger.RedirectPostTLS, messenger.RedirectPostAuth} {
		for _, host := range []string{"127.0.0.1", "LocalHost", "::1"} {
			t.Run(fmt.Sprint(stage, " ", host), func(t *testing.T) {
				p := startMessenger(t, messengerAccounts(), func(u *app.Upstream) { u.RedirectAllow = []string{"127.0.0.1", "localhost", "::1"} })
				_, port, _ := net.SplitHostPort(p.listenAt(t, net.JoinHostPort(strings.ToLower(host), "0")))
				p.redirect(t, messenger.Redirect{Stage: stage, Times: 1, Targets: []string{net.JoinHostPort(host, port)}})
				p.api.Get(t, "/v1/buddies")
				if st := p.s.Stats(); st.Redirects != 1 || st.Logins != 1 || st.Connections != 2 {
					t.Errorf("got %+v, want 1 and 2", st)
				}
			})
		}
	}
}

func (p *profile) redirect(t *testing.T, r messenger.Redirect) {
	t.Helper()
	if err := p.s.SetRedirect(r); err != nil {
		t.Fatalf("s.SetRedirect: got error %v, want none", err)
	}
}

// TestM03SeeOtherHostChains goes from host to host: five times and no more, and never in
// a circle.
func TestM03SeeOtherHostChains(t *testing.T) {
	loopback := func(u *app.Upstream) { u.RedirectAllow = []string{"127.0.0.1"} }
	doors := func(t *testing.T, p *profile, n int) (list []string) {
		for range n {
			list = append(list, p.listenAt(t, "127.0.0.1:0"))
		}
		return list
	}
	t.Run("five", func(t *testing.T) {
		p := startMessenger(t, messengerAccounts(), loopback)
		p.redirect(t, messenger.Redirect{Stage: messenger.RedirectPreTLS, Times: 5, Targets: doors(t, p, 5)})
		p.api.Get(t, "/v1/buddies")
	})
	refused := func(t *testing.T, p *profile, connections int64) {
		t.Helper()
		a := p.api.Call(t, http.StatusBadGateway, http.MethodGet, "/v1/buddies", nil)
		wantProblem(t, a, "xmpp-error")
		if !strings.Contains(a.JSON(t).Str("detail"), "redirect") {
			t.Errorf("the problem does not say why: %s, want %q in it", a.Body, "redirect")
		}
		if st := p.s.Stats(); st.Logins != 0 || st.Connections != connections {
			t.Errorf("got %+v, want 0 and %v", st, connections)
		}
	}
	t.Run("six", func(t *testing.T) {
		p := startMessenger(t, messengerAccounts(), loopback)
		p.redirect(t, messenger.Redirect{Stage: messenger.RedirectPostTLS, Targets: doors(t, p, 6)})
		refused(t, p, 6)
	})
	t.Run("circle", func(t *testing.T) {
		p := startMessenger(t, messengerAccounts(), loopback)
		p.redirect(t, messenger.Redirect{Stage: messenger.RedirectPostAuth, Targets: append(doors(t, p, 1), p.upstream.Address)})
		refused(t, p, 2)
	})
	t.Run("to itself", func(t *testing.T) {
		p := startMessenger(t, messengerAccounts(), loopback)
		p.redirect(t, messenger.Redirect{Stage: messenger.RedirectPreTLS})
		refused(t, p, 1)
	})
	t.Run("refused host", func(t *testing.T) {
		p := startMessenger(t, messengerAccounts()) // only the domain and what is below it
		p.redirect(t, messenger.Redirect{Stage: messenger.RedirectPostTLS, Targets: doors(t, p, 1)})
		refused(t, p, 1)
	})
}

// TestM03SeeOtherHostWhileOnline is sent elsewhere after the initial presence, and again in
// the middle of the session: it signs in there, and buddies do not flap.
func TestM03SeeOtherHostWhileOnline(t *testing.T) {
	p := startMessenger(t, messengerAccounts(), func(u *app.Upstream) { u.RedirectAllow = []string{"127.0.0.1"} })
	p.redirect(t, messenger.Redirect{Stage: messenger.RedirectOnline, Times: 1, Targets: []string{p.listenAt(t, "127.0.0.1:0")}})
	stream := live(t, p.api, "")
	testkit.Eventually(t, 20*time.Second, func() error {
		if s := p.api.Get(t, "/v1/session"); p.s.Logins("alice") != 2 || s.Str("state") != "online" {
			return fmt.Errorf("%d logins, session %v", p.s.Logins("alice"), s)
		}
		return nil
	})
	stream.Discard()
	if n := p.s.RedirectNow("alice", p.listenAt(t, "127.0.0.1:0")); n != 1 {
		t.Fatalf("%d streams of alice, want 1", n)
	}
	awaitReconnect(t, stream)
	if n := p.s.Logins("alice"); n != 3 {
		t.Errorf("%d logins, want 3", n)
	}
	if err := p.s.Deliver("bob", "alice", "found you"); err != nil {
		t.Fatalf("s.Deliver: got error %v, want none", err)
	}
	stream.Expect(t, "message", message("message.received", "found you"))
	for _, f := range stream.Frames() {
		if f.Type == "presence" && f.Data.Str("jid") == p.jid("bob") && !f.Data.Bool("available") {
			t.Errorf("bob flapped: %s, want available true", f.Raw)
		}
	}
}

// TestM04TokenIsTheBearer gives tokens to the gateway as a browser may have them: as they
// are, percent-encoded as in the fragment of a redirect, and very long.
func TestM04TokenIsTheBearer(t *testing.T) {
	long := strings.Repeat("EwBwaBcD", 1280) + "+/==" // 10 kB
	p := startMessenger(t, messengerAccounts())
	for name, token := range map[string]string{"issued": "", "long": long} {
		t.Run(name, func(t *testing.T) {
			if token == "" {
				var err error
				if token, err = p.s.IssueToken("carol", 0); err != nil {
					t.Fatalf("s.IssueToken: got error %v, want none", err)
				}
			} else if err := p.s.AddToken("carol", token, 0); err != nil {
				t.Fatalf("s.AddToken: got error %v, want none", err)
			}
			for _, text := range []string{token, url.QueryEscape(token)} {
				before := p.s.Logins("carol")
				g := p.as(t, text)
				if s := g.Get(t, "/v1/buddies"); len(s.List("items")) != 1 {
					t.Errorf("got %v, want 1", s)
				}
				g.Call(t, http.StatusNoContent, http.MethodDelete, "/v1/session", nil)
				if n := p.s.Logins("carol"); n != before+1 {
					t.Errorf("%d logins, want %v", n-before, before+1)
				}
			}
		})
	}
	wantProblem(t, p.as(t, "bm90IGEgdG9rZW4=").Call(t, http.StatusUnauthorized, http.MethodGet, "/v1/buddies", nil), "unauthorized")
	if n := p.s.Stats().Failures; n != 1 {
		t.Errorf("%d refusals, want 1", n)
	}
}

// TestM05JIDIsAnOutcome signs in without a JID, and finds the service's own in the session.
func TestM05JIDIsAnOutcome(t *testing.T) {
	p := startMessenger(t, messengerAccounts())
	p.api.Get(t, "/v1/buddies")
	s := p.api.Get(t, "/v1/session")
	if s.Str("jid") != p.jid("alice") || s.Str("resource") != p.s.Resources("alice")[0] {
		t.Errorf("session %v, want what the service has: %s/%s", s, p.jid("alice"), p.s.Resources("alice"))
	}
}
