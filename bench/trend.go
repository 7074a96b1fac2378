package main

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// sample is one figure at a moment.
type sample struct {
	at    time.Duration // since the begin
	value float64
}

// series is one figure of a soak over time.
type series struct {
	name, unit string  // the unit of what is printed; "" for a number
	scale      float64 // values are printed divided by it
	// slack is what it may grow by at any length: a few goroutines or descriptors come and
	// go with what happens to be under way.
	slack float64
	// short is what it may grow by in less than an hour, as a share of itself.
	short   float64
	samples []sample
}

const (
	// growthLimit is what a figure may grow by an hour, as a share of itself.
	growthLimit = 0.01
	// memoryLimit is what memory may grow by in less than an hour: sessions remember what came in
	// the last quarter of one, so that this much comes and goes.
	memoryLimit = 0.03
	// anHour is what one looks at in an hour, from the first look to the last.
	anHour = 55 * time.Minute
)

// certain is how sure a growth has to be: its Mann-Kendall statistic is above this for one in a
// hundred series that do not grow.
const certain = 2.33

// leastSamples is what a growth is told from: of five even a steady one is not certain.
const leastSamples = 8

// verdict is what became of a series after its first part.
type verdict struct {
	series  series
	median  float64
	growth  float64 // an hour
	seen    float64 // over the time that was judged
	allowed float64 // over that time
	trend   float64 // Mann-Kendall
	over    time.Duration
}

// after are the samples from a moment on.
func (s series) after(from time.Duration) []sample {
	return slices.DeleteFunc(slices.Clone(s.samples), func(x sample) bool { return x.at < from })
}

// judge looks at the samples from a moment on.
func (s series) judge(from time.Duration) (v verdict, err error) {
	late := s.after(from)
	if len(late) < leastSamples {
		return v, fmt.Errorf("%s: %d samples after %s, want at least %d: the soak is too short", s.name, len(late), from, leastSamples)
	}
	values := make([]float64, len(late))
	for i, x := range late {
		values[i] = x.value
	}
	v = verdict{series: s, median: median(values), over: late[len(late)-1].at - late[0].at, trend: mannKendall(values)}
	v.growth = theilSen(late) * float64(time.Hour)
	v.seen = v.growth * v.over.Hours()
	share := growthLimit * v.over.Hours()
	if v.over < anHour {
		share = s.short
	}
	v.allowed = max(share*v.median, s.slack)
	return v, nil
}

// grows reports whether the series grew by more than it may, and not by chance.
func (v verdict) grows() bool { return v.seen > v.allowed && v.trend > certain }

func (v verdict) String() string {
	word := "flat"
	if v.grows() {
		word = "GROWS"
	}
	s := v.series
	return fmt.Sprintf("%-11s %9.1f %-3s %+7.2f%% an hour, %+.1f in %s (may be %.1f, trend %+.1f): %s", s.name, v.median/s.scale, s.unit,
		100*v.growth/max(v.median, 1), v.seen/s.scale, v.over.Round(time.Second), v.allowed/s.scale, v.trend, word)
}

// theilSen is the median of the slopes between any two samples, in units a nanosecond: a line
// that some samples far off do not turn.
func theilSen(s []sample) float64 {
	var slopes []float64
	for i, a := range s {
		for _, b := range s[i+1:] {
			if b.at > a.at {
				slopes = append(slopes, (b.value-a.value)/float64(b.at-a.at))
			}
		}
	}
	if len(slopes) == 0 {
		return 0
	}
	slices.Sort(slopes)
	n := len(slopes)
	return (slopes[(n-1)/2] + slopes[n/2]) / 2
}

// mannKendall is how far the number of pairs that rise is above that of those that fall, in
// standard deviations of what a series without a trend has; values that are equal are
// allowed for.
func mannKendall(v []float64) float64 {
	var s float64
	for i, a := range v {
		for _, b := range v[i+1:] {
			switch {
			case b > a:
				s++
			case b < a:
				s--
			}
		}
	}
	pairs := func(n float64) float64 { return n * (n - 1) * (2*n + 5) }
	variance := pairs(float64(len(v)))
	same := map[float64]float64{}
	for _, x := range v {
		same[x]++
	}
	for _, n := range same {
		variance -= pairs(n)
	}
	switch {
	case variance <= 0:
		return 0
	case s > 0:
		s--
	case s < 0:
		s++
	}
	return s / math.Sqrt(variance/18)
}
