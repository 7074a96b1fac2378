package main

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// cycles makes a series with a look every minute.
func cycles(n int, slack float64, value func(i int) float64) series {
	s := series{name: "figure", scale: 1, slack: slack, short: growthLimit}
	for i := range n {
		s.samples = append(s.samples, sample{time.Duration(i) * time.Minute, value(i)})
	}
	return s
}

// TestGrowthIsFound: what grows by more than a hundredth an hour after the first part is found,
// and nothing else is.
func TestGrowthIsFound(t *testing.T) {
	noise := rand.New(rand.NewPCG(1, 2)).NormFloat64
	for _, c := range []struct {
		name  string
		s     series
		from  time.Duration
		grows bool
	}{
		{"the same for two hours", cycles(121, 5, func(int) float64 { return 2000 }), time.Hour, false},
		{"noise", cycles(121, 0, func(int) float64 { return 50_000 + 250*noise() }), time.Hour, false},
		{"filling in the first hour", cycles(121, 0, func(i int) float64 { return 50_000 + 100*float64(min(i, 59)) }), time.Hour, false},
		{"half a hundredth an hour", cycles(121, 0, func(i int) float64 { return 50_000 + 4*float64(i) + 250*noise() }), time.Hour, false},
		{"two hundredths an hour", cycles(121, 0, func(i int) float64 { return 50_000 + 17*float64(i) + 250*noise() }), time.Hour, true},
		{"two hundredths an hour less", cycles(121, 0, func(i int) float64 { return 50_000 - 17*float64(i) + 250*noise() }), time.Hour, false},
		{"a goroutine a minute among few", cycles(121, 5, func(i int) float64 { return 12 + float64(i) }), time.Hour, true},
		{"a goroutine a minute among many", cycles(121, 5, func(i int) float64 { return 2000 + float64(i) }), time.Hour, true},
		{"two more for good", cycles(121, 5, func(i int) float64 { return 12 + 2*float64(i/90) }), time.Hour, false},
		{"one look of ten times as much", cycles(121, 0, func(i int) float64 { return 50_000 * (1 + 9*float64(i/120)) }), time.Hour, false},
		{"a tenth in five minutes", cycles(16, 0, func(i int) float64 { return 50_000 * (1 + 0.02*float64(i)) }), 7 * time.Minute, true},
		{"less than a hundredth in five minutes", cycles(16, 0, func(i int) float64 { return 50_000 * (1 + 0.001*float64(i)) }), 7 * time.Minute, false},
	} {
		v, err := c.s.judge(c.from)
		if err != nil || v.grows() != c.grows {
			t.Errorf("%s: got error %v, %s; want none, and growth %v", c.name, err, v, c.grows)
		}
		if got := strings.Contains(v.String(), "GROWS"); got != c.grows {
			t.Errorf("%s: got the line %q, want GROWS in it %v", c.name, v, c.grows)
		}
	}
}

// TestTooFewLooks: nothing is said of what was not seen often enough.
func TestTooFewLooks(t *testing.T) {
	s := cycles(10, 0, func(int) float64 { return 1 })
	if v, err := s.judge(3 * time.Minute); err == nil {
		t.Errorf("got %s of seven looks, want an error", v)
	}
	if _, err := s.judge(2 * time.Minute); err != nil {
		t.Errorf("got error %v of eight looks, want none", err)
	}
}

// TestMannKendall: by the tables of the test: five values that only rise have S = 10 and a
// variance of 50/3.
func TestMannKendall(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   float64
	}{
		{[]float64{1, 2, 3, 4, 5}, 9 / math.Sqrt(50.0/3)},
		{[]float64{5, 4, 3, 2, 1}, -9 / math.Sqrt(50.0/3)},
		{[]float64{1, 1, 1, 1}, 0},
		{[]float64{1, 2, 1, 2, 1}, 0},
		{[]float64{1, 1, 2, 2}, 3 / math.Sqrt((156.0-18-18)/18)},
		{nil, 0},
	} {
		if got := mannKendall(c.values); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("mannKendall(%v): got %v, want %v", c.values, got, c.want)
		}
	}
}
