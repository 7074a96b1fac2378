package sessions

import "sync/atomic"

// runner is an owner that has a goroutine only while there is work. Whoever makes work first
// stores it where step finds it, and then calls wake; so either the step that is running finds it,
// or one more step is made. At most one goroutine is in step at any time, and each sees what the
// one before it has done.
type runner struct {
	state atomic.Int32
	work  worker
}

// worker is what a runner runs.
type worker interface {
	// step does one thing, and reports whether it found one to do.
	step() bool
	// hasEnded reports whether the last step was the last of all. Only the owner calls it.
	hasEnded() bool
	// finish runs after that, on a goroutine of its own, which may wait.
	finish()
}

// The states of a runner. It begins as runnerOff: wake does nothing until start.
const (
	runnerOff   = iota // not started yet, or over
	runnerIdle         // no goroutine
	runnerBusy         // a goroutine is in run
	runnerAgain        // the same, and something came after it has looked
)

// borrowedSteps is how many steps the owner makes on the goroutine of another before it goes on
// with one of its own.
const borrowedSteps = 32

// start lets wake run steps. It is called once.
func (r *runner) start() {
	r.state.Store(runnerIdle)
	r.wake()
}

// wake makes sure that a step begins after this call. It does not wait.
func (r *runner) wake() {
	if r.acquire() {
		go r.run()
	}
}

// wakeHere is wake, and lends the owner the calling goroutine when it has none, for a few steps:
// the caller would only wait for them. It must not hold what a step may wait for.
func (r *runner) wakeHere() {
	if !r.acquire() {
		return
	}
	for range borrowedSteps {
		if !r.next() {
			return
		}
	}
	go r.run()
}

// acquire reports whether the caller is to run the owner. If not, the goroutine that does makes
// one more step.
func (r *runner) acquire() bool {
	for {
		switch r.state.Load() {
		case runnerIdle:
			if r.state.CompareAndSwap(runnerIdle, runnerBusy) {
				return true
			}
		case runnerBusy:
			if r.state.CompareAndSwap(runnerBusy, runnerAgain) {
				return false
			}
		default:
			return false
		}
	}
}

func (r *runner) run() {
	for r.next() {
	}
}

// next makes a step, and reports whether the goroutine is to go on.
func (r *runner) next() bool {
	did := r.work.step()
	if r.work.hasEnded() {
		r.state.Store(runnerOff)
		go r.work.finish()
		return false
	}
	if did {
		return true
	}
	if r.state.CompareAndSwap(runnerBusy, runnerIdle) {
		return false
	}
	r.state.Store(runnerBusy) // from runnerAgain, which no other changes
	return true
}
