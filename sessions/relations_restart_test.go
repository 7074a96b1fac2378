package sessions_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/perch-im/perch"
)

// TestMergedStateAfterARestart: however much came after what was said of a message, a session that is
// opened again knows it.
func TestMergedStateAfterARestart(t *testing.T) {
	inWorld(t, func(w *world) {
		w.open()
		w.deliver(text("m1", "one"))
		w.deliver(edit("e1", "m1", "two"))
		w.deliver(byPhone(react("r1", "m1", "❤")))
		for i := range 500 {
			w.deliver(text(fmt.Sprint("x", i), fmt.Sprint("more ", i)))
		}
		for n := range 2 { // the second one restores what the first one has restored
			w.close()
			w.start()
			s := w.open()
			pass(time.Second)
			w.deliver(edit(fmt.Sprint("e", n+2), "m1", "three"))
			got := chatOf(t, w.durable(s))[perch.Ref{ID: "m1"}.String()].String()
			if want := fmt.Sprintf(`"three" edits=%d retracted=false ❤[alice@example.net]`, n+2); got != want {
				t.Errorf("after restart %d: got %s, want %s", n+1, got, want)
			}
		}
	}, durable)
}
