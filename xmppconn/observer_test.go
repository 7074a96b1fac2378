package xmppconn

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
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
		ctx := context.Background()
		ask := func(reply func(*element) string, f func() error) {
			answer(p, func(iq *element) string {
				time.Sleep(time.Second) // virtual
				return reply(iq)
			})
			_ = f()
		}
		fine := func(iq *element) string { return resultOf(iq, "") }
		ask(fine, func() error { _, err := c.Roster(ctx, ""); return err })
		ask(fine, func() error { return c.SetRosterItem(ctx, "bob@a.test", "Bob", nil) })
		ask(func(iq *element) string { return errorOf(iq, "not-allowed") }, func() error { _, err := c.VCard(ctx, "bob@a.test"); return err })
		ask(fine, func() error { _, err := c.Archive(ctx, perch.ArchiveQuery{With: "bob@a.test"}); return err })
		ask(fine, func() error { _, err := c.Ping(ctx); return err })
		c.login.Capabilities.EditRoster, c.login.Capabilities.StoreVCard = true, true
		ask(fine, func() error { return c.RemoveRosterItem(ctx, "bob@a.test") })
		ask(fine, func() error { return c.SetVCard(ctx, perch.VCard{}) })
		ask(func(iq *element) string { return errorOf(iq, "item-not-found") }, func() error { _, err := c.LookupJID(ctx, "bob@b.test"); return err })
		want := []string{"roster 1s ok", "roster_set 1s ok", "vcard 1s xmpp-error", "archive 1s ok", "ping 1s ok", "roster_remove 1s ok", "vcard_set 1s ok", "jid_lookup 1s item-not-found"}
		if !slices.Equal(seen, want) {
			t.Errorf("seen %q", seen)
		}
		c.Abort()
		_, _ = c.Ping(ctx)
		if last := seen[len(seen)-1]; last != "ping 0s session-offline" {
			t.Errorf("without a connection: %q", last)
		}
	})
}
