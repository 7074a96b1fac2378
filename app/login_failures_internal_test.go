package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/xmppconn"
)

// lineLog keeps what is logged as "upstream cause failures".
type lineLog struct {
	mu    sync.Mutex
	lines []string
}

func (*lineLog) Enabled(context.Context, slog.Level) bool { return true }
func (l *lineLog) WithAttrs([]slog.Attr) slog.Handler     { return l }
func (l *lineLog) WithGroup(string) slog.Handler          { return l }

func (l *lineLog) Handle(_ context.Context, r slog.Record) error {
	at := map[string]string{}
	r.Attrs(func(a slog.Attr) bool { at[a.Key] = a.Value.String(); return true })
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, fmt.Sprintf("%s %s %s %s", r.Level, at["upstream"], at["cause"], at["failures"]))
	return nil
}

func (l *lineLog) take() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	lines := l.lines
	l.lines = nil
	return lines
}

// TestLoginFailuresAreFewLines: the first failure of a cause is a line at once; a storm after it is
// a count every five minutes, and what waits at the end is written.
func TestLoginFailuresAreFewLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &lineLog{}
		a := &App{log: canary.Logger(log), logins: newLoginHistory()}
		a.watchLogins()
		fail := func(upstream string, cause perch.Cause, n int) {
			for range n {
				a.failures.of(upstream)(xmppconn.Failure{Cause: cause, Err: errors.New("x")})
			}
		}
		want := func(when string, lines ...string) {
			t.Helper()
			if got := log.take(); !slices.Equal(got, lines) {
				t.Errorf("%s: got lines %q, want %q", when, got, lines)
			}
		}
		fail("work", perch.CauseRefused, 1000)
		fail("work", perch.CauseName, 1)
		fail("home", perch.CauseRefused, 2)
		want("at once", "WARN work refused 1", "WARN work no-such-host 1", "WARN home refused 1")
		time.Sleep(failuresEvery - time.Second)
		synctest.Wait()
		want("before the time")
		time.Sleep(failuresTick + time.Second)
		synctest.Wait()
		want("after the time", "WARN home refused 1", "WARN work refused 999")
		fail("work", perch.CauseRefused, 1)
		want("one more")
		time.Sleep(failuresEvery + failuresTick)
		synctest.Wait()
		want("its count", "WARN work refused 1")
		time.Sleep(2 * failuresEvery)
		fail("work", perch.CauseRefused, 3)
		want("after a quiet time", "WARN work refused 1")
		if err := a.Stop(t.Context()); err != nil {
			t.Fatalf("a.Stop: got error %v, want none", err)
		}
		want("at the end", "WARN work refused 2")
	})
}
