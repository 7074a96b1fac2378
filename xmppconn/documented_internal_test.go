package xmppconn

import (
	"context"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
)

var anyID = regexp.MustCompile(` id='[^']*'`)

// documented are the lines of docs/messenger.md that the gateway sends, without ids.
func documented(t *testing.T) (lines []string) {
	t.Helper()
	text, err := os.ReadFile("../docs/messenger.md")
	if err != nil {
		t.Fatalf("os.ReadFile(): got error %v, want none", err)
	}
	for line := range strings.Lines(string(text)) {
		if xml, ok := strings.CutPrefix(strings.TrimSpace(line), "C: "); ok && !strings.HasPrefix(xml, "<stream:stream") {
			lines = append(lines, anyID.ReplaceAllString(xml, ""))
		}
	}
	return lines
}

// TestMessengerExchangesAreAsDocumented does everything that the guide shows, and finds every line
// of the gateway there among those that were written.
func TestMessengerExchangesAreAsDocumented(t *testing.T) {
	want := documented(t)
	synctest.Test(t, func(t *testing.T) {
		up := messengerUp()
		up.Domain, up.RootCAs = "messenger.live.com", testPKI().pool
		w := newFakeNetwork(t, up)
		var mu sync.Mutex
		var wrote []string
		next := func(p *fakeServer) string {
			raw := p.raw()
			mu.Lock()
			defer mu.Unlock()
			wrote = append(wrote, anyID.ReplaceAllString(raw, ""))
			return raw
		}
		w.serve("xmpp.a.test:5222", func(p *fakeServer) {
			p.cert = testPKI().issue(nil, "messenger.live.com")
			p.open(offerTLS)
			next(p)
			p.send("<proceed xmlns='" + nsTLS + "'/>")
			p.handshake()
			p.open(offerSASL("X-MESSENGER-OAUTH2 "))
			next(p)
			p.send(saslSuccess)
			p.open(offerBind)
			id := anyID.FindString(next(p))
			p.send("<iq type='result'" + id + "><bind xmlns='" + nsBind + "'><jid>3e1afc479649b3fb@messenger.live.com/m</jid></bind></iq>")
			for {
				next(p)
			}
		})
		c, err := w.d.Dial(context.Background(), perch.Account{Token: perch.NewSecret("demo-alice")}, nil)
		if err != nil {
			t.Fatalf("w.d.Dial(): got error %v, want none", err)
		}
		defer func() { c.Abort(); _ = c.join(context.Background()) }()
		c.Start(func(uint64, perch.Inbound) {}, func() {})
		doDocumented(t, c)
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		for _, line := range want {
			if !slices.Contains(wrote, line) {
				t.Errorf("the guide shows %s\nwritten were\n%s, want it with %v", line, strings.Join(wrote, "\n"), line)
			}
		}
		if len(want) < 13 {
			t.Errorf("the guide shows %d lines of the gateway, want 13 or more", len(want))
		}
	})
}

// doDocumented asks for what the guide shows; there is no answer.
func doDocumented(t *testing.T, c *Conn) {
	t.Helper()
	const bob, dora, echo = "f5c8423c8823cfde@messenger.live.com", "1511285d3c6e0658@messenger.live.com", "93e551702e0750e7@messenger.live.com"
	for _, ask := range []func(context.Context) error{
		func(ctx context.Context) error { _, err := c.Roster(ctx, ""); return err },
		func(ctx context.Context) error { _, err := c.LookupJID(ctx, "dora@contoso.com"); return err },
		func(ctx context.Context) error { return c.SetRosterItem(ctx, dora, "Dora", nil) },
		func(ctx context.Context) error { _, err := c.VCard(ctx, bob); return err },
		func(ctx context.Context) error {
			_, err := c.Archive(ctx, perch.ArchiveQuery{With: bob, Limit: 2})
			return err
		},
		func(ctx context.Context) error { _, err := c.Ping(ctx); return err },
	} {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		if ask(ctx) == nil {
			t.Error("got an answer, want none")
		}
		cancel()
	}
	for _, out := range []perch.Outbound{
		&perch.PresenceOut{OwnPresence: perch.OwnPresence{Available: true}},
		&perch.SubscriptionOut{To: dora, Type: "subscribe", Nick: "Alice"},
		&perch.ChatStateOut{To: echo, State: perch.ChatState("composing")},
		&perch.MessageOut{ID: "m1", To: echo, Kind: perch.ChatMessage, Body: "hi"},
	} {
		if _, err := c.Send(out); err != nil {
			t.Errorf("c.Send(): got error %v, want none", err)
		}
	}
}
