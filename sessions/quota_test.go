package sessions_test

import (
	"math"
	"testing"
	"time"

	"github.com/perch-im/perch/sessions"
)

func TestQuota(t *testing.T) {
	q := sessions.Quota{Burst: 3, Every: time.Minute}
	for _, tt := range []struct {
		q          sessions.Quota
		used, next time.Duration
		want       sessions.Allowance
	}{
		{q, 0, time.Minute, sessions.Allowance{OK: true, Left: 2}},
		{q, -time.Hour, time.Minute, sessions.Allowance{OK: true, Left: 2}},
		{q, math.MinInt64, time.Minute, sessions.Allowance{OK: true, Left: 2}},
		{q, 90 * time.Second, 150 * time.Second, sessions.Allowance{OK: true}},
		{q, 2 * time.Minute, 3 * time.Minute, sessions.Allowance{OK: true}},
		{q, 150 * time.Second, 150 * time.Second, sessions.Allowance{Wait: 30 * time.Second}},
		{q, time.Hour, 3 * time.Minute, sessions.Allowance{Wait: time.Minute}},
		{sessions.Quota{Burst: 3}, 0, 0, sessions.Allowance{OK: true, Left: 3}}, // no time: no limit
	} {
		if next, a := tt.q.Take(tt.used); next != tt.next || a != tt.want {
			t.Errorf("%+v.Take(%v): got %v, %+v, want %v, %+v", tt.q, tt.used, next, a, tt.next, tt.want)
		}
	}
	for used, want := range map[time.Duration]time.Duration{
		0: 0, time.Second: 0, 90 * time.Second: 30 * time.Second, -time.Hour: 0, math.MinInt64: 0,
	} {
		if got := q.GiveBack(used); got != want {
			t.Errorf("GiveBack(%v): got %v, want %v", used, got, want)
		}
	}
}
