package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/xmppconn"
)

// TestCertificatesThatEnd: a line a day from two weeks before the end on, none after a renewal, and a
// line for a file that cannot be read.
func TestCertificatesThatEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &lineLog{line: func(r slog.Record, at map[string]string) string {
			return fmt.Sprintf("%s %s %s", r.Level, cmp.Or(at["certificate"], r.Message), at["days"])
		}}
		e := newExpiry(canary.Logger(log))
		var mu sync.Mutex
		own, upstream, probed := time.Now().Add(15*24*time.Hour), time.Now().Add(20*24*time.Hour), 0
		var broken error
		e.own = func() (time.Time, error) {
			mu.Lock()
			defer mu.Unlock()
			return own, broken
		}
		e.probes = func() map[string]func(context.Context) []xmppconn.Probe {
			return map[string]func(context.Context) []xmppconn.Probe{"work": func(context.Context) []xmppconn.Probe {
				mu.Lock()
				defer mu.Unlock()
				probed++
				if probed == 2 {
					return []xmppconn.Probe{{Err: errors.New("away")}}
				}
				return []xmppconn.Probe{{Expires: upstream.Add(time.Hour)}, {Expires: upstream}}
			}}
		}
		client := time.Now().Add(60 * 24 * time.Hour)
		e.clients = func() map[string]time.Time {
			mu.Lock()
			defer mu.Unlock()
			return map[string]time.Time{"work": client}
		}
		ctx, cancel := context.WithCancel(t.Context())
		var done sync.WaitGroup
		done.Go(func() { e.run(ctx) })
		pass := func(d time.Duration, want ...string) {
			t.Helper()
			time.Sleep(d)
			synctest.Wait()
			if got := log.take(); !slices.Equal(got, want) {
				t.Errorf("after %v: got lines %q, want %q", d, got, want)
			}
		}
		pass(24*time.Hour-time.Second, []string{}...)
		pass(2*time.Minute, "WARN gateway 13")
		pass(23 * time.Hour)
		pass(time.Hour, "WARN gateway 12")
		mu.Lock()
		own = time.Now().Add(90 * 24 * time.Hour)
		broken = errors.New("half a file")
		mu.Unlock()
		pass(10*time.Minute, "WARN certificate cannot be read again, the old one stays in use ")
		mu.Lock()
		broken = nil
		mu.Unlock()
		pass(4*24*time.Hour, "WARN upstream work 13")
		pass(14*24*time.Hour, []string{"WARN upstream work 12", "WARN upstream work 11", "WARN upstream work 10", "WARN upstream work 9", "WARN upstream work 8",
			"WARN upstream work 7", "WARN upstream work 6", "WARN upstream work 5", "WARN upstream work 4", "WARN upstream work 3", "WARN upstream work 2",
			"WARN upstream work 1", "WARN upstream work 0", "WARN upstream work 0"}...)
		mu.Lock()
		if got, want := probed, 41; got < want-2 || got > want+2 {
			t.Errorf("got %d looks at the upstream in 20 days, want about %d", got, want)
		}
		mu.Unlock()
		if got := e.table()["work"]; !got.Equal(upstream) {
			t.Errorf("got the end %v, want that of the certificate which ends first, %v", got, upstream)
		}
		mu.Lock()
		client, upstream = time.Now().Add(3*24*time.Hour+time.Hour), time.Now().Add(90*24*time.Hour)
		mu.Unlock()
		pass(time.Minute, "WARN client of upstream work 3")
		cancel()
		done.Wait()
	})
}
