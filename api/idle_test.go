package api_test

import "testing"

// TestIdleStreamsAreSmall: a stream in which nothing happens is one goroutine with a stack that has
// not grown, and little else.
func TestIdleStreamsAreSmall(t *testing.T) {
	for encoding := range idleRequests {
		c := idleStreams(t, encoding, 300)
		if c.goroutines > 1.05 || c.heap+c.stack > 16<<10 { // with the race detector stacks are twice as large
			t.Errorf("%s: %.2f goroutines, %.0f bytes of heap and %.0f of stacks for an idle stream; want 1, and at most 16 KiB in all",
				encoding, c.goroutines, c.heap, c.stack)
		}
	}
}
