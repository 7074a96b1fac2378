package ledger

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/perch-im/perch/internal/testkit"
)

// rosterTime is how long after a fault the whole roster may be missing: a session that begins
// anew backs off, signs in and fetches it.
const rosterTime = 90 * time.Second

// largeRoster gives the first account thousands of buddies before it signs in: the answer to
// its roster request is more than 1 MiB. They have no subscription, and so no presence.
func (w *world) largeRoster() {
	w.t.Helper()
	if w.o.Buddies <= 0 {
		return
	}
	items := make([]testkit.RosterItem, w.o.Buddies)
	for i := range items {
		items[i] = testkit.RosterItem{
			JID:   fmt.Sprintf("buddy-%06d@%s", i, w.server.Domain),
			Name:  fmt.Sprintf("Buddy number %d of a long roster, with a name that takes its space", i),
			Group: fmt.Sprintf("Group %d", i%50),
		}
	}
	a := w.accounts[0]
	w.server.StoreRoster(w.t, a.JID, items)
	a.stored = len(items)
}

// roster lists the buddies of an account, page by page, with their subscriptions.
func (a *account) roster(ctx context.Context) (map[string]string, error) {
	all, cursor := map[string]string{}, ""
	for {
		got, err := a.call(ctx, http.MethodGet, "/v1/buddies?limit=200"+cursor, "", nil)
		if err != nil {
			return nil, err
		}
		if got.status != http.StatusOK {
			return nil, errors.New(got.problem())
		}
		var page struct {
			Items []struct{ JID, Subscription string }
			Next  *string
		}
		if err := got.decode(&page); err != nil {
			return nil, err
		}
		for _, b := range page.Items {
			all[b.JID] = b.Subscription
		}
		if page.Next == nil || len(page.Items) == 0 {
			return all, nil
		}
		cursor = "&cursor=" + url.QueryEscape(*page.Next)
	}
}

// listAfter lists the first account's buddies after a fault, once for each kind.
func (w *world) listAfter(kind string) {
	if w.listed[kind] {
		return
	}
	w.listed[kind] = true
	w.list(w.accounts[0], kind)
}

// list notes how many buddies the gateway lists for an account: all of them, or what it lists
// when the time for that is over.
func (w *world) list(a *account, kind string) {
	want, count := len(w.foreigners())+a.stored, 0
	var last error
	w.until(rosterTime, func() bool {
		roster, err := a.roster(w.ctx)
		if last = err; err == nil {
			count = len(roster)
		}
		return err == nil && count == want || !pause(w.ctx, time.Second)
	})
	if last != nil {
		w.history.add(Entry{Op: OpNote, Phase: Info, Account: a.Name, Text: "listing buddies: " + last.Error()})
	}
	w.history.add(Entry{Op: OpRoster, Account: a.Name, N: count, Text: kind})
}
