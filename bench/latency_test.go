package main

import "testing"

// TestNumberOf finds the number of a message in both formats, and none elsewhere.
func TestNumberOf(t *testing.T) {
	for frame, want := range map[string]int{
		"<message xmlns='jabber:client' id='m12'><body>" + numbered(12) + "</body></message>": 12,
		`{"id":"e-1","type":"message.received","data":{"body":"` + numbered(1234567) + `"}}`:  1234567,
		`{"type":"heartbeat","data":{"tip":"e-12"}}`:                                          -1,
		"<presence/>":     -1,
		numberMark + "12": -1,
	} {
		if got := numberOf([]byte(frame)); got != want {
			t.Errorf("%s has the number %d, want %d", frame, got, want)
		}
	}
}

func TestQuantile(t *testing.T) {
	v := []float64{5, 1, 4, 2, 3}
	for q, want := range map[float64]float64{0: 1, 0.5: 3, 0.99: 5, 1: 5} {
		if got := quantile(v, q); got != want {
			t.Errorf("quantile %g is %g, want %g", q, got, want)
		}
	}
	if v[0] != 5 {
		t.Errorf("what was measured is in another order now: got %v, want 5", v[0])
	}
}
