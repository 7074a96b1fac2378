package xmppconn_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/testkit"
	"github.com/perch-im/perch/xmppconn"
)

// dialReal signs in on a real server and starts to read into a channel.
func dialReal(t *testing.T, up xmppconn.Upstream, acc perch.Account) (*xmppconn.Conn, <-chan perch.Inbound) {
	t.Helper()
	c, err := xmppconn.Dial(context.Background(), up, acc, xmppconn.Options{})
	if err != nil {
		t.Fatalf("xmppconn.Dial(): got error %v, want none", err)
	}
	in := make(chan perch.Inbound, 256)
	c.Start(func(_ uint64, i perch.Inbound) { in <- i }, func() {})
	t.Cleanup(func() { _ = c.Close(context.Background()) })
	return c, in
}

// await returns the first thing of type T that fits.
func await[T perch.Inbound](t *testing.T, in <-chan perch.Inbound, fits func(T) bool) T {
	t.Helper()
	late := time.After(20 * time.Second)
	for {
		select {
		case i := <-in:
			if v, ok := i.(T); ok && fits(v) {
				return v
			}
		case <-late:
			var none T
			t.Fatalf("got no %T, want one", none)
		}
	}
}

func upstreamOf(s *testkit.Server, domain string) xmppconn.Upstream {
	return xmppconn.Upstream{Name: s.Name, Domain: domain, Address: s.Addr, RootCAs: s.CA}
}

// TestRealServers signs in on Prosody and ejabberd with every mechanism that they have, and
// lets two accounts meet.
func TestRealServers(t *testing.T) {
	for name, start := range map[string]func() (s *testkit.Server, logins map[string]string){
		"Prosody": func() (*testkit.Server, map[string]string) {
			return testkit.Prosody(t, testkit.ProsodyOptions{}), map[string]string{
				"X-MESSENGER-OAUTH2": "", "OAUTHBEARER": "", "X-OAUTH2": "", "PLAIN": "",
				"SCRAM-SHA-1": testkit.ProsodySCRAM, "SCRAM-SHA-256": testkit.ProsodySCRAM256,
			}
		},
		"ejabberd": func() (*testkit.Server, map[string]string) {
			return testkit.Ejabberd(t), map[string]string{"X-OAUTH2": "", "SCRAM-SHA-1": "", "PLAIN": ""}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, logins := start()
			for mech, domain := range logins {
				t.Run(mech, func(t *testing.T) { signInReal(t, s, mech, domain) })
			}
			t.Run("direct TLS", func(t *testing.T) {
				u := s.NewUser(t, "direct")
				up := upstreamOf(s, s.Domain)
				up.Address, up.TLS = s.DirectAddr, xmppconn.TLSDirect
				dialReal(t, up, perch.Account{JID: perch.JID(u.JID), Password: perch.NewSecret(u.Password)})
			})
			t.Run("two accounts", func(t *testing.T) { meetReal(t, s) })
		})
	}
}

func signInReal(t *testing.T, s *testkit.Server, mech, domain string) {
	if domain == "" {
		domain = s.Domain
	}
	u := s.NewUserAt(t, "login", domain)
	acc := perch.Account{JID: perch.JID(u.JID), Password: perch.NewSecret(u.Password), Mechanism: mech, Resource: "gw-1"}
	bad := acc
	bad.Password = perch.NewSecret("wrong")
	if mech[0] == 'X' || mech[0] == 'O' {
		acc.Password, acc.Token = perch.Secret{}, perch.NewSecret(s.IssueToken(t, u.JID))
		bad.Password, bad.Token = perch.Secret{}, perch.NewSecret("d3Jvbmc=")
	}
	c, _ := dialReal(t, upstreamOf(s, domain), acc)
	if got := c.Login().JID; got != perch.JID(u.JID)+"/gw-1" {
		t.Errorf("bound %s, want %v", got, perch.JID(u.JID)+"/gw-1")
	}
	if took, err := c.Ping(context.Background()); err != nil || took <= 0 {
		t.Errorf("ping: got %v, %v; want no error, more than 0", took, err)
	}
	_, err := xmppconn.Dial(context.Background(), upstreamOf(s, domain), bad, xmppconn.Options{})
	if perch.KindOf(err) != perch.KindUnauthorized {
		t.Errorf("a wrong credential: got %v, want %s", err, perch.KindUnauthorized)
	}
}

