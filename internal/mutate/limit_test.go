package main

import (
	"slices"
	"testing"
)

// TestLimitsAreFound reads what is a limit and what is not, and how it is changed.
func TestLimitsAreFound(t *testing.T) {
	src := []byte(`package x

import "time"

const maxItems = 20 // a count

const (
	headerTime = 5 * time.Second
	plain      = 7 // bounds a queue
	other      = 7
	maxName    = "no number"
	maxOf      = maxItems * 2
)

var DefaultRetention = Retention{Events: 10_000, Age: time.Hour}

func (o Options) withDefaults() {
	setDefault(&o.BodyBytes, 256<<10)
	setDefault(&o.Rate, Rate{PerSecond: 10.0 / 60, Burst: 10})
	setDefault(&o.Version, "dev")
	orTime(&o.Wait, 5*time.Second)
	if o.Queue <= 0 {
		o.Queue = 16
	}
	if o.From == 0 {
		o.From = 0
	}
	if o.From == 0 {
		o.Until = 7
	}
}
`)
	found, err := limitsIn("x.go", src)
	if err != nil {
		t.Fatalf("limitsIn: got error %v, want none", err)
	}
	var got []string
	for _, l := range found {
		got = append(got, l.name+" "+l.changed())
	}
	want := []string{
		"maxItems (20 + 1)", "headerTime ((5 * time.Second) * 4)", "plain (7 + 1)",
		"DefaultRetention.Events ((10_000) * 4)", "DefaultRetention.Age ((time.Hour) * 4)",
		"BodyBytes ((256<<10) * 4)", "Rate.PerSecond ((10.0 / 60) * 4)", "Rate.Burst (10 + 1)",
		"Wait ((5*time.Second) * 4)", "Queue (16 + 1)",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	if text := string(found[0].mutant(src)); len(text) != len(src)+len("(20 + 1)")-len("20") || text[:12] != string(src[:12]) {
		t.Errorf("mutant %q, want %v and %q", text, len(src)+len("(20 + 1)")-len("20"), string(src[:12]))
	}
}
