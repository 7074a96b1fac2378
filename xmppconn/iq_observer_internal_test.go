package xmppconn

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

func TestObserverSeesEveryRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, c, _, p := online(t, messengerUp())
		var seen []string
		w.d.observer = func(kind string, d time.Duration, err error) {
			result := perch.Kind("ok")
			if err != nil {
				result = perch.KindOf(err)
			}
			seen = append(seen, fmt.Sprint(kind, " ", d, " ", result))
		}
		type callers struct{}
		ctx := context.WithValue(context.Background(), callers{}, "the caller's")
		var traced []string
		w.d.trace = func(ctx context.Context, kind string) func(error) {
			if ctx.Value(callers{}) == nil {
				t.Error("not the context of the caller, want its value")
			}
			n := len(seen)
			return func(err error) {
				if err != nil {
					kind += " failed"
				}
				if len(seen) == n+1 { // it spans the whole request
					traced = append(traced, kind)
				}
			}
		}
		ask := func(reply func(*xmlstream.Element) string, f func() error) {
			answer(p, func(iq *xmlstream.Element) string {
				time.Sleep(time.Second) // virtual
				return reply(iq)
			})
			_ = f()
		}
		fine := func(iq *xmlstream.Element) string { return resultOf(iq, "") }
		ask(fine, func() error { _, err := c.Roster(ctx, ""); return err })
		ask(fine, func() error { return c.SetRosterItem(ctx, "bob@a.test", "Bob", nil) })
		ask(func(iq *xmlstream.Element) string { return errorOf(iq, "not-allowed") }, func() error { _, err := c.VCard(ctx, "bob@a.test"); return err })
		ask(fine, func() error { _, err := c.Archive(ctx, perch.ArchiveQuery{With: "bob@a.test"}); return err })
		ask(fine, func() error { _, err := c.Ping(ctx); return err })
		c.login.Capabilities.EditRoster, c.login.Capabilities.StoreVCard = true, true
		ask(fine, func() error { return c.RemoveRosterItem(ctx, "bob@a.test") })
		ask(fine, func() error { return c.SetVCard(ctx, perch.VCard{}) })
		ask(func(iq *xmlstream.Element) string { return errorOf(iq, "item-not-found") }, func() error { _, err := c.LookupJID(ctx, "bob@b.test"); return err })
		want := []string{"roster 1s ok", "roster_set 1s ok", "vcard 1s xmpp-error", "archive 1s ok", "ping 1s ok", "roster_remove 1s ok", "vcard_set 1s ok", "jid_lookup 1s item-not-found"}
		if !slices.Equal(seen, want) {
			t.Errorf("seen %q, want %v", seen, want)
		}
		if want := []string{"roster", "roster_set", "vcard failed", "archive", "ping", "roster_remove", "vcard_set", "jid_lookup failed"}; !slices.Equal(traced, want) {
			t.Errorf("traced %q, want %v", traced, want)
		}
		c.Abort()
		_, _ = c.Ping(ctx)
		if last := seen[len(seen)-1]; last != "ping 0s session-offline" {
			t.Errorf("without a connection: got %q, want last ping 0s session-offline", last)
		}
	})
}

// A request without a trace costs no allocation for it.
func TestNoTraceCostsNothing(t *testing.T) {
	ctx := context.Background()
	cost := func(trace func(context.Context, string) func(error)) float64 {
		d, err := NewDialer(Upstream{Domain: "a.test"}, Options{Trace: trace})
		if err != nil {
			t.Fatalf("NewDialer(): got error %v, want none", err)
		}
		return testing.AllocsPerRun(100, func() {
			if end := d.startTrace(ctx, "ping"); end != nil {
				end(nil)
			}
		})
	}
	if n := cost(nil); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
	ends := 0
	if n := cost(func(_ context.Context, kind string) func(error) { return func(error) { ends += len(kind) } }); n == 0 || ends == 0 {
		t.Errorf("got %v allocations with a trace, %d ends; want some, or this test sees none", n, ends)
	}
}
