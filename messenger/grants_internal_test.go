package messenger

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestGrantsEdge: a table has 1,000 grants, each for its life and to be redeemed once. One more
// drops what has expired, or the oldest.
func TestGrantsEdge(t *testing.T) {
	const most = 1000
	synctest.Test(t, func(t *testing.T) {
		var table grantTable[int]
		fill := func() (secrets []string) {
			for i := range most {
				secrets = append(secrets, table.put(i, time.Minute))
				time.Sleep(time.Nanosecond)
			}
			return secrets
		}
		first := fill()
		more := table.put(-1, time.Minute)
		for name, c := range map[string]struct {
			secret string
			value  int
			ok     bool
		}{
			"the oldest": {first[0], 0, false},
			"the next":   {first[1], 1, true},
			"the newest": {more, -1, true},
			"a guess":    {"guess", 0, false},
		} {
			if got, ok := table.redeem(c.secret); ok != c.ok || ok && got != c.value {
				t.Errorf("%s: got %d, %v, want %d, %v", name, got, ok, c.value, c.ok)
			}
			if _, ok := table.redeem(c.secret); ok {
				t.Errorf("%s: got redeemed twice, want once", name)
			}
		}
		time.Sleep(time.Minute - 2*most*time.Nanosecond)
		if _, ok := table.redeem(first[2]); !ok {
			t.Error("got a grant ended before its time, want it redeemed")
		}
		time.Sleep(2 * most * time.Nanosecond)
		if _, ok := table.redeem(first[3]); ok {
			t.Error("got a grant redeemed after its time, want it ended")
		}
		second := fill()
		if _, ok := table.redeem(second[0]); !ok {
			t.Error("got the oldest dropped beside those that have expired, want it kept")
		}
	})
}

// TestTokensExpire: a token without a life stays, others expire, and their entries
// are removed.
func TestTokensExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var table tokenTable
		acct := &account{}
		table.add("for ever", acct, 0)
		for _, text := range []string{"a", "b", "c"} {
			table.add(text, acct, time.Minute)
		}
		time.Sleep(time.Minute - time.Nanosecond)
		if _, e, ok := table.check("a"); !ok || e.acct != acct {
			t.Errorf("within its life: got %v, %v, want its account", e.acct, ok)
		}
		time.Sleep(time.Nanosecond)
		if _, _, ok := table.check("a"); ok {
			t.Error("got a token valid after its life, want it expired")
		}
		if table.revoke(keyOf("b")) {
			t.Error("got an expired token known, want it forgotten")
		}
		table.add("new", acct, time.Minute)
		if got := table.tokens.Len(); got != 2 {
			t.Errorf("got %d tokens kept, want the new one and the one for ever", got)
		}
		time.Sleep(1000 * time.Hour)
		if _, _, ok := table.check("for ever"); !ok || !table.revoke(keyOf("for ever")) {
			t.Error("got the token without a life expired, want it valid")
		}
	})
}
