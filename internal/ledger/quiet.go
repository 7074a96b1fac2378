package ledger

import "time"

// Before the first fault, messages come in small bursts with pauses between them, so that a
// connection goes to rest and is woken again and again.
const (
	quietBursts = 10
	quietBurst  = 12 // messages to one account at once
	quietPause  = 800 * time.Millisecond
	// promptly is how long a message may take while nothing is broken: much more than it takes on a
	// busy machine, and much less than it takes until a connection that hears nothing is given up.
	promptly = 10 * time.Second
)

// quiet is the time before the first fault.
func (w *world) quiet() {
	w.history.add(Entry{Op: OpQuiet, Phase: Invoke})
	for i := range quietBursts {
		w.load.burst(w.accounts[i%len(w.accounts)], quietBurst)
		w.wait(quietPause)
	}
	w.wait(promptly)
	w.history.add(Entry{Op: OpQuiet, Phase: OK})
}
