package app

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn"
)

const (
	// failuresEvery is the time between two lines about one cause at one upstream.
	failuresEvery = 5 * time.Minute
	failuresTick  = 10 * time.Second
)

// loginFailures tells the operator why logins fail: the first for a cause at an upstream at once,
// and those after it as a count every few minutes, for as long as they come. A storm of sessions
// that all try again is a few lines. Upstreams and causes are few, so the table is bounded.
type loginFailures struct {
	log     *slog.Logger
	history *loginHistory

	mu   sync.Mutex
	rows map[failureKey]*failureRow
}

type failureKey struct {
	upstream string
	cause    perch.Cause
}

type failureRow struct {
	last   xmppconn.Failure
	count  int       // since the last line
	spoken time.Time // of the last line
}

// watchLogins starts the goroutine that writes the later lines.
func (a *App) watchLogins() {
	f := &loginFailures{log: a.log.With("component", "logins"), history: a.logins, rows: map[failureKey]*failureRow{}}
	a.failures = f
	watching, stop := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() { f.run(watching) })
	a.onStop("counts of failed logins", func(context.Context) error {
		stop()
		done.Wait()
		return nil
	})
}

func (f *loginFailures) run(ctx context.Context) {
	tick := time.NewTicker(failuresTick)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			f.summarize(failuresEvery)
		case <-ctx.Done():
			f.summarize(0)
			return
		}
	}
}

// of is the reporter of one upstream.
func (f *loginFailures) of(upstream string) func(xmppconn.Failure) {
	return func(x xmppconn.Failure) {
		f.history.fail(upstream, x)
		key := failureKey{upstream, x.Cause}
		f.mu.Lock()
		row, known := f.rows[key]
		if !known {
			row = &failureRow{spoken: time.Now()}
			f.rows[key] = row
		}
		row.last = x
		if known {
			row.count++
		}
		f.mu.Unlock()
		if !known {
			f.write(key, x, 1)
		}
	}
}

// summarize writes a line for each cause that had failures since its last one, and forgets those
// that had none: their next failure is a first one again. Every is the age of the last line.
func (f *loginFailures) summarize(every time.Duration) {
	type line struct {
		key failureKey
		failureRow
	}
	var lines []line
	f.mu.Lock()
	for key, row := range f.rows {
		if time.Since(row.spoken) < every {
			continue
		}
		if row.count == 0 {
			delete(f.rows, key)
			continue
		}
		lines = append(lines, line{key, *row})
		row.count, row.spoken = 0, time.Now()
	}
	f.mu.Unlock()
	slices.SortFunc(lines, func(a, b line) int {
		return cmp.Or(cmp.Compare(a.key.upstream, b.key.upstream), cmp.Compare(a.key.cause, b.key.cause))
	})
	for _, l := range lines {
		f.write(l.key, l.last, l.count)
	}
}

// write never names an account: the error of a login has none.
func (f *loginFailures) write(key failureKey, x xmppconn.Failure, count int) {
	text := x.Err.Error()
	f.log.Warn("logins to the upstream fail", "upstream", key.upstream, "cause", string(key.cause), "failures", count,
		"target", x.Target, "error", text[:min(len(text), warnBytes)], "advice", xmppconn.Advice(key.cause))
}
