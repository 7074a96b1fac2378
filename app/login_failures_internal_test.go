package app

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/xmppconn"
)

// TestLoginFailuresAreFewLines: the first failure of a cause is a line at once; a storm after it is
// a count every five minutes, and what waits at the end is written.
func TestLoginFailuresAreFewLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &lineLog{line: func(r slog.Record, at map[string]string) string {
			return fmt.Sprintf("%s %s %s %s", r.Level, at["upstream"], at["cause"], at["failures"])
		}}
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