// meetReal is a subscription, presence, a message with its acknowledgement, a vCard, and the
// archive between two accounts.
func meetReal(t *testing.T, s *testkit.Server) {
	ctx := context.Background()
	account := func(prefix string) perch.Account {
		u := s.NewUser(t, prefix)
		return perch.Account{JID: perch.JID(u.JID), Password: perch.NewSecret(u.Password)}
	}
	alice, bob := account("alice"), account("bob")
	a, inA := dialReal(t, upstreamOf(s, s.Domain), alice)
	b, inB := dialReal(t, upstreamOf(s, s.Domain), bob)
	send := func(c *xmppconn.Conn, out perch.Outbound) uint64 {
		t.Helper()
		n, err := c.Send(out)
		if err != nil {
			t.Fatalf("c.Send(): got error %v, want none", err)
		}
		return n
	}
	for _, c := range []*xmppconn.Conn{a, b} {
		if r, err := c.Roster(ctx, ""); err != nil || len(r.Items) != 0 {
			t.Fatalf("roster: got %+v, %v; want no error, 0 items", r, err)
		}
		send(c, &perch.PresenceOut{OwnPresence: perch.OwnPresence{Available: true}})
	}
	if err := a.SetRosterItem(ctx, bob.JID, "B\u00f6b", []string{"Friends"}); err != nil {
		t.Fatalf("a.SetRosterItem(): got error %v, want none", err)
	}
	await(t, inA, func(p *perch.RosterPush) bool { return p.Item.Name == "B\u00f6b" })
	send(a, &perch.SubscriptionOut{To: bob.JID, Type: "subscribe", Nick: "Alice"})
	if in := await(t, inB, func(i *perch.SubscriptionIn) bool { return i.Type == "subscribe" }); in.Nick != "Alice" {
		t.Errorf("invitation: got %+v, want Nick Alice", in)
	}
	send(b, &perch.SubscriptionOut{To: alice.JID, Type: "subscribed"})
	await(t, inA, func(p *perch.PresenceIn) bool { return p.From.Bare() == bob.JID && p.Available })

	n := send(a, &perch.MessageOut{ID: "m-1", To: bob.JID, Kind: perch.ChatMessage, Body: "h\u00e9 \U0001f426 <&>"})
	if m := await(t, inB, func(*perch.MessageIn) bool { return true }); m.Body != "h\u00e9 \U0001f426 <&>" || m.ID != "m-1" {
		t.Errorf("message: got %+v, want Body hé 🐦 <&>, ID m-1", m)
	}
	await(t, inA, func(k *perch.AckIn) bool { return k.Through >= n })

	if err := b.SetVCard(ctx, perch.VCard{FullName: "Bob B."}); err != nil {
		t.Fatalf("b.SetVCard(): got error %v, want none", err)
	}
	if card, err := a.VCard(ctx, bob.JID); err != nil || card.FullName != "Bob B." {
		t.Errorf("vCard: got %+v, %v; want no error, FullName Bob B.", card, err)
	}
	testkit.Eventually(t, 10*time.Second, func() error { // servers write the archive in their own time
		page, err := a.Archive(ctx, perch.ArchiveQuery{With: bob.JID, Limit: 10})
		if err == nil && (len(page.Items) != 1 || !page.Items[0].Sent) {
			err = perch.Errorf(perch.KindInternal, "archive: %+v", page)
		}
		return err
	})
	if err := a.RemoveRosterItem(ctx, bob.JID); err != nil {
		t.Errorf("a.RemoveRosterItem(): got error %v, want none", err)
	}
	await(t, inA, func(p *perch.RosterPush) bool { return p.Item.Subscription == perch.SubscriptionRemove })
}

// TestM03SeeOtherHostOnProsody lets a real Prosody send us to another one, in place of each
// of its three features. Dial follows by itself, and refuses a host that is not allowed.
func TestM03SeeOtherHostOnProsody(t *testing.T) {
	home := testkit.Prosody(t, testkit.ProsodyOptions{})
	for stage, want := range map[string]xmppconn.Stage{
		"pretls": xmppconn.StageBeforeTLS, "posttls": xmppconn.StageAfterTLS, "postauth": xmppconn.StageAfterSASL,
	} {
		t.Run(stage, func(t *testing.T) {
			first := testkit.Prosody(t, testkit.ProsodyOptions{SeeOtherStage: stage, SeeOtherTarget: home.Addr})
			u := home.NewUser(t, "redir")
			first.AddUser(t, u.JID, u.Password)
			acc := perch.Account{JID: perch.JID(u.JID), Password: perch.NewSecret(u.Password)}
			up := upstreamOf(first, first.Domain)
			_, err := xmppconn.Dial(context.Background(), up, acc, xmppconn.Options{})
			re, ok := errors.AsType[*xmppconn.RedirectError](err)
			if !ok || re.Stage != want || perch.KindOf(err) != perch.KindRedirectRefused {
				t.Errorf("a host that is not allowed: got %v, want Stage %v, %s", err, want, perch.KindRedirectRefused)
			}
			up.RedirectAllow = []string{"127.0.0.1"}
			var n xmppconn.Counters
			c, err := xmppconn.Dial(context.Background(), up, acc, xmppconn.Options{Counters: &n})
			if err != nil {
				t.Fatalf("xmppconn.Dial(): got error %v, want none", err)
			}
			c.Start(func(uint64, perch.Inbound) {}, func() {})
			defer func() { _ = c.Close(context.Background()) }()
			if got := n.Redirects.Load(); got != 1 || c.Login().JID.Bare() != perch.JID(u.JID) {
				t.Errorf("got %d redirects, signed in as %s; want 1, c.Login().JID.Bare() %v", got, c.Login().JID, perch.JID(u.JID))
			}
			testkit.Eventually(t, 10*time.Second, func() error {
				if n := home.CountLogins(t, u.JID); n != 1 {
					return perch.Errorf(perch.KindInternal, "%d logins at the second server", n)
				}
				return nil
			})
		})
	}
}
